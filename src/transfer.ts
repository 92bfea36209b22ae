import { type Static, Type as t } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { type Config, OperatorError } from './config.ts'
import type { Db } from './database/gate.ts'
import { openDatabase } from './database/open.ts'
import { type Task, TaskSchema } from './tasks/schema.ts'
import { exportTasks, findUser, importTasks, importUser } from './tasks/transfer.ts'

// Moving out: what a user has, as JSON Lines. First {"user": …}, then a {"task": …} for each.

const UserSchema = t.Object(
  {
    id: t.String({ minLength: 1, maxLength: 255 }),
    created_at: t.String({ format: 'date-time' }),
  },
  { additionalProperties: false },
)
const LineSchema = t.Union([
  t.Object({ user: UserSchema }, { additionalProperties: false }),
  t.Object({ task: TaskSchema }, { additionalProperties: false }),
])
type Line = Static<typeof LineSchema>
const isLine = TypeCompiler.Compile(LineSchema)

/** How many tasks move in one statement. */
const batch = 200

/** Opens the database of the configuration for as long as `use` takes. Nobody waits for an answer: it may take its time. */
async function withDatabase<T>(config: Config, use: (db: Db) => Promise<T>): Promise<T> {
  const database = await openDatabase({ ...config, databaseDeadline: 60 }, (error) => {
    throw error
  })
  try {
    return await use(database.db)
  } finally {
    await database.close()
  }
}

/** Writes all that a user has to standard output. */
export const exportUser = (config: Config, userId: string): Promise<void> =>
  withDatabase(config, async (db) => {
    const user = await findUser(db, userId)
    if (user === undefined) throw new OperatorError(`Cannot export "${userId}": has no tasks here.`)

    const output = Bun.stdout.writer()
    const write = async (lines: Line[]) => {
      await output.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      await output.flush()
    }
    await write([{ user }])
    for (let after: string | null = null; ; ) {
      const tasks: Task[] = await exportTasks(db, userId, after, batch)
      await write(tasks.map((task) => ({ task })))
      after = tasks.at(-1)?.id ?? null
      if (tasks.length < batch) break
    }
    await output.end()
  })

/** Reads what export wrote from standard input. What is there already stays, unless what comes is a later version. */
export const importUsers = (config: Config): Promise<void> =>
  withDatabase(config, async (db) => {
    // By their key: a statement cannot change one row twice.
    const waiting = new Map<string, Task>()
    let read = 0
    let written = 0
    const flush = async () => {
      if (waiting.size > 0) written += await importTasks(db, [...waiting.values()])
      waiting.clear()
    }

    for await (const line of readLines(Bun.stdin.stream())) {
      if ('user' in line) {
        await importUser(db, line.user)
        continue
      }
      read += 1
      const { task } = line
      const key = JSON.stringify([task.user_id, task.id.toLowerCase()])
      if ((waiting.get(key)?.version ?? 0) < task.version) waiting.set(key, task)
      if (waiting.size === batch) await flush()
    }
    await flush()
    console.log(`Imported ${written} of ${read} tasks. ${read - written} were there already.`)
  })

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let number = 0
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield parse(line, ++number)
  }
  if (rest + decoder.decode() !== '') yield parse(rest, number + 1)
}

function parse(text: string, number: number): Line {
  try {
    const value: unknown = JSON.parse(text)
    if (isLine.Check(value)) return value
  } catch {
    // Said below.
  }
  throw new OperatorError(
    `Cannot import line ${number}: it is not one that docket export writes. What came before it is imported.`,
  )
}
