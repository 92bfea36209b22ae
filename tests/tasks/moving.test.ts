import { expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { type Change, exportChanges, importTasks } from '../../src/tasks/transfer.ts'
import { db, signUp, sql, type TestUser } from '../support/app.ts'
import { serverEnvironment } from '../support/database.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { list } from '../support/tasks.ts'

const logOf = (...users: TestUser[]) =>
  readLog(
    sql,
    users.map(({ id }) => id),
  )

/** A task as another database had it, and what was made of it there. */
function moving({ id: user_id }: TestUser, more: Partial<Task> = {}) {
  const task: Task = {
    id: crypto.randomUUID(),
    user_id,
    list_id: null,
    parent_id: null,
    position: 'i00000002a',
    title: 'Third',
    description: null,
    completed: false,
    completed_at: null,
    priority: 'none',
    tags: [],
    due_date: null,
    due_time: null,
    time_zone: null,
    recurrence: null,
    repeat_from: null,
    series_id: null,
    occurrence: null,
    reminders: [],
    version: 3,
    created_at: '2026-01-01T00:00:00.000001+00:00',
    updated_at: '2026-01-03T00:00:00.000001+00:00',
    deleted_at: null,
    ...more,
  }
  const { description: _, ...second } = { ...task, title: 'Second', version: 2 }
  const history: Change[] = [
    {
      at: '2026-01-01T23:59:59.999999+00:00',
      by: null,
      request_id: null,
      action: 'created',
      before: null,
    },
    {
      at: '2026-01-02T00:00:00+00:00',
      by: { kind: 'jwt', name: 'Ann "\u0000' },
      request_id: 'two',
      action: 'updated',
      before: { ...second, title: 'First', version: 1 },
    },
    {
      at: '2026-01-03T00:00:00.000001+00:00',
      by: { kind: 'session', name: null },
      request_id: 'three',
      action: 'updated',
      before: second,
    },
  ]
  return { task, history }
}

test('what was made of a task elsewhere comes before its import, with numbers of here', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  await alice.create()
  const [one, two, bobs] = [moving(alice), moving(alice), moving(bob)]

  expect(await importTasks(db, [one, { task: bobs.task }, two], 'moved')).toBe(3)

  const log = await logOf(alice, bob)
  expect(faultsOf(log)).toEqual([])
  const changes = (user: TestUser) =>
    log.changes
      .filter(({ user_id }) => user_id === user.id)
      .map(({ seq, id, action, previous }) => [seq, id, action, previous])
  const of = ({ task: { id } }: { task: Task }, first: number) => [
    [first, id, 'created', null],
    [first + 1, id, 'updated', first],
    [first + 2, id, 'updated', first + 1],
    [first + 3, id, 'imported', first + 2],
  ]
  expect(changes(alice).slice(1)).toEqual([...of(one, 2), ...of(two, 6)])
  expect(changes(bob)).toEqual([[1, bobs.task.id, 'imported', null]])
  // What it was before the import is what the last change had made of it.
  expect(log.changes.filter(({ id }) => id === one.task.id).map(({ before }) => before)).toEqual([
    ...one.history.map(({ before }) => before as object),
    one.task,
  ] as (Record<string, unknown> | null)[])
  expect(log.changes.find(({ id }) => id === bobs.task.id)?.before).toBe(null)

  const rows = await sql`
    select action, actor::text, request_id, at, day::text
    from docket.changes
    where user_id = ${alice.id} and id = ${one.task.id}
    order by seq`
  expect(rows.slice(0, 3).map((row) => ({ ...row }))).toEqual(
    one.history.map(({ at, by, request_id, action }) => ({
      action,
      actor: by && JSON.stringify(by),
      request_id,
      at,
      day: at.slice(0, 10),
    })),
  )
  expect(rows[3]).toMatchObject({ request_id: 'moved' })
})

