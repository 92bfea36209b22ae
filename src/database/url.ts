import { OperatorError } from '../config.ts'

/** Where a server is and how to reach it: what the driver is told of a connection string. */
export type ServerAddress = {
  /** A name, an address, or the folder of a unix socket. */
  host: string
  port: number
  user: string
  password: string
  database: string
  /** Null: no TLS. */
  tls: { verified: boolean } | null
  /** False: the string says that a pooler is there which cannot keep prepared statements. */
  prepare: boolean
}

// Not URL: it refuses postgres://user@/database, and it would have the host in lower case.
const form =
  /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[\da-fA-F:.]+\]|[^:@,/?#[\]]*)(?::(\d{1,5}))?(?:\/([^/?#]*))?(?:\?([^?#]*))?$/

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`, as the consoles of Neon, Supabase and RDS give it. The
 * driver never sees the string: it would hand every parameter that it does not know to the server, and it takes
 * `sslmode=require` as TLS with any certificate.
 * @param name the variable that the string is of
 * @throws OperatorError, whose message has no part of the password
 */
export function parseDatabaseUrl(text: string, name = 'DATABASE_URL'): ServerAddress {
  const refuse = (what: string): OperatorError => new OperatorError(`${name} ${what}`)
  const parts = form.exec(text)
  if (parts === null) {
    throw refuse(
      'is not of the form postgres://user:password@host:port/database. Write @ : / ? # and % of a password as %40 %3A %2F %3F %23 and %25.',
    )
  }

  const [user, password, authority, path] = [1, 2, 3, 5].map((index) => {
    try {
      return decodeURIComponent(parts[index] ?? '')
    } catch {
      throw refuse('has a % that begins no character: write it as %25.')
    }
  }) as [string, string, string, string] // As many as there are indexes.
  const parameters = readParameters(new URLSearchParams(parts[6]), refuse)
  const host = parameters.host ?? authority.replace(/^\[(.*)\]$/, '$1')
  if (host === '') throw refuse('names no host.')
  const port = Number(parts[4] ?? 5432)
  if (port < 1 || port > 65_535) throw refuse('has a port that is not from 1 to 65535.')

  return {
    host,
    port,
    user: user || 'postgres',
    password,
    database: path || user || 'postgres',
    tls: readSslMode(parameters.sslmode, host, refuse),
    prepare: parameters.pgbouncer !== 'true',
  }
}

/** How an operator knows it. */
export const describeAddress = ({ host, port, database }: ServerAddress): string =>
  `${database} on ${host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`}`

type Parameters = { sslmode?: string; host?: string; pgbouncer?: string }

function readParameters(all: URLSearchParams, refuse: (what: string) => OperatorError): Parameters {
  const read: Parameters = {}
  for (const [name, value] of all) {
    switch (name) {
      case 'sslmode':
      case 'pgbouncer':
        read[name] = value
        break
      case 'host':
        if (!value.startsWith('/')) {
          throw refuse('has "host" as a parameter, which is for the folder of a unix socket only.')
        }
        read.host = value
        break
      // Binds the password to the TLS session. The driver cannot, and needs not where the certificate is checked.
      case 'channel_binding':
        break
      // For clients whose TLS does not name the host.
      case 'options':
        if (!/^endpoint=[\w-]+$/.test(value)) {
          throw refuse('has "options", of which only endpoint=… is understood.')
        }
        break
      case 'sslrootcert':
        throw refuse('has the parameter "sslrootcert": set DATABASE_CA_FILE instead.')
      default:
        throw refuse(`has an unknown parameter, "${name}": leave it out.`)
    }
  }
  return read
}

const isSocket = (host: string): boolean => host.startsWith('/')

const isLocal = (host: string): boolean =>
  isSocket(host) || /^(localhost|127(\.\d+){3}|::1)$/.test(host)

function readSslMode(
  mode: string | undefined,
  host: string,
  refuse: (what: string) => OperatorError,
): { verified: boolean } | null {
  switch (mode ?? (isLocal(host) ? 'disable' : 'require')) {
    case 'disable':
      return null
    // Encryption to whoever answers protects nobody, so each of these checks the certificate and the name in it.
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return isSocket(host) ? null : { verified: true }
    case 'insecure-unverified':
      return isSocket(host) ? null : { verified: false }
    default:
      throw refuse(
        `has sslmode=${mode}, which is not one of disable, require, verify-ca, verify-full, insecure-unverified.`,
      )
  }
}
