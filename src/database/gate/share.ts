import type { Row as AnyRow, PendingQuery, Statement } from 'postgres'
import type { Sql } from '../connect.ts'

type Rows<Row> = PromiseLike<readonly (Row & { n: number })[] & { statement?: Statement }>

/**
 * A statement that answers many requests at once. It gets what they ask for as JSON: an array of objects, each with the
 * fields of one ask and its number, `n`; where it writes, in groups, one for each user. It has one row for an ask, or none, which says by `n` whose it is. What goes wrong
 * for one request is said in its row, and is no error of the statement.
 */
export type Shared<Ask extends object, Row extends object> = {
  /** Parts of it may differ from pool to pool, and never from one time to the next: see `sender`. */
  statement: (sql: Sql, asked: string) => Rows<Row>
  /** How many requests one statement answers at most. */
  most: number
  /** What an ask writes to: of two that claim the same, one goes into another statement. */
  claims?: (ask: Ask) => string[]
  /** That it writes, for the users whose asks they are. Their asks go together: no two such statements have the same user. */
  writes?: boolean
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

/** The asks of one user: `n` is the number of an ask in its statement, `nth` of its change among the `many` of its user. */
export type Group = { user_id: string; many: number; asks: object[] }

/** What a statement is asked, as its parameter. */
export const textOf = (
  { writes = false }: Pick<Shared<never, object>, 'writes'>,
  asks: readonly object[],
): string =>
  // Whatever writes says for whom.
  JSON.stringify(writes ? grouped(asks as { user_id: string }[]) : asks.map(numbered))

/** An ask with its number: in its place, which is faster than in a copy. */
const numbered = (ask: object, n: number): object => Object.assign(ask, { n })

/**
 * What a statement that writes is asked, each user once: of two rows of one user an update takes one, and loses the other
 * without a word. Grouped here, as a join of the two in the database would compare each with each.
 * @param changes how many changes an ask makes, the last of which is its own
 */
export function grouped<T extends { user_id: string }>(
  asks: readonly T[],
  changes: (ask: T) => number = () => 1,
): Group[] {
  const groups = new Map<string, Group>()
  for (const [n, ask] of asks.entries()) {
    const { user_id } = ask
    const group = groups.get(user_id) ?? { user_id, many: 0, asks: [] }
    if (group.many === 0) groups.set(user_id, group)
    group.many += changes(ask)
    group.asks.push(Object.assign(ask, { n, nth: group.many - 1 }))
  }
  return [...groups.values()]
}

/**
 * Sends a statement. The driver puts its text together out of all its parts each time, which is a fifteenth of what a write
 * takes; so the text that it had the first time on a pool is sent from then on, if what is asked is all that it is given.
 */
export function sender<Row extends object>(
  statement: (sql: Sql, asked: string) => Rows<Row>,
): (sql: Sql, asked: string) => Rows<Row> {
  const texts = new WeakMap<Sql, string>()
  return (sql, asked) => {
    const text = texts.get(sql)
    if (text !== undefined) {
      return sql.unsafe<(Row & { n: number })[]>(text, [asked], { prepare: true })
    }
    return statement(sql, asked).then((rows) => {
      const said = rows.statement
      if (said?.types.length === 1) texts.set(sql, said.string)
      return rows
    })
  }
}