test('of a task that is there only the import is a change, and of the same none', async () => {
  const alice = await signUp()
  const created = await alice.create()
  const { history } = moving(alice, created)
  const later = { task: { ...created, title: 'Later', version: 5 }, history }

  expect(await importTasks(db, [{ task: created, history }], 'same')).toBe(0)
  expect(await importTasks(db, [later], 'later')).toBe(1)
  expect(await importTasks(db, [later], 'again')).toBe(0)

  const log = await logOf(alice)
  expect(faultsOf(log)).toEqual([])
  expect(log.changes.map(({ action }) => action)).toEqual(['created', 'imported'])
  expect(log.changes[1]?.before).toEqual(created)
  // An import goes on from wherever the numbers are.
  const { body } = await alice.send('PATCH', `/api/tasks/${created.id}`, { title: 'Now' })
  expect(await list(alice)).toEqual([body])
  expect(faultsOf(await logOf(alice))).toEqual([])
})

test('whatever is written next is later than what came, but for clocks that are years ahead', async () => {
  const alice = await signUp()
  const soon = new Date(Date.now() + 60_000).toISOString().replace('Z', '999+00:00')
  await importTasks(db, [moving(alice, { updated_at: soon }), moving(alice)], 'moved')
  const next = await alice.create()
  expect(next.updated_at > soon).toBe(true)

  const far = moving(alice, { updated_at: '9999-12-31T23:59:59.999999+00:00' })
  await importTasks(db, [far], 'moved')
  const last = await alice.create()
  expect(last.updated_at > next.updated_at).toBe(true)
  expect(Date.parse(last.updated_at)).toBeLessThan(Date.now() + 2 * 3_600_000)
})

test('a history is read as far as it goes, and as far as is asked', async () => {
  const alice = await signUp()
  await importTasks(db, [moving(alice), moving(alice)], 'moved')
  const read = (from: { seq: string | null; most: number }[], limit = 100) =>
    exportChanges(
      db,
      alice.id,
      from.map((one, n) => ({ ...one, n })),
      limit,
    ).then((changes) => changes.map(({ n, previous }) => [n, previous]))

  expect(
    await read([
      { seq: '4', most: 9 },
      { seq: null, most: 9 },
      { seq: '8', most: 2 },
      { seq: '3', most: 0 },
    ]),
  ).toEqual([
    [0, '3'],
    [0, '2'],
    [0, '1'],
    [0, null],
    [2, '7'],
    [2, '6'],
  ])
  expect(await read([{ seq: '4', most: 9 }], 3)).toHaveLength(3)
  await sql`delete from docket.changes where user_id = ${alice.id} and seq = 2`
  expect(await read([{ seq: '4', most: 9 }])).toEqual([
    [0, '3'],
    [0, '2'],
  ])
})

test.skipIf(serverEnvironment() === null)(
  'a task that comes to be while an import waits for its user is looked at all the same',
  async () => {
    const alice = await signUp()
    await alice.create()
    const { task, history } = moving(alice)
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const { promise: locked, resolve: lock } = Promise.withResolvers<void>()
    const writing = sql.begin(async (transaction) => {
      await transaction`update docket.users set seq = seq + 1 where id = ${alice.id}`
      await transaction`
        insert into docket.tasks (user_id, id, title, seq) values (${alice.id}, ${task.id}, 'Here', 2)`
      await transaction`
        insert into docket.latest (user_id, seq, type, id) values (${alice.id}, 2, 'task', ${task.id})`
      await transaction`
        insert into docket.changes (user_id, seq, type, id, action, at, day)
        values (${alice.id}, 2, 'task', ${task.id}, 'created', now(), now())`
      lock()
      await held
    })
    await locked
    const importing = importTasks(db, [{ task, history }], 'moved')
    while ((await sql`select from pg_locks where not granted`).length === 0) await Bun.sleep(5)
    release()
    await writing

    expect(await importing).toBe(1)
    const log = await logOf(alice)
    expect(faultsOf(log)).toEqual([])
    expect(log.changes.at(-1)).toMatchObject({ action: 'imported', previous: 2 })
    expect(log.changes.at(-1)?.before).toMatchObject({ title: 'Here' })
  },
)
