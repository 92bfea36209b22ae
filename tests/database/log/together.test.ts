import { afterAll, beforeAll, expect, test } from 'bun:test'
import { changeTogether, type Kind } from '../../../src/database/log/together.ts'
import { schemaFiles } from '../../../src/database/schema/files.ts'
import { applySchema } from '../../../src/database/schema/ledger.ts'
import { readChains } from '../../../src/history/queries.ts'
import { insertTask, taskKind } from '../../../src/tasks/writes.ts'
import { emptyDatabase, type TestDatabase } from '../../support/database.ts'
import { author } from '../../support/tasks.ts'

// Things of several kinds, as a request may change them. There is one kind yet: another one is made here, of a table like that.

const note: Kind = {
  ...taskKind,
  table: { ...taskKind.table, type: 'note', name: (sql) => sql`docket.notes` },
}

let database: TestDatabase
beforeAll(async () => {
  database = await emptyDatabase()
  await applySchema(database.sql, schemaFiles)
  await database.sql`create table docket.notes (like docket.tasks including all)`
})
afterAll(() => database.close())

/** A task and a note of a user, the latter with the number 2. */
async function setUp() {
  const { db, sql } = database
  const alice = author(crypto.randomUUID())
  const id = crypto.randomUUID()
  await insertTask(db, alice, id, { title: 'A' })
  await sql`
    insert into docket.notes (user_id, id, title, seq)
    values (${alice.user_id}, ${id}, 'A', 2)`
  await sql`insert into docket.latest (user_id, seq, type, id) values (${alice.user_id}, 2, 'note', ${id})`
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, at, day)
    values (${alice.user_id}, 2, 'note', ${id}, 'created', now(), now()::date)`
  await sql`update docket.users set seq = 2 where id = ${alice.user_id}`
  const change = (kind: Kind, version: number) => ({
    kind,
    id,
    version,
    fields: { title: 'B' },
    isDiscarded: false,
  })
  return { alice, id, change }
}

const titlesOf = ({ user_id }: { user_id: string }) =>
  database.sql`
    select 'task' as type, title from docket.tasks where user_id = ${user_id}
    union all
    select 'note', title from docket.notes where user_id = ${user_id}`

test('are changed in one statement, each in its table and with its number', async () => {
  const { alice, id, change } = await setUp()

  const made = await changeTogether(
    database.db,
    alice,
    [change(note, 1), change(taskKind, 1)],
    null,
  )

  expect(JSON.parse(made?.answer ?? '')).toMatchObject([
    { seq: 3, type: 'note', id, note: { title: 'B' } },
    { seq: 4, type: 'task', id, task: { title: 'B' } },
  ])
  const logged = await database.sql`
    select seq::integer as seq, type, previous::integer as previous, action
    from docket.changes where user_id = ${alice.user_id} and seq > 2 order by seq`
  expect([...logged]).toEqual([
    { seq: 3, type: 'note', previous: 2, action: 'updated' },
    { seq: 4, type: 'task', previous: 1, action: 'updated' },
  ])
})

test.each([
  ['the first', 9, 1],
  ['the last', 1, 9],
])('are not changed where %s is not as it was', async (_name, ofNote, ofTask) => {
  const { alice, change } = await setUp()
  const before = await titlesOf(alice)

  const changes = [change(note, ofNote), change(taskKind, ofTask)]
  const made = await changeTogether(database.db, alice, changes, null)

  expect(made).toBeUndefined()
  expect([...(await titlesOf(alice))]).toEqual([...before])
})

test('are not changed where one is not there', async () => {
  const { alice, change } = await setUp()
  const absent = { ...change(taskKind, 1), id: crypto.randomUUID() }

  expect(await changeTogether(database.db, alice, [change(note, 1), absent], null)).toBeUndefined()
  expect((await titlesOf(alice)).map(({ title }) => title)).toEqual(['A', 'A'])
})

test('are changed once by a key, and answered whole', async () => {
  const { alice, change } = await setUp()
  const changes = () => [change(note, 1), change(taskKind, 1)]
  const once = { key: 'a key', request: 'a digest' }

  const first = await changeTogether(database.db, alice, changes(), once)
  const again = await changeTogether(database.db, alice, changes(), once)

  expect(first?.request).toBeNull()
  expect(again).toEqual({ request: once.request, answer: first?.answer ?? '' })
})

test('are read out of the log together', async () => {
  const { alice, id } = await setUp()
  const wanted = { since: 0, from: '-infinity', by: {} }

  const { chains } = await readChains(
    database.db,
    alice.user_id,
    [taskKind.table, note.table],
    wanted,
  )

  expect(chains.map(({ type, targets, current }) => [type, targets, current?.['id']])).toEqual(
    expect.arrayContaining([
      ['task', [1], id],
      ['note', [2], id],
    ]),
  )
})
