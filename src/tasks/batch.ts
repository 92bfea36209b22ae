import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import type { Once } from '../database/log/once.ts'
import { createTogether } from '../database/log/together.ts'
import { answerOf } from '../http/once.ts'
import { type Fault, invalid, Problem } from '../http/problem.ts'
import { zoneOf } from './filter/resolve.ts'
import { begun } from './recurrence/series.ts'
import { isRelative } from './reminders.ts'
import { stored } from './rules.ts'
import { type Batch, type Kept, type NewTask, taskConstraints } from './schema.ts'
import { sizeOf } from './sizes.ts'
import { taskTable } from './table.ts'
import { readTrees } from './trees/queries.ts'
import { isMade } from './usage/queries.ts'
import type { Amount, Usage } from './usage/usage.ts'
import { taskCreation } from './writes.ts'

/**
 * Makes tasks, all or none, and gives them as JSON in the order in which they were sent. Their ids are the server's where the client has
 * chosen none, so that twice is once.
 * @throws Problem 409, 422
 */
export async function createBatch(
  db: Db,
  author: Author,
  batch: Batch,
  once: Once | null,
  { usage, zone }: { usage: Usage; zone: string | null },
): Promise<{ text: string; isReplayed: boolean }> {
  const { user_id: userId } = author
  refuse(batch.tasks, userId)
  const placed = inLists(batch.tasks, await outsideOf(db, userId, batch.tasks))
  const all = await beginning(placed, () => zoneOf(db, userId, zone))
  const tasks = all.map(({ task }) => task)
  const asks = all.map(({ task, id }) => ({ ...stored(task), ...author, id }))

  const amount = { tasks: tasks.length, bytes: bytesOf(userId, tasks) }
  const exactly = () => notYetMade(db, userId, tasks, once)
  const isOnlyOnce = once === null && tasks.every(({ id }) => id === undefined)
  const reservation = await usage.setAside(db, userId, amount, isOnlyOnce ? undefined : exactly)
  let isNew = true
  try {
    const made = await createTogether(db, taskTable, taskCreation, asks, once)
    isNew = made?.request === null
    if (made === undefined) throw await taken(db, userId, tasks)
    return answerOf(made, once)
  } finally {
    reservation.settle(isNew ? null : { tasks: 0, bytes: 0 })
  }
}

/** Each with its id, and with its rule where it repeats. @throws Problem 422 */
async function beginning(
  tasks: NewTask[],
  zoneOfUser: () => Promise<string | null>,
): Promise<{ task: NewTask; id: string }[]> {
  const isAny = tasks.some(({ recurrence }) => recurrence != null)
  const now = { now: Temporal.Now.instant(), zone: isAny ? await zoneOfUser() : null }
  const faults: Fault[] = []
  const made: { task: NewTask; id: string }[] = []
  for (const [index, task] of tasks.entries()) {
    const id = task.id ?? Bun.randomUUIDv7()
    try {
      made.push({ task: task.recurrence === undefined ? task : await begun(task, id, now), id })
    } catch (error) {
      if (!(error instanceof Problem) || error.errors === undefined) throw error
      faults.push(
        ...error.errors.map((one) => ({ ...one, pointer: `/tasks/${index}${one.pointer}` })),
      )
    }
  }
  if (faults.length > 0) throw invalid(faults.slice(0, 20))
  return made
}

/** The list of each task that is not among them and has some of them under it, where others are under those. */
async function outsideOf(
  db: Db,
  userId: string,
  tasks: NewTask[],
): Promise<Map<string, string | null>> {
  const ids = new Set(tasks.map(({ id }) => id?.toLowerCase()))
  const parents = tasks.flatMap(({ parent_id }) => parent_id?.toLowerCase() ?? [])
  if (!parents.some((id) => ids.has(id))) return new Map()
  const outside = [...new Set(parents.filter((id) => !ids.has(id)))]
  const trees = outside.length === 0 ? [] : await readTrees(db, userId, outside, null, false)
  return new Map(trees.map(({ root }) => [root.id, root.list_id]))
}

