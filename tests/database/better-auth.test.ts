import { afterEach, expect, test } from 'bun:test'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer, genericOAuth, jwt } from 'better-auth/plugins'
import { dialectOf } from '../../src/auth/issuer-database.ts'
import { hasPassword, listAddresses, settleReset } from '../../src/auth/queries.ts'
import type { Sql } from '../../src/database/connect.ts'
import { applySchema } from '../../src/database/ledger.ts'
import { schemaFiles } from '../../src/database/schema-files.ts'
import { createTestApp, issuerOptions, issuerUrl, origin, secret, sign } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { emptyDatabase, gateOf, type TestDatabase } from '../support/database.ts'
import { frontendAuth } from '../support/frontend-auth.ts'

// One database, Docket's schema file and the real migrator of Better Auth.

const open: TestDatabase[] = []
async function database(): Promise<Sql> {
  const created = await emptyDatabase()
  open.push(created)
  return created.sql
}
afterEach(async () => {
  for (const { close } of open.splice(0)) await close()
})

const optionsFor = (sql: Sql, uuid = false) => ({
  secret,
  baseURL: issuerUrl,
  database: { dialect: dialectOf(gateOf(sql)), type: 'postgres' as const, transaction: true },
  emailAndPassword: { enabled: true },
  plugins: [bearer(), jwt(), genericOAuth({ config: [] })],
  user: { deleteUser: { enabled: true } },
  ...(uuid ? { advanced: { database: { generateId: 'uuid' as const } } } : {}),
})

async function pending(sql: Sql): Promise<string[]> {
  const { toBeCreated, toBeAdded, toBeAddedIndexes } = await getMigrations(optionsFor(sql))
  return [...toBeCreated, ...toBeAdded, ...toBeAddedIndexes].map(({ table }) => table)
}

/** The program on this database, with the issuer on. */
function appOn(sql: Sql) {
  const app = createTestApp({
    db: gateOf(sql),
    issuer: () => ({ ...issuerOptions, db: gateOf(sql) }),
  })
  return (request: Request) => app.handle(request)
}

const tablesOf = async (sql: Sql): Promise<unknown> =>
  sql`
    select table_name, column_name, data_type, is_nullable, column_default
    from information_schema.columns
    where table_schema = 'public'
      and table_name in ('user', 'session', 'account', 'verification', 'jwks')
    order by table_name, ordinal_position`.then((rows) => [...rows])

const indexesOf = async (sql: Sql): Promise<unknown> =>
  sql`
    select indexdef
    from pg_indexes
    where schemaname = 'public'
      and tablename in ('user', 'session', 'account', 'verification', 'jwks')
    order by indexdef`.then((rows) => [...rows])

test("leaves Better Auth's migrator nothing to do, and makes what it would have made", async () => {
  const ours = await database()
  const theirs = await database()

  await applySchema(ours, schemaFiles)
  expect(await pending(theirs)).not.toBeEmpty()
  await (await getMigrations(optionsFor(theirs))).runMigrations()

  expect(await pending(ours)).toEqual([])
  expect(await tablesOf(ours)).toEqual(await tablesOf(theirs))
  expect(await indexesOf(ours)).toEqual(await indexesOf(theirs))
})

test("is harmless where a frontend's Better Auth was here first", async () => {
  const sql = await database()
  await (await getMigrations(optionsFor(sql))).runMigrations()
  const before = await tablesOf(sql)
  const frontend = frontendAuth({ secret, url: issuerUrl, algorithm: 'HS256', db: gateOf(sql) })
  const ann = browser(issuerUrl, issuerUrl, frontend.handler)
  await ann.signUp()

  await applySchema(sql, schemaFiles)

  expect(await tablesOf(sql)).toEqual(before)
  expect(await pending(sql)).toEqual([])
  const asked = browser(issuerUrl, origin, appOn(sql))
  const listed = await asked.send('GET', '/api/tasks', undefined, { cookie: ann.cookieHeader() })
  expect(listed.status).toBe(200)
})

