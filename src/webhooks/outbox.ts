import type { Sql } from '../database/connect.ts'
import type { Db, Gate } from '../database/gate.ts'
import type { Fragment } from '../database/log.ts'
import { listFollowed } from './queries.ts'
import { type Meaning, type Thing, takeChanges } from './writes.ts'

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

/** Milliseconds until what failed is tried again. */
const pause = 2000

/**
 * Makes what is in the log into deliveries to webhooks, behind each write. It knows who has webhooks, so that a write of anybody else costs
 * nothing: of those that were made on another instance it learns by its next look.
 */
export function createOutbox({ db, things, meaningOf, onMade, onFailure }: OutboxOptions) {
  let followed = new Set<string>()
  /** Those of whom it was told since its last look began. */
  let told = new Set<string>()
  /** Those that are being looked at, and whether something came meanwhile. */
  const pumping = new Map<string, boolean>()
  const underWay = new Set<Promise<void>>()
  let isStopped = false

  function wake(userId: string): void {
    if (isStopped) return
    if (pumping.has(userId)) {
      pumping.set(userId, true)
      return
    }
    const pump: Promise<void> = pumpFor(userId).finally(() => underWay.delete(pump))
    underWay.add(pump)
  }

  async function pumpFor(userId: string): Promise<void> {
    pumping.set(userId, true)
    try {
      while (pumping.get(userId) === true) {
        pumping.set(userId, false)
        if ((await take(userId)) && !isStopped) pumping.set(userId, true)
      }
    } catch (error) {
      onFailure(error)
      setTimeout(wake, pause, userId).unref()
    } finally {
      pumping.delete(userId)
    }
  }

  /** @returns whether there is more */
  async function take(userId: string): Promise<boolean> {
    // Not in the name of the user: what is written here is nothing that anybody follows.
    const plain = await takeChanges(db, userId, things, [])
    let { made, is_more: isMore } = plain
    if (plain.left.length > 0) {
      const filtered = await takeChanges(db, userId, things, await meaningsOf(userId, plain.left))
      made += filtered.made
      isMore ||= filtered.is_more
    }
    if (made > 0) onMade()
    return isMore
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
      await Promise.all(underWay)
    },
  }
}

export type Outbox = ReturnType<typeof createOutbox>
