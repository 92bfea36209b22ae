import { Elysia } from 'elysia'
import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { LogLevel } from '../config.ts'

/** JSON lines on standard output, or lines for a person where it is a terminal. */
export const createLog = (level: LogLevel): Logger =>
  process.stdout.isTTY
    ? pino({ level }, PinoPretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }))
    : pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })

/** A line for each answer: never a body, a header, or a value from the path or the query. */
export function logAnswers(log: Logger) {
  if (!log.isLevelEnabled('info')) return new Elysia()
  const starts = new WeakMap<Request, number>()

  return new Elysia({ name: 'log', seed: log })
    .onRequest(({ request }) => {
      starts.set(request, performance.now())
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, set }) => {
      const milliseconds = performance.now() - (starts.get(request) ?? Number.NaN)
      log.info({
        method: request.method,
        route,
        status: set.status ?? 200,
        ms: Math.round(milliseconds * 100) / 100,
      })
    })
}
