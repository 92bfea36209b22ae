import type { Db, Gate } from './gate.ts'

/** Told of each statement when it begins, what it gives back is told when it ends. Waiting for a permit is included. */
export type Watch = (way: keyof Db) => (succeeded: boolean) => void

/** The same gate, watched. */
export function observe(gate: Gate, watch: Watch): Gate {
  const watched = (db: Db): Db => ({
    read: (statement) => follow('read', db.read(statement)),
    write: (statement) => follow('write', db.write(statement)),
    idempotentWrite: (statement) => follow('idempotentWrite', db.idempotentWrite(statement)),
    share: (shared, ask) => follow('share', db.share(shared, ask)),
  })
  async function follow<T>(way: keyof Db, result: Promise<T>): Promise<T> {
    const end = watch(way)
    try {
      const value = await result
      end(true)
      return value
    } catch (error) {
      end(false)
      throw error
    }
  }
  return { ...gate, ...watched(gate), for: (request, user) => watched(gate.for(request, user)) }
}