/** A subtask of one of them is in its list. */
function inLists(tasks: NewTask[], outside: Map<string, string | null>): NewTask[] {
  const byId = new Map(tasks.map((task) => [task.id?.toLowerCase(), task]))
  const listOf = (task: NewTask, depth = 1): NewTask['list_id'] => {
    const above = task.parent_id?.toLowerCase() ?? ''
    const parent = byId.get(above)
    if (task.list_id != null || depth > tasks.length) return task.list_id
    return parent === undefined ? (outside.get(above) ?? task.list_id) : listOf(parent, depth + 1)
  }
  return tasks.map((task) => {
    const list_id = listOf(task)
    return list_id === undefined ? task : { ...task, list_id }
  })
}

const bytesOf = (userId: string, tasks: (NewTask & Kept)[]): number =>
  tasks.reduce((sum, task) => sum + sizeOf(userId, task), 0)

/** What is new of it where it is sent again. */
async function notYetMade(
  db: Db,
  userId: string,
  tasks: NewTask[],
  once: Once | null,
): Promise<Amount> {
  if (once !== null && (await isMade(db, userId, null, once.key))) return { tasks: 0, bytes: 0 }
  const known = await there(db, userId, tasks)
  const rest = tasks.filter((_, index) => !known[index])
  return { tasks: rest.length, bytes: bytesOf(userId, rest) }
}

/** Of each whether there is a task with the id that the client has chosen, also in the trash. */
const there = (db: Db, userId: string, tasks: NewTask[]): Promise<boolean[]> =>
  Promise.all(tasks.map(async ({ id }) => id !== undefined && (await isMade(db, userId, id, null))))

async function taken(db: Db, userId: string, tasks: NewTask[]): Promise<Problem> {
  const known = await there(db, userId, tasks)
  const errors = known.flatMap((isKnown, index) =>
    isKnown ? [{ pointer: `/tasks/${index}/id`, detail: 'is the id of a task of yours' }] : [],
  )
  return new Problem(409, 'You have another task with one of these ids. No task was made.', {
    errors,
  })
}

/** What is wrong with one of them that its schema does not say. @throws Problem 422 */
function refuse(tasks: NewTask[], userId: string): void {
  const first = new Map<string, number>()
  const faults = tasks.flatMap((task, index): Fault[] => {
    const { id, user_id, parent_id, due_date, due_time, time_zone } = task
    const { recurrence, repeat_from, reminders } = task
    const key = id?.toLowerCase()
    const same = key === undefined ? undefined : first.get(key)
    if (key !== undefined && same === undefined) first.set(key, index)
    const found: [boolean, string, string][] = [
      [same !== undefined, 'id', `is that of /tasks/${same} too`],
      [user_id !== undefined && user_id !== userId, 'user_id', 'is not your own id'],
      [due_time != null && due_date == null && recurrence == null, 'due_time', 'needs a due_date'],
      [time_zone != null && due_time == null, 'time_zone', 'needs a due_time'],
      [
        due_date == null && recurrence == null && reminders?.some(isRelative) === true,
        'reminders',
        taskConstraints.tasks_reminders_need_due_date.detail,
      ],
      [
        recurrence != null && reminders?.some((one) => !isRelative(one)) === true,
        'reminders',
        taskConstraints.tasks_reminders_of_series.detail,
      ],
      [
        recurrence != null && parent_id != null,
        'recurrence',
        taskConstraints.tasks_recurrence_on_top.detail,
      ],
      [repeat_from != null && recurrence === undefined, 'repeat_from', 'needs a recurrence'],
    ]
    return found.flatMap(([isFault, name, detail]) =>
      isFault ? [{ pointer: `/tasks/${index}/${name}`, detail }] : [],
    )
  })
  if (faults.length > 0) throw invalid(faults.slice(0, 20))
}
