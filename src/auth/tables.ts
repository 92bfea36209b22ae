import type { AuthTables } from '../database/auth-tables/tables.ts'
import { codeOf } from '../database/gate/faults.ts'
import type { Db } from '../database/gate/gate.ts'

/** Better Auth's tables, as far as they are known: a frontend may make them, or change them, at any time. */
export type Tables = {
  /** Null: there are none. */
  known: () => AuthTables | null
  /** What `use` finds in them, or without any. They are looked up anew where they are not what they were. */
  within: <T>(db: Db, use: (tables: AuthTables | null) => Promise<T>) => Promise<T>
}

/** Milliseconds from one look to the next, whoever asks. */
const pause = 5000

export function authTables(
  first: AuthTables | null,
  look: (db: Db) => Promise<AuthTables | null>,
): Tables {
  let tables = first
  let looking: Promise<void> | null = null
  let lookedAt = Number.NEGATIVE_INFINITY

  async function lookAgain(db: Db): Promise<void> {
    if (performance.now() - lookedAt < pause) return
    looking ??= look(db)
      .then((found) => {
        tables = found
      })
      .finally(() => {
        lookedAt = performance.now()
        looking = null
      })
    await looking
  }

  return {
    known: () => tables,
    within: async (db, use) => {
      if (tables === null) await lookAgain(db)
      const before = tables
      try {
        return await use(before)
      } catch (error) {
        if (!isOfOthers(error)) throw error
        if (tables === before) await lookAgain(db)
        if (tables === before) throw error
        return use(tables)
      }
    },
  }
}

/** A table or a column is not there, or of another type, or this role has lost a right to it. */
const isOfOthers = (error: unknown): boolean => /^42(P01|703|883|804|501)$/.test(codeOf(error))
