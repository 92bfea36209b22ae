import { afterEach, expect, test } from 'bun:test'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer, genericOAuth, jwt } from 'better-auth/plugins'
import { pino } from 'pino'
import { authorizationServer } from '../../src/auth/authorization-server.ts'
import { dialectOf } from '../../src/auth/issuer-database.ts'
import { listAddresses } from '../../src/auth/queries.ts'
import { authTables } from '../../src/auth/tables.ts'
import { forgetWithAccount } from '../../src/database/auth-tables/forget.ts'
import type { AuthTables } from '../../src/database/auth-tables/tables.ts'
import type { Sql } from '../../src/database/connect.ts'
import { schemaFilesWithoutAccounts } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import {
  auth,
  createTestApp,
  issuerOptions,
  issuerUrl,
  origin,
  secret,
  sign,
} from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import {
  accountsIn,
  emptyDatabase,
  gateOf,
  layOut,
  type TestDatabase,
} from '../support/database.ts'
import { frontendAuth } from '../support/frontend-auth.ts'
import { startProvider } from '../support/provider.ts'

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

const optionsFor = (sql: Sql, schemaName: string, uuid = false, hasPrograms = false) => ({
  secret,
  baseURL: issuerUrl,
  database: {
    dialect: dialectOf(gateOf(sql)),
    type: 'postgres' as const,
    schemaName,
    transaction: true,
  },
  emailAndPassword: { enabled: true },
  plugins: [
    bearer(),
    jwt(),
    genericOAuth({ config: [] }),
    ...(hasPrograms ? [authorizationServer(issuerUrl)] : []),
  ],
  user: { deleteUser: { enabled: true } },
  ...(uuid ? { advanced: { database: { generateId: 'uuid' as const } } } : {}),
})

async function pending(sql: Sql, schema: string, hasPrograms = false): Promise<string[]> {
  const { toBeCreated, toBeAdded, toBeAddedIndexes } = await getMigrations(
    optionsFor(sql, schema, false, hasPrograms),
  )
  return [...toBeCreated, ...toBeAdded, ...toBeAddedIndexes].map(({ table }) => table)
}

/** A database in which a frontend's Better Auth was first, and its tables. */
async function frontendDatabase(uuid = false): Promise<{ sql: Sql; tables: AuthTables }> {
  const sql = await database()
  await (await getMigrations(optionsFor(sql, 'public', uuid))).runMigrations()
  await applySchema(sql, schemaFilesWithoutAccounts)
  const tables = await accountsIn(sql)
  await forgetWithAccount(sql, tables, 'docket')
  return { sql, tables }
}

