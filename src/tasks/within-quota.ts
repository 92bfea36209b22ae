import postgres from 'postgres'
import type { Db } from '../database/gate.ts'
import {
  type Change,
  completeTask,
  deleteTask,
  insertTask,
  restoreTask,
  updateTask,
} from './changes.ts'
import { findTask } from './queries.ts'
import { growthOf, sizeOf, sizeOfTexts } from './sizes.ts'
import type { Amount, Reservation, Usage } from './usage.ts'
import { isMade } from './usage-queries.ts'

/** The writes of changes.ts, of which those that can add much are made only within the quota of their user. */
type Writes = {
  insertTask: typeof insertTask
  updateTask: typeof updateTask
  completeTask: typeof completeTask
  deleteTask: typeof deleteTask
  restoreTask: typeof restoreTask
}

const nothing: Amount = { tasks: 0, bytes: 0 }

/** @throws Problem 422 where a write would go beyond */
export function withinQuota(usage: Usage): Writes {
  const insert: typeof insertTask = async (db, userId, id, task, once) => {
    const chosen = task.id ?? null
    const key = once?.key ?? null
    const atMost = { tasks: 1, bytes: sizeOf(userId, task) }
    // Sent again it adds nothing, and is answered as the first time.
    const exactly = async () => ((await isMade(db, userId, chosen, key)) ? nothing : atMost)
    const isNew = chosen === null && key === null
    const reservation = await usage.setAside(db, userId, atMost, isNew ? undefined : exactly)
    const change = await attempt(reservation, insertTask(db, userId, id, task, once))
    if (change.outcome !== 'changed') reservation.settle(nothing)
    // With an id of the client's it may have been there already.
    else if (chosen !== null) reservation.settle(null)
    else reservation.settle({ tasks: 1, bytes: Buffer.byteLength(change.task.text) })
    return change
  }

  const update: typeof updateTask = async (db, userId, id, versions, parts, once) => {
    const patch = parts.changes
    const exactly = async (): Promise<Amount> => {
      const key = once?.key ?? null
      if (key !== null && (await isMade(db, userId, null, key))) return nothing
      const task = await findTask(db, userId, id)
      return task === undefined
        ? nothing
        : { tasks: 0, bytes: growthOf(JSON.parse(task.text), patch) }
    }
    const atMost = { tasks: 0, bytes: sizeOfTexts(patch) }
    const reservation = await usage.setAside(db, userId, atMost, exactly)
    return changed(reservation, updateTask(db, userId, id, versions, parts, once))
  }

  /** Adds next to nothing, and is what a user who has no room must be able to do. */
  const free = async (db: Db, userId: string, write: () => Promise<Change>): Promise<Change> =>
    changed(await usage.setAside(db, userId, nothing), write())

  return {
    insertTask: insert,
    updateTask: update,
    completeTask: (db, userId, ...rest) =>
      free(db, userId, () => completeTask(db, userId, ...rest)),
    deleteTask: (db, userId, ...rest) => free(db, userId, () => deleteTask(db, userId, ...rest)),
    restoreTask: (db, userId, ...rest) => free(db, userId, () => restoreTask(db, userId, ...rest)),
  }
}

/** A change of a task: what it added is not known, but no more than was reserved, or a few digits. */
async function changed(reservation: Reservation, change: Promise<Change>): Promise<Change> {
  const made = await attempt(reservation, change)
  reservation.settle(made.outcome === 'changed' ? null : nothing)
  return made
}

/** What was refused was not made; of what was lost nobody knows. */
async function attempt(reservation: Reservation, change: Promise<Change>): Promise<Change> {
  try {
    return await change
  } catch (error) {
    reservation.settle(error instanceof postgres.PostgresError ? nothing : null)
    throw error
  }
}
