import type { Logger } from 'pino'
import { createApp, createDelivering, createFollowing, kinds } from './app.ts'
import { createBackground } from './auth/background.ts'
import { issuerFault } from './auth/models.ts'
import { loadSecret } from './auth/secret.ts'
import { authTables } from './auth/tables.ts'
import type { Streams } from './changes/streams.ts'
import { openSocket } from './commands/socket.ts'
import { type Config, OperatorError } from './config.ts'
import { type AuthTables, describeAuthTables } from './database/auth-tables/tables.ts'
import { createBackups } from './database/backup/schedule.ts'
import type { Gate } from './database/gate/gate.ts'
import { observe } from './database/gate/observe.ts'
import { readHeads } from './database/log/heads.ts'
import { type Accounts, type Database, openDatabase } from './database/open.ts'
import { countRequest } from './database/rates.ts'
import { readiness } from './database/readiness.ts'
import { createCalendars } from './feeds/kept.ts'
import { createSweep } from './history/sweep.ts'
import { createLoad, type Load } from './http/load.ts'
import { createLog } from './http/log.ts'
import { createMetrics, type Metrics } from './http/metrics.ts'
import { createOutgoing } from './http/outgoing.ts'
import { memoryRates, sharedRates } from './http/rates.ts'
import { onOrphaned, typedCommand } from './launch.ts'

/** How long, in milliseconds, requests in flight have to finish once the process is told to stop. */
const patience = 10_000

/** How much of it what goes on after its answer has: mails, deliveries. */
const othersPatience = 5000

/** Milliseconds in which a signal that comes again is the same one: of a group of processes, each passes it on. */
const echo = 500

/** Requests that are worked on at one time in any case. */
const alwaysInFlight = 64

/** Beyond that, milliseconds that one more may be expected to wait for the others. */
const longestWait = 250

/** Failed sign-ins a minute and address. */
const failureLimit = 60

