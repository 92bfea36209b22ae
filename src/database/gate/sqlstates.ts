import postgres from 'postgres'

// What each SQLSTATE of PostgreSQL means to a statement that got it, in the order of the appendix.
// https://www.postgresql.org/docs/current/errcodes-appendix.html

/** What may be done after an error. */
export type Remedy =
  /** The database cannot be had, and the statement did not run: run any again. */
  | 'again'
  /** The connection was lost, and nobody knows whether the statement ran: run it again if twice is once. */
  | 'again if idempotent'
  /** The statement was rolled back because of another one: run any again, after a moment. */
  | 'again soon'
  /** The server takes no writes: run it where one does. */
  | 'elsewhere'
  /** The server cannot do it now, and the next attempt would fare no better: another day. */
  | 'later'
  /** The statement itself is at fault, or whoever wrote it. */
  | 'none'

/** A class by its two characters, and what differs in it by five; where the client is told, in words. */
const table: readonly (readonly [code: string, remedy: Remedy, words?: string])[] = [
  // Success, warnings, no data, a statement that is not complete.
  ['00', 'none'],
  ['01', 'none'],
  ['02', 'none'],
  ['03', 'none'],
  // The connection. PgBouncer says 08P01 of most that befalls it.
  ['08', 'again if idempotent'],
  ['08001', 'again'],
  ['08004', 'again'],
  ['09', 'none'],
  // A cached plan among them, which the driver makes anew by itself.
  ['0A', 'none'],
  ['0B', 'none'],
  ['0F', 'none'],
  ['0L', 'none'],
  ['0P', 'none'],
  ['0Z', 'none'],
  ['10', 'none'],
  ['20', 'none'],
  ['21', 'none'],
  ['22', 'none'],
  ['23', 'none'],
  ['24', 'none'],
  // The state of the transaction, which is ours to keep; but for a server that takes no writes, and limits that end a session.
  ['25', 'none'],
  ['25006', 'elsewhere', 'The database takes no writes at the moment.'],
  ['25P03', 'again if idempotent'],
  ['25P04', 'later', 'The database took too long.'],
  // A pooler has lost what was prepared, or has it already: see 42P05.
  ['26', 'again soon'],
  ['27', 'none'],
  // Who asks is refused, while the connection opens: a password that was changed. So is what is asked for, see 3D.
  ['28', 'again'],
  ['2B', 'none'],
  ['2D', 'none'],
  ['2F', 'none'],
  ['34', 'none'],
  ['38', 'none'],
  ['39', 'none'],
  ['3B', 'none'],
  ['3D', 'again'],
  ['3F', 'none'],
  // Rolled back, because others changed the same; 40002 because it must not be.
  ['40', 'again soon', 'Too many change the same thing at once.'],
  ['40002', 'none'],
  ['40003', 'again if idempotent'],
  ['42', 'none'],
  ['42P05', 'again soon'],
  ['44', 'none'],
  // What the server is short of.
  ['53', 'later', 'The database is short of resources.'],
  ['53100', 'later', 'The disk of the database is full: nothing can be written.'],
  ['53200', 'later', 'The database is short of memory, or of room for locks.'],
  ['53300', 'again', 'The database has no connection left.'],
  ['53400', 'later', 'The database has reached a limit of its own.'],
  ['54', 'none'],
  // Others have what it needs.
  ['55', 'none'],
  ['55006', 'later', 'Others use what is to be changed.'],
  ['55P03', 'later', 'Others have locked what is to be changed.'],
  // Somebody has stopped it, or the whole server.
  ['57', 'later', 'The database was told to stop this.'],
  ['57014', 'later', 'The database took too long.'],
  ['57P01', 'again if idempotent'],
  ['57P02', 'again if idempotent'],
  ['57P03', 'again'],
  ['57P04', 'again if idempotent'],
  // It had nothing to do when it was ended.
  ['57P05', 'again'],
  // The machine below it. A file that is not there, or is there, is no matter of time.
  ['58', 'none'],
  ['58000', 'later', 'The machine of the database is in trouble.'],
  ['58030', 'later', 'The database cannot read or write its disk.'],
  // A snapshot that was too old, up to version 16: the next one is new.
  ['72', 'again soon'],
  ['F0', 'none'],
  ['HV', 'none'],
  ['P0', 'none'],
  ['XX', 'none'],
]

const entries = new Map(table.map((entry) => [entry[0], entry]))

const entryOf = (code: string) => entries.get(code) ?? entries.get(code.slice(0, 2))

/** Undefined: no SQLSTATE, or one of a class that the appendix does not have. */
export const remedyFor = (code: string): Remedy | undefined =>
  code.length === 5 ? entryOf(code)?.[1] : undefined

/** What the client is told of it, where there is more to tell than that the database cannot be had. */
export const wordsFor = (code: string): string | undefined =>
  code.length === 5 ? entryOf(code)?.[2] : undefined

/** Of an error, or of what is the cause of it. */
export function sqlstateOf(error: unknown): string | null {
  if (error instanceof postgres.PostgresError) return error.code
  if (error instanceof Error && 'sqlstate' in error) return String(error.sqlstate)
  return error instanceof Error && error.cause !== undefined ? sqlstateOf(error.cause) : null
}
