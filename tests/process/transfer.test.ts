import { expect, test } from 'bun:test'
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

test.each(['{', '{}', '{"task":{"id":1}}', '[]', '{"user":{"id":""}}'])(
  'names the line that it cannot import: %s',
  async (line) => {
    const env = embedded()
    const input = `${linesOf({ task: makeTask('alice', 1) })}${line}\n`

    const { stderr, exitCode } = await docket(['import'], { env, input })

    expect(exitCode).toBe(1)
    expect(stderr).toContain('Cannot import line 2')
    expect(stderr).not.toMatch(/\n\s+at /)
  },
  60_000,
)
