import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import { raiseNumber } from '../database/log/moving.ts'
import { listFilters } from '../filters/queries.ts'
import { mostKept } from '../filters/schema.ts'
import { importFilter } from '../filters/transfer.ts'
import { shorten, type Warning, warningOf } from '../imports/found.ts'
import { bisect, type SetAside } from '../imports/importing.ts'
import { type Imported, mostWarnings } from '../imports/schema.ts'
import { findPresentLists, importLists as storeLists, trashLists } from '../lists/transfer.ts'
import {
  findPresentTasks,
  importTasks,
  importUser,
  type Moving,
  type Present,
  placeTasks,
  type Under,
} from '../tasks/transfer.ts'
import { newLists, placesOf, type There } from './import-places.ts'
import { type File, type Found, type FoundTask, readFile, rowAt } from './import-reading.ts'
import { describeRefusal } from './import-refusals.ts'

// What Docket exports, for who asks, whoever it was of. Its lines are looked at one after the other, and nothing is written unless all of
// them are right; then they are read once more, some at a time. So of a file there is no more in memory than its bytes, and where what is.

/** How much moves in one statement, and how many ids are asked for. */
const batch = { rows: 200, bytes: 1_000_000 }
const idsAtOnce = 2000

export type Importing = {
  isDry: boolean
  setAside: SetAside
  /** Whether what only a frontend knows is kept beside a task. */
  keepsExtra: boolean
}

/**
 * Takes what a file has for the author. Of what is there already the later version stays, so that twice is once, and what was begun and not
 * finished is finished by the same file. What cannot be as it was there is a warning.
 * @param dbFor one for each statement, as there may be more of them than the time of one request allows
 * @throws Problem 422 where lines are wrong, or it is too much: then nothing was written
 */
export async function importLines(
  dbFor: () => Db,
  author: Author & { request_id: string },
  bytes: Uint8Array,
  { isDry, setAside, keepsExtra }: Importing,
): Promise<Imported> {
  const { user_id: userId } = author
  const file = await readFile(bytes, userId, keepsExtra)
  const there = await findPresent(dbFor, userId, file)
  const warnings: Warning[] = []
  if (file.hasHistory) warnings.push({ line: null, what: withoutHistory })
  if (file.hasExtra) warnings.push({ line: null, what: withoutExtra })

  // They came, and what was to be done last was not.
  const left = [...file.lists.values()].filter(({ id, version, is_trashed }) => {
    const before = there.lists.get(id)
    return is_trashed && before?.version === version && !before.is_trashed
  })
  const lists = newLists(file, there, warnings)
  const tasks = [...file.tasks.values()].filter(({ id, version }) => {
    const before = there.tasks.get(id)
    return before === undefined || before.version < version
  })
  const amount = { tasks: 0, bytes: 0 }
  for (const { id, bytes: more } of tasks) {
    const before = there.tasks.get(id)
    amount.tasks += before === undefined ? 1 : 0
    amount.bytes += more - (before?.bytes ?? 0)
  }
  const reservation = await setAside(dbFor(), userId, amount)
  try {
    const now = new Date().toISOString()
    const made = isDry
      ? { lists: lists.length, tasks: tasks.length }
      : await write({ dbFor, author, file, there, warnings, now, keepsExtra }, lists, tasks, left)
    if (isDry) placesOf(file, there, tasks, warnings)
    return {
      ...made,
      skipped: file.tasks.size - tasks.length,
      warnings: warnings.slice(0, mostWarnings),
      warning_count: warnings.length,
      request_id: author.request_id,
    }
  } finally {
    // What was lost on the way may have been made.
    reservation.settle(isDry ? { tasks: 0, bytes: 0 } : null)
  }
}

const withoutHistory =
  'What was done to these things before, and by whom, stays in the file: here it begins with this import.'

const withoutExtra = 'What is in `extra` is not taken: no frontend here knows it.'

async function findPresent(dbFor: () => Db, userId: string, file: File): Promise<There> {
  const lists = await findPresentLists(dbFor(), userId)
  const filters = file.filters.size === 0 ? [] : await listFilters(dbFor(), userId)
  const parents = [...file.tasks.values()].flatMap(({ parent_id }) => parent_id ?? [])
  const ids = [...new Set([...file.tasks.keys(), ...parents])]
  const tasks = new Map<string, Present>()
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const some = await findPresentTasks(dbFor(), userId, ids.slice(from, from + idsAtOnce))
    for (const task of some) tasks.set(task.id, task)
  }
  return {
    lists: new Map(lists.map((list) => [list.id, list])),
    tasks,
    filters: new Set(filters.map(({ id }) => id)),
  }
}

type Writing = {
  dbFor: () => Db
  author: Author
  file: File
  there: There
  warnings: Warning[]
  now: string
  keepsExtra: boolean
}

