import postgres from 'postgres'
import { describeAddress, type ServerAddress } from '../address/url.ts'
import { type Remedy, remedyFor } from './sqlstates.ts'

// What an error of the driver, of the operating system or of PostgreSQL says about the connection, by its code.

/** The statement was never sent. */
const notSent =
  /^(CONNECT_(TIMEOUT|CLOSED)|CONNECTION_ENDED|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/

/** The connection was lost: nobody knows whether the statement ran. */
const lost = /^(CONNECTION_\w+|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT)$/

/** The server refuses who asks or what is asked for, or is refused: not sent either, and no waiting makes it right. */
const permanent =
  /^(28...|3D000|SASL_\w+|SSL_NOT_SUPPORTED|ERR_TLS_\w+|CERT_\w+|\w+_CERT(_\w+)?|UNABLE_TO_\w+)$/

/** The database cannot be had now: full, late, or not there. Rendered as 503 by its code. */
export class Unavailable extends Error {
  readonly code = 'UNAVAILABLE'
}

/** It may be well, but too much waits for it. */
export class Crowded extends Unavailable {
  readonly isCrowded = true
}

/** It can be read, and takes no writes. */
export class ReadOnly extends Unavailable {
  readonly sqlstate = '25006'
}

export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** What may be done after an error. None: the connection is not at fault. */
export function remedyOf(error: unknown): Remedy {
  const remedy = remedyByCode(codeOf(error))
  // Whatever it is: what is said as FATAL is said of the session, which ends.
  return remedy === 'none' && isFatal(error) ? 'again if idempotent' : remedy
}

function remedyByCode(code: string): Remedy {
  if (notSent.test(code) || permanent.test(code)) return 'again'
  if (lost.test(code)) return 'again if idempotent'
  return code === 'QUERY_TIMEOUT' ? 'later' : (remedyFor(code) ?? 'none')
}

const isFatal = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && /^(FATAL|PANIC)$/.test(String(error.severity))

/** Whether it is the database that says no, and to what it was given. */
export const isRefused = (error: unknown): error is postgres.PostgresError =>
  error instanceof postgres.PostgresError && remedyOf(error) === 'none'

/** Whether the server says of the statement, or of what became of it, that it takes no writes. */
export const isReadOnly = (error: unknown): boolean =>
  error instanceof ReadOnly ||
  remedyByCode(codeOf(error)) === 'elsewhere' ||
  (error instanceof Error && error.cause !== undefined && isReadOnly(error.cause))

/** Whether the statement waited for a lock of others for too long. */
export const isLocked = (error: unknown): boolean => codeOf(error) === '55P03'

/** Whether the database has answered with this, or not at all. */
export function isAnswer(error: unknown): boolean {
  const remedy = remedyOf(error)
  const isLost = remedy === 'again' || remedy === 'again if idempotent'
  return !isLost && codeOf(error) !== 'QUERY_TIMEOUT'
}

/** Whether a database that is not there yet may still come: not when it refuses who asks, or what is asked for. */
export function mayCome(error: unknown): boolean {
  const code = codeOf(error)
  // PgBouncer says with one code that the database is down, and that it knows no such database.
  if (code === '08P01') return !/authentication failed|no such/i.test(messageOf(error))
  return !permanent.test(code) && remedyByCode(code) !== 'none'
}

/** What is wrong with the database, as one sentence for the operator: with one of its servers, where there are several. */
export function explain(error: unknown, address: ServerAddress, server = address): string {
  return `Cannot use the database ${describeAddress(address)}: ${reason(error, server)}.`
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
