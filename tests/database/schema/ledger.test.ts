import { afterEach, expect, test } from 'bun:test'
import { type SchemaFile, schemaFiles } from '../../../src/database/schema/files.ts'
import { applySchema } from '../../../src/database/schema/ledger.ts'
import { emptyDatabase, type TestDatabase } from '../../support/database.ts'

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

const first = file(
  1,
  'create table public.a (id integer primary key); insert into public.a values (1);',
)
const second = file(2, 'create table public.b (id integer primary key);')

test('applies each file once, in order', async () => {
  const sql = await database()

  expect(await applySchema(sql, [first])).toEqual(['001_file'])
  expect(await applySchema(sql, [first, second])).toEqual(['002_file'])
  expect(await applySchema(sql, [first, second])).toEqual([])
  expect(
    (await sql`select version, name from docket.schema_migrations order by version`).map(
      ({ name }) => name,
    ),
  ).toEqual(['001_file', '002_file'])
  expect(await sql`select id from public.a`).toHaveLength(1)
})

test('applies the real files', async () => {
  const sql = await database()

  expect(await applySchema(sql, schemaFiles)).toEqual(schemaFiles.map(({ name }) => name))
  expect(await sql`select id from docket.tasks`).toHaveLength(0)
})

test('leaves nothing behind of a file that fails, and says which', async () => {
  const sql = await database()
  const broken = file(2, 'create table public.b (id integer); select nonsense;')

  expect(await messageOf(applySchema(sql, [first, broken]))).toContain(
    'Cannot apply 002_file: column "nonsense" does not exist',
  )
  await applySchema(sql, [first, broken]).catch(() => {})

  const tables = await sql`select tablename from pg_tables where schemaname = 'public' order by 1`
  expect(tables.map(({ tablename }) => tablename)).toEqual(['a'])
  expect(await applySchema(sql, [first, second])).toEqual(['002_file'])
})

test.each([
  ['a table', 'create table docket.tasks (id integer)'],
  ['a ledger', 'create table docket.schema_migrations (version bigint, dirty boolean)'],
  ['a type', 'create type docket.task_priority as enum ()'],
  [
    'a function',
    'create function docket.forget_user() returns trigger language plpgsql as $$ begin end $$',
  ],
])(
  'refuses a schema where somebody else has %s of that name, and changes nothing',
  async (_what, made) => {
    const sql = await database()
    await sql.unsafe(`create schema docket; ${made}`)

    expect(await messageOf(applySchema(sql, schemaFiles))).toContain('Set DATABASE_SCHEMA')

    const [{ tables } = {}] = await sql`
    select count(*)::integer as tables
    from pg_tables
    where schemaname = 'docket'
      and tablename in ('users', 'schema_migrations', 'tasks')`
    expect(tables).toBe(made.includes('table') ? 1 : 0)
  },
)

test('refuses a file that was changed after it was applied', async () => {
  const sql = await database()
  await applySchema(sql, [first])

  expect(await messageOf(applySchema(sql, [{ ...first, text: `${first.text} ` }]))).toContain(
    '001_file was changed after it was applied',
  )
})

test('takes a file with other line ends for the same', async () => {
  const sql = await database()
  await applySchema(sql, [file(1, 'create table public.a\n(id integer);')])

  expect(await applySchema(sql, [file(1, 'create table public.a\r\n(id integer);')])).toEqual([])
})

test('works on the database of a newer Docket, unless that broke with this one', async () => {
  const sql = await database()
  await applySchema(sql, [first, second])

  expect(await applySchema(sql, [first])).toEqual([])
  await applySchema(sql, [first, second, file(3, 'create table public.c ();', true)])
  expect(await messageOf(applySchema(sql, [first]))).toContain(
    'a newer Docket changed it (003_file)',
  )
})

test('is applied by one of many that start together, and all start', async () => {
  const sql = await database()
  const slow = file(1, 'create table public.a (id integer); select pg_sleep(0.2);')

  const results = await Promise.all(
    Array.from({ length: 6 }, () => applySchema(sql, [slow, second])),
  )

  expect(results.flat().toSorted()).toEqual(['001_file', '002_file'])
})
