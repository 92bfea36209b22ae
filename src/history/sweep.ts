import type { Gate } from '../database/gate/gate.ts'
import type { Kind } from '../database/log/together.ts'
import { listOldTrash } from './queries.ts'
import { purge } from './trash.ts'
import { pruneAnswers, pruneChanges } from './writes.ts'

export type SweepOptions = {
  db: Gate
  kinds: readonly Kind[]
  /** How long what is in the trash stays there, and what was changed in the log; null: for good. */
  trashDays: number | null
  historyDays: number | null
  /** Is told of a sweep that failed. The next one tries again. */
  onFailure: (error: unknown) => void
  /** Milliseconds from one to the next. */
  pause?: number
}

export type Sweep = {
  /** Something was written. */
  wake: () => void
  /** Resolves when none is under way. */
  settled: () => Promise<void>
}

/** Rows that go in one statement, or in one turn. */
const batch = { changes: 1000, things: 64 }

/**
 * Removes what is too old, once a minute at most while somebody writes: without writes the database is asked nothing, and may sleep.
 * Several instances may do so at once.
 */
export function createSweep(options: SweepOptions): Sweep {
  const { db, kinds, trashDays, historyDays, onFailure, pause = 60_000 } = options
  let lastAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | null = null

  async function sweep(): Promise<void> {
    while ((await pruneAnswers(db, 1, batch.changes)) === batch.changes);
    if (historyDays !== null) {
      while ((await pruneChanges(db, historyDays, batch.changes)) === batch.changes);
    }
    if (trashDays === null) return
    for (const kind of kinds) {
      for (let isFull = true; isFull; ) {
        const found = await listOldTrash(db, kind.table, trashDays, batch.things)
        const outcomes = await Promise.all(
          found.map((due) => purge(db, kind, { ...due, actor: null, request_id: null })),
        )
        isFull =
          found.length === batch.things && outcomes.some(({ outcome }) => outcome === 'changed')
      }
    }
  }

  return {
    wake() {
      if (underWay !== null || performance.now() - lastAt < pause) return
      lastAt = performance.now()
      underWay = sweep()
        .catch(onFailure)
        .finally(() => {
          underWay = null
        })
    },
    settled: async () => {
      await underWay
    },
  }
}
