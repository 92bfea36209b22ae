import { parseArgs } from 'node:util'
import { version } from '../package.json' with { type: 'json' }
import { isUserId } from './auth/identity.ts'
import { loadSecret } from './auth/secret.ts'
import { createTokens } from './auth/tokens.ts'
import { backUp, exportUser, importFile, importUsers, restoreFrom } from './commands/commands.ts'
import { type Config, OperatorError, parseDuration, readConfig } from './config.ts'
import { endRestore } from './database/backup/restore.ts'
import { openDatabase } from './database/open.ts'
import { checkHealth } from './healthcheck.ts'
import { type SourceName, sources } from './imports/schema.ts'
import { bridge } from './mcp/stdio.ts'
import { serve } from './serve.ts'

/** Which commit the binary was built from, which the build writes here. */
declare const BUILT_FROM: string

const release = `${version} (${typeof BUILT_FROM === 'string' ? BUILT_FROM : 'from source'})`

const help = `Docket ${release}, a task backend in one binary.

  docket [serve]                            run the server (the default)
  docket migrate                            bring the database's schema up to date, and exit
  docket token --user ID [--expires 1h]     print a token for development (s, m, h or d)
  docket export --user ID                   write all that a user has to standard output, as JSON Lines
                [--without-history]         only as it is now, not who changed what
  docket import                             read that from standard input; twice is once
  docket import --from todoist|ticktick|ical FILE --user ID
                [--dry-run]                 read what another program exports, or only say what would become of it
  docket backup FILE                        write a copy of the embedded database, while it is used; - is standard output
  docket restore FILE [--replace]           make it the database in DATA_DIR, where there is none, or in its place
  docket mcp                                speak MCP on standard input and output, for a client that starts a command
  docket healthcheck [--ready]              ask the running server how it is: 0 if it is well, else 1
  docket --help
  docket --version

It is configured by environment variables, all of which are optional:

  DATABASE_URL         PostgreSQL; without one, an embedded PostgreSQL in DATA_DIR
  BETTER_AUTH_SECRET   what the frontend's Better Auth signs with; required with a DATABASE_URL
  CORS_ORIGINS         origins that browsers may call from, comma-separated
  HOST, PORT           where to listen: 127.0.0.1, 8000
  DATA_DIR             the embedded database and the generated secret: .docket
  BACKUP_DIR           where backups of the embedded database are made by themselves
  BACKUP_EVERY         how often: 1d; BACKUP_KEEP: how many stay: 7
  DOCS                 the documentation at /docs and /swagger: on or off
  WEB                  the task page at /: on without a DATABASE_URL, else off
  LOG_LEVEL            fatal, error, warn, info, debug, trace or silent
  AUTH_ISSUER          the built-in issuer at /api/auth: on without a DATABASE_URL, else off
  AUTH_JWKS_URL        where another issuer publishes its keys
  RATE_LIMIT           requests a minute and user: 1200
  QUOTA_TASKS          tasks of each user: 100000
  QUOTA_BYTES          bytes of their JSON: 256000000
  AUTH_URL, AUTH_GOOGLE_…, AUTH_GITHUB_…, AUTH_OIDC_…, AUTH_SMTP_URL, AUTH_MAIL_FROM,
  AUTH_MAIL_WEBHOOK, AUTH_ERROR_URL, AUTH_CLIENT_HOSTS, AUTH_SESSIONS, AUTH_COOKIE_PREFIX,
  JWT_ISSUER, JWT_AUDIENCE, RATE_LIMIT_STORE, TRUST_PROXY, BASE_PATH, KEEP_ALIVE, METRICS_PORT, REUSE_PORT, EMBEDDED_MEMORY,
  DOCKET_URL, DOCKET_TOKEN, DATABASE_SCHEMA, AUTH_TABLES, DATABASE_DIRECT_URL, DATABASE_CA_FILE, DATABASE_PREPARE, DATABASE_DEADLINE, DATABASE_WAIT
                       see .env.example
`

/** A command line that cannot be understood. */
const misused = (message: string): OperatorError =>
  new OperatorError(`${message} See docket --help.`)

async function run(args: string[]): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help) return console.log(help)
  if (values.version) return console.log(release)

  const [command = 'serve', ...rest] = positionals
  const takesFile = command === 'import' ? values.from !== undefined : files.has(command)
  const [file] = takesFile ? rest.splice(0, 1) : []
  if (rest.length > 0) throw misused(`Cannot understand "${rest.join(' ')}".`)
  switch (command) {
    case 'serve':
      return serve(await configure())
    case 'migrate':
      return migrate()
    case 'token':
      return printToken(values.user, values.expires)
    case 'export':
      return exportUser(await configure(), requireUser(values.user), !values['without-history'])
    case 'import':
      if (values.from === undefined) return importUsers(await configure())
      return importFile(
        await configure(),
        requireUser(values.user),
        { from: requireSource(values.from), path: requireFile(file, 'import') },
        values['dry-run'],
      )
    case 'backup':
      return backUp(await configure(), requireFile(file, 'write'))
    case 'restore':
      return restoreFrom(readConfig(), requireFile(file, 'restore'), values.replace)
    case 'mcp':
      return bridge(readConfig())
    case 'healthcheck':
      return checkHealth(readConfig(), values.ready ? '/ready' : '/health')
    default:
      throw misused(`There is no command "${command}".`)
  }
}

/** Commands that are given one. */
const files = new Set(['backup', 'restore'])

/** For commands that need the data folder: a restore that was stopped half way is ended first. */
async function configure(): Promise<Config> {
  const config = readConfig()
  if (config.databaseUrl === null) await endRestore(config.dataDir)
  return config
}

function read(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        user: { type: 'string' },
        expires: { type: 'string', default: '1h' },
        ready: { type: 'boolean', default: false },
        'without-history': { type: 'boolean', default: false },
        from: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        replace: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw misused(error instanceof Error ? `${error.message}.` : String(error))
  }
}

async function migrate(): Promise<void> {
  const database = await openDatabase(
    await configure(),
    {
      onFailure: (error) => {
        throw error
      },
    },
    'direct',
  )
  for (const name of database.applied) console.log(`Applied ${name}.`)
  if (database.applied.length === 0) console.log('The schema is up to date.')
  await database.close()
}

function requireUser(userId: string | undefined): string {
  if (!isUserId(userId)) throw misused('Say whose: --user ID, of 1 to 255 characters.')
  return userId
}

function requireSource(from: string): SourceName {
  const source = sources.find((name) => name === from)
  if (source === undefined) throw misused(`Say from what: --from ${sources.join(', ')}.`)
  return source
}

function requireFile(path: string | undefined, command: string): string {
  if (path === undefined) throw misused(`Say which file to ${command}.`)
  return path
}

async function printToken(user: string | undefined, expires: string): Promise<void> {
  const userId = requireUser(user)
  const seconds = parseDuration(expires)
  if (seconds === null) throw misused(`"${expires}" is no duration: use 30s, 15m, 1h or 7d.`)

  const config = await configure()
  const { jwtIssuer: issuer, jwtAudience: audience } = config
  const tokens = createTokens({ secret: loadSecret(config), issuer, audience })
  console.log(await tokens.sign(userId, seconds))
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  // What the operator can mend is said in a sentence; anything else is a defect, and its stack belongs in the report.
  console.error(error instanceof OperatorError ? error.message : error)
  process.exit(1)
}
