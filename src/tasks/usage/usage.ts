import type { Db } from '../../database/gate/gate.ts'
import { Problem } from '../../http/problem.ts'
import {
  type Amount,
  add,
  type Count,
  isStale,
  newCount,
  quiet,
  type Reservation,
  take,
} from './count.ts'
import { measureSlice } from './queries.ts'

export type { Amount, Reservation } from './count.ts'

// How much each user has. The database keeps no count, which every write would have to update: each process counts what it
// adds itself, and measures what there is only when a user may be near a limit.

/** The most that each user may have. Null: as much as they like. */
export type Quota = { [K in keyof Amount]: number | null }

export type Usage = {
  quota: Quota
  /**
   * Sets aside what a write adds at most, so that writes at the same moment are not all taken for the last one.
   * @param exactly what it adds indeed, asked only where it does not fit. A write that adds nothing always fits
   * @throws Problem 422
   */
  setAside: (
    db: Db,
    userId: string,
    atMost: Amount,
    exactly?: () => Promise<Amount>,
  ) => Reservation | Promise<Reservation>
  /** What a user has: measured, or counted since. What others added may be missing for `patience`. */
  read: (db: Db, userId: string) => Promise<Amount>
  /** Nothing of the user is left. */
  forget: (userId: string) => void
}

/** Tasks that are measured in one statement. */
const slice = 2000

/** How often a write that does not fit waits for those that are under way: there may be new ones each time. */
const mostWaits = 5

/** The part of a quota that a user may add before it is measured what there is. */
const unmeasured = 0.01

/** Users whose counts are kept: twice as many, at most. Who has not written for the longest is forgotten. */
const mostCounts = 20_000

export function createUsage(quota: Quota): Usage {
  let counts = new Map<string, Count>()
  let older = new Map<string, Count>()

  function countOf(userId: string): Count {
    const known = counts.get(userId)
    if (known !== undefined) return known
    const count = older.get(userId) ?? newCount(userId)
    if (counts.size >= mostCounts) {
      older = counts
      counts = new Map()
    }
    counts.set(userId, count)
    return count
  }

  /** What does not fit, or null. */
  function excess(count: Count, amount: Amount): keyof Amount | null {
    const isBeyond = (kind: keyof Amount) => {
      const limit = quota[kind]
      if (limit === null || amount[kind] <= 0) return false
      const most = count.isMeasured ? limit : limit * unmeasured
      return count[kind] + count.reserved[kind] + amount[kind] > most
    }
    return isBeyond('tasks') ? 'tasks' : isBeyond('bytes') ? 'bytes' : null
  }

  /** For a write that may not fit. */
  async function makeRoom(
    db: Db,
    count: Count,
    atMost: Amount,
    exactly?: () => Promise<Amount>,
  ): Promise<Reservation> {
    let amount = atMost
    let waits = 0
    let looks = 0
    /** After how many writes it was looked at what exactly it adds: another one since then may have been the same. */
    let lookedAt = -1
    for (;;) {
      if (count.measuring !== null) {
        // What went wrong is told to whom it happened, and this one tries it himself.
        await count.measuring.catch(() => {})
        continue
      }
      const kind = excess(count, amount)
      if (kind === null) return take(count, amount)
      if (!count.isMeasured) {
        await measure(db, count)
      } else if (count.underWay > 0 && waits < mostWaits) {
        // Some of those may not be made after all, and one of them may be the same as this.
        waits += 1
        await quiet(count)
      } else if (exactly !== undefined && lookedAt !== count.settled && looks < mostWaits) {
        looks += 1
        lookedAt = count.settled
        amount = await exactly()
      } else if (isStale(count)) {
        await measure(db, count)
      } else {
        throw exceeded(kind, quota[kind] ?? 0)
      }
    }
  }

  return {
    quota,
    setAside: (db, userId, atMost, exactly) => {
      const count = countOf(userId)
      return count.measuring === null && excess(count, atMost) === null
        ? take(count, atMost)
        : makeRoom(db, count, atMost, exactly)
    },
    read: async (db, userId) => {
      const count = countOf(userId)
      while (count.measuring !== null) await count.measuring.catch(() => {})
      if (!count.isMeasured || isStale(count)) await measure(db, count)
      return { tasks: count.tasks, bytes: count.bytes }
    },
    forget: (userId) => {
      counts.delete(userId)
      older.delete(userId)
    },
  }
}

/** Measures while nobody writes: who wants to waits for the end, so that nothing is counted twice. */
function measure(db: Db, count: Count): Promise<void> {
  const work = async () => {
    await quiet(count)
    const sum = { tasks: 0, bytes: 0 }
    let slices = 0
    for (let after: string | null = null; ; slices += 1) {
      const found = await measureSlice(db, count.userId, after, slice)
      add(sum, found, 1)
      after = found.last
      if (found.tasks < slice) break
    }
    const at = performance.now()
    Object.assign(count, { ...sum, slices: slices + 1, at, isMeasured: true, isExact: true })
  }
  count.measuring = work().finally(() => {
    count.measuring = null
  })
  return count.measuring
}

const number = new Intl.NumberFormat('en')

function exceeded(kind: keyof Amount, limit: number): Problem {
  const most = number.format(limit)
  const detail =
    kind === 'tasks'
      ? `You may have ${most} tasks, those in the trash included, and this would be more.`
      : `Your tasks may have ${most} bytes in all, those in the trash included, and this would be more. Shorten some of them.`
  return new Problem(422, `${detail} Whoever runs this server can allow more.`, {
    code: 'quota_exceeded',
  })
}
