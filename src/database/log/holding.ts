import type { Sql } from '../connect.ts'
import type { Db } from '../gate/gate.ts'
import { textOf } from '../gate/share.ts'

/** How often something is attempted that somebody may come between, before nobody may. */
const mostAttempts = 3

/**
 * Attempts what looks first and then writes if nothing has changed since, and gives undefined where something has. Who has lost too often
 * looks once more while it holds the row of the user, which nobody writes for meanwhile.
 */
export async function untilMade<T>(
  db: Db,
  userId: string,
  attempt: (db: Db) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let count = 0; count < mostAttempts; count += 1) {
    const made = await attempt(db)
    if (made !== undefined) return made
  }
  return holding(db, userId, attempt)
}

/** Statements of one transaction, which holds the row of the user. */
export const holding = <T>(
  db: Db,
  userId: string,
  use: (db: Db) => Promise<T>,
): Promise<T | undefined> =>
  db.write(async (sql) => {
    // What is thrown about what was found is no fault of the database.
    const { made, error } = await sql.begin(async (transaction) => {
      await transaction`select from docket.users where id = ${userId} for no key update`
      // It is all that statements need of a pool.
      return use(within(transaction as unknown as Sql)).then(
        (result) => ({ made: result, error: null }),
        (thrown: unknown) => ({ made: undefined, error: thrown }),
      )
    })
    if (error !== null) throw error
    return made
  })

/** The same statements in a transaction. */
function within(transaction: Sql): Db {
  const run: Db['read'] = async (statement) => statement(transaction)
  return {
    read: run,
    write: run,
    idempotentWrite: run,
    share: async (shared, ask) => {
      const [row] = await shared.statement(transaction, textOf(shared, [ask]))
      return row
    },
  }
}
