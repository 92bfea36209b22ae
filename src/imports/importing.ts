import type postgres from 'postgres'
import { isRefused } from '../database/gate/faults.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import type { Warning } from './found.ts'
import { shorten, warningOf } from './found.ts'
import { createPace } from './pace.ts'
import {
  type ListToMake,
  type Missing,
  missingOf,
  type Plan,
  type PresentTask,
  repeating,
  type TaskToMake,
} from './rules.ts'
import { type Imported, mostWarnings } from './schema.ts'

type List = {
  id: string
  user_id: string
  name: string
  color: null
  archived_at: string | null
  version: number
  created_at: string
  updated_at: string
  deleted_at: null
}
type Task = Omit<TaskToMake, 'line' | 'repeat_from'> & {
  user_id: string
  completed_at: string | null
  repeat_from: 'due' | 'completion' | null
  series_id: string | null
  occurrence: string | null
  version: number
  created_at: string
  updated_at: string
  deleted_at: null
}
type Under = { user_id: string; id: string; parent_id: string; version: number; updated_at: string }

/** How lists and tasks are found and moved in. */
export type Store = {
  findLists: (db: Db, userId: string) => Promise<{ id: string; is_trashed: boolean }[]>
  findTasks: (db: Db, userId: string, ids: string[]) => Promise<PresentTask[]>
  importLists: (db: Db, lists: { list: List }[], author: Author) => Promise<number>
  importTasks: (db: Db, tasks: { task: Task }[], author: Author) => Promise<number>
  placeTasks: (db: Db, tasks: Under[]) => Promise<void>
  sizeOf: (userId: string, task: Task) => number
  /** The rule of a task as it is stored, and its first day; or what is wrong with it, as the rest of a sentence. */
  readRule: (rule: string, task: TaskToMake, zone: string) => Promise<First | string>
  /** A reminder as it is stored, and whether it is by so much before or after a task is due; null: it is none. */
  readReminder: (text: string) => { reminder: string; isRelative: boolean } | null
}

/** What a task that repeats begins with. */
type First = { recurrence: string; due_date: string }

type Amount = { tasks: number; bytes: number }
type Reservation = { settle: (added: Amount | null) => void }
/** Sets aside what is added. @throws Problem 422 where it is too much */
export type SetAside = (
  db: Db,
  userId: string,
  amount: Amount,
) => Reservation | Promise<Reservation>

/** How much moves in one statement. */
const batch = { rows: 200, bytes: 1_000_000 }
/** How many ids are asked for at once. */
const idsAtOnce = 2000

/**
 * Makes what is not there of a plan, or only says what that is. What the database refuses all the same is a warning.
 * @param dbFor one for each statement, as there may be more of them than the time of one request allows
 */
export async function importPlan(
  dbFor: () => Db,
  author: Author & { request_id: string },
  plan: Plan,
  {
    isDry,
    zone,
    store,
    setAside,
  }: { isDry: boolean; zone: string; store: Store; setAside: SetAside },
): Promise<Imported> {
  const { user_id: userId } = author
  const missing = await compare(dbFor, userId, plan, store)
  const now = new Date().toISOString()
  const tasks: { found: TaskToMake; row: Task }[] = []
  const pace = createPace()
  for (const found of missing.tasks) {
    await pace()
    const repeated = await withRule(found, zone, store, missing.warnings)
    const reminders = remindersOf(repeated, store, missing.warnings)
    tasks.push({ found, row: rowOf({ ...repeated, reminders }, userId, now) })
  }
  const bytes = tasks.reduce((sum, { row }) => sum + store.sizeOf(userId, row), 0)
  const reservation = await setAside(dbFor(), userId, { tasks: tasks.length, bytes })
  try {
    const counts = { lists: missing.lists.length, tasks: tasks.length }
    const made = isDry ? counts : await write(dbFor, author, missing, tasks, store, now)
    return {
      ...made,
      skipped: missing.skipped,
      warnings: missing.warnings.slice(0, mostWarnings),
      warning_count: missing.warnings.length,
      request_id: author.request_id,
    }
  } finally {
    // What was lost on the way may have been made.
    reservation.settle(isDry ? { tasks: 0, bytes: 0 } : null)
  }
}

async function compare(
  dbFor: () => Db,
  userId: string,
  plan: Plan,
  store: Store,
): Promise<Missing> {
  const lists = await store.findLists(dbFor(), userId)
  const tasks = new Map<string, PresentTask>()
  const ids = plan.tasks.map(({ id }) => id)
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const some = await store.findTasks(dbFor(), userId, ids.slice(from, from + idsAtOnce))
    for (const task of some) tasks.set(task.id, task)
  }
  return missingOf(plan, {
    lists: new Map(lists.map((list) => [list.id, list])),
    list_count: lists.filter(({ is_trashed }) => !is_trashed).length,
    tasks,
  })
}

