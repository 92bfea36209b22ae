import { expect, test } from 'bun:test'
import { connectEmbedded } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import type { Task } from '../../src/tasks/schema.ts'
import { serverEnvironment, temporaryFolder } from '../support/database.ts'
import { docket } from '../support/process.ts'
import { naughtyTags, naughtyTexts } from '../support/tasks.ts'

const secret = 'a-secret-of-thirty-two-bytes-or-more'

const embedded = () => ({ DATA_DIR: temporaryFolder() })
/** The server of the tests where there is one, else another embedded database. */
const other = () =>
  serverEnvironment() === null ? embedded() : { ...serverEnvironment(), BETTER_AUTH_SECRET: secret }

const instant = (index: number, microseconds: number) =>
  `2026-0${1 + (index % 9)}-1${index % 10}T0${index % 10}:15:${10 + (index % 50)}.${String(microseconds).padStart(6, '0')}+00:00`

/** A task with an id that sorts by its index, and with something odd in each column. */
function makeTask(userId: string, index: number): Task {
  const text = naughtyTexts[index % naughtyTexts.length]?.[1] ?? ''
  const time = index % 3 === 0 ? '23:59:59' : null
  return {
    id: `${index.toString(16).padStart(8, '0')}-0000-7000-8000-${'0'.repeat(12)}`,
    user_id: userId,
    title: text,
    description: index % 2 === 0 ? `${text}${index}` : null,
    completed: index % 5 === 0,
    completed_at: index % 5 === 0 ? instant(index, 123_456) : null,
    priority: (['none', 'low', 'medium', 'high'] as const)[index % 4] ?? 'none',
    tags: naughtyTags.slice(0, index % naughtyTags.length),
    due_date: index % 3 === 0 ? (index % 2 === 0 ? '0001-01-01' : '9999-12-31') : null,
    due_time: time,
    time_zone: time && 'Europe/Berlin',
    version: 1 + (index % 100),
    created_at: instant(index, 1),
    updated_at: instant(index, 999_999),
    deleted_at: index % 7 === 0 ? instant(index, 700_007) : null,
  }
}

