import { OperatorError } from '../config.ts'

/** Where a server is and how to reach it: what the driver is told of a connection string. */
export type ServerAddress = {
  host: string
  port: number
  user: string
  password: string
  database: string
  /** False: no TLS. 'verify-full': TLS, and the certificate's chain and name are checked. */
  ssl: false | 'verify-full'
}

/** Parameters that a console adds to its connection string and that no server wants to see. */
const ignored = new Set(['sslmode', 'channel_binding', 'options'])

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`. The driver never sees the string: it would hand
 * every parameter that it does not know to the server, and it takes `sslmode=require` as TLS with any certificate.
 */
export function parseDatabaseUrl(text: string): ServerAddress {
  if (!URL.canParse(text)) throw new OperatorError('DATABASE_URL is not a URL.')
  const url = new URL(text)

  for (const name of url.searchParams.keys()) {
    if (!ignored.has(name)) throw new OperatorError(`DATABASE_URL: unknown parameter "${name}".`)
  }
  const endpoint = url.searchParams.get('options')
  if (endpoint !== null && !endpoint.startsWith('endpoint=')) {
    throw new OperatorError('DATABASE_URL: of "options", only endpoint=… is understood.')
  }
  const host = decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1'))
  if (host === '') throw new OperatorError('DATABASE_URL names no host.')
  const user = decodeURIComponent(url.username) || 'postgres'

  return {
    host,
    port: Number(url.port || 5432),
    user,
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || user,
    ssl: readSslMode(url.searchParams.get('sslmode'), host),
  }
}

const isLocal = (host: string): boolean => /^(localhost|127(\.\d+){3}|::1)$/.test(host)

function readSslMode(mode: string | null, host: string): false | 'verify-full' {
  switch (mode ?? (isLocal(host) ? 'disable' : 'require')) {
    case 'disable':
      return false
    // Encryption to whoever answers protects nobody, so each of these checks the certificate.
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return 'verify-full'
    default:
      throw new OperatorError(
        `DATABASE_URL: sslmode=${mode} is not one of disable, require, verify-ca, verify-full.`,
      )
  }
}
