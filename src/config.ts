/** Everything that the process reads from its environment, read once. `.env.example` explains each. */
export type Config = {
  /** Null: the embedded database in `dataDir`. */
  databaseUrl: string | null
  /** For `migrate`, where the other one goes through a pooler. */
  databaseDirectUrl: string | null
  /** Where Docket's tables are. */
  databaseSchema: string
  /** Which tables are Better Auth's: a schema, or some of the tables; null: those that are found. */
  authTables: string | AuthTableNames | null
  /** A file with the certificates of the database's own authorities. */
  databaseCaFile: string | null
  prepareStatements: boolean
  /** Seconds within which the database has to answer a request. */
  databaseDeadline: number
  /** Seconds to wait at startup for a database that is not there. */
  databaseWait: number
  dataDir: string
  /** Megabytes of pages that the embedded database keeps at hand; null: as many as fit the data and the machine. */
  embeddedMemory: number | null
  /** Null: the one kept in `dataDir`. */
  secret: string | null
  jwtIssuer: string | null
  jwtAudience: string | null
  jwksUrl: string | null
  /** Whether the sessions of Better Auth are in this database. */
  hasSessions: boolean
  /** Before the names of Better Auth's cookies. */
  cookiePrefix: string
  /** Null: it is off. */
  issuer: IssuerConfig | null
  corsOrigins: string[]
  host: string
  port: number
  /** Whether other instances may listen on the same port. */
  reusePort: boolean
  /** Seconds that a connection may be idle. */
  keepAlive: number
  docs: boolean
  /** The pages at `/` and `/account`. */
  web: boolean
  /** How many proxies in front add to X-Forwarded-For. */
  trustProxy: number
  /** What a proxy in front cuts off the path; '': nothing. */
  basePath: string
  /** Where Docket is reached, the base path included. Null: nobody has said. */
  url: string | null
  /** Requests a minute and user; 0: any number. */
  rateLimit: number
  rateLimitStore: 'memory' | 'database'
  /** Whether webhooks may be in private networks, and without TLS. */
  webhooksPrivate: boolean
  /** How those who follow what changes hear of what another instance wrote: not at all, or by a look every second. */
  events: 'local' | 'poll'
  /** Who answers for Web Push to the push services: mailto: or https:. Null: it is off. */
  vapidSubject: string | null
  /** Tasks, and their bytes as JSON, of each user; 0: any number. */
  quotaTasks: number
  quotaBytes: number
  /** Days in the trash, and in the log of changes; 0: for good. */
  trashDays: number
  historyDays: number
  /** Of the embedded database, by itself. Null: none are made. */
  backups: BackupsConfig | null
  /** Null: no metrics. */
  metricsPort: number | null
  /** What is translated for a frontend that cannot be changed. Null: nothing. */
  compat: CompatConfig | null
  logLevel: LogLevel
  /** For `docket mcp`: the server that it is a client of, and the token of its user. */
  server: { url: string; token: string | null }
  /** How this was started. */
  launch: Launch
}

export type BackupsConfig = {
  folder: string
  /** Seconds from one to the next. */
  every: number
  /** How many stay. */
  keep: number
}

/** What the runner of a package's scripts leaves in the environment. */
export type Launch = {
  /** The script, as `start`. Null: there is none. */
  script: string | null
  /** The runner: bun, npm, pnpm, yarn. */
  runner: string | null
  /** By npx, which puts its cache into the path, or finds this Bun installed: either way it is Bun that runs the script. */
  isNpx: boolean
}

export type CompatConfig = {
  /** As it was written. */
  text: string
  /** Fields that are not known are kept. */
  keepsUnknown: boolean
  /** What a list is in, from the outside in, as `data`, `tasks`; and what a single task is in. */
  list: string[]
  task: string[]
  /** What `completed` is called; none: itself. With words for false and true, it is those. */
  completed: { name: string; words: [string, string] | null }[]
  isCamelCase: boolean
  /** Errors say their detail as `message` too. */
  hasMessage: boolean
  /** A due date is a date-time. */
  hasDatetimes: boolean
  /** In place of /api. */
  prefix: string | null
  /** In place of tasks. */
  resource: string | null
}

