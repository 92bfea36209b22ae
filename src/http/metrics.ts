import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { OperatorError } from '../config.ts'
import type { Answered } from './exchange.ts'
import type { Load } from './load.ts'

export type Metrics = {
  count: (answered: Answered) => void
  /** Of a statement that begins, of whatever kind; call what it gives back at the end. */
  statement: (way: string) => (succeeded: boolean) => void
  /** A try to send something to somebody else. */
  delivery: (kind: string, outcome: string) => void
  /** Of reminders that have come: how many are told, and how many came too late for that. */
  reminders: (told: number, dropped: number) => void
  /** A backup that was to be made by itself. */
  backup: (outcome: 'done' | 'failed') => void
  /** When the newest of these was made. */
  newestBackup: (at: Date) => void
  /** Serves them at /metrics, on a port of their own so that no proxy makes them public. */
  listen: (hostname: string, port: number) => { port: number; stop: () => void }
}

/** For Prometheus: requests by route, and how the process is. */
export function createMetrics(load: Load): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'docket_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'docket_request_seconds',
    help: 'From the head of a request to its answer.',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const statements = new Histogram({
    name: 'docket_statement_seconds',
    help: 'Statements, with their wait for a connection; of a shared one, the part of each request.',
    labelNames: ['way', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const atTheGate = new Gauge({
    name: 'docket_statements_in_progress',
    help: 'Statements that run, or wait for a connection.',
    registers,
  })
  const failures = new Counter({
    name: 'docket_database_errors_total',
    help: 'Statements that the database refused, by SQLSTATE.',
    labelNames: ['sqlstate'],
    registers,
  })
  const deliveries = new Counter({
    name: 'docket_deliveries_total',
    help: 'Tries to deliver something, as to a webhook.',
    labelNames: ['kind', 'outcome'],
    registers,
  })

  const reminders = new Counter({
    name: 'docket_reminders_total',
    help: 'Reminders that have come: told, or more than a day late and dropped.',
    labelNames: ['outcome'],
    registers,
  })

  const backups = new Counter({
    name: 'docket_backups_total',
    help: 'Backups in BACKUP_DIR that were made, or have failed.',
    labelNames: ['outcome'],
    registers,
  })
  let newest: Gauge | undefined

  const inFlight: Gauge = new Gauge({
    name: 'docket_requests_in_flight',
    help: 'Requests that are being worked on.',
    registers: [],
    collect: () => inFlight.set(load.inFlight),
  })
  registry.registerMetric(inFlight)

  return {
    count: ({ method, route, status, milliseconds, exchange: { sqlstate } }) => {
      const labels = { method: known.has(method) ? method : 'other', route: route || 'none' }
      requests.inc({ ...labels, status })
      seconds.observe(labels, milliseconds / 1000)
      if (sqlstate !== null) failures.inc({ sqlstate })
    },
    statement: (way) => {
      const began = performance.now()
      atTheGate.inc()
      return (succeeded) => {
        atTheGate.dec()
        const outcome = succeeded ? 'done' : 'failed'
        statements.observe({ way, outcome }, (performance.now() - began) / 1000)
      }
    },
    delivery: (kind, outcome) => deliveries.inc({ kind, outcome }),
    reminders: (told, dropped) => {
      reminders.inc({ outcome: 'told' }, told)
      reminders.inc({ outcome: 'dropped' }, dropped)
    },
    backup: (outcome) => backups.inc({ outcome }),
    newestBackup: (at) => {
      // There is none while there is no backup: 0 would be a date.
      newest ??= new Gauge({
        name: 'docket_backup_newest_timestamp_seconds',
        help: 'When the newest backup in BACKUP_DIR was made.',
        registers,
      })
      newest.set(at.getTime() / 1000)
    },
    listen: (hostname, port) => listen(registry, hostname, port),
  }
}

/** A client may send any word as its method: each would be a series for ever. */
const known = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function listen(registry: Registry, hostname: string, port: number) {
  try {
    const server = Bun.serve({
      hostname,
      port,
      reusePort: false,
      development: false,
      routes: {
        '/metrics': async () =>
          new Response(await registry.metrics(), {
            headers: { 'content-type': registry.contentType },
          }),
      },
      fetch: () => new Response('There is only /metrics here.\n', { status: 404 }),
    })
    return { port: server.port ?? port, stop: () => void server.stop(true) }
  } catch {
    throw new OperatorError(`Cannot listen on ${hostname}:${port}: set METRICS_PORT to a free one.`)
  }
}
