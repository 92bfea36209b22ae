import { expect, test } from 'bun:test'
import { connectEmbedded } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import type { Task } from '../../src/tasks/schema.ts'
import { serverEnvironment, temporaryFolder } from '../support/database.ts'
import { docket, startServer } from '../support/process.ts'
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
    list_id: null,
    parent_id: null,
    position: `i${index.toString(16).padStart(9, '0')}`,
    title: text,
    description: index % 2 === 0 ? `${text}${index}` : null,
    completed: index % 5 === 0,
    completed_at: index % 5 === 0 ? instant(index, 123_456) : null,
    priority: (['none', 'low', 'medium', 'high'] as const)[index % 4] ?? 'none',
    tags: naughtyTags.slice(0, index % naughtyTags.length),
    due_date: index % 3 === 0 ? (index % 2 === 0 ? '0001-01-01' : '9999-12-31') : null,
    due_time: time,
    time_zone: time && 'Europe/Berlin',
    recurrence: time && 'FREQ=WEEKLY;COUNT=5',
    repeat_from: time && 'completion',
    series_id:
      time &&
      '00000000-0000-7000-8000-000000000000'.replace(/^0{8}/, index.toString(16).padStart(8, '0')),
    occurrence: time && '2026-12-01',
    reminders: index % 3 === 0 ? ['-P1D', 'PT9H'] : ['2026-12-01T08:00:00+00:00'],
    version: 1 + (index % 100),
    created_at: instant(index, 1),
    updated_at: instant(index, 999_999),
    deleted_at: index % 7 === 0 ? instant(index, 700_007) : null,
  }
}

const exportOf = (user: string, env: Record<string, string>) =>
  docket(['export', '--user', user, '--without-history'], { env })

const linesOf = (...lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

const user = () => `${crypto.randomUUID()} ü`

test('moves 10,000 tasks there and back, and not a byte changes', async () => {
  const id = user()
  const tasks = Array.from({ length: 10_000 }, (_, index) => ({ task: makeTask(id, index) }))
  let lines = linesOf({ user: { id, created_at: '2025-01-02T03:04:05.678901+00:00' } }, ...tasks)
  const all = `Imported 10000 of 10000 tasks. 0 were there already.\n`

  for (const env of [embedded(), other(), embedded()]) {
    const imported = await docket(['import'], { env, input: lines })
    const exported = await exportOf(id, env)

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

  const { stdout } = await exportOf(id, env)
  expect(stdout).toContain(linesOf({ task: later }))
}, 60_000)

const refused = async (line: string, env = embedded()) => {
  const input = `${linesOf({ task: makeTask('alice', 1) })}${line}\n${linesOf({ task: makeTask('alice', 3) })}`

  const { stdout, stderr, exitCode } = await docket(['import'], { env, input })
  const exported = await exportOf('alice', env)

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
  const exported = await exportOf('alice', env)

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
  const exported = await exportOf('alice', env)

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

test('what was changed by whom moves along, and is there once', async () => {
  const folder = temporaryFolder()
  const env = { DATA_DIR: folder, BETTER_AUTH_SECRET: secret }
  const id = user()
  const server = await startServer({ env })
  const token = (await docket(['token', '--user', id], { env })).stdout.trim()
  const headers = { authorization: `Bearer ${token}`, 'x-request-id': 'a-request' }
  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.address}/api/tasks${path}`, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    return (await response.json()) as Task
  }
  const long = 'Largo '.repeat(1000)
  const created = await send('POST', '', { title: '\\ "Ñ"', description: long })
  const untouched = await send('POST', '', { title: 'Other' })
  const changed = await send('PATCH', `/${created.id}`, { title: 'Changed' })
  const shortened = await send('PATCH', `/${created.id}`, { description: 'Corto' })
  const deleted = await send('DELETE', `/${created.id}`)
  expect(await server.end('SIGTERM')).toBe(0)

  const [, first, second] = await exportLines(id, env)
  const there = { DATA_DIR: temporaryFolder() }
  const input = linesOf(first as object, second as object)
  const imported = await docket(['import'], { env: there, input })
  const again = await docket(['import'], { env: there, input })
  const [, ...moved] = await exportLines(id, there)

  // In the order of their last changes.
  expect(first).toMatchObject({ task: untouched, history: [{ action: 'created', before: null }] })
  const { description: _, ...short } = created
  expect(second).toMatchObject({
    task: deleted,
    history: [
      { action: 'created', before: null, at: created.updated_at },
      // It is long, and did not change.
      { action: 'updated', before: short, at: changed.updated_at },
      { action: 'updated', before: changed, by: { kind: 'jwt', name: null } },
      { action: 'deleted', before: shortened, request_id: 'a-request' },
    ],
  })
  expect((second as Line).history[1]?.before).toEqual(short)
  expect([imported.stdout, again.stdout]).toEqual([
    'Imported 2 of 2 tasks. 0 were there already.\n',
    'Imported 0 of 2 tasks. 2 were there already.\n',
  ])
  expect(moved).toEqual(
    [first, second].map((line) => {
      const { task, history } = line as Line
      const by = { kind: 'program', name: 'docket import' }
      const last = { action: 'imported', by, before: task, at: expect.any(String) }
      return { task, history: [...history, { ...last, request_id: expect.any(String) }] }
    }),
  )
}, 60_000)

type Line = { task: Task; history: { before: object | null }[] }

const exportLines = async (id: string, env: Record<string, string>): Promise<unknown[]> => {
  const { stdout } = await docket(['export', '--user', id], { env })
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('of a long history the newest thousand changes move, however large they are', async () => {
  const env = embedded()
  const id = user()
  const tasks = [1, 2, 3].map((index) => makeTask(id, index))
  const description = 'ä'.repeat(5000)
  const changes = (task: Task, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      at: instant(index, 10 * index + 1),
      by: null,
      request_id: null,
      action: 'updated',
      before: { ...task, description, version: 1 + index },
    }))
  const lines = tasks.map((task, index) => ({ task, history: changes(task, 1000 - 300 * index) }))

  const { stdout } = await docket(['import'], { env, input: linesOf(...lines) })
  const [, ...exported] = (await exportLines(id, env)) as Line[]

  expect(stdout).toBe('Imported 3 of 3 tasks. 0 were there already.\n')
  expect(exported.map(({ history }) => history.length)).toEqual([1000, 701, 401])
  expect(exported[0]?.history.slice(0, -1)).toEqual(lines[0]?.history.slice(1) ?? [])
  expect(exported[2]?.history.slice(0, -1)).toEqual(lines[2]?.history ?? [])
}, 60_000)