/** Runs the server until the process is told to stop. */
export async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel)
  loadSecret(config) // What is wrong with that is said first.
  const rates = createRates(config, () => database)
  const calendars = createCalendars()
  const onWrite = (users: ReadonlySet<string>) => {
    sweep.wake()
    streams.wake(users)
    delivering.wake(users)
    calendars.forget(users)
  }
  const database = await openDatabase(config, {
    onFailure: (error) => {
      log.fatal({ message: error.message }, 'the embedded database failed')
      process.exit(1)
    },
    onCost: rates?.users.charge,
    onWrite,
    onAlarm: (milliseconds) => delivering.remindIn(milliseconds),
  })
  // Who has the database open knows that no restore puts another one there.
  const secret = loadSecret(config)
  const sweep = createSweep({
    db: database.db,
    kinds,
    trashDays: config.trashDays || null,
    historyDays: config.historyDays || null,
    onFailure: (error) =>
      log.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'what is too old could not be removed, and the next write tries again',
      ),
  })
  const seen = readiness(database.db)
  let stopping = false
  const background = createBackground()
  const load = createLoad(alwaysInFlight, longestWait)
  const metrics = config.metricsPort === null ? null : createMetrics(load)

  const db = metrics === null ? database.db : observe(database.db, metrics.statement)
  const streams = createFollowing(db)
  const delivering = createDelivering({
    db,
    streams,
    isPrivate: config.webhooksPrivate,
    vapidSubject: config.vapidSubject,
    onTry: metrics?.delivery,
    onReminders: metrics?.reminders,
    onFailure: (error) =>
      log.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'what is to be sent could not be looked at, which is tried again',
      ),
  })
  const { issuer, jwtIssuer, jwtAudience, jwksUrl, hasSessions, cookiePrefix } = config
  const { accounts } = database
  const tables = authTables(accounts.tables, accounts.find)
  const auth = {
    secret,
    issuer: jwtIssuer,
    audience: jwtAudience,
    jwksUrl,
    hasSessions,
    cookiePrefix,
    tables,
  }
  const issuerTables = issuer === null ? null : checkIssuer(accounts.tables)
  if (hasSessions) tellOfAccounts(log, accounts)
  if (config.compat !== null)
    log.info(`translated for a frontend, as COMPAT says: ${config.compat.text}`)

  const app = createApp({
    db,
    auth,
    issuer:
      issuer === null || issuerTables === null
        ? null
        : () => {
            const here = `http://localhost:${app.server?.port ?? config.port}${config.basePath}`
            const url = issuer.url ?? here
            return {
              ...issuer,
              url,
              errorUrl: issuer.errorUrl ?? `${url}/sign-in`,
              cookiePrefix,
              db,
              tables: issuerTables,
              hasPrograms: accounts.hasPrograms,
              tokens: auth,
              origins: config.corsOrigins,
              background,
              log,
            }
          },
    programs: issuer !== null && accounts.hasPrograms ? { hosts: issuer.clientHosts } : null,
    corsOrigins: config.corsOrigins,
    docs: config.docs,
    web: config.web,
    log,
    readiness: async () => (stopping ? 'unavailable' : seen()),
    isStopping: () => stopping,
    load,
    outgoing: createOutgoing(),
    trustProxy: config.trustProxy,
    basePath: config.basePath,
    url: config.url,
    rates,
    metrics,
    compat: config.compat,
    quota: { tasks: config.quotaTasks || null, bytes: config.quotaBytes || null },
    epoch: database.epoch,
    streams,
    sending: delivering.sending,
    push: delivering.push,
    calendars,
  })
  const backups = createRounds(config, database, log, metrics)
  const socket =
    database.backup === null
      ? null
      : openSocket(config.dataDir, { db, backup: database.backup, onWrite }, log)
  const poll = config.events === 'poll' ? pollFor(streams, db, delivering.catchUp) : undefined
  try {
    // Elysia shares a port with whoever else asks for it, unless told otherwise.
    app.listen({
      hostname: config.host,
      port: config.port,
      reusePort: config.reusePort,
      // Bun looks every four seconds, and ends what has been idle for almost that long.
      idleTimeout: Math.min(config.keepAlive + 4, 255),
      development: false,
    })
    metrics?.listen(config.host, config.metricsPort ?? 0)
    delivering.begin()
    backups?.begin()
  } catch (error) {
    await socket?.stop()
    await database.close()
    throw cannotListen(error, config)
  }
  let stoppedAt = Number.POSITIVE_INFINITY
  async function stop(): Promise<void> {
    if (performance.now() - stoppedAt > echo) process.exit(1) // Told twice: at once.
    if (stopping) return
    stopping = true
    stoppedAt = performance.now()
    forget()
    setTimeout(() => process.exit(1), patience).unref()
    clearInterval(poll)
    streams.end()
    await untilQuiet(load)
    await app.server?.stop()
    await Promise.race([
      Promise.all([background.settled(), delivering.stop()]),
      Bun.sleep(othersPatience),
    ])
    await sweep.settled()
    await Promise.all([backups?.stop(), socket?.stop()])
    await database.close()
    process.exit(0)
  }
  const forget = onOrphaned(config.launch, () => void stop())
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  // Last: who reads that it is ready may tell it to stop.
  introduce(config, database, app.server?.port ?? config.port)
}

/** Looks every second whether another instance has written something, for those who follow: while nobody does, it asks nothing. */
function pollFor(
  streams: Streams,
  db: Gate,
  catchUp: () => Promise<void>,
): ReturnType<typeof setInterval> {
  let isLooking = false
  return setInterval(async () => {
    const users = streams.listeners()
    if (users.length === 0 || isLooking) return
    isLooking = true
    // What cannot be read now is read a second later.
    await Promise.allSettled([readHeads(db, users).then(streams.compare), catchUp()])
    isLooking = false
  }, 1000)
}

