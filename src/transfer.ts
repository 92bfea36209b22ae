import type postgres from 'postgres'
import { type Config, OperatorError } from './config.ts'
import { isRefused, Unavailable } from './database/faults.ts'
import type { Db } from './database/gate.ts'
import { raiseNumber } from './database/moving.ts'
import { openDatabase } from './database/open.ts'
import { numberIn } from './database/positions.ts'
import { sqlstateOf, wordsFor } from './database/sqlstates.ts'
import { listFilters } from './filters/queries.ts'
import { importFilter } from './filters/transfer.ts'
import type { Fault } from './http/problem.ts'
import { describe, isBlank, parseLine, readLines } from './lines.ts'
import type { List } from './lists/schema.ts'
import {
  exportLists,
  importLists,
  type Moving as MovingList,
  trashLists,
} from './lists/transfer.ts'
import { placeConstraints, taskConstraints } from './tasks/schema.ts'
import {
  analyze,
  exportChanges,
  exportTasks,
  findUser,
  importTasks,
  importUser,
  type Logged,
  type Moving,
  placeTasks,
  type Under,
} from './tasks/transfer.ts'

// Moving out, and in.

/** How many tasks move in one statement. */
const batch = 200

/** Bytes of their lines after which no more go into a statement. */
const enough = 4_000_000

/** How many changes of a task are written: the newest. And how many are read in one statement. */
const mostChanges = 1000
const changesAtOnce = 500

/** Opens the database of the configuration for as long as `use` takes. Nobody waits for an answer: it may take its time. */
export async function withDatabase<T>(config: Config, use: (db: Db) => Promise<T>): Promise<T> {
  const database = await openDatabase(
    { ...config, databaseDeadline: 60 },
    {
      onFailure: (error) => {
        throw error
      },
    },
  )
  try {
    return await use(database.db)
  } finally {
    await database.close()
  }
}

/** Writes all that a user has to standard output. */
export const exportUser = (config: Config, userId: string, hasHistory: boolean): Promise<void> =>
  withDatabase(config, async (db) => {
    const user = await findUser(db, userId)
    if (user === undefined) throw new OperatorError(`Cannot export "${userId}": has no tasks here.`)

    const output = Bun.stdout.writer()
    const { time_zone, ...plain } = user
    const zoned = time_zone === null ? plain : user
    await output.write(`${JSON.stringify({ user: zoned })}\n`)
    for (const filter of await listFilters(db, userId)) {
      await output.write(`${JSON.stringify({ filter })}\n`)
    }
    // A task comes after its list.
    for (const [type, read] of [
      ['list', exportLists],
      ['task', exportTasks],
    ] as const) {
      for (let after = '0'; ; ) {
        const things = await read(db, userId, after, batch)
        const lines = hasHistory
          ? withHistory(db, userId, type, things)
          : things.map(({ text }) => `{"${type}":${text}}`)
        for await (const line of lines) await output.write(`${line}\n`)
        await output.flush()
        after = things.at(-1)?.seq ?? after
        if (things.length < batch) break
      }
    }
    await output.end()
  })

/** The lines of things, each with its changes, in as many statements as these take. */
async function* withHistory(
  db: Db,
  userId: string,
  type: string,
  things: { seq: string; text: string }[],
): AsyncGenerator<string> {
  // The oldest change last; `seq`: of the next one.
  let rest = things.map(({ seq, text }) => ({
    text,
    seq: seq as string | null,
    changes: [] as string[],
  }))
  while (rest.length > 0) {
    const asked = rest.map(({ seq, changes }, n) => ({
      n,
      seq,
      most: mostChanges - changes.length,
    }))
    const read = await exportChanges(db, userId, asked, changesAtOnce)
    for (const { n, previous, ...change } of read) {
      const thing = rest[n]
      thing?.changes.push(textOf(change))
      if (thing !== undefined) thing.seq = previous
    }
    // The one that the last is of may have more.
    const whole = read.length < changesAtOnce ? rest.length : (read.at(-1)?.n ?? 0)
    for (const { text, changes } of rest.slice(0, whole)) {
      const history = changes.length === 0 ? '' : `,"history":[${changes.toReversed().join(',')}]`
      yield `{"${type}":${text}${history}}`
    }
    rest = rest.slice(whole)
  }
}

/** A change as a line has it. What the log has as JSON is not read. */
const textOf = ({
  at,
  actor,
  request_id,
  action,
  before,
}: Omit<Logged, 'n' | 'previous'>): string =>
  `{"at":"${at}","by":${actor},"request_id":${JSON.stringify(request_id)},"action":"${action}","before":${before}}`

/** What is imported by this process is one request to the log. */
const request = crypto.randomUUID()

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

/** Reads what export wrote from standard input. What is there already stays, unless what comes is a later version. */
export const importUsers = (config: Config): Promise<void> =>
  withDatabase(config, async (db) => {
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
      for await (const text of readLines(Bun.stdin.stream())) {
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
      // Without it plans may be worse, but nothing is lost.
      await analyze(db).catch(() => {})
    }
    if (read.lists > 0) console.log(summary('lists', written.lists, read.lists))
    console.log(summary('tasks', written.tasks, read.tasks))
  })

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

function describeRefusal({ constraint_name, column_name, message }: postgres.PostgresError) {
  const known = constraint_name ? meanings[constraint_name] : undefined
  const field = column_name ? `${column_name}: ` : ''
  return describe(known) ?? `${field}the database refuses it (${message.replaceAll(/\s+/g, ' ')})`
}

const noList = { pointer: '/list_id', detail: 'is not the id of a list that is there' }
const noParent = { pointer: '/parent_id', detail: 'is not the id of a task that is there' }

/** What the checks of the database mean to who has a file. */
const meanings: Record<string, Fault | undefined> = {
  ...taskConstraints,
  tasks_list: noList,
  tasks_list_there: noList,
  tasks_parent: noParent,
  tasks_parent_there: noParent,
  tasks_parent_list: placeConstraints.tasks_parent_list,
  tasks_circle: placeConstraints.tasks_circle,
  tasks_depth: placeConstraints.tasks_depth,
  tasks_subtasks: placeConstraints.tasks_subtasks,
  filters_by_name: { pointer: '/name', detail: 'is that of another filter' },
  lists_count: { pointer: '', detail: 'is one list more than the 500 that a user may have' },
  lists_empty: { pointer: '', detail: 'has tasks that are not in the trash' },
}
