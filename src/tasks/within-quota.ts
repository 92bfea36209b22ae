import postgres from 'postgres'
import type { Db } from '../database/gate.ts'
import type { Author } from '../database/log.ts'
import type { Outcome } from '../database/writes.ts'
import { findTask } from './queries.ts'
import { growthOf, sizeOf, sizeOfTexts } from './sizes.ts'
import { changeTree, completing, deleting, moveTask, patching, restoring } from './trees.ts'
import type { Amount, Reservation, Usage } from './usage.ts'
import { isMade } from './usage-queries.ts'
import { completeTask, deleteTask, insertTask, restoreTask, updateTask } from './writes.ts'

/** The writes of writes.ts, of which those that can add much are made only within the quota of their user. */
type Writes = {
  insertTask: typeof insertTask
  updateTask: typeof updateTask
  completeTask: typeof completeTask
  deleteTask: typeof deleteTask
  restoreTask: typeof restoreTask
  moveTask: typeof moveTask
}

const nothing: Amount = { tasks: 0, bytes: 0 }

/** @throws Problem 422 where a write would go beyond */
export function withinQuota(usage: Usage): Writes {
  const insert: typeof insertTask = async (db, author, id, task, once) => {
    const { user_id: userId } = author
    const chosen = task.id ?? null
    const key = once?.key ?? null
    const atMost = { tasks: 1, bytes: sizeOf(userId, task) }
    // Sent again it adds nothing, and is answered as the first time.
    const exactly = async () => ((await isMade(db, userId, chosen, key)) ? nothing : atMost)
    const isNew = chosen === null && key === null
    const reservation = await usage.setAside(db, userId, atMost, isNew ? undefined : exactly)
    const change = await attempt(reservation, insertTask(db, author, id, task, once))
    if (change.outcome !== 'changed') reservation.settle(nothing)
    // With an id of the client's it may have been there already.
    else if (chosen !== null) reservation.settle(null)
    else reservation.settle({ tasks: 1, bytes: Buffer.byteLength(change.row.text) })
    return change
  }

  const update: typeof updateTask = async (db, author, id, versions, parts, once) => {
    const { user_id: userId } = author
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
    return changed(
      reservation,
      whole(updateTask(db, author, id, versions, parts, once), () =>
        changeTree(
          db,
          author,
          { id, versions, course: parts.course, once },
          patch.parent_id ?? null,
          patching(patch),
        ),
      ),
    )
  }

  /** Adds next to nothing, and is what a user who has no room must be able to do. */
  const free = async (db: Db, author: Author, write: () => Promise<Outcome>): Promise<Outcome> =>
    changed(await usage.setAside(db, author.user_id, nothing), write())

  return {
    insertTask: insert,
    updateTask: update,
    completeTask: (db, author, id, versions, completed, once) =>
      free(db, author, () =>
        whole(completeTask(db, author, id, versions, completed, once), () =>
          changeTree(db, author, { id, versions, once }, null, completing(completed)),
        ),
      ),
    deleteTask: (db, author, id, versions, once) =>
      free(db, author, () =>
        whole(deleteTask(db, author, id, versions, once), () =>
          changeTree(db, author, { id, versions, once }, null, deleting),
        ),
      ),
    restoreTask: (db, author, id, versions, once) =>
      free(db, author, () =>
        whole(restoreTask(db, author, id, versions, once), () =>
          changeTree(db, author, { id, versions, once }, null, restoring),
        ),
      ),
    moveTask: (db, author, asked, move) =>
      free(db, author, () => moveTask(db, author, asked, move)),
  }
}

/** A change of one task, or of it with what is under it, where that is changed too. */
async function whole(alone: Promise<Outcome>, together: () => Promise<Outcome>): Promise<Outcome> {
  const change = await alone
  return change.outcome === 'unlike' && change.row.text === '' ? together() : change
}

/** A change of a task: what it added is not known, but no more than was reserved, or a few digits. */
async function changed(reservation: Reservation, change: Promise<Outcome>): Promise<Outcome> {
  const made = await attempt(reservation, change)
  reservation.settle(made.outcome === 'changed' ? null : nothing)
  return made
}

/** What was refused was not made; of what was lost nobody knows. */
async function attempt(reservation: Reservation, change: Promise<Outcome>): Promise<Outcome> {
  try {
    return await change
  } catch (error) {
    reservation.settle(error instanceof postgres.PostgresError ? nothing : null)
    throw error
  }
}