const linesOf = (...lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

const user = () => `${crypto.randomUUID()} ü`

test('moves 10,000 tasks there and back, and not a byte changes', async () => {
  const id = user()
  const tasks = Array.from({ length: 10_000 }, (_, index) => ({ task: makeTask(id, index) }))
  let lines = linesOf({ user: { id, created_at: '2025-01-02T03:04:05.678901+00:00' } }, ...tasks)
  const all = `Imported 10000 of 10000 tasks. 0 were there already.\n`

  for (const env of [embedded(), other(), embedded()]) {
    const imported = await docket(['import'], { env, input: lines })
    const exported = await docket(['export', '--user', id], { env })

    expect(imported).toEqual({ stdout: all, stderr: '', exitCode: 0 })
    expect(exported.stderr).toBe('')
    expect(exported.stdout === lines).toBe(true)
    lines = exported.stdout
  }
}, 120_000)

test('takes the same twice for once, and of two versions the later one', async () => {
  const env = other()
  const id = user()
  const task = { ...makeTask(id, 1), version: 5 }
  const earlier = { ...task, title: 'Earlier', version: 4 }
  const later = { ...task, title: 'Later', version: 6 }
  const put = async (...lines: object[]) =>
    (await docket(['import'], { env, input: linesOf(...lines) })).stdout

  expect(await put({ task })).toContain('Imported 1 of 1')
  expect(await put({ task }, { task: earlier })).toContain('Imported 0 of 2')
  expect(await put({ task: later }, { task })).toContain('Imported 1 of 2')

  const { stdout } = await docket(['export', '--user', id], { env })
  expect(stdout).toContain(linesOf({ task: later }))
}, 60_000)

const refused = async (line: string, env = embedded()) => {
  const input = `${linesOf({ task: makeTask('alice', 1) })}${line}\n${linesOf({ task: makeTask('alice', 3) })}`

  const { stdout, stderr, exitCode } = await docket(['import'], { env, input })
  const exported = await docket(['export', '--user', 'alice'], { env })

  // One sentence, and another one about what is there now.
  expect(stderr).toMatch(/^Cannot import line 2: .*\. What came before it is imported\.\n$/)
  expect([stdout, exitCode]).toEqual(['', 1])
  expect(exported.stdout.split('\n').slice(1).join('\n')).toBe(
    linesOf({ task: makeTask('alice', 1) }),
  )
  return stderr
}

test('names the line and the field that it cannot import, and imports what came before', async () => {
  expect(await refused('{')).toContain('it is not JSON in UTF-8')
  expect(
    await refused(JSON.stringify({ task: { ...makeTask('alice', 2), version: 2 ** 31 } })),
  ).toContain('version must be at most 2000000000')
}, 60_000)

test('takes what editors do to a file: a mark, ends of Windows, empty lines', async () => {
  const env = { DATA_DIR: temporaryFolder() }
  const tasks = [1, 2, 3].map((index) => ({ task: makeTask('alice', index) }))
  const [one, two, three] = tasks.map((line) => JSON.stringify(line))
  const bad = JSON.stringify({ task: { ...makeTask('alice', 4), due_date: '2026-02-30' } })
  const input = `\uFEFF\r\n${one}\r\n\r\n  \n\uFEFF${two}\n\n\t\r\n${three}\r\n${bad}\r\n\r\n`

  const { stderr, exitCode } = await docket(['import'], { env, input })
  const exported = await docket(['export', '--user', 'alice'], { env })

  expect(stderr).toStartWith('Cannot import line 9: due_date must be a day of the calendar')
  expect(exitCode).toBe(1)
  expect(exported.stdout.split('\n').slice(1, -1)).toEqual([one, two, three] as string[])
}, 60_000)

test('names the line that the database refuses, of many that it is given at once', async () => {
  const folder = temporaryFolder()
  const env = { DATA_DIR: folder }
  await docket(['migrate'], { env })
  const embeddedDatabase = await startEmbedded(folder, (error) => {
    throw error
  })
  const sql = connectEmbedded(embeddedDatabase.socket)
  await sql`alter table docket.tasks add constraint of_another_time check (title <> 'Tomorrow')`
  await sql.end()
  await embeddedDatabase.stop()
  const tasks = Array.from({ length: 150 }, (_, index) => ({
    task: { ...makeTask('alice', index + 1), title: index === 96 ? 'Tomorrow' : 'Today' },
  }))

  const { stderr, exitCode } = await docket(['import'], { env, input: linesOf(...tasks) })
  const exported = await docket(['export', '--user', 'alice'], { env })

  expect(stderr).toBe(
    'Cannot import line 97: the database refuses it (new row for relation "tasks" violates check constraint "of_another_time"). What came before it is imported.\n',
  )
  expect(exitCode).toBe(1)
  expect(exported.stdout.match(/Today/g)).toHaveLength(96)
}, 60_000)

test('the planner knows what was imported', async () => {
  const folder = temporaryFolder()
  const input = linesOf(
    ...Array.from({ length: 300 }, (_, index) => ({ task: makeTask('alice', index) })),
  )

  await docket(['import'], { env: { DATA_DIR: folder }, input })

  const embeddedDatabase = await startEmbedded(folder, (error) => {
    throw error
  })
  const sql = connectEmbedded(embeddedDatabase.socket)
  expect(
    await sql`select relname, reltuples from pg_class where relname in ('tasks', 'users') order by 1`,
  ).toMatchObject([
    { relname: 'tasks', reltuples: 300 },
    { relname: 'users', reltuples: 1 },
  ])
  await sql.end()
  await embeddedDatabase.stop()
}, 60_000)