test('writes nothing of what a user typed into the log', async () => {
  const { sql, tables } = await frontendDatabase()
  const lines: string[] = []
  const handle = appOn(sql, tables, {
    log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }),
  })

  const { status } = await handle(
    new Request(`${issuerUrl}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { origin: issuerUrl, 'content-type': 'application/json' },
      body: JSON.stringify({
        email: 'ann@example.com',
        password: 'correct horse',
        callbackURL: 'https://typed.example/x',
      }),
    }),
  )

  expect(status).toBe(403)
  expect(lines).toHaveLength(1)
  expect(lines.join()).not.toContain('typed')
})

/** The program on this database, with the issuer on. */
function appOn(sql: Sql, tables: AuthTables, more: Partial<typeof issuerOptions> = {}) {
  const app = createTestApp({
    db: gateOf(sql),
    auth: { ...auth, tables: authTables(tables, async () => tables) },
    issuer: () => ({ ...issuerOptions, hasPrograms: false, db: gateOf(sql), tables, ...more }),
    programs: null,
  })
  return (request: Request) => app.handle(request)
}

const tablesOf = async (sql: Sql, schema: string): Promise<unknown> =>
  sql`
    select table_name, column_name, data_type, is_nullable, column_default
    from information_schema.columns
    where table_schema = ${schema}
      and (table_name in ('user', 'session', 'account', 'verification', 'jwks') or table_name like 'oauth%')
    order by table_name, ordinal_position`.then((rows) => [...rows])

const indexesOf = async (sql: Sql, schema: string): Promise<unknown> =>
  sql`
    select replace(indexdef, schemaname || '.', '') as definition
    from pg_indexes
    where schemaname = ${schema}
      and (tablename in ('user', 'session', 'account', 'verification', 'jwks') or tablename like 'oauth%')
    order by 1`.then((rows) => [...rows])

test("leaves Better Auth's migrator nothing to do, and makes what it would have made", async () => {
  const ours = await database()
  const theirs = await database()

  await layOut(ours)
  expect(await pending(theirs, 'public', true)).not.toBeEmpty()
  await (await getMigrations(optionsFor(theirs, 'public', false, true))).runMigrations()

  expect(await pending(ours, 'docket', true)).toEqual([])
  expect(await tablesOf(ours, 'docket')).toEqual(await tablesOf(theirs, 'public'))
  expect(await indexesOf(ours, 'docket')).toEqual(await indexesOf(theirs, 'public'))
})

test("is harmless where a frontend's Better Auth was here first", async () => {
  const { sql, tables } = await frontendDatabase()
  const before = await tablesOf(sql, 'public')
  const frontend = frontendAuth({
    secret,
    url: issuerUrl,
    algorithm: 'HS256',
    db: gateOf(sql),
    schema: 'public',
  })
  const ann = browser(issuerUrl, issuerUrl, frontend.handler)
  await ann.signUp()

  expect(await tablesOf(sql, 'public')).toEqual(before)
  expect(await tablesOf(sql, 'docket')).toEqual([])
  expect(await pending(sql, 'public')).toEqual([])
  const asked = browser(issuerUrl, origin, appOn(sql, tables))
  const listed = await asked.send('GET', '/api/tasks', undefined, { cookie: ann.cookieHeader() })
  expect(listed.status).toBe(200)
})

test('works with ids that are uuid, as a frontend made them', async () => {
  const { sql, tables } = await frontendDatabase(true)
  const frontend = frontendAuth({
    secret,
    url: issuerUrl,
    algorithm: 'HS256',
    db: gateOf(sql),
    schema: 'public',
    uuid: true,
  })
  const theirs = browser(issuerUrl, issuerUrl, frontend.handler)
  await theirs.signUp()
  const handle = appOn(sql, tables)
  const ours = browser(issuerUrl, origin, handle)

  expect((await ours.signUp()).status).toBe(200)
  for (const client of [ours, theirs]) {
    const call = (method: string, path: string, body?: unknown) =>
      browser(issuerUrl, origin, handle).send(method, path, body, { cookie: client.cookieHeader() })
    const { body: me } = await call('GET', '/api/me')
    expect(me.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await listAddresses(gateOf(sql), tables, me.email)).toHaveLength(1)
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
  const { sql, tables } = await frontendDatabase(true)
  const handle = appOn(sql, tables)
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
  const { sql, tables } = await frontendDatabase()
  const frontend = betterAuth({ ...optionsFor(sql, 'public'), logger: { disabled: true } })
  const ann = browser(issuerUrl, issuerUrl, frontend.handler)
  const kim = browser(issuerUrl, issuerUrl, frontend.handler)
  const handle = appOn(sql, tables)
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
  expect(await sql`select id from docket.users`).toHaveLength(1)
  expect(await sql`select id from docket.tasks`).toHaveLength(1)
  const [owner] = await sql<
    { is_kim: boolean }[]
  >`select u.id = owner.id as is_kim from public."user" u, docket.users owner`
  expect(owner?.is_kim).toBe(true)
})

test('gives an account to who has its address, whatever the tables are like', async () => {
  const sql = await database()
  await sql.unsafe(`
    create table public.people (id bigint generated by default as identity primary key, name text not null, email text not null unique,
      email_verified boolean not null, image text, created_at timestamptz not null, updated_at timestamptz not null);
    create table public.logins (id bigint generated by default as identity primary key, expires_at timestamptz not null, token text not null unique,
      created_at timestamptz not null, updated_at timestamptz not null, ip_address text, user_agent text, user_id bigint not null);
    create table public.keys (id bigint generated by default as identity primary key, account_id text not null, provider_id text not null,
      user_id bigint not null, access_token text, refresh_token text, id_token text, access_token_expires_at timestamptz,
      refresh_token_expires_at timestamptz, scope text, password text, created_at timestamptz not null, updated_at timestamptz not null);
    create table public.proofs (id bigint generated by default as identity primary key, identifier text not null, value text not null,
      expires_at timestamptz not null, created_at timestamptz not null, updated_at timestamptz not null);`)
  await applySchema(sql, schemaFilesWithoutAccounts)
  const tables = await accountsIn(sql)
  const provider = await startProvider()
  const mails: { kind: string; url: string }[] = []
  using webhook = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      mails.push((await request.json()) as (typeof mails)[number])
      return new Response()
    },
  })
  const mail = { by: 'webhook' as const, address: webhook.url.href }
  const handle = appOn(sql, tables, { mail, oidc: provider.oidc })
  const newBrowser = () => browser(issuerUrl, origin, handle)
  const statusOf = async (client: Browser) => (await client.send('GET', '/api/tasks')).status
  const claims = { sub: 'kim', email: 'kim@example.com', email_verified: true }

  const squatter = newBrowser()
  expect((await squatter.signUp(claims.email)).status).toBe(200)
  expect(await statusOf(squatter)).toBe(200)
  const kim = newBrowser()
  await provider.signIn(kim, { claims }, origin)
  expect([await statusOf(squatter), await statusOf(kim)]).toEqual([401, 200])
  expect((await newBrowser().signIn(claims.email)).status).toBe(401)

  const other = newBrowser()
  const email = 'ann@example.com'
  await other.signUp(email)
  await newBrowser().send('POST', '/api/auth/request-password-reset', { email })
  const reset = () => mails.find(({ kind }) => kind === 'reset_password')
  while (reset() === undefined) await Bun.sleep(2)
  const token = new URL(reset()?.url ?? '').pathname.split('/').at(-1)
  const asked = { token, newPassword: 'another horse battery' }
  expect((await newBrowser().send('POST', '/api/auth/reset-password', asked)).status).toBe(200)
  expect(await statusOf(other)).toBe(401)
  expect((await newBrowser().signIn(email, asked.newPassword)).status).toBe(200)
  expect(await sql`select from public.people where email_verified`).toHaveLength(2)
  await provider.stop()
})

test('keeps users of other issuers, who have no account', async () => {
  const sql = await database()
  await layOut(sql)
  await sql`insert into docket.users (id) values ('https://other.example|7')`

  await sql`delete from docket."user"`

  expect(await sql`select id from docket.users`).toHaveLength(1)
})

test('rolls back a transaction, and goes on', async () => {
  const sql = await database()
  await layOut(sql)
  const { adapter } = await betterAuth(optionsFor(sql, 'docket')).$context
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
