import { OperatorError } from '../config.ts'
import { isRefused, Unavailable } from '../database/gate/faults.ts'
import type { Db } from '../database/gate/gate.ts'
import { sqlstateOf, wordsFor } from '../database/gate/sqlstates.ts'
import { raiseNumber } from '../database/log/moving.ts'
import { numberIn } from '../database/log/positions.ts'
import { importFilter } from '../filters/transfer.ts'
import type { List } from '../lists/schema.ts'
import { importLists, type Moving as MovingList, trashLists } from '../lists/transfer.ts'
import {
  findUser,
  importTasks,
  importUser,
  type Moving,
  placeTasks,
  type Under,
} from '../tasks/transfer.ts'
import { exportLines } from './export-lines.ts'
import { describeRefusal } from './import-refusals.ts'
import { isBlank, parseLine, readLines } from './lines.ts'

// Moving out, and in.

/** How many tasks move in one statement. */
const batch = 200

/** Bytes of their lines after which no more go into a statement. */
const enough = 4_000_000

/**
 * All that a user has, as lines.
 * @throws OperatorError
 */
export async function* exportUser(
  db: Db,
  userId: string,
  hasHistory: boolean,
): AsyncGenerator<string> {
  if ((await findUser(db, userId)) === undefined)
    throw new OperatorError(`Cannot export "${userId}": has no tasks here.`)
  yield* exportLines(() => db, userId, { hasHistory })
}

/** What comes from a line of this number. */
type Numbered<T> = T & { number: number }

/** What waits for a statement, by its key: that cannot change one row twice. */
function createWaiting<T extends object>(rowOf: (moving: T) => Row) {
  const waiting = new Map<string, Numbered<T>>()
  return {
    size: () => waiting.size,
    take(moving: Numbered<T>) {
      const row = rowOf(moving)
      const key = JSON.stringify([row.user_id, row.id.toLowerCase()])
      const known = waiting.get(key)
      if (known !== undefined && rowOf(known).version >= row.version) return
      // Anew: they are in the order of their lines.
      waiting.delete(key)
      waiting.set(key, moving)
    },
    leave: () => {
      const all = [...waiting.values()]
      waiting.clear()
      return all
    },
  }
}

type Row = { user_id: string; id: string; version: number; position?: string }

/**
 * Reads what export wrote. What is there already stays, unless what comes is a later version.
 * @param onWrite is told for whom something was written
 * @returns what became of it, in lines
 * @throws OperatorError
 */
export async function importUsers(
  db: Db,
  input: ReadableStream<Uint8Array>,
  onWrite: (users: ReadonlySet<string>) => void,
): Promise<string[]> {
  // What is imported at a time is one request to the log.
  const request = crypto.randomUUID()
  const users = new Set<string>()
  const lists = createWaiting<MovingList>(({ list }) => list)
  const tasks = createWaiting<Moving>(({ task }) => task)
  const read = { lists: 0, tasks: 0 }
  const written = { lists: 0, tasks: 0 }
  // What is done when all is there: tasks are put under others, and lists into the trash.
  const under = new Map<string, Numbered<Under>>()
  const trashed = new Map<string, Numbered<List>>()
  const raise = createRaising(db)
  let bytes = 0

  const flush = async () => {
    const [someLists, someTasks] = [lists.leave(), tasks.leave()]
    bytes = 0
    for (const { list } of someLists) users.add(list.user_id)
    for (const { task } of someTasks) users.add(task.user_id)
    await raise([...someLists.map(({ list }) => list), ...someTasks.map(({ task }) => task)])
    // A task comes after its list.
    written.lists += await store(someLists, (some) => importLists(db, some, request))
    written.tasks += await store(someTasks, (some) =>
      importTasks(db, some, request, (freed) => {
        for (const one of freed) {
          const key = keyOf(one)
          if (!under.has(key)) under.set(key, { ...one, number: some[0]?.number ?? 0 })
        }
      }),
    )
  }
  const finish = async () => {
    const tell = (what: string) => (number: number, why: string) =>
      new OperatorError(`Cannot ${what} of line ${number}: ${why}. Everything is imported.`)
    await place(
      [...under.values()],
      (some) => placeTasks(db, some),
      tell('put the task under that'),
    )
    await place([...trashed.values()], (some) => trashLists(db, some), tell('trash the list'))
  }

  let number = 0
  try {
    for await (const text of readLines(input)) {
      number += 1
      if (isBlank(text)) continue
      const line = parseLine(text)
      if (typeof line === 'string') {
        await flush()
        throw refusal(number, line)
      }
      if ('task' in line) {
        const { user_id, id, parent_id, version, updated_at } = line.task
        const key = keyOf(line.task)
        if ((under.get(key)?.version ?? 0) < version) under.delete(key)
        if (parent_id && !under.has(key)) {
          under.set(key, { user_id, id, parent_id, version, updated_at, number })
        }
        read.tasks += 1
        tasks.take({ ...line, number })
      }
      if ('list' in line) {
        const key = keyOf(line.list)
        if ((trashed.get(key)?.version ?? 0) < line.list.version) trashed.delete(key)
        if (line.list.deleted_at !== null && !trashed.has(key)) {
          trashed.set(key, { ...line.list, number })
        }
        read.lists += 1
        lists.take({ ...line, number })
      }
      bytes += text.length
      const isFull = tasks.size() === batch || lists.size() === batch || bytes >= enough
      if ('user' in line || isFull) await flush()
      if ('filter' in line) await named(number, importFilter(db, line.filter))
      if ('user' in line) await named(number, importUser(db, line.user))
    }
    await flush()
    await finish()
  } catch (error) {
    // What came before is where it was, too.
    if (error instanceof OperatorError) await finish().catch(() => {})
    throw error
  } finally {
    if (users.size > 0) onWrite(users)
  }
  return [
    ...(read.lists > 0 ? [summary('lists', written.lists, read.lists)] : []),
    summary('tasks', written.tasks, read.tasks),
  ]
}

