import { OperatorError } from '../../config.ts'
import { readParameters } from './parameters.ts'

/** A server: a name, an address, or the folder of a unix socket. */
type Host = {
  host: string
  port: number
  /** Null: no TLS. */
  tls: { verified: boolean } | null
}

/** Where a server is and how to reach it: what the driver is told of a connection string. */
export type ServerAddress = Host & {
  user: string
  password: string
  database: string
  /** False: the string says that a pooler is there which cannot keep prepared statements. */
  prepare: boolean
  /** Seconds that connecting may take, where the string says it. */
  connectTimeout: number | null
  /** The schemas that the string names, for tables that are not ours. */
  searchPath: string[] | null
  /** The servers that it names after the first, of which one takes writes. */
  others: Host[]
}

// Not URL: it refuses postgres://user@/database and a second host, and it would have the host in lower case. What SQLAlchemy adds
// for a driver is passed over.
const form =
  /^postgres(?:ql)?(?:\+\w+)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^?#]*))?$/

const hostForm = /^(\[[\da-fA-F:.]+\]|[^:[\]]*)(?::(\d{0,5}))?$/

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`, as consoles, ORMs and libpq have it, with any number of hosts.
 * The driver never sees the string: it would hand every parameter that it does not know to the server, and it takes
 * `sslmode=require` as TLS with any certificate.
 * @param name the variable that the string is of
 * @throws OperatorError, whose message has no part of the password
 */
export function parseDatabaseUrl(text: string, name = 'DATABASE_URL'): ServerAddress {
  const refuse = (what: string): OperatorError => new OperatorError(`${name} ${what}`)
  const wrong = () =>
    refuse(
      'is not of the form postgres://user:password@host:port/database. Write @ : / ? # and % of a password as %40 %3A %2F %3F %23 and %25.',
    )
  const parts = form.exec(text)
  if (parts === null) throw wrong()

  const [user, password, path] = [1, 2, 4].map((index) => decode(parts[index] ?? '', refuse)) as [
    string,
    string,
    string,
  ] // As many as there are indexes.
  const parameters = readParameters(new URLSearchParams(parts[5]), refuse)
  const named = readHosts(parts[3] ?? '', parameters, wrong, refuse)
  const [first, ...others] = named.map(
    ({ host, port }): Host => ({ host, port, tls: readSslMode(parameters.sslmode, host, refuse) }),
  )
  if (first === undefined) throw refuse('names no host.')
  const role = parameters.user ?? user

  return {
    ...first,
    user: role || 'postgres',
    password: parameters.password ?? password,
    database: (parameters.dbname ?? path) || role || 'postgres',
    prepare: parameters.prepare,
    connectTimeout: parameters.connectTimeout,
    searchPath: parameters.searchPath,
    others,
  }
}

/** Each server of an address as if it were the only one, in order. */
export const serversOf = (address: ServerAddress): ServerAddress[] =>
  [address, ...address.others].map((host) => ({ ...address, ...host, others: [] }))

/** How an operator knows it. */
export const describeAddress = ({ host, port, database, others }: ServerAddress): string =>
  `${database} on ${[{ host, port }, ...others].map(describeHost).join(' or ')}`

const describeHost = ({ host, port }: { host: string; port: number }): string =>
  isSocket(host) ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`

type Refuse = (what: string) => OperatorError

function decode(text: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse('has a % that begins no character: write it as %25.')
  }
}

/** Of the usual place, or of the parameters: there a list of hosts has a list of ports, or one for all of them. */
function readHosts(
  authority: string,
  parameters: { host?: string; port?: string },
  wrong: () => OperatorError,
  refuse: Refuse,
): { host: string; port: number }[] {
  const places = authority.split(',').map((place) => hostForm.exec(place))
  const hosts = places.map((place) => {
    if (place === null) throw wrong()
    return decode(place[1] ?? '', refuse).replace(/^\[(.*)\]$/, '$1')
  })
  const asked = parameters.host?.split(',')
  // Tools that cannot do without a host have some host there, beside the folder of a socket.
  if (asked?.some((host) => !isSocket(host)) && authority !== '') {
    throw refuse('has "host" as a parameter beside another host: leave one of them out.')
  }
  const ports = parameters.port?.split(',') ?? places.map((place) => place?.[2] ?? '')
  return (asked ?? hosts).map((host, index) => {
    const port = Number((ports.length === 1 ? ports[0] : ports[index]) || 5432)
    if (host === '') throw refuse('names no host.')
    if (!(port >= 1 && port <= 65_535)) throw refuse('has a port that is not from 1 to 65535.')
    return { host, port }
  })
}

const isSocket = (host: string): boolean => host.startsWith('/')

const isLocal = (host: string): boolean =>
  isSocket(host) || /^(localhost|127(\.\d+){3}|::1)$/.test(host)

function readSslMode(
  mode: string | undefined,
  host: string,
  refuse: Refuse,
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
