import { beforeAll, expect, test } from 'bun:test'
import type { Db } from '../../src/database/gate.ts'
import { applySchema } from '../../src/database/ledger.ts'
import { schemaFiles } from '../../src/database/schema-files.ts'
import * as changes from '../../src/tasks/changes.ts'
import * as queries from '../../src/tasks/queries.ts'
import type { TaskListQuery } from '../../src/tasks/schema.ts'
import { emptyDatabase } from '../support/database.ts'

// What every statement costs: found by an index, nothing sorted as a whole, and about as many rows read as answered. In a
// database of its own with 20,000 tasks of 20 users, so that a plan which reads a table whole would have to.

const { sql } = await emptyDatabase()
const perUser = 1000
const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`

beforeAll(async () => {
  await applySchema(sql, schemaFiles)
  await sql`insert into users (id) select n::text from generate_series(1, 20) n`
  await sql`
    insert into tasks (user_id, id, title, completed_at, priority, tags, due_date, created_at, updated_at)
    select
      ((n - 1) % 20 + 1)::text,
      ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
      'Task ' || md5(n::text),
      case when n / 20 % 2 = 0 then now() end,
      (array['none', 'low', 'medium', 'high'])[n / 20 % 4 + 1]::task_priority,
      case when n % 3 = 0 then array['home'] else '{}' end,
      date '2026-01-01' + n / 20 % 365,
      timestamptz '2026-01-01' + n * interval '1 minute',
      timestamptz '2026-01-01' + n * interval '1 minute'
    from generate_series(1, ${20 * perUser}::integer) n`
  await sql`vacuum (analyze) tasks`
  await sql`analyze users`
})

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Node[]
}

const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)]

/** The nodes of the plan of each statement that a call makes for these users, run for real. */
async function planOf(call: (db: Db) => Promise<unknown>): Promise<Node[]> {
  let plan: Node[] = []
  const share: Db['share'] = async (shared, ask) => {
    // The driver's own text and parameters, without running it.
    const query = Object.assign(shared.statement(sql, JSON.stringify([{ n: 0, ...ask }])), {})
    const pending = query as unknown as {
      describe: () => Promise<{ string: string }>
      parameters: string[]
    }
    const { string } = await pending.describe()
    const [row] = await sql.unsafe<{ 'QUERY PLAN': string | { Plan: Node }[] }[]>(
      `explain (analyze, timing off, format json) ${string}`,
      pending.parameters,
    )
    const said = row?.['QUERY PLAN'] ?? '[]'
    const [explained] = typeof said === 'string' ? JSON.parse(said) : said
    plan = all(explained.Plan)
    return undefined
  }
  await call({ share } as Db)
  return plan
}

const touches = (plan: Node[], table: string): Node[] =>
  plan.filter((node) => node['Relation Name'] === table && node['Node Type'] !== 'ModifyTable')

/** Rows of tasks that were looked at. */
const read = (plan: Node[]): number =>
  touches(plan, 'tasks').reduce(
    (sum, node) =>
      sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )

const typesOf = (plan: Node[]): string[] => plan.map((node) => node['Node Type'])

test('one task is one row, by its key', async () => {
  const plan = await planOf((db) => queries.findTask(db, '7', idOf(7)))

  expect(touches(plan, 'tasks').map((node) => node['Index Name'])).toEqual(['tasks_pkey'])
  expect(read(plan)).toBe(1)
})

const orders: [NonNullable<TaskListQuery['sort']>, 'asc' | 'desc', string, string][] = [
  ['created_at', 'asc', 'tasks_by_created_at', '2026-01-05T00:00:00+00:00'],
  ['created_at', 'desc', 'tasks_by_created_at', '2026-01-05T00:00:00+00:00'],
  ['updated_at', 'asc', 'tasks_by_updated_at', '2026-01-05T00:00:00+00:00'],
  ['updated_at', 'desc', 'tasks_by_updated_at', '2026-01-05T00:00:00+00:00'],
  ['due_date', 'asc', 'tasks_by_due_date', '2026-03-01'],
  ['due_date', 'desc', 'tasks_by_due_date', '2026-03-01'],
  ['priority', 'asc', 'tasks_by_priority', 'low'],
  ['priority', 'desc', 'tasks_by_priority', 'medium'],
  ['title', 'asc', 'tasks_by_title', 'Task 8'],
  ['title', 'desc', 'tasks_by_title', 'Task 8'],
]

test.each(orders)('a page by %s, %s, reads itself out of %s', async (sort, order, index, key) => {
  for (const after of [null, { key, id: idOf(4000) }]) {
    const plan = await planOf((db) => queries.listTasks(db, '7', { sort, order }, after, 50))

    expect(new Set(touches(plan, 'tasks').map((node) => node['Index Name']))).toEqual(
      new Set([index]),
    )
    expect(typesOf(plan)).not.toContain('Sort')
    expect(read(plan)).toBe(51)
  }
})

test('a page by due_date, desc, goes on into those without a date, and no further than it must', async () => {
  await sql`update tasks set due_date = null where user_id = '8' and id < ${idOf(10_000)}`
  const query = { sort: 'due_date', order: 'desc' } as const
  const pages: [key: string, id: string, rows: number][] = [
    ['2026-01-05', idOf(1), 51], // Some with the dates before it, and then 500 without one.
    ['2026-01-01', idOf(1), 51], // None with a date.
    ['infinity', idOf(8008), 51],
    ['infinity', idOf(108), 5],
    ['infinity', idOf(0), 0],
  ]
  for (const [key, id, rows] of pages) {
    const plan = await planOf((db) => queries.listTasks(db, '8', query, { key, id }, 50))

    for (const node of touches(plan, 'tasks')) expect(node['Index Name']).toBe('tasks_by_due_date')
    expect(typesOf(plan)).not.toContain('Sort')
    expect(read(plan)).toBe(rows)
  }
})

const filtered: [TaskListQuery, number][] = [
  // Every second task is: twice as many are read as are answered.
  [{ status: 'pending' }, 2 * 51 + 2],
  [{ status: 'completed', sort: 'title' }, 4 * 51],
  // What few tasks have is looked for in those of the user, and in nobody else's.
  [{ priority: ['high', 'medium'] }, perUser],
  [{ tag: ['home'] }, perUser],
  [{ due_after: '2026-03-01', due_before: '2026-03-07' }, perUser],
  // In their own order, nothing but what lies between them.
  [{ due_after: '2026-03-01', due_before: '2026-03-07', sort: 'due_date' }, 25],
  [{ due_after: '2026-03-01', due_before: '2026-03-07', sort: 'due_date', order: 'desc' }, 25],
  [{ due_before: '2026-01-01', status: 'completed', sort: 'due_date' }, 5],
  [{ due_after: '2026-12-31', priority: ['high'], sort: 'due_date', order: 'desc' }, 5],
  [{ q: 'zzz' }, perUser],
]

test.each(filtered)('a page with %j looks at no more than %d rows', async (query, most) => {
  const plan = await planOf((db) => queries.listTasks(db, '7', query, null, 50))

  expect(typesOf(plan)).not.toContain('Seq Scan')
  expect(read(plan)).toBeLessThanOrEqual(most)
})

test('a search looks at no task but those that it finds', async () => {
  const plan = await planOf((db) => queries.listTasks(db, '7', { q: 'task ab' }, null, 50))
  const [words, found] = touches(plan, 'tasks')

  expect([words?.['Node Type'], words?.['Index Name']]).toEqual([
    'Index Only Scan',
    'tasks_by_created_at',
  ])
  expect(found?.['Index Name']).toBe('tasks_pkey')
  expect(found?.['Actual Loops']).toBeLessThanOrEqual(51)
  expect(typesOf(plan)).not.toContain('Sort')
})

const once = { key: 'a key', request: 'a digest' }
const writes: [string, (db: Db) => Promise<unknown>][] = [
  ['updateTask', (db) => changes.updateTask(db, '7', idOf(27), null, { title: 'New' })],
  ['updateTask, If-Match', (db) => changes.updateTask(db, '7', idOf(47), [9], { title: 'New' })],
  [
    'updateTask, a key',
    (db) => changes.updateTask(db, '7', idOf(67), null, { title: 'New' }, once),
  ],
  ['completeTask', (db) => changes.completeTask(db, '7', idOf(87), null, true)],
  ['deleteTask', (db) => changes.deleteTask(db, '7', idOf(107), null)],
  ['restoreTask', (db) => changes.restoreTask(db, '7', idOf(107), null)],
]

test.each(writes)('%s finds its task by the key, and no other', async (_name, call) => {
  const plan = await planOf(call)

  for (const node of touches(plan, 'tasks')) expect(node['Index Name']).toBe('tasks_pkey')
  expect(read(plan)).toBeLessThanOrEqual(2)
})

test.each([null, once])('insertTask, with %p, looks at no table as a whole', async (key) => {
  const plan = await planOf((db) =>
    changes.insertTask(db, '7', crypto.randomUUID(), { title: 'New' }, key),
  )

  expect(touches(plan, 'tasks')).toEqual([])
  expect(touches(plan, 'users')).toEqual([])
})

test('a vacuum is due when a fiftieth of the tasks is new, or a twentieth changed, for searches to look at an index alone', async () => {
  const [table] =
    await sql`select reloptions as options from pg_class where oid = 'tasks'::regclass`

  expect(table?.['options']).toEqual([
    'autovacuum_vacuum_insert_scale_factor=0.02',
    'autovacuum_vacuum_scale_factor=0.05',
  ])
})