const keyOf = ({ user_id, id }: { user_id: string; id: string }): string =>
  JSON.stringify([user_id, id.toLowerCase()])

const summary = (what: string, written: number, read: number): string =>
  `Imported ${written} of ${read} ${what}. ${read - written} were there already.`

/** Who moves in makes positions later that are beyond all that came. */
function createRaising(db: Db) {
  const raised = new Map<string, number>()
  return async (rows: Pick<Row, 'user_id' | 'position'>[]): Promise<void> => {
    const least = new Map<string, number>()
    for (const { user_id, position = '' } of rows) {
      least.set(user_id, Math.max(least.get(user_id) ?? 0, numberIn(position)))
    }
    for (const [userId, number] of least) {
      if (number <= (raised.get(userId) ?? 0)) continue
      await raiseNumber(db, userId, number)
      raised.set(userId, number)
    }
  }
}

/**
 * Where the database refuses one, those before it are written.
 * @returns how many were not there, or in an earlier version
 */
async function store<T extends { number: number }>(
  lines: T[],
  write: (lines: T[]) => Promise<number>,
): Promise<number> {
  const [first] = lines
  if (first === undefined) return 0
  const writing = write(lines)
  if (lines.length === 1) return named(first.number, writing)
  try {
    return await writing
  } catch (error) {
    if (!isRefused(error)) return named(first.number, Promise.reject(error))
    const half = lines.length >> 1
    return (await store(lines.slice(0, half), write)) + (await store(lines.slice(half), write))
  }
}

/** Where the database refuses one, all the others are written before that is said. */
async function place<T extends { number: number }>(
  all: T[],
  write: (some: T[]) => Promise<void>,
  tell: (number: number, why: string) => OperatorError,
): Promise<void> {
  const refused: OperatorError[] = []
  const attempt = async (some: T[]): Promise<void> => {
    const [first] = some
    if (first === undefined) return
    try {
      await write(some)
    } catch (error) {
      if (!isRefused(error)) return named(first.number, Promise.reject(error))
      if (some.length === 1) refused.push(tell(first.number, describeRefusal(error)))
      const half = some.length >> 1
      if (half > 0) await attempt(some.slice(0, half))
      if (half > 0) await attempt(some.slice(half))
    }
  }
  for (let from = 0; from < all.length; from += batch) await attempt(all.slice(from, from + batch))
  if (refused[0] !== undefined) throw refused[0]
}

/** Says which line it was that failed. */
async function named<T>(number: number, writing: Promise<T>): Promise<T> {
  try {
    return await writing
  } catch (error) {
    if (isRefused(error)) throw refusal(number, describeRefusal(error))
    if (error instanceof Unavailable) {
      const words = wordsFor(sqlstateOf(error) ?? '')?.replace(/\.$/, '')
      throw refusal(number, words ?? `the database cannot be reached (${error.message})`)
    }
    throw error
  }
}

const refusal = (number: number, why: string): OperatorError =>
  new OperatorError(`Cannot import line ${number}: ${why}. What came before it is imported.`)
