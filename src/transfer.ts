import postgres from 'postgres'
import { type Config, OperatorError } from './config.ts'
import { remedyOf, Unavailable } from './database/faults.ts'
import type { Db } from './database/gate.ts'
import { openDatabase } from './database/open.ts'
import { sqlstateOf, wordsFor } from './database/sqlstates.ts'
import type { Fault } from './http/problem.ts'
import { describe, isBlank, parseLine, readLines } from './lines.ts'
import { taskConstraints } from './tasks/schema.ts'
import {
  analyze,
  exportChanges,
  exportTasks,
  findUser,
  importTasks,
  importUser,
  type Logged,
  type Moving,
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
async function withDatabase<T>(config: Config, use: (db: Db) => Promise<T>): Promise<T> {
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
    await output.write(`${JSON.stringify({ user })}\n`)
    for (let after = '0'; ; ) {
      const tasks = await exportTasks(db, userId, after, batch)
      const lines = hasHistory
        ? withHistory(db, userId, tasks)
        : tasks.map(({ text }) => `{"task":${text}}`)
      for await (const line of lines) await output.write(`${line}\n`)
      await output.flush()
      after = tasks.at(-1)?.seq ?? after
      if (tasks.length < batch) break
    }
    await output.end()
  })

/** The lines of tasks, each with its changes, in as many statements as these take. */
async function* withHistory(
  db: Db,
  userId: string,
  tasks: { seq: string; text: string }[],
): AsyncGenerator<string> {
  // The oldest change last; `seq`: of the next one.
  let rest = tasks.map(({ seq, text }) => ({
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
      const task = rest[n]
      task?.changes.push(textOf(change))
      if (task !== undefined) task.seq = previous
    }
    // The one that the last is of may have more.
    const whole = read.length < changesAtOnce ? rest.length : (read.at(-1)?.n ?? 0)
    for (const { text, changes } of rest.slice(0, whole)) {
      const history = changes.length === 0 ? '' : `,"history":[${changes.toReversed().join(',')}]`
      yield `{"task":${text}${history}}`
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

/** A task, and the number of its line. */
type Numbered = Moving & { number: number }

/** Reads what export wrote from standard input. What is there already stays, unless what comes is a later version. */
export const importUsers = (config: Config): Promise<void> =>
  withDatabase(config, async (db) => {
    // By their key: a statement cannot change one row twice.
    const waiting = new Map<string, Numbered>()
    let bytes = 0
    let read = 0
    let written = 0
    const flush = async () => {
      written += await store(db, [...waiting.values()])
      waiting.clear()
      bytes = 0
    }
    const take = (moving: Numbered) => {
      const { task } = moving
      read += 1
      const key = JSON.stringify([task.user_id, task.id.toLowerCase()])
      if ((waiting.get(key)?.task.version ?? 0) >= task.version) return
      // Anew: they are in the order of their lines.
      waiting.delete(key)
      waiting.set(key, moving)
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
        if ('task' in line) take({ ...line, number })
        bytes += text.length
        if ('user' in line || waiting.size === batch || bytes >= enough) await flush()
        if ('user' in line) await named(number, importUser(db, line.user))
      }
      await flush()
    } finally {
      // Without it plans may be worse, but nothing is lost.
      await analyze(db).catch(() => {})
    }
    console.log(`Imported ${written} of ${read} tasks. ${read - written} were there already.`)
  })

/**
 * Where the database refuses one, those before it are written.
 * @returns how many were not there, or in an earlier version
 */
async function store(db: Db, lines: Numbered[]): Promise<number> {
  const [first] = lines
  if (first === undefined) return 0
  const writing = importTasks(db, lines, request)
  if (lines.length === 1) return named(first.number, writing)
  try {
    return await writing
  } catch (error) {
    if (!isRefused(error)) return named(first.number, Promise.reject(error))
    const half = lines.length >> 1
    return (await store(db, lines.slice(0, half))) + (await store(db, lines.slice(half)))
  }
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

/** Whether it is the database that says no, and to what it was given. */
const isRefused = (error: unknown): error is postgres.PostgresError =>
  error instanceof postgres.PostgresError && remedyOf(error) === 'none'

function describeRefusal({ code, constraint_name, column_name, message }: postgres.PostgresError) {
  const check: Record<string, Fault> = taskConstraints
  const known = code === '23514' && constraint_name ? check[constraint_name] : undefined
  const field = column_name ? `${column_name}: ` : ''
  return describe(known) ?? `${field}the database refuses it (${message.replaceAll(/\s+/g, ' ')})`
}
