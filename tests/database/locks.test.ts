import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { TransactionSql } from 'postgres'
import type { Db } from '../../src/database/gate/gate.ts'
import { copy, leave } from '../../src/lists/adoption.ts'
import { adopting } from '../../src/tasks/adoption.ts'
import { adoptTasks, importTasks } from '../../src/tasks/transfer.ts'
import { completeTask, insertTask } from '../../src/tasks/writes.ts'
import { emptyDatabase, layOut, serverEnvironment, type TestDatabase } from '../support/database.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { author } from '../support/tasks.ts'

// Whoever writes for several users locks them in one order: that of their ids byte by byte, whatever the order of text in the
// database. Else one that makes users and one that changes what they have would wait for each other.

const isServer = serverEnvironment() !== null

/** In the order of people `a` comes first, in that of bytes `B`. */
const users = ['a', 'B']

let database: TestDatabase
beforeAll(async () => {
  if (!isServer) return
  database = await emptyDatabase(`locale_provider icu icu_locale 'en' locale 'C'`)
  await layOut(database.sql)
  for (const user of users) await insertTask(database.db, author(user), idOf(user), { title: 'A' })
})
afterAll(() => database?.close())

const idOf = (user: string) => `00000000-0000-4000-8000-00000000000${user.toLowerCase()}`

/** Both in one statement, as they come in one turn. */
const both = (write: (db: Db, user: string) => Promise<unknown>) => (db: Db) =>
  Promise.all(users.map((user) => write(db, user)))

const writes: [string, (db: Db) => Promise<unknown>][] = [
  [
    'creates',
    both((db, user) => insertTask(db, author(user), crypto.randomUUID(), { title: 'B' })),
  ],
  ['changes', both((db, user) => completeTask(db, author(user), idOf(user), null, null))],
  ['moves in', (db) => importTasks(db, users.map(taskOf), 'test')],
  ['adopts', (db) => adoptTasks(db, author('a'), 'B', [crypto.randomUUID()])],
]

const taskOf = (user_id: string) => ({
  task: {
    id: crypto.randomUUID(),
    user_id,
    title: 'C',
    description: null,
    completed: false,
    completed_at: null,
    priority: 'none' as const,
    tags: [],
    due_date: null,
    due_time: null,
    time_zone: null,
    version: 1,
    created_at: '2026-01-01T00:00:00+00:00',
    updated_at: '2026-01-01T00:00:00+00:00',
    deleted_at: null,
  },
})

/** Runs `write` while another transaction holds what `take` takes, and `then` as soon as it waits for that. */
async function whileHeld(
  take: (transaction: TransactionSql) => Promise<unknown>,
  write: () => Promise<unknown>,
  then: () => Promise<unknown> = async () => {},
): Promise<void> {
  const { sql } = database
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { promise: locked, resolve: lock } = Promise.withResolvers<void>()
  const holding = sql.begin(async (transaction) => {
    await take(transaction)
    lock()
    await held
  })
  await locked
  const writing = write()
  while ((await sql`select from pg_locks where not granted`).length === 0) await Bun.sleep(5)
  await then()
  release()
  await Promise.all([holding, writing])
}

test.skipIf(!isServer).each(writes)('who %s locks the first user first', async (_name, write) => {
  let free: readonly unknown[] = []
  await whileHeld(
    (transaction) => transaction`select from docket.users where id = 'B' for update`,
    () => write(database.db),
    // It waits for B, and so has not locked the other.
    async () => {
      free = await database.sql`select id from docket.users where id = 'a' for update skip locked`
    },
  )

  expect(free).toHaveLength(1)
})

// A task that somebody else has taken over meanwhile is locked before it is seen that it is another one's by now; and who gives an account
// up has its user, and then wants its tasks.
test.skipIf(!isServer).each<[string, (db: Db) => Promise<unknown>]>([
  ['changes', both((db, user) => completeTask(db, author(user), idOf(user), null, null))],
  [
    'moves in',
    (db) =>
      importTasks(
        db,
        users.map((user) => ({ task: { ...taskOf(user).task, id: idOf(user) } })),
        'test',
      ),
  ],
])('who %s has locked no task while there is a user to wait for', async (_name, write) => {
  let free: readonly unknown[] = []
  await whileHeld(
    (transaction) => transaction`select from docket.users where id = 'a' for update`,
    () => write(database.db),
    async () => {
      free = await database.sql`
        select id from docket.tasks where user_id = 'B' and id = ${idOf('B')} for update skip locked`
    },
  )

  expect([...free]).toEqual([{ id: idOf('B') }])
})

test.skipIf(!isServer)('who has waited for a change of the same task goes on from it', async () => {
  const { sql, db } = database
  await whileHeld(
    (transaction) => transaction`
      with owner as (
        update docket.users set seq = seq + 1 where id = 'a' returning seq
      ), task as (
        update docket.tasks t
        set seq = owner.seq, title = 'Changed', version = version + 1
        from owner
        where user_id = 'a' and t.id = ${idOf('a')}
      ), latest as (
        update docket.latest l
        set seq = owner.seq
        from owner
        where user_id = 'a' and l.id = ${idOf('a')}
      )
      insert into docket.changes (user_id, seq, type, id, action, previous, before, at, day)
      select 'a', owner.seq, 'task', t.id, 'updated', t.seq, t.json, now(), now()
      from owner, docket.tasks t
      where user_id = 'a' and t.id = ${idOf('a')}`,
    () => completeTask(db, author('a'), idOf('a'), null, null),
  )

  const log = await readLog(sql, ['a'])
  expect(faultsOf(log)).toEqual([])
  expect(log.changes.at(-1)?.before).toMatchObject({ title: 'Changed' })
})

test.skipIf(!isServer)(
  'a task that came to be while its like was adopted stays, and so does the other',
  async () => {
    const { sql, db } = database
    const id = crypto.randomUUID()
    await insertTask(db, author('B'), id, { title: 'Of the guest' })
    await whileHeld(
      (transaction) => transaction`select from docket.users where id = 'B' for update`,
      () => adopting({ copy, leave })(db, author('a'), 'B'),
      () => sql`insert into docket.tasks (user_id, id, title) values ('a', ${id}, 'Own')`,
    )

    const rows = await sql`
    select title, id = ${id} as is_same
    from docket.tasks
    where user_id = 'a' and title in ('Own', 'Of the guest')
    order by title desc`
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { title: 'Own', is_same: true },
      { title: 'Of the guest', is_same: false },
    ])
  },
)
