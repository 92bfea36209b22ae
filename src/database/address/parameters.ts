import type { OperatorError } from '../../config.ts'

/** What the parameters of a connection string say. */
export type Parameters = {
  sslmode?: string
  host?: string
  port?: string
  user?: string
  password?: string
  dbname?: string
  prepare: boolean
  connectTimeout: number | null
  searchPath: string[] | null
}

type Refuse = (what: string) => OperatorError

/** What consoles, ORMs and other drivers add that is a matter of theirs, or as it is here in any case. */
const ignored = new Set(
  [
    // Supabase, for those who look at a string.
    'supa workaround',
    // Binds the password to the TLS session. The driver cannot, and needs not where the certificate is checked.
    'channel_binding',
    // The pools of Prisma, Rails, pgx and Django.
    'connection_limit pool_timeout socket_timeout max_connection_lifetime max_idle_connection_lifetime',
    'single_use_connections pool pool_max_conns pool_min_conns pool_max_conn_lifetime',
    'pool_max_conn_idle_time pool_health_check_period conn_max_age conn_health_checks',
    // libpq: how a connection is named, chosen and kept alive, and what it must not need.
    'application_name fallback_application_name load_balance_hosts require_auth',
    'keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout',
    'gssencmode gssdelegation gsslib krbsrvname sslcompression sslsni ssl_min_protocol_version',
    // node-postgres: sslmode as it is meant here too.
    'uselibpqcompat',
  ].flatMap((names) => names.split(' ')),
)

/** What is understood of these: other values would mean something that Docket does not do. */
const only = new Map([
  // The one that takes writes is looked for in any case.
  ['target_session_attrs', ['read-write', 'primary', 'any']],
  ['sslnegotiation', ['postgres']],
  ['sslaccept', ['strict']],
  ['client_encoding', ['utf8', 'UTF8', 'utf-8', 'UTF-8', 'auto']],
])

/** What to do instead. */
const instead = new Map([
  ['sslrootcert', 'set DATABASE_CA_FILE instead'],
  ['sslcert', 'Docket has no certificate of its own, only a password'],
  ['sslkey', 'Docket has no certificate of its own, only a password'],
  ['sslidentity', 'Docket has no certificate of its own, only a password'],
  ['hostaddr', 'put the address in the place of the host'],
  ['service', 'write what it stands for'],
  ['passfile', 'write the password after the user, as user:password@'],
])

/** @throws OperatorError */
export function readParameters(all: URLSearchParams, refuse: Refuse): Parameters {
  const read: Parameters = { prepare: true, connectTimeout: null, searchPath: null }
  for (const [name, value] of all) {
    const allowed = only.get(name)
    switch (name) {
      case 'sslmode':
      case 'host':
      case 'port':
      case 'user':
      case 'password':
      case 'dbname':
        read[name] = value
        break
      // As node-postgres and asyncpg have it.
      case 'ssl':
        read.sslmode = sslmodes.get(value) ?? value
        break
      case 'connect_timeout':
        if (!/^\d{1,5}$/.test(value)) throw refuse('has a connect_timeout that is not in seconds.')
        read.connectTimeout = Number(value) || null
        break
      // A pooler that cannot keep prepared statements, as Prisma, asyncpg, SQLAlchemy and Rails know it.
      case 'pgbouncer':
        if (value === 'true') read.prepare = false
        break
      case 'statement_cache_size':
      case 'prepared_statement_cache_size':
        if (value === '0') read.prepare = false
        break
      case 'prepared_statements':
        if (value === 'false') read.prepare = false
        break
      // Prisma's is one name, as it is.
      case 'schema':
        read.searchPath = [value]
        break
      case 'search_path':
        read.searchPath = readSearchPath(value)
        break
      case 'options':
        read.searchPath = readOptions(value, refuse) ?? read.searchPath
        break
      default:
        // The authorities that everybody trusts, whom Docket trusts too.
        if (ignored.has(name) || (name === 'sslrootcert' && value === 'system')) break
        if (allowed?.includes(value)) break
        if (allowed !== undefined) {
          throw refuse(
            `has ${name}=${value}, of which only ${allowed.join(', ')} is understood: leave it out.`,
          )
        }
        throw instead.has(name)
          ? refuse(`has the parameter "${name}": ${instead.get(name)}.`)
          : refuse(`has an unknown parameter, "${name}": leave it out.`)
    }
  }
  return read
}

const sslmodes = new Map([
  ['true', 'require'],
  ['1', 'require'],
  ['false', 'disable'],
  ['0', 'disable'],
])

/** `-c name=value`, `-cname=value` or `--name=value`, of which the search path counts; and what poolers take out of it. */
function readOptions(text: string, refuse: Refuse): string[] | null {
  const words = Array.from(text.matchAll(/(?:\\.|[^\s\\])+/gs), ([word]) =>
    word.replace(/\\(.)/gs, '$1'),
  )
  let searchPath: string[] | null = null
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    // For clients whose TLS does not name the host.
    if (/^(endpoint|project)=/.test(word)) continue
    const setting = word === '-c' ? words[++index] : /^(?:-c|--)(.+)/s.exec(word)?.[1]
    const [, name = word, value = ''] = /^([^=]+)=(.*)$/s.exec(setting ?? '') ?? []
    if (name.replaceAll('-', '_').toLowerCase() !== 'search_path') {
      throw refuse(
        `has "options" with "${name}", of which only search_path and endpoint are understood: leave it out.`,
      )
    }
    searchPath = readSearchPath(value)
  }
  return searchPath
}

/** `app, "My Schema", public`: names as PostgreSQL reads them. */
const readSearchPath = (text: string): string[] =>
  Array.from(text.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g), ([, quoted, bare = '']) =>
    quoted === undefined ? bare.toLowerCase() : quoted.replaceAll('""', '"'),
  )