/** Throws where the built-in issuer cannot work on what is there. */
function checkIssuer(tables: AuthTables | null): AuthTables {
  const fault = issuerFault(tables)
  if (tables !== null && fault === null) return tables
  throw new OperatorError(
    `The built-in issuer cannot work on the tables of Better Auth in this database: ${fault}. ` +
      'Set AUTH_ISSUER=off, or AUTH_TABLES to other ones.',
  )
}

/** What was found, in one line. */
function tellOfAccounts(log: Logger, { tables, faults }: Accounts): void {
  if (tables === null) {
    log.info('no tables of Better Auth: until there are, session tokens sign nobody in')
  } else {
    log.info(`accounts and sessions are those of Better Auth in ${describeAuthTables(tables)}`)
  }
  for (const fault of faults) log.warn(fault)
}

/**
 * Waits until every client has heard, with its next answer, that its connection ends: what is sent on one that we close
 * by ourselves is lost. No longer than a second, for there may be new clients all the time.
 */
async function untilQuiet(load: Load): Promise<void> {
  for (let tries = 0, before = -1; before !== load.total && tries < 10; tries += 1) {
    before = load.total
    await Bun.sleep(100)
  }
}

function createRounds(
  { backups, dataDir }: Config,
  { backup }: Database,
  log: Logger,
  metrics: Metrics | null,
) {
  if (backups === null || backup === null) return null
  return createBackups({
    ...backups,
    dataDir,
    backup,
    onDone: (path, bytes) => {
      metrics?.backup('done')
      log.info({ path, bytes }, 'a backup was made')
    },
    onFailure: (error) => {
      metrics?.backup('failed')
      log.error(
        { reason: error instanceof Error ? error.message : String(error) },
        `a backup in ${backups.folder} failed, and is tried again`,
      )
    },
    onNewest: (at) => metrics?.newestBackup(at),
  })
}

/** @param databaseOf asked with the first request: the database, which charges for its time, is opened with these at hand */
function createRates({ rateLimit, rateLimitStore }: Config, databaseOf: () => Database) {
  if (rateLimit === 0) return null
  // Each instance for itself: who looks at a calendar that is kept wakes no database.
  const calendars = memoryRates(rateLimit)
  if (rateLimitStore === 'memory') {
    return { users: memoryRates(rateLimit), failures: memoryRates(failureLimit), calendars }
  }
  const count = (key: string, cost: number) => countRequest(databaseOf().db, key, cost)
  return {
    users: sharedRates('user', rateLimit, count),
    failures: sharedRates('address', failureLimit, count),
    calendars,
  }
}

function cannotListen(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new OperatorError(
      `Cannot listen on ${host}:${port}: the port is taken. Stop what listens there, or set PORT to another one.`,
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new OperatorError(`Cannot listen on ${host}:${port} (${code}): set HOST and PORT.`)
  }
  return error
}

/** A few lines for a person. On standard error: standard output is for the log. */
function introduce(config: Config, database: Database, port: number): void {
  const local = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(config.host)
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const address = `http://${local ? 'localhost' : host}:${port}`
  const lines = [
    `Docket is ready at ${address}`,
    '',
    ...(config.web ? [`  Tasks          ${address}`] : []),
    ...(config.docs
      ? [`  Documentation  ${address}/docs`, `  Try the API    ${address}/swagger`]
      : []),
    `  Data           ${database.location}`,
    ...(config.issuer === null
      ? []
      : [`  Sign-in        ${config.issuer.url ?? address}/api/auth`]),
    `  Browsers from  ${config.corsOrigins.join(', ') || 'nowhere: set CORS_ORIGINS'}`,
    ...(config.secret === null ? [`  Secret         ${config.dataDir}/secret`] : []),
    `  A token        ${typedCommand(config.launch)} token --user alice`,
    '',
  ]
  console.error(lines.join('\n'))
}
