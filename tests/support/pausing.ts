import type { Sql } from '../../src/database/connect.ts'
import type { Db, Gate } from '../../src/database/gate/gate.ts'

/** A gate that keeps the first write which `pattern` fits, or the first transaction for "begin", until it is let go. */
export function pausing(gate: Gate, pattern: RegExp) {
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()

  function textOf(run: (pool: Sql) => unknown): string {
    let text = 'begin'
    const unsafe = (statement: string) => {
      text = statement
      return Promise.resolve([])
    }
    // Nothing but what the issuer asks a pool for.
    void run({ unsafe, begin: async () => {}, options: {} } as unknown as Sql)
    return text
  }

  const paused: Gate = {
    ...gate,
    for: (signal, userId) => {
      const db: Db = gate.for(signal, userId)
      return {
        read: (run) => db.read(run),
        idempotentWrite: (run) => db.idempotentWrite(run),
        share: (shared, ask) => db.share(shared, ask),
        write: async (run) => {
          if (pattern.test(textOf(run))) {
            reached.resolve()
            await released.promise
          }
          return db.write(run)
        },
      }
    },
  }
  return { db: paused, reached: reached.promise, release: () => released.resolve() }
}
