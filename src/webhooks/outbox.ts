import type { Sql } from '../database/connect.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import { listFollowed } from './queries.ts'
import { type Meaning, type Taken, type Thing, takeChanges } from './writes.ts'

export type OutboxOptions = {
  db: Gate
  things: readonly Thing[]
  /** What a filter means to a user now, as a condition of the row `t` of a task. */
  meaningOf: (db: Db, userId: string, filter: string) => Promise<(sql: Sql) => Fragment>
  /** Deliveries were made. */
  onMade: () => void
  /** Is told of what failed. It is tried again. */
  onFailure: (error: unknown) => void
}

/** Milliseconds until it is looked again where it failed, or where enough is on its way: the first time, and at most. */
const times = { first: 1000, longest: 3_600_000 }

/** Users who are looked after at the same time: at a start there may be many, and others want the database too. */
const atOnce = 4

/**
 * Makes what is in the log into deliveries to webhooks, behind each write. It knows who has webhooks, so that a write of anybody else costs
 * nothing: of those that were made on another instance it learns by its next look.
 */
export function createOutbox({ db, things, meaningOf, onMade, onFailure }: OutboxOptions) {
  let followed = new Set<string>()
  /** Those of whom it was told since its last look began. */
  let told = new Set<string>()
  const waiting = new Set<string>()
  /** Those who are to be looked after again: when, and how long they wait the next time. */
  const pauses = new Map<string, number>()
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const underWay = new Map<string, Promise<void>>()
  let isStopped = false

  function wake(userId: string): void {
    waiting.add(userId)
    begin()
  }

  function begin(): void {
    for (const userId of waiting) {
      if (isStopped || underWay.size >= atOnce) return
      // What came meanwhile is looked at afterwards.
      if (underWay.has(userId)) continue
      waiting.delete(userId)
      underWay.set(
        userId,
        look(userId).finally(() => {
          underWay.delete(userId)
          begin()
        }),
      )
    }
  }

  async function look(userId: string): Promise<void> {
    try {
      const { made, is_more: isMore, is_full: isFull } = await take(userId)
      if (made > 0) onMade()
      if (isMore) waiting.add(userId)
      if (made > 0 || !isFull) pauses.delete(userId)
      if (isFull) wakeLater(userId)
    } catch (error) {
      onFailure(error)
      wakeLater(userId)
    }
  }

  function wakeLater(userId: string): void {
    const pause = pauses.get(userId) ?? times.first
    pauses.set(userId, Math.min(2 * pause, times.longest))
    clearTimeout(timers.get(userId))
    const timer = setTimeout(() => {
      timers.delete(userId)
      wake(userId)
    }, pause)
    timers.set(userId, timer.unref())
  }

  /** Not in the name of the user: what is written here is nothing that anybody follows. */
  async function take(userId: string): Promise<Omit<Taken, 'left'>> {
    const { left, ...plain } = await takeChanges(db, userId, things, [])
    if (left.length === 0) return plain
    const filtered = await takeChanges(db, userId, things, await meaningsOf(userId, left))
    return {
      made: plain.made + filtered.made,
      is_more: plain.is_more || filtered.is_more,
      is_full: plain.is_full || filtered.is_full,
    }
  }

  const meaningsOf = (userId: string, hooks: { id: string; filter: string }[]) =>
    Promise.all(
      hooks.map(async ({ id, filter }): Promise<Meaning> => {
        const condition = await meaningOf(db.for(null, userId), userId, filter)
        return { id, filter, condition }
      }),
    )

  return {
    /** Something was written for these users. */
    wake: (users: Iterable<string>): void => {
      for (const userId of users) if (followed.has(userId)) wake(userId)
    },
    /** A webhook of a user was made, or is active again. */
    follow: (userId: string): void => {
      followed.add(userId)
      told.add(userId)
      wake(userId)
    },
    /** A delivery to a user is over: where too many were on their way, there may soon be room. */
    hasRoom: (userId: string): void => {
      if (!timers.has(userId) || (pauses.get(userId) ?? 0) <= 2 * times.first) return
      pauses.delete(userId)
      wakeLater(userId)
    },
    /** Learns who has webhooks, and makes up for what was not made into deliveries. */
    look: async (): Promise<void> => {
      told = new Set()
      const found = await listFollowed(db)
      followed = new Set([...found.map(({ user_id }) => user_id), ...told])
      for (const { user_id, is_behind } of found) if (is_behind) wake(user_id)
    },
    /** Resolves when none is under way. */
    stop: async (): Promise<void> => {
      isStopped = true
      await Promise.all(underWay.values())
    },
  }
}

export type Outbox = ReturnType<typeof createOutbox>
