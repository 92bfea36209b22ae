import type { Row as AnyRow, PendingQuery } from 'postgres'
import type { Sql } from './connect.ts'

/**
 * A statement that answers many requests at once. It gets what they ask for as JSON: an array of objects, each with the
 * fields of one ask and its number, `n`. It has one row for an ask, or none, which says by `n` whose it is. What goes wrong
 * for one request is said in its row, and is no error of the statement.
 */
export type Shared<Ask extends object, Row extends object> = {
  statement: (sql: Sql, asked: string) => PromiseLike<readonly (Row & { n: number })[]>
  /** How many requests one statement answers at most. */
  most: number
  /** What an ask writes to: of two that claim the same, one goes into another statement. Absent: it only reads. */
  claims?: (ask: Ask) => string[]
  /** Whether it may be run again where nobody knows whether it ran. */
  isIdempotent: boolean
  /** Whether an ask may take long, so that nobody else shall be in its statement. */
  isLong?: (ask: Ask) => boolean
}

/**
 * A condition on `asked` that always holds: it has the planner expect a row or two, and so look each one up by an index,
 * where it takes the rows of a function to be a hundred, and a small table to be better read whole.
 */
export const few = (sql: Sql): PendingQuery<AnyRow[]> => sql`asked.n between 0 and 1000`
