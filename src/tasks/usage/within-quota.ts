import postgres from 'postgres'
import type { Db } from '../../database/gate/gate.ts'
import type { Author } from '../../database/log/log.ts'
import type { Once } from '../../database/log/once.ts'
import type { Outcome } from '../../database/log/writes.ts'
import { zoneOf } from '../filter/resolve.ts'
import { findTask } from '../queries.ts'
import { begun } from '../recurrence/series.ts'
import { type Parts, unruled } from '../rules.ts'
import type { Kept, Move, NewTask, Task } from '../schema.ts'
import { growthOf, sizeOf, sizeOfTexts } from '../sizes.ts'
import { completing, skipping } from '../trees/course.ts'
import { deleting, patching, restoring } from '../trees/edits.ts'
import { moveTask } from '../trees/move.ts'
import { type Asked, changeTree, withNext } from '../trees/trees.ts'
import { completeTask, deleteTask, insertTask, restoreTask, updateTask } from '../writes.ts'
import { isMade } from './queries.ts'
import type { Amount, Reservation, Usage } from './usage.ts'

/** The writes of writes.ts, of which those that can add much are made only within the quota of their user. */
type Writes = {
  /** @param zone where the request says that it comes from */
  insertTask: (
    db: Db,
    author: Author,
    task: NewTask & Kept,
    once: Once | null,
    zone: string | null,
  ) => Promise<Outcome>
  updateTask: (db: Db, author: Author, asked: Asked, parts: Parts) => Promise<Outcome>
  completeTask: (
    db: Db,
    author: Author,
    asked: Asked,
    completed: boolean | null,
  ) => Promise<Outcome>
  skipTask: (
    db: Db,
    author: Author,
    asked: Asked,
    occurrence: string | undefined,
  ) => Promise<Outcome>
  deleteTask: (db: Db, author: Author, asked: Asked) => Promise<Outcome>
  restoreTask: (db: Db, author: Author, asked: Asked) => Promise<Outcome>
  moveTask: (db: Db, author: Author, asked: Asked, move: Move) => Promise<Outcome>
}

const nothing: Amount = { tasks: 0, bytes: 0 }

/** @throws Problem 422 where a write would go beyond */
export function withinQuota(usage: Usage): Writes {
  const insert: Writes['insertTask'] = async (db, author, asked, once, header) => {
    const { user_id: userId } = author
    const chosen = asked.id ?? null
    const id = chosen ?? Bun.randomUUIDv7()
    const task = await begunOf(db, userId, asked, id, header)
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

  const update: Writes['updateTask'] = async (db, author, asked, { changes, course }) => {
    const { user_id: userId } = author
    const { id, versions, once } = asked
    const patch = unruled(changes)
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
    const alone = updateTask(db, author, id, versions, { changes: patch, course }, once)
    const change = await changed(reservation, alone)
    if (!isShared(change)) return change
    const targetId = patch.parent_id ?? null
    const growth = (task: Task) => growthOf(task, patch)
    const way = { usage, targetId, course, growth, hasNext: patch.completed === true }
    return changeTree(db, author, asked, way, patching(patch))
  }

  /** Adds next to nothing, and is what a user who has no room must be able to do. */
  const free = async (db: Db, author: Author, write: () => Promise<Outcome>): Promise<Outcome> =>
    changed(await usage.setAside(db, author.user_id, nothing), write())

  const way = { usage }
  return {
    insertTask: insert,
    updateTask: update,
    completeTask: async (db, author, asked, completed) => {
      const { id, versions, once } = asked
      const change = await free(db, author, () =>
        completeTask(db, author, id, versions, completed, once),
      )
      if (isShared(change)) {
        return saying(
          await changeTree(db, author, asked, { usage, hasNext: true }, completing(completed)),
        )
      }
      // Nothing comes after one that is changed alone. What was answered before may say it already.
      return change.outcome === 'changed' ? withNone(change) : saying(change)
    },
    skipTask: (db, author, asked, occurrence) =>
      changeTree(db, author, asked, way, skipping(occurrence)),
    deleteTask: async (db, author, asked) => {
      const { id, versions, once } = asked
      const change = await free(db, author, () => deleteTask(db, author, id, versions, once))
      return isShared(change) ? changeTree(db, author, asked, way, deleting) : change
    },
    restoreTask: async (db, author, asked) => {
      const { id, versions, once } = asked
      const change = await free(db, author, () => restoreTask(db, author, id, versions, once))
      return isShared(change) ? changeTree(db, author, asked, way, restoring) : change
    },
    moveTask: (db, author, asked, move) => moveTask(db, author, asked, move, usage),
  }
}

/** A new task, that may be the first of a series. */
async function begunOf(
  db: Db,
  userId: string,
  task: NewTask & Kept,
  id: string,
  header: string | null,
): Promise<NewTask & Kept> {
  if (task.recurrence === undefined) return task
  const zone = task.recurrence === null ? header : await zoneOf(db, userId, header)
  return begun(task, id, { now: Temporal.Now.instant(), zone })
}

/** Whether it is to be changed with what is under it, or with what comes after it. */
const isShared = (change: Outcome): boolean => change.outcome === 'unlike' && change.row.text === ''

/** What becomes of a task that is completed, with what comes after it: where nothing is said of that, there is nothing. */
function saying(change: Outcome): Outcome {
  if (change.outcome !== 'changed' && change.outcome !== 'replayed') return change
  return 'next_task' in JSON.parse(change.row.text) ? change : withNone(change)
}

const withNone = <T extends { row: { text: string; version: number } }>(change: T): T => ({
  ...change,
  row: { ...change.row, text: withNext(change.row.text, null) },
})

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