test('works with ids that are uuid, as a frontend made them', async () => {
  const sql = await database()
  await (await getMigrations(optionsFor(sql, true))).runMigrations()
  await applySchema(sql, schemaFiles)
  const frontend = frontendAuth({
    secret,
    url: issuerUrl,
    algorithm: 'HS256',
    db: gateOf(sql),
    uuid: true,
  })
  const theirs = browser(issuerUrl, issuerUrl, frontend.handler)
  await theirs.signUp()
  const handle = appOn(sql)
  const ours = browser(issuerUrl, origin, handle)

  expect((await ours.signUp()).status).toBe(200)
  for (const client of [ours, theirs]) {
    const call = (method: string, path: string, body?: unknown) =>
      browser(issuerUrl, origin, handle).send(method, path, body, { cookie: client.cookieHeader() })
    const { body: me } = await call('GET', '/api/me')
    expect(me.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await hasPassword(gateOf(sql), me.id)).toBe(true)
    expect(await listAddresses(gateOf(sql), me.email)).toHaveLength(1)
    await settleReset(gateOf(sql), me.id)
    expect((await call('GET', '/api/auth/get-session')).body.user.emailVerified).toBe(true)
    expect((await call('POST', '/api/tasks', { title: 'A task' })).status).toBe(201)
    expect((await call('GET', '/api/me/sessions')).body).toHaveLength(1)
    expect((await call('DELETE', '/api/me', { confirm: me.id })).body).toEqual({
      id: me.id,
      tasks: 1,
      account: true,
    })
  }
})

test('knows users whose ids are none of those, beside ids that are uuid', async () => {
  const sql = await database()
  await (await getMigrations(optionsFor(sql, true))).runMigrations()
  await applySchema(sql, schemaFiles)
  const handle = appOn(sql)
  for (const id of ['alice', 'not-a-uuid-0', '00000000-0000-0000-0000-00000000000']) {
    const authorization = `Bearer ${await sign({ sub: id })}`
    const call = (method: string, path: string, body?: unknown) =>
      browser(issuerUrl, origin, handle).send(method, path, body, { authorization })

    expect((await call('POST', '/api/tasks', { title: 'A task' })).status).toBe(201)
    expect((await call('GET', '/api/me')).body).toMatchObject({ id, email: null })
    expect((await call('GET', '/api/me/sessions')).body).toEqual([])
    expect((await call('DELETE', `/api/me/sessions/${id}`)).status).toBe(404)
    expect((await call('DELETE', '/api/me', { confirm: id })).body).toEqual({
      id,
      tasks: 1,
      account: false,
    })
  }
})

test('deletes what belongs to an account when Better Auth deletes it', async () => {
  const sql = await database()
  await applySchema(sql, schemaFiles)
  const frontend = betterAuth({ ...optionsFor(sql), logger: { disabled: true } })
  const ann = browser(issuerUrl, issuerUrl, frontend.handler)
  const kim = browser(issuerUrl, issuerUrl, frontend.handler)
  const handle = appOn(sql)
  for (const client of [ann, kim]) {
    await client.signUp()
    const created = await browser(issuerUrl, origin, handle).send(
      'POST',
      '/api/tasks',
      { title: 'A task' },
      { cookie: client.cookieHeader() },
    )
    expect(created.status).toBe(201)
  }

  const deleted = await ann.send('POST', '/api/auth/delete-user', {
    password: 'correct horse battery',
  })

  expect(deleted.status).toBe(200)
  expect(await sql`select id from users`).toHaveLength(1)
  expect(await sql`select id from tasks`).toHaveLength(1)
  const [owner] = await sql<
    { is_kim: boolean }[]
  >`select "user".id = users.id as is_kim from "user", users`
  expect(owner?.is_kim).toBe(true)
})

test('keeps users of other issuers, who have no account', async () => {
  const sql = await database()
  await applySchema(sql, schemaFiles)
  await sql`insert into users (id) values ('https://other.example|7')`

  await sql`delete from "user"`

  expect(await sql`select id from users`).toHaveLength(1)
})

test('refuses a table of the same name that is something else', async () => {
  const sql = await database()
  await sql.unsafe('create table "user" (id integer primary key, login text)')

  const message = await applySchema(sql, schemaFiles).then(
    () => 'nothing was wrong',
    (error: Error) => error.message,
  )

  expect(message).toContain('002_better_auth')
  expect(message).toContain('not one of Better Auth')
})

test('rolls back a transaction, and goes on', async () => {
  const sql = await database()
  await applySchema(sql, schemaFiles)
  const { adapter } = await betterAuth(optionsFor(sql)).$context
  const create = (id: string) => ({
    model: 'verification',
    forceAllowId: true,
    data: { id, identifier: id, value: 'x', expiresAt: new Date('2030-01-01T00:00:00Z') },
  })

  const failed = await adapter
    .transaction(async (transaction) => {
      await transaction.create(create('a'))
      await transaction.create(create('a'))
    })
    .then(
      () => 'nothing was wrong',
      (error: Error) => error.message,
    )
  expect(failed).toContain('duplicate key')
  await adapter.transaction((transaction) => transaction.create(create('b')))

  const rows = await adapter.findMany<{ id: string; expiresAt: Date }>({ model: 'verification' })
  expect(rows.map(({ id }) => id)).toEqual(['b'])
  expect(rows[0]?.expiresAt).toEqual(new Date('2030-01-01T00:00:00Z'))
})
