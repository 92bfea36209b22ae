import { createApp } from './app.ts'
import { loadSecret } from './auth/secret.ts'
import { type Config, OperatorError } from './config.ts'
import { type Database, openDatabase } from './database/open.ts'
import { readiness } from './database/readiness.ts'
import { createLog } from './http/log.ts'

/** How long, in milliseconds, requests in flight have to finish once the process is told to stop. */
const patience = 10_000

/** Runs the server until the process is told to stop. */
export async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel)
  const secret = loadSecret(config)
  const database = await openDatabase(config, (error) => {
    log.fatal({ message: error.message }, 'the embedded database failed')
    process.exit(1)
  })
  const isReachable = readiness(database.db)
  let stopping = false

  const { issuer, jwtIssuer, jwtAudience, jwksUrl, hasSessions } = config
  const auth = { secret, issuer: jwtIssuer, audience: jwtAudience, jwksUrl, hasSessions }

  const app = createApp({
    db: database.db,
    auth,
    issuer:
      issuer === null
        ? null
        : () => ({
            ...issuer,
            url: issuer.url ?? `http://localhost:${app.server?.port ?? config.port}`,
            db: database.db,
            tokens: auth,
            origins: config.corsOrigins,
            log,
          }),
    corsOrigins: config.corsOrigins,
    docs: config.docs,
    log,
    isReady: async () => !stopping && (await isReachable()),
  })
  try {
    // Elysia shares a port with whoever else asks for it, unless told otherwise.
    app.listen({
      hostname: config.host,
      port: config.port,
      reusePort: false,
      development: false,
    })
  } catch (error) {
    await database.close()
    throw cannotListen(error, config)
  }
  async function stop(): Promise<void> {
    if (stopping) process.exit(1) // Told twice: at once.
    stopping = true
    setTimeout(() => process.exit(1), patience).unref()
    await app.server?.stop()
    await database.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  // Last: who reads that it is ready may tell it to stop.
  introduce(config, database, app.server?.port ?? config.port)
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
    ...(config.docs ? [`  Documentation  ${address}/swagger`] : []),
    `  Data           ${database.location}`,
    ...(config.issuer === null
      ? []
      : [`  Sign-in        ${config.issuer.url ?? address}/api/auth`]),
    `  Browsers from  ${config.corsOrigins.join(', ') || 'nowhere: set CORS_ORIGINS'}`,
    ...(config.secret === null ? [`  Secret         ${config.dataDir}/secret`] : []),
    `  A token        docket token --user alice${Bun.isStandaloneExecutable ? '' : '   (from source: bun start token --user alice)'}`,
    '',
  ]
  console.error(lines.join('\n'))
}
