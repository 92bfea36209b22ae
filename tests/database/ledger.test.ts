import { afterEach, expect, test } from 'bun:test'
import { applySchema } from '../../src/database/ledger.ts'
import { type SchemaFile, schemaFiles } from '../../src/database/schema-files.ts'
import { emptyDatabase, type TestDatabase } from '../support/database.ts'

const open: TestDatabase[] = []
async function database() {
  const created = await emptyDatabase()
  open.push(created)
  return created.sql
}
afterEach(async () => {
  for (const { close } of open.splice(0)) await close()
})

const file = (version: number, text: string, breaking = false): SchemaFile => ({
  version,
  name: `00${version}_file`,
  text,
  breaking,
})

/** Not `expect().rejects`: while that waits, Bun delivers no message of the embedded database's thread. */
const messageOf = (applying: Promise<string[]>): Promise<string> =>
  applying.then(
    () => 'nothing was wrong',
    (error: Error) => error.message,
  )

const first = file(1, 'create table a (id integer primary key); insert into a values (1);')
const second = file(2, 'create table b (id integer primary key);')

test('applies each file once, in order', async () => {
  const sql = await database()

  expect(await applySchema(sql, [first])).toEqual(['001_file'])
  expect(await applySchema(sql, [first, second])).toEqual(['002_file'])
  expect(await applySchema(sql, [first, second])).toEqual([])
  expect(
    (await sql`select version, name from schema_migrations order by version`).map(
      ({ name }) => name,
    ),
  ).toEqual(['001_file', '002_file'])
  expect(await sql`select id from a`).toHaveLength(1)
})

test('applies the real files', async () => {
  const sql = await database()

  expect(await applySchema(sql, schemaFiles)).toEqual(schemaFiles.map(({ name }) => name))
  expect(await sql`select id from tasks`).toHaveLength(0)
})

test('keeps what is there through the files that came after the first release of a table', async () => {
  const sql = await database()
  const [before, later] = [schemaFiles.slice(0, 3), schemaFiles.slice(3)]
  await applySchema(sql, before)
  await sql`insert into users (id) values ('Zoë'), ('alice')`
  await sql`
    insert into tasks (user_id, id, title, tags, due_date, version)
    values ('Zoë', gen_random_uuid(), 'Water "the" plants', '{home}', '2026-12-01', 3), ('alice', gen_random_uuid(), 'B', '{}', null, 1)`
  await sql`insert into idempotency_keys (user_id, key, request, answer) values ('Zoë', 'k', 'r', '{}')`
  const plain = () =>
    sql`select user_id, id, title, tags, due_date, version, created_at, updated_at from tasks order by title`
  const rows = [...(await plain())]

  expect(await applySchema(sql, schemaFiles)).toEqual(later.map(({ name }) => name))

  expect([...(await plain())]).toEqual(rows)
  const [{ json, words } = {}] = await sql`select json, words from tasks where user_id = 'Zoë'`
  expect(JSON.parse(json)).toMatchObject({
    user_id: 'Zoë',
    title: 'Water "the" plants',
    version: 3,
  })
  expect(words).toBe('water "the" plants\nhome')
  await sql`delete from users where id = 'Zoë'`
  expect(await sql`select id from tasks`).toHaveLength(1)
  expect(await sql`select key from idempotency_keys`).toHaveLength(0)
})

test('leaves nothing behind of a file that fails, and says which', async () => {
  const sql = await database()
  const broken = file(2, 'create table b (id integer); select nonsense;')

  expect(await messageOf(applySchema(sql, [first, broken]))).toContain(
    'Cannot apply 002_file: column "nonsense" does not exist',
  )
  await applySchema(sql, [first, broken]).catch(() => {})

  const tables = await sql`select tablename from pg_tables where schemaname = 'public' order by 1`
  expect(tables.map(({ tablename }) => tablename)).toEqual(['a', 'schema_migrations'])
  expect(await applySchema(sql, [first, second])).toEqual(['002_file'])
})

test('refuses a file that was changed after it was applied', async () => {
  const sql = await database()
  await applySchema(sql, [first])

  expect(await messageOf(applySchema(sql, [{ ...first, text: `${first.text} ` }]))).toContain(
    '001_file was changed after it was applied',
  )
})

test('takes a file with other line ends for the same', async () => {
  const sql = await database()
  await applySchema(sql, [file(1, 'create table a\n(id integer);')])

  expect(await applySchema(sql, [file(1, 'create table a\r\n(id integer);')])).toEqual([])
})

test('works on the database of a newer Docket, unless that broke with this one', async () => {
  const sql = await database()
  await applySchema(sql, [first, second])

  expect(await applySchema(sql, [first])).toEqual([])
  await applySchema(sql, [first, second, file(3, 'create table c ();', true)])
  expect(await messageOf(applySchema(sql, [first]))).toContain(
    'a newer Docket changed it (003_file)',
  )
})

test('is applied by one of many that start together, and all start', async () => {
  const sql = await database()
  const slow = file(1, 'create table a (id integer); select pg_sleep(0.2);')

  const results = await Promise.all(
    Array.from({ length: 6 }, () => applySchema(sql, [slow, second])),
  )

  expect(results.flat().toSorted()).toEqual(['001_file', '002_file'])
})
