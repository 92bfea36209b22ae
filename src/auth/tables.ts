import type { AuthTables } from '../database/auth-tables.ts'
import type { Db } from '../database/gate.ts'

/** Better Auth's tables, as far as they are known. */
export type Tables = {
  /** Null: there are none. */
  known: () => AuthTables | null
  /** Those, or the ones that a frontend has made since the last look: one every few seconds, whoever asks. */
  find: (db: Db) => Promise<AuthTables | null>
}

/** Milliseconds from one look to the next. */
const pause = 5000

export function authTables(
  first: AuthTables | null,
  look: (db: Db) => Promise<AuthTables | null>,
): Tables {
  let tables = first
  let lookedAt = performance.now()

  return {
    known: () => tables,
    find: async (db) => {
      if (tables === null && performance.now() - lookedAt > pause) {
        lookedAt = performance.now()
        tables = await look(db)
      }
      return tables
    },
  }
}
