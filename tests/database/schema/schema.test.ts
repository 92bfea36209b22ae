import { afterEach, expect, test } from 'bun:test'
import { authTables } from '../../../src/auth/tables.ts'
import type { Sql } from '../../../src/database/connect.ts'
import { schemaFiles, schemaFilesWithoutAccounts } from '../../../src/database/schema/files.ts'
import { applySchema } from '../../../src/database/schema/ledger.ts'
import { usualSchema, withSchema } from '../../../src/database/schema-name.ts'
import { auth, createTestApp, sign } from '../../support/app.ts'
import { connectTo, emptyDatabase, gateOf, type TestDatabase } from '../../support/database.ts'

// Where the tables are, beside those of others.

const open: TestDatabase[] = []
async function database(): Promise<TestDatabase> {
  const created = await emptyDatabase()
  open.push(created)
  return created
}
afterEach(async () => {
  for (const { close } of open.splice(0)) await close()
})

const messageOf = (applying: Promise<unknown>): Promise<string> =>
  applying.then(
    () => 'nothing was wrong',
    (error: Error) => error.message,
  )

/** Each kind of statement once, as a user of the program. */
async function useIt(sql: Sql): Promise<void> {
  const app = createTestApp({
    db: gateOf(sql),
    auth: { ...auth, tables: authTables(null, async () => null) },
    issuer: null,
  })
  const authorization = `Bearer ${await sign({ sub: 'alice' })}`
  const call = async (method: string, path: string, body?: unknown): Promise<any> => {
    const response = await app.handle(
      new Request(`http://localhost/api${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json', 'idempotency-key': path },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    )
    expect([path, response.status < 300]).toEqual([path, true])
    return response.json()
  }
  const { id } = await call('POST', '/tasks', { title: 'Water the plants', priority: 'high' })
  expect(await call('GET', '/tasks?q=water&priority=high&sort=priority')).toHaveLength(1)
  await call('PATCH', `/tasks/${id}`, { title: 'Water all plants' })
  expect((await call('GET', `/tasks/${id}`)).title).toBe('Water all plants')
  expect((await call('GET', '/me')).usage.tasks).toBe(1)
  expect((await call('DELETE', '/me', { confirm: 'alice' })).tasks).toBe(1)
}

const foreign = ['tasks', 'users', 'lists', 'rate_limits', 'schema_migrations', 'idempotency_keys']

test('works beside tables of others that have the same names, and leaves them alone', async () => {
  const { sql } = await database()
  for (const name of foreign) await sql.unsafe(`create table public.${name} (something text)`)
  await sql.unsafe("create type public.task_priority as enum ('urgent')")

  await applySchema(sql, schemaFilesWithoutAccounts)
  await useIt(sql)

  for (const name of foreign) expect(await sql.unsafe(`select from public.${name}`)).toHaveLength(0)
})

test('makes the JSON of a task by functions of PostgreSQL, whoever writes it', async () => {
  const { sql } = await database()
  await applySchema(sql, schemaFilesWithoutAccounts)
  await sql`insert into docket.users (id) values ('alice')`
  for (const [name, type] of [
    ['to_json', 'text'],
    ['to_json', 'timestamp'],
    ['to_json', 'text[]'],
    ['"left"', 'text, integer'],
    ['concat', 'text, uuid'],
  ]) {
    await sql.unsafe(`create function public.${name}(${type}) returns text language plpgsql
      as $$ begin raise exception 'It ran.'; end $$`)
  }

  await sql
    .unsafe(`
      set local search_path = public, pg_catalog;
      insert into docket.tasks (user_id, id, title) values ('alice', gen_random_uuid(), 'Water')`)
    .simple()

  const [task] = await sql<{ json: string }[]>`select json from docket.tasks`
  expect(JSON.parse(task?.json ?? '')).toMatchObject({ title: 'Water', tags: [] })
})

test.each(['tasks_api', 'order'])('works in a schema called %s', async (schema) => {
  const { sql: pool } = await database()
  const sql = withSchema(pool, schema)

  await applySchema(sql, schemaFiles, schema)
  await useIt(sql)

  const schemas = await pool`
    select distinct schemaname from pg_tables where schemaname !~ '^(pg_|information_schema$)'`
  expect([...schemas]).toEqual([{ schemaname: schema }])
})

test('two of them are two', async () => {
  const { sql: pool } = await database()
  const sql = withSchema(pool, 'other')
  await applySchema(pool, schemaFilesWithoutAccounts)
  await applySchema(sql, schemaFilesWithoutAccounts, 'other')

  await sql`insert into docket.users (id) values ('alice')`

  expect(await pool`select id from docket.users`).toHaveLength(0)
  expect(await pool`select id from other.users`).toHaveLength(1)
})

/** Acts as a role that owns nothing, on one connection. */
async function asGuest(sql: Sql, use: (role: string) => Promise<void>): Promise<void> {
  const role = `guest_${crypto.randomUUID().slice(0, 8)}`
  await sql.unsafe(`create role ${role}`)
  await sql.unsafe(`grant ${role} to current_user`)
  await sql.unsafe(`set role ${role}`)
  try {
    await use(role)
  } finally {
    await sql.unsafe('reset role')
    await sql.unsafe(`drop owned by ${role}`)
    await sql.unsafe(`drop role ${role}`)
  }
}

/** One connection to the database, so that what is set there stays. */
async function oneConnection({ sql, url }: TestDatabase): Promise<Sql> {
  if (sql.options.max === 1) return sql
  const own = connectTo(url ?? '', undefined, 1)
  open.push({ sql: own, db: gateOf(own), url, close: () => own.end({ timeout: 5 }) })
  return own
}

// A pooler lends another connection for each statement, and the role would stay on one of them.
test.skipIf(process.env['TEST_DATABASE_PREPARE'] === 'off')(
  'says which grant is missing where a role may not make the schema, and starts with it',
  async () => {
    const sql = await oneConnection(await database())
    const [{ name } = { name: '' }] = await sql<
      { name: string }[]
    >`select current_database() as name`

    await asGuest(sql, async (role) => {
      const message = await messageOf(applySchema(sql, schemaFilesWithoutAccounts))
      expect(message).toContain(`grant create on database "${name}" to "${role}"`)

      await sql.unsafe('reset role')
      await sql.unsafe(`create schema ${usualSchema} authorization ${role}`)
      await sql.unsafe(`set role ${role}`)
      await applySchema(sql, schemaFilesWithoutAccounts)
    })
  },
)

test.skipIf(process.env['TEST_DATABASE_PREPARE'] === 'off')(
  'says which grant is missing where the schema is of another role',
  async () => {
    const sql = await oneConnection(await database())
    await applySchema(sql, schemaFilesWithoutAccounts)

    await asGuest(sql, async (role) => {
      const message = await messageOf(applySchema(sql, schemaFilesWithoutAccounts))
      expect(message).toContain(`grant usage, create on schema "docket" to "${role}"`)
    })
  },
)

test('refuses the database of an earlier version, and says how to move', async () => {
  const { sql } = await database()
  await sql.unsafe(`
    create function public.docket_forget_user() returns trigger language plpgsql
      as $$ begin return null; end $$`)

  const message = await messageOf(applySchema(sql, schemaFilesWithoutAccounts))
  for (const word of ['schema public', 'docket export', 'docket import']) {
    expect(message).toContain(word)
  }

  await sql.unsafe('drop function public.docket_forget_user cascade')
  await applySchema(sql, schemaFilesWithoutAccounts)
})
