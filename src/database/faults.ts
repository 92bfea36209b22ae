import { describeAddress, type ServerAddress } from './url.ts'

// What an error of the driver, of the operating system or of PostgreSQL says about the connection, by its code.
// https://www.postgresql.org/docs/current/errcodes-appendix.html

/** The statement was never sent, or was refused before it ran. */
const notRun =
  /^(CONNECT_(TIMEOUT|CLOSED)|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|57P03|53300|25006)$/

/** The connection was lost, or the server is not itself: nobody knows whether the statement ran. */
const lost = /^(CONNECTION_\w+|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|08...|57P0[125])$/

/** It took longer than it may, here or on the server, or there is no room for it there: the next attempt would fare no better. */
const inVain = /^(QUERY_TIMEOUT|57014|53...)$/

/** No waiting makes it right. */
const permanent =
  /^(28...|3D000|SSL_NOT_SUPPORTED|ERR_TLS_\w+|CERT_\w+|\w+_CERT(_\w+)?|UNABLE_TO_\w+)$/

/** The database cannot be had now: full, late, or not there. Rendered as 503 by its code. */
export class Unavailable extends Error {
  readonly code = 'UNAVAILABLE'
}

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/**
 * What may be done after an error: run any statement again, run it again if it is idempotent, try another day because it
 * took too long, or nothing, since the connection is not at fault.
 */
export function remedyOf(error: unknown): 'again' | 'again if idempotent' | 'later' | 'none' {
  const code = codeOf(error)
  if (notRun.test(code)) return 'again'
  if (inVain.test(code)) return 'later'
  return lost.test(code) ? 'again if idempotent' : 'none'
}

/** Whether the database has answered with this, or not at all. */
export function isAnswer(error: unknown): boolean {
  const remedy = remedyOf(error)
  return remedy === 'none' || (remedy === 'later' && codeOf(error) !== 'QUERY_TIMEOUT')
}

/** Whether a database that is not there yet may still come: not when it refuses who asks, or what is asked for. */
export function mayCome(error: unknown): boolean {
  // PgBouncer says with one code that the database is down, and that it knows no such database.
  if (codeOf(error) === '08P01') return !/authentication failed|no such/i.test(messageOf(error))
  return !permanent.test(codeOf(error)) && remedyOf(error) !== 'none'
}

/** What is wrong with the database, as one sentence for the operator. */
export function explain(error: unknown, address: ServerAddress): string {
  return `Cannot use the database ${describeAddress(address)}: ${reason(error, address)}.`
}

export function reason(error: unknown, { host, user, database }: ServerAddress): string {
  const code = codeOf(error)
  if (/^(ENOTFOUND|EAI_AGAIN)$/.test(code)) return `there is no host "${host}"`
  if (/^(ECONNREFUSED|ENOENT)$/.test(code)) return 'nothing listens there'
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return 'it does not answer'
  if (/^CONNECT(ION)?_CLOSED$/.test(code)) return 'it closes the connection'
  if (code === 'SSL_NOT_SUPPORTED') {
    return 'it has no TLS. Where the way to it is safe, say sslmode=disable'
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is of another host'
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired'
  if (/CERT|UNABLE_TO_/.test(code)) {
    return `its certificate is not of an authority that is known here. If it is your own, name its file in DATABASE_CA_FILE (${code})`
  }
  if (code.startsWith('28')) return `it refuses the user "${user}" or the password`
  if (code === '3D000') return `there is no database "${database}"`
  return messageOf(error).replace(/\.$/, '')
}