/** What is refused all the same is a warning. */
async function write(
  writing: Writing,
  lists: Found[],
  tasks: FoundTask[],
  left: Found[],
): Promise<{ lists: number; tasks: number }> {
  const { dbFor, author, file, there, warnings, now, keepsExtra } = writing
  const { user_id } = author
  const own = <T extends { user_id: string; created_at: string; updated_at: string }>(row: T): T =>
    ownRow(row, user_id, now)

  if (file.user !== null) {
    const created_at = past(file.user.created_at, now)
    await importUser(dbFor(), { ...file.user, id: user_id, created_at })
  }
  // Who moves in makes positions later that are beyond all that came.
  const place = [...lists, ...tasks].reduce((last, one) => Math.max(last, one.place), 0)
  if (place > 0) await raiseNumber(dbFor(), user_id, place)
  await writeFilters(writing)

  const made = { lists: 0, tasks: 0 }
  for (const some of batches(lists)) {
    const put = (all: Found[]) =>
      storeLists(
        dbFor(),
        all.map((one) => ({ list: own(rowAt(file, one, 'list')) })),
        author,
      )
    const refuse = (list: Found): Warning => {
      there.lists.delete(list.id)
      return { line: list.line, what: `The list “${list.title}” is not taken` }
    }
    made.lists += await bisect(some, put, refuse, warnings, describeRefusal)
  }

  const places = placesOf(file, there, tasks, warnings)
  const under = new Map<string, Under & { title: string; line: number | null }>()
  const onFreed = (freed: Under[]) => {
    for (const one of freed) {
      if (!places.has(one.id)) under.set(one.id, { ...one, title: 'A task', line: null })
    }
  }
  for (const some of batches(tasks)) {
    const put = (all: FoundTask[]) => {
      const moving = all.map((one): Moving => {
        const { list_id = null } = places.get(one.id) ?? {}
        const { extra, ...task } = own(rowAt(file, one, 'task'))
        const kept = keepsExtra && extra !== undefined ? { extra } : {}
        return { task: { ...task, ...kept, list_id, parent_id: null } }
      })
      return importTasks(dbFor(), moving, author, onFreed)
    }
    const refuse = (one: FoundTask) => warningOf(one, 'it is not taken')
    made.tasks += await bisect(some, put, refuse, warnings, describeRefusal)
  }

  for (const task of tasks) {
    const parent_id = places.get(task.id)?.parent_id ?? null
    if (parent_id === null) continue
    const { id, version, title, line } = task
    under.set(id, {
      user_id,
      id,
      parent_id,
      version,
      updated_at: past(task.updated_at, now),
      title,
      line,
    })
  }
  // Likewise.
  for (const { id, parent_id, title, line, version, is_trashed } of file.tasks.values()) {
    const before = there.tasks.get(id)
    const isLoose = before?.parent_id === null && before.is_trashed === is_trashed
    if (parent_id === null || !isLoose || before.version !== version) continue
    if (!file.tasks.has(parent_id) && !there.tasks.has(parent_id)) continue
    under.set(id, { user_id, id, parent_id, version, updated_at: before.updated_at, title, line })
  }
  await finish(writing, [...under.values()], [...lists, ...left])
  return made
}

/** What is under what, and lists that go to the trash, where their tasks are by now. */
async function finish(
  { dbFor, author, file, warnings, now }: Writing,
  under: (Under & { title: string; line: number | null })[],
  lists: Found[],
): Promise<void> {
  for (let from = 0; from < under.length; from += batch.rows) {
    const put = async (all: typeof under) => {
      await placeTasks(dbFor(), all)
      return all.length
    }
    const refuse = (one: (typeof under)[number]) => warningOf(one, 'it comes under nothing')
    await bisect(under.slice(from, from + batch.rows), put, refuse, warnings, describeRefusal)
  }
  for (const some of batches(lists.filter(({ is_trashed }) => is_trashed))) {
    const put = async (all: Found[]) => {
      const rows = all.map((one) => ownRow(rowAt(file, one, 'list'), author.user_id, now))
      await trashLists(dbFor(), rows)
      return all.length
    }
    const refuse = ({ line, title }: Found): Warning => ({
      line,
      what: `The list “${title}” does not go to the trash`,
    })
    await bisect(some, put, refuse, warnings, describeRefusal)
  }
}

async function writeFilters({ dbFor, author, file, there, warnings, now }: Writing): Promise<void> {
  const { user_id } = author
  for (const [id, { filter, line }] of file.filters) {
    const refuse = (): Warning => ({
      line,
      what: `The filter “${shorten(filter.name, 60)}” is not taken`,
    })
    if (!there.filters.has(id) && there.filters.size >= mostKept) {
      warnings.push({ line, what: `${refuse().what}: there are ${mostKept} already.` })
      continue
    }
    there.filters.add(id)
    const put = async () => {
      await importFilter(dbFor(), ownRow(filter, user_id, now))
      return 1
    }
    await bisect([filter], put, refuse, warnings, describeRefusal)
  }
}

/** The time that a file says, unless it is still to come. */
const past = (instant: string, now: string): string =>
  Date.parse(instant) > Date.parse(now) ? now : instant

type Instants = {
  completed_at?: string | null
  archived_at?: string | null
  deleted_at?: string | null
}

/** A row as one of this user, of which nothing is later than now. */
function ownRow<T extends { user_id: string; created_at: string; updated_at: string } & Instants>(
  row: T,
  user_id: string,
  now: string,
): T {
  const own = { ...row, user_id }
  for (const name of instants) {
    const at = own[name]
    if (typeof at === 'string') own[name] = past(at, now)
  }
  return own
}

const instants = ['created_at', 'updated_at', 'completed_at', 'archived_at', 'deleted_at'] as const

function* batches<T extends Found>(all: T[]): Generator<T[]> {
  let some: T[] = []
  let bytes = 0
  for (const one of all) {
    some.push(one)
    bytes += one.to - one.from
    if (some.length < batch.rows && bytes < batch.bytes) continue
    yield some
    some = []
    bytes = 0
  }
  if (some.length > 0) yield some
}