/** Of a rule that cannot be, it is due once. */
async function withRule(
  task: TaskToMake,
  zone: string,
  { readRule }: Store,
  warnings: Warning[],
): Promise<TaskToMake> {
  if (task.recurrence === null) return task
  const first = await readRule(task.recurrence, task, zone)
  if (typeof first !== 'string') return { ...task, ...first }
  warnings.push(
    warningOf(task, `that it repeats (${task.recurrence}) is not taken: the rule ${first}.`),
  )
  return { ...task, ...repeating(task, null) }
}

/** The most reminders of a task. */
const mostReminders = 10

/** Those that the task can have. */
function remindersOf(task: TaskToMake, { readReminder }: Store, warnings: Warning[]): string[] {
  const kept = new Set<string>()
  for (const text of task.reminders) {
    const read = readReminder(text)
    const hasPlace = read?.isRelative ? task.due_date !== null : task.recurrence === null
    if (read !== null && hasPlace && kept.size < mostReminders) kept.add(read.reminder)
    else warnings.push(warningOf(task, `its reminder (${text}) is not taken.`))
  }
  return [...kept]
}

/** The time that a file says, unless it is still to come. */
const past = (instant: string | null, now: string): string =>
  instant === null || instant > now ? now : instant

function rowOf(found: TaskToMake, userId: string, now: string): Task {
  const { line: _line, repeat_from, ...task } = found
  const repeats = task.recurrence !== null
  return {
    ...task,
    repeat_from: repeats ? repeat_from : null,
    series_id: repeats ? task.id : null,
    occurrence: repeats ? task.due_date : null,
    user_id: userId,
    completed_at: task.completed ? past(task.completed_at, now) : null,
    version: 1,
    created_at: past(task.created_at, now),
    updated_at: now,
    deleted_at: null,
  }
}

const listRow = ({ id, name, is_archived }: ListToMake, userId: string, now: string): List => ({
  id,
  user_id: userId,
  name,
  color: null,
  archived_at: is_archived ? now : null,
  version: 1,
  created_at: now,
  updated_at: now,
  deleted_at: null,
})

/** Lists, then tasks, then what is under what. */
async function write(
  dbFor: () => Db,
  author: Author,
  { lists, under, warnings }: Missing,
  tasks: { found: TaskToMake; row: Task }[],
  store: Store,
  now: string,
): Promise<{ lists: number; tasks: number }> {
  const { user_id } = author
  const made = { lists: 0, tasks: 0 }
  for (const some of batches(lists)) {
    const put = (all: ListToMake[]) =>
      store.importLists(
        dbFor(),
        all.map((list) => ({ list: listRow(list, user_id, now) })),
        author,
      )
    made.lists += await bisect(some, put, refuseList, warnings)
  }
  for (const some of batches(tasks)) {
    const put = (all: { row: Task }[]) =>
      store.importTasks(
        dbFor(),
        all.map(({ row }) => ({ task: row })),
        author,
      )
    made.tasks += await bisect(some, put, ({ found }) => warningOf(found, notTaken), warnings)
  }
  const asMade = { version: 1, updated_at: now }
  for (const some of batches(under)) {
    const put = async (all: typeof some) => {
      const rows = all.map(({ id, parent_id, as }) => ({
        user_id,
        id,
        parent_id,
        ...(as ?? asMade),
      }))
      await store.placeTasks(dbFor(), rows)
      return rows.length
    }
    await bisect(some, put, (one) => warningOf(one, 'it comes under nothing'), warnings)
  }
  return made
}

const notTaken = 'it is not taken'

const refuseList = ({ name }: ListToMake): Warning => ({
  line: null,
  what: `The list “${shorten(name, 60)}”: ${notTaken}`,
})

function* batches<T extends object>(rows: T[]): Generator<T[]> {
  let some: T[] = []
  let bytes = 0
  for (const row of rows) {
    some.push(row)
    bytes += 'row' in row ? JSON.stringify(row.row).length : 0
    if (some.length < batch.rows && bytes < batch.bytes) continue
    yield some
    some = []
    bytes = 0
  }
  if (some.length > 0) yield some
}

/** Where the database refuses one, all the others are written. */
export async function bisect<T>(
  rows: T[],
  put: (rows: T[]) => Promise<number>,
  refuse: (row: T) => Warning,
  warnings: Warning[],
  tell = (error: postgres.PostgresError) =>
    `the database refuses it (${shorten(error.message, 200)})`,
): Promise<number> {
  const [first] = rows
  if (first === undefined) return 0
  try {
    return await put(rows)
  } catch (error) {
    if (!isRefused(error)) throw error
    if (rows.length === 1) {
      const { line, what } = refuse(first)
      warnings.push({
        line,
        what: `${what}: ${tell(error)}.`,
      })
      return 0
    }
    const half = rows.length >> 1
    const before = await bisect(rows.slice(0, half), put, refuse, warnings, tell)
    return before + (await bisect(rows.slice(half), put, refuse, warnings, tell))
  }
}