/** Each with its schema or without. */
export type AuthTableNames = {
  [K in 'user' | 'session' | 'account' | 'verification' | 'jwks']?: string
}

export type Client = { clientId: string; clientSecret: string }

export type IssuerConfig = {
  /** Where browsers reach Docket, the base path included. Null: at localhost and its port. */
  url: string | null
  google: Client | null
  github: Client | null
  oidc: (Client & { discoveryUrl: string }) | null
  /** Null: no mails are sent, so addresses are not verified and passwords cannot be reset. */
  mail: MailConfig | null
  /** The page that is told what went wrong with a sign-in. Null: there is none. */
  errorUrl: string | null
  /** Hosts of programs on the web that may ask users to let them in, besides those that are known. */
  clientHosts: string[]
}

export type MailConfig = { by: 'webhook'; address: string } | SmtpConfig

export type SmtpConfig = {
  by: 'smtp'
  host: string
  port: number
  /** From the first byte on. */
  isTls: boolean
  /** On this machine: what is sent need not be encrypted. */
  isHere: boolean
  login: { user: string; password: string } | null
  /** The name may be empty. */
  from: { name: string; address: string }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** A message for the operator: what is wrong and what to do. Shown without a stack. */
export class OperatorError extends Error {}

/** Better Auth signs with this one when it is given none: everybody knows it. */
const publishedSecret = 'better-auth-secret-12345678901234567890'

/** Throws one OperatorError that lists every fault. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const faults: string[] = []

  // An empty variable is an absent one, so that a copied .env.example changes nothing.
  const read = (name: string): string | null => env[name]?.trim() || null

  function oneOf<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const text = read(name) ?? fallback
    const found = allowed.find((word) => word === text)
    if (found === undefined) faults.push(`${name} must be one of ${allowed.join(', ')}.`)
    return found ?? fallback
  }

  function readNumber(name: string, fallback: number, largest: number): number {
    const text = read(name) ?? String(fallback)
    const number = Number(text)
    if (!/^\d+$/.test(text) || number > largest) {
      faults.push(`${name} must be a number from 0 to ${largest}.`)
    }
    return number
  }

  function readSeconds(name: string, fallback: number, least: number, most: number): number {
    const seconds = Number(read(name) ?? fallback)
    if (!(seconds >= least && seconds <= most)) {
      faults.push(`${name} must be a number of seconds from ${least} to ${most}.`)
    }
    return seconds
  }

  function readMegabytes(name: string, least: number, most: number): number | null {
    const text = read(name)
    if (text === null) return null
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < least || number > most) {
      faults.push(`${name} must be a number of megabytes from ${least} to ${most}.`)
    }
    return number
  }

  function readSecret(required: boolean): string | null {
    // Not trimmed: Better Auth does not trim it either.
    const secret = env['BETTER_AUTH_SECRET'] || null
    if (secret === null && required) {
      faults.push(
        'BETTER_AUTH_SECRET is required with a DATABASE_URL: what Better Auth signs with.',
      )
    } else if (secret === publishedSecret) {
      faults.push(
        'BETTER_AUTH_SECRET is the published default of Better Auth: make one of your own.',
      )
    } else if (secret !== null && Buffer.byteLength(secret) < 32) {
      faults.push('BETTER_AUTH_SECRET must have at least 32 bytes.')
    }
    return secret
  }

  function readSchema(): string {
    const name = read('DATABASE_SCHEMA') ?? 'docket'
    if (!/^(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,62}$/.test(name)) {
      faults.push('DATABASE_SCHEMA must be a name of lower-case letters, digits and underscores.')
    }
    return name
  }

  function readAuthTables(): Config['authTables'] {
    const text = read('AUTH_TABLES')
    if (text === null || /^[^=,.]+$/.test(text)) return text
    const names: AuthTableNames = {}
    for (const part of text.split(',')) {
      const [, model, name] =
        /^(user|session|account|verification|jwks)=(.+)$/.exec(part.trim()) ?? []
      if (model === undefined || name === undefined) {
        faults.push(
          'AUTH_TABLES must be a schema, or tables: user=app.members,session=app.logins (also account, verification, jwks).',
        )
      } else names[model as keyof AuthTableNames] = name
    }
    return names
  }

  function readOrigins(fallback: string[]): string[] {
    const text = read('CORS_ORIGINS')
    if (text === null) return fallback
    const origins = text.split(',').map((origin) => origin.trim())
    for (const origin of origins) {
      if (!(isOrigin(origin) || isAppOrigin(origin) || isOriginPattern(origin))) {
        faults.push(
          `CORS_ORIGINS: "${origin}" is not an origin such as https://app.example.com or capacitor://localhost, nor a pattern ` +
            'such as https://*.example.com.',
        )
      }
    }
    return origins
  }

  function readUrl(name: string): string | null {
    const text = read(name)
    if (text !== null && !isSafeAddress(text) && !isPrivateAddress(text)) {
      faults.push(
        `${name} must be an address with https://, or with http:// on this machine or in a private network.`,
      )
    }
    return text
  }

  /** Both variables, or null without either. */
  function readClient(idName: string, secretName: string): Client | null {
    const clientId = read(idName)
    const clientSecret = read(secretName)
    if (clientId !== null && clientSecret !== null) return { clientId, clientSecret }
    if (clientId !== null || clientSecret !== null) {
      faults.push(`${idName} and ${secretName} are needed together.`)
    }
    return null
  }

  function readOidc(): IssuerConfig['oidc'] {
    const discoveryUrl = readUrl('AUTH_OIDC_DISCOVERY_URL')
    const client = readClient('AUTH_OIDC_CLIENT_ID', 'AUTH_OIDC_CLIENT_SECRET')
    if ((discoveryUrl === null) !== (client === null)) {
      faults.push('AUTH_OIDC_DISCOVERY_URL and AUTH_OIDC_CLIENT_ID are needed together.')
    }
    return discoveryUrl === null || client === null ? null : { ...client, discoveryUrl }
  }

  function readSmtp(): SmtpConfig | null {
    const text = read('AUTH_SMTP_URL')
    const sender = read('AUTH_MAIL_FROM')
    if ((text === null) !== (sender === null)) {
      faults.push('AUTH_SMTP_URL and AUTH_MAIL_FROM are needed together.')
    }
    const server = text === null ? null : parseSmtpUrl(text)
    const from = sender === null ? null : parseSender(sender)
    // Not repeated: there is a password in it.
    if (text !== null && server === null) {
      faults.push(
        'AUTH_SMTP_URL must be smtps://user:password@host or smtp://…, with a port if need be and nothing else.',
      )
    }
    if (sender !== null && from === null) {
      faults.push(`AUTH_MAIL_FROM: "${sender}" is no sender such as Acme <hello@acme.example>.`)
    }
    return server === null || from === null ? null : { by: 'smtp', ...server, from }
  }

  function readHosts(name: string): string[] {
    const hosts = (read(name) ?? '').split(',').flatMap((part) => part.trim() || [])
    for (const host of hosts) {
      // As an address has it: with a port if need be, and in small letters.
      if (!/^[\w.-]+(?::\d+)?$/.test(host) || !isOrigin(`https://${host}`)) {
        faults.push(`${name}: "${host}" is not a host such as agent.example.com.`)
      }
    }
    return hosts
  }

  function readMail(): MailConfig | null {
    const address = readUrl('AUTH_MAIL_WEBHOOK')
    const smtp = readSmtp()
    if (address !== null && read('AUTH_SMTP_URL') !== null) {
      faults.push('AUTH_MAIL_WEBHOOK and AUTH_SMTP_URL both send the mails: set one of them.')
    }
    return address === null ? smtp : { by: 'webhook', address }
  }

  function readIssuer(fallback: 'on' | 'off'): IssuerConfig | null {
    const isOn = oneOf('AUTH_ISSUER', ['on', 'off'], fallback) === 'on'
    if (authHost !== null && !(isOrigin(authHost) && isSafeAddress(authHost))) {
      faults.push(
        `AUTH_URL: "${authHost}" is not an address such as https://api.example.com or https://example.com/todo.`,
      )
    } else if (authPath !== '' && authPath !== basePath) {
      faults.push('AUTH_URL and BASE_PATH have different paths: leave one of them out.')
    }
    const issuer = {
      url: ownUrl,
      google: readClient('AUTH_GOOGLE_CLIENT_ID', 'AUTH_GOOGLE_CLIENT_SECRET'),
      github: readClient('AUTH_GITHUB_CLIENT_ID', 'AUTH_GITHUB_CLIENT_SECRET'),
      oidc: readOidc(),
      mail: readMail(),
      errorUrl:
        readUrl('AUTH_ERROR_URL') ?? corsOrigins.find((origin) => !origin.includes('*')) ?? null,
      clientHosts: readHosts('AUTH_CLIENT_HOSTS'),
    }
    if (isOn && read('AUTH_SESSIONS') === 'off') {
      faults.push('AUTH_SESSIONS=off has no use with AUTH_ISSUER=on: its sessions are here.')
    }
    if (isOn && authHost === null && databaseUrl !== null) {
      faults.push(
        'AUTH_URL is required with AUTH_ISSUER=on and a DATABASE_URL: where browsers reach Docket.',
      )
    }
    return isOn ? issuer : null
  }

  function readPath(name: string, text: string): string {
    const path = text.replace(/\/$/, '')
    // Nothing that would have to be escaped, and no segment that is `.` or `..`.
    if (!/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/.test(path)) {
      faults.push(`${name}: "${text}" is not a path such as /todo.`)
    }
    return path
  }

  function readBackups(): BackupsConfig | null {
    const folder = read('BACKUP_DIR')
    const every = parseDuration(read('BACKUP_EVERY') ?? '1d')
    if (every === null)
      faults.push('BACKUP_EVERY must be a duration such as 6h or 1d (s, m, h or d).')
    const keep = readNumber('BACKUP_KEEP', 7, 10_000)
    if (keep === 0) faults.push('BACKUP_KEEP must be at least 1: the newest stays.')
    if (folder !== null && databaseUrl !== null) {
      faults.push(
        'BACKUP_DIR is for the embedded database: with a DATABASE_URL use pg_dump, or the backups of the provider.',
      )
    }
    return folder === null || every === null ? null : { folder, every, keep }
  }

  /** The services refuse what is no address of anybody, such as one of localhost. */
  function readVapidSubject(): string | null {
    const own = authOrigin?.startsWith('https://') ? authOrigin : null
    const subject = read('VAPID_SUBJECT') ?? own
    if (
      subject !== null &&
      !/^(mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https:\/\/[^\s/]+\.[^\s]+)$/.test(subject)
    ) {
      if (read('VAPID_SUBJECT') === null) return null
      faults.push(
        'VAPID_SUBJECT must be where whoever runs this can be reached: mailto:ops@example.com, or an address with https://.',
      )
    }
    return subject
  }

  function readCookiePrefix(): string {
    const prefix = read('AUTH_COOKIE_PREFIX') ?? 'better-auth'
    if (!/^(?!__Secure-|__Host-)[\w!#$%&'*+.^`|~-]{1,64}$/.test(prefix)) {
      faults.push(
        'AUTH_COOKIE_PREFIX must be what comes before .session_token in the name of the cookie, without __Secure-.',
      )
    }
    return prefix
  }

  /** Beyond what a request may take, since Bun ends a connection on which nothing is sent for that long. */
  function readKeepAlive(): number {
    const seconds = readSeconds('KEEP_ALIVE', 75, 20, 255)
    if (seconds <= databaseDeadline) {
      faults.push('KEEP_ALIVE must be more than DATABASE_DEADLINE.')
    }
    return Math.ceil(seconds)
  }

  function readCompat(): CompatConfig | null {
    const text = read('COMPAT')
    if (text === null) return null
    const [compat, unknown] = parseCompat(text)
    if (unknown.length > 0) {
      const parts = unknown.map((part) => `"${part}"`).join(', ')
      faults.push(`COMPAT: ${parts} is not among what there is, each once: ${compatParts}.`)
    }
    return compat
  }

  /** The page is on the API as it is, in its own words. */
  function readWeb(): boolean {
    const isTranslated = read('COMPAT') !== null
    const fallback = databaseUrl === null && !isTranslated ? 'on' : 'off'
    const isOn = oneOf('WEB', ['on', 'off'], fallback) === 'on'
    if (isOn && isTranslated) {
      faults.push('WEB=on is not possible with COMPAT: the page needs the API as it is.')
    }
    return isOn
  }

  /** AUTH_URL may have the path that BASE_PATH is else for. */
  const [, authOrigin = null, authTail = ''] =
    /^(https?:\/\/[^/]+)(\/.+)?$/.exec(read('AUTH_URL') ?? '') ?? []
  const authPath = readPath('AUTH_URL', authTail)
  const basePath = readPath('BASE_PATH', read('BASE_PATH') ?? authPath)
  const authHost = authOrigin ?? read('AUTH_URL')
  const ownUrl = authHost === null ? null : `${authHost}${basePath}`
  const databaseDeadline = readSeconds('DATABASE_DEADLINE', 5, 0.5, 60)

  const databaseUrl = read('DATABASE_URL') ?? read('NEON_DATABASE_URL')
  const databaseDirectUrl = read('DATABASE_DIRECT_URL')
  for (const [name, url] of [
    ['DATABASE_URL', databaseUrl],
    ['DATABASE_DIRECT_URL', databaseDirectUrl],
  ]) {
    if (url && !/^postgres(ql)?(\+\w+)?:\/\//.test(url)) {
      faults.push(`${name} must begin with postgres:// or postgresql://.`)
    }
  }

  const corsOrigins = readOrigins(databaseUrl === null ? ['http://localhost:3000'] : [])
  const config: Config = {
    databaseUrl,
    databaseDirectUrl,
    databaseSchema: readSchema(),
    authTables: readAuthTables(),
    databaseCaFile: read('DATABASE_CA_FILE'),
    prepareStatements: oneOf('DATABASE_PREPARE', ['on', 'off'], 'on') === 'on',
    databaseDeadline,
    databaseWait: readSeconds('DATABASE_WAIT', 60, 0, 3600),
    dataDir: read('DATA_DIR') ?? '.docket',
    embeddedMemory: readMegabytes('EMBEDDED_MEMORY', 8, 1024),
    // Whoever publishes keys shares no secret.
    secret: readSecret(databaseUrl !== null && read('AUTH_JWKS_URL') === null),
    jwtIssuer: read('JWT_ISSUER'),
    jwtAudience: read('JWT_AUDIENCE'),
    jwksUrl: readUrl('AUTH_JWKS_URL'),
    hasSessions: oneOf('AUTH_SESSIONS', ['on', 'off'], 'on') === 'on',
    cookiePrefix: readCookiePrefix(),
    issuer: readIssuer(databaseUrl === null ? 'on' : 'off'),
    corsOrigins,
    host: read('HOST') ?? '127.0.0.1',
    port: readNumber('PORT', 8000, 65_535),
    reusePort: oneOf('REUSE_PORT', ['on', 'off'], 'off') === 'on',
    keepAlive: readKeepAlive(),
    docs: oneOf('DOCS', ['on', 'off'], 'on') === 'on',
    web: readWeb(),
    trustProxy: readNumber('TRUST_PROXY', 0, 10),
    basePath,
    url: ownUrl,
    rateLimit: readNumber('RATE_LIMIT', 1200, 1_000_000),
    quotaTasks: readNumber('QUOTA_TASKS', 100_000, 1_000_000_000),
    quotaBytes: readNumber('QUOTA_BYTES', 256_000_000, 1_000_000_000_000),
    trashDays: readNumber('TRASH_DAYS', 30, 36_500),
    historyDays: readNumber('HISTORY_DAYS', 90, 36_500),
    backups: readBackups(),
    rateLimitStore: oneOf('RATE_LIMIT_STORE', ['memory', 'database'], 'memory'),
    events: oneOf('EVENTS', ['local', 'poll'], 'local'),
    webhooksPrivate: oneOf('WEBHOOKS_PRIVATE', ['on', 'off'], 'off') === 'on',
    vapidSubject: readVapidSubject(),
    metricsPort: read('METRICS_PORT') === null ? null : readNumber('METRICS_PORT', 0, 65_535),
    compat: readCompat(),
    logLevel: oneOf('LOG_LEVEL', logLevels, 'info'),
    server: {
      url: readUrl('DOCKET_URL') ?? `http://localhost:${read('PORT') ?? 8000}`,
      token: read('DOCKET_TOKEN'),
    },
    launch: {
      script: read('npm_lifecycle_event'),
      runner: read('npm_config_user_agent')?.split('/')[0] ?? null,
      isNpx: /[/\\]_npx[/\\]/.test(read('PATH') ?? '') || read('npm_command') === 'run-script',
    },
  }
  if (faults.length > 0) {
    throw new OperatorError(`Cannot start, the configuration is wrong:\n  ${faults.join('\n  ')}`)
  }
  return config
}

/** Seconds of `30s`, `15m`, `1h` or `7d`, or null. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? []
  if (count === undefined) return null
  const seconds = unit === 's' ? 1 : unit === 'm' ? 60 : unit === 'h' ? 3600 : 86_400
  return Number(count) * seconds
}

const compatParts =
  'unknown=keep, list=tasks|items|data|data.tasks, task=task|data, dates=datetime, resource=todos|items, prefix=/api/v1 (or another ' +
  'path where nothing else is), and names= with any of camelCase, message, is_completed and status:pending/completed (or another ' +
  'field that a task has not, and the words for false and true), separated by commas'

/** @returns it, and what of it means nothing, or is said before */
function parseCompat(text: string): [CompatConfig, unknown: string[]] {
  const parts = text.split(/\s+/)
  const compat: CompatConfig = {
    text: parts.join(' '),
    keepsUnknown: false,
    list: [],
    task: [],
    completed: [],
    isCamelCase: false,
    hasMessage: false,
    hasDatetimes: false,
    prefix: null,
    resource: null,
  }
  const keys = new Set<string>()
  const unknown = parts.flatMap((part) => {
    const [, key = '', value = ''] = /^(\w+)=(.+)$/.exec(part) ?? []
    const isKey = Object.hasOwn(compatKeys, key) && !keys.has(key)
    const take = isKey ? compatKeys[key] : undefined
    keys.add(key)
    const refused = take === undefined ? [''] : take(compat, value)
    return refused.map((name) => (name === '' ? part : name))
  })
  return [compat, unknown]
}

/** Each takes its value, and gives what it cannot; '': the value whole. */
const compatKeys: Record<string, (compat: CompatConfig, value: string) => string[]> = {
  unknown: (compat, value) => {
    compat.keepsUnknown = value === 'keep'
    return compat.keepsUnknown ? [] : ['']
  },
  list: (compat, value) => {
    compat.list = value.split('.')
    return /^(?:tasks|items|data|data\.tasks)$/.test(value) ? [] : ['']
  },
  task: (compat, value) => {
    compat.task = [value]
    return /^(?:task|data)$/.test(value) ? [] : ['']
  },
  dates: (compat, value) => {
    compat.hasDatetimes = value === 'datetime'
    return compat.hasDatetimes ? [] : ['']
  },
  resource: (compat, value) => {
    compat.resource = value
    return /^(?:todos|items)$/.test(value) ? [] : ['']
  },
  prefix: (compat, value) => {
    compat.prefix = value.replace(/\/$/, '')
    return isFreePath.test(compat.prefix) ? [] : ['']
  },
  names: (compat, value) => value.split(',').filter((name) => !takeName(compat, name)),
}

/** Nothing that would have to be escaped, and not where there is something. */
const isFreePath =
  /^(?!\/(?:health|ready|swagger|docs|feeds|mcp|web|sign-in|consent|\.well-known)(?:\/|$)|\/api(?:\/(?:auth|changes|events|feeds|filters|lists|me|tags|tasks|trash|undo|webhooks)(?:\/.*)?)?$)(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/

/** What a task and the parameters of a list have already, `completed` and `status` aside, in any spelling. */
const isTaken =
  /^(?:id|user_?id|list_?id|parent_?id|position|list|parent|archived|include|subtasks|title|description|completed_?at|priority|tags|due_?date|due_?time|time_?zone|recurrence|repeat_?from|series_?id|occurrence|reminders|next_?task|version|created_?at|updated_?at|deleted_?at|q|search|filter|tag|due|due_?after|due_?before|deleted|sort|sort_?by|order|sort_?order|limit|offset|skip|cursor|page|__proto__)$/i

/** @returns whether there is such a name */
function takeName(compat: CompatConfig, text: string): boolean {
  if (text === 'camelCase') {
    compat.isCamelCase = true
    return true
  }
  if (text === 'message') {
    compat.hasMessage = true
    return true
  }
  const [, name = '', no, yes] = /^(\w+)(?::([^:/]+)\/([^:/]+))?$/.exec(text) ?? []
  const words: [string, string] | null = no === undefined || yes === undefined ? null : [no, yes]
  const isName = words === null ? name === 'is_completed' : name !== '' && !isTaken.test(name)
  const isClear = words === null || words[0].toLowerCase() !== words[1].toLowerCase()
  const isNew = compat.completed.every((other) => other.name !== name)
  if (isName && isClear && isNew) compat.completed.push({ name, words })
  return isName && isClear && isNew
}

/** `https://app.example.com`, `http://localhost:3000`: what a browser sends as Origin, to the letter. */
const isOrigin = (text: string): boolean =>
  /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text

/** `capacitor://localhost`, `chrome-extension://…`: what a page that is part of an app sends. */
const isAppOrigin = (text: string): boolean =>
  /^(?!(?:https?|wss?|ftp|file|data|blob|about|javascript):)[a-z][a-z0-9+.-]*:\/\/[\w.-]+(?::\d{1,5})?$/.test(
    text,
  )

/** `https://*.example.com`: with one `*`, in place of what is before a domain. */
const isOriginPattern = (text: string): boolean =>
  /^https:\/\/\*\.[^*]+\.[^*]+$/.test(text) && isOrigin(text.replace('*.', ''))

/** Where what is sent cannot be read or changed on its way. */
const isSafeAddress = (text: string): boolean =>
  URL.canParse(text) && /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$)/.test(text)

/** `smtps://user:password@host:465`, or null. */
function parseSmtpUrl(text: string): Omit<SmtpConfig, 'by' | 'from'> | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^smtps?:\/\/[^/?#]+\/?$/.test(text) || url.hostname === '') return null
  const [user, password] = [decode(url.username), decode(url.password)]
  if (user === null || password === null || (user === '') !== (password === '')) return null
  const isTls = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: Number(url.port || (isTls ? 465 : 587)),
    isTls,
    isHere: ['localhost', '127.0.0.1', '::1'].includes(host),
    login: user === '' ? null : { user, password },
  }
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** `Acme <hello@acme.example>`, or the address alone, or null. */
function parseSender(text: string): SmtpConfig['from'] | null {
  const [, name = '', named, alone] =
    /^(?:([^<>\p{Cc}]*)<([^\s<>@,]+@[^\s<>@,]+)>|([^\s<>@,]+@[^\s<>@,]+))$/u.exec(text) ?? []
  const address = named ?? alone
  return address === undefined ? null : { name: name.trim().replace(/^"(.*)"$/, '$1'), address }
}

/** With http:// in a network that nobody else is in: a name of a container or of such a network, or an address of one (RFC 1918, 4193, 6598). */
function isPrivateAddress(text: string): boolean {
  if (!text.startsWith('http://') || !URL.canParse(text)) return false
  const { hostname } = new URL(text)
  const isName =
    /^(?:[a-z_][a-z0-9_-]*|.+\.(?:internal|local|localhost|lan|home\.arpa|svc|cluster\.local))$/
  const isNumber =
    /^(?:127|10|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.[\d.]+$|^\[(?:f[cd]|fe[89ab]).*\]$/
  return isName.test(hostname) || isNumber.test(hostname)
}
