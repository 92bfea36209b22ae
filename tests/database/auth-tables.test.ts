import { afterAll, afterEach, expect, test } from 'bun:test'
import { findAuthTables, type Wanted } from '../../src/database/auth-tables/find.ts'
import { forgetWithAccount } from '../../src/database/auth-tables/forget.ts'
import { canBeId, describeAuthTables } from '../../src/database/auth-tables/tables.ts'
import { schemaFiles, schemaFilesWithoutAccounts } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { emptyDatabase, type TestDatabase } from '../support/database.ts'

// Which tables are taken for Better Auth's. What its generators make, tests/frontends has.

const open: TestDatabase[] = []
async function database() {
  const created = await emptyDatabase()
  open.push(created)
  return created.sql
}
afterEach(async () => {
  for (const { close } of open.splice(0)) await close()
})

const shared = await emptyDatabase()
afterAll(() => shared.close())

const user =
  'id text primary key, name text, email text, "emailVerified" boolean, image text, "createdAt" timestamptz, "updatedAt" timestamptz'
const session =
  'id text primary key, token text, user_id text, expires_at timestamp, created_at timestamp, updated_at timestamp, ip_address text, user_agent text'
const usual: Wanted = { schema: 'docket', searchPath: ['public'], named: null, isIssuer: false }

/** Makes tables, and says which are found. */
async function find(tables: Record<string, string>, wanted: Partial<Wanted>) {
  const { sql } = shared
  for (const schema of ['public', 'auth', 'other', 'docket']) {
    await sql.unsafe(`drop schema if exists ${schema} cascade`)
    await sql.unsafe(`create schema ${schema}`)
  }
  for (const [name, columns] of Object.entries(tables)) {
    await sql.unsafe(`create table ${name} (${columns})`)
  }
  return findAuthTables(sql, { ...usual, ...wanted }).then(
    ({ tables: found }) => (found === null ? null : describeAuthTables(found)),
    (error: Error) => error.message,
  )
}

test.each<[string, Record<string, string>, Partial<Wanted>, string | null]>([
  ['nothing', {}, {}, null],
  [
    'what is on the search path',
    { 'public."user"': user, 'public.session': session },
    {},
    '"public"."user", "public"."session"',
  ],
  [
    'what is called otherwise',
    { 'public.app_members': user, 'public."Logins"': session },
    {},
    '"public"."app_members", "public"."Logins"',
  ],
  [
    'the first on the search path',
    {
      'public."user"': user,
      'public.session': session,
      'auth."user"': user,
      'auth.session': session,
    },
    { searchPath: ['auth', 'public'] },
    '"auth"."user", "auth"."session"',
  ],
  [
    'what is in no schema of the search path, if there is but one',
    { 'auth."user"': user, 'auth.session': session },
    { searchPath: [] },
    '"auth"."user", "auth"."session"',
  ],
  [
    'the usual name of several',
    { 'public."user"': user, 'public.contacts': user, 'public.session': session },
    {},
    '"public"."user", "public"."session"',
  ],
  ['users alone, which are anybody’s', { 'public."user"': user }, {}, null],
  [
    'users of another library, who have an instant of verification',
    {
      'public.people': user.replace('" boolean', '" timestamptz'),
      'public.sessions': session,
    },
    {},
    null,
  ],
  [
    'own accounts of before, where the issuer is on',
    {
      'public."user"': user,
      'public.session': session,
      'docket."user"': user,
      'docket.session': session,
    },
    { isIssuer: true },
    '"docket"."user", "docket"."session"',
  ],
  [
    'those of a frontend, where it is off',
    {
      'public."user"': user,
      'public.session': session,
      'docket."user"': user,
      'docket.session': session,
    },
    {},
    '"public"."user", "public"."session"',
  ],
  [
    'the schema that is named',
    {
      'public."user"': user,
      'public.session': session,
      'auth."user"': user,
      'auth.session': session,
    },
    { named: 'auth' },
    '"auth"."user", "auth"."session"',
  ],
  [
    'the tables that are named, and what is beside them',
    {
      'public."user"': user,
      'public.session': session,
      'public.members': user,
      'auth.logins': session,
    },
    { named: { user: 'members', session: 'auth.logins' } },
    '"public"."members", "auth"."logins"',
  ],
])('finds %s', async (_what, tables, wanted, expected) => {
  expect(await find(tables, wanted)).toBe(expected)
})

test.each<[string, Record<string, string>, Partial<Wanted>, string]>([
  [
    'several schemas',
    {
      'auth."user"': user,
      'auth.session': session,
      'other."user"': user,
      'other.session': session,
    },
    {},
    'in several schemas (auth, other)',
  ],
  [
    'several tables in one',
    { 'public."user"': user, 'public.logins': session, 'public.old_logins': session },
    {},
    'public.logins, public.old_logins',
  ],
  ['a schema without', {}, { named: 'auth' }, 'the schema auth has no tables'],
  ['a table that is not there', {}, { named: { user: 'members' } }, 'there is no table members'],
  [
    'a table that lacks something',
    { 'public.members': user.replace('name text, ', '') },
    { named: { user: 'members' } },
    "public.members lacks of Better Auth's user: name",
  ],
])('says what to do about %s', async (_what, tables, wanted, expected) => {
  const message = await find(tables, wanted)
  expect(message).toContain(expected)
  expect(message).toContain('AUTH_TABLES')
})

test('knows which ids can be one', async () => {
  const sql = await database()
  await sql.unsafe(`create table public."user" (${user})`)
  await sql.unsafe(`create table public.session (${session})`)
  const uuid = '0b0e3a0c-7c1f-4c52-9d3e-0a4d5f1b2c3d'
  const idsOf = async (type: string) => {
    await sql.unsafe(`alter table public."user" alter id type ${type} using null`)
    const { tables } = await findAuthTables(sql, usual)
    return ['alice', uuid, uuid.toUpperCase(), '7', '07', '2147483648', ' 7'].filter(
      (id) => tables !== null && canBeId(tables.user, id),
    )
  }

  await sql.unsafe('alter table public."user" drop constraint user_pkey')
  await sql.unsafe('alter table public."user" alter id drop not null')
  expect(await idsOf('text')).toHaveLength(7)
  expect(await idsOf('uuid')).toEqual([uuid])
  expect(await idsOf('bigint')).toEqual(['7', '2147483648'])
  expect(await idsOf('integer')).toEqual(['7'])
  expect(await idsOf('smallint')).toEqual(['7'])
  expect(await idsOf('numeric')).toEqual(['7', '2147483648'])
})

test('puts one trigger on the table of the users, however many look', async () => {
  const sql = await database()
  await applySchema(sql, schemaFilesWithoutAccounts)
  await sql.unsafe(`create table public."user" (${user})`)
  await sql.unsafe(`create table public.session (${session})`)
  const { tables } = await findAuthTables(sql, usual)
  if (tables === null) throw new Error('There are no tables.')

  const faults = await Promise.all([1, 2, 3].map(() => forgetWithAccount(sql, tables, 'docket')))
  await sql`insert into docket.users (id) values ('alice'), ('bob')`
  await sql`insert into public."user" (id) values ('alice')`
  await sql`delete from public."user"`

  expect(faults).toEqual([null, null, null])
  expect([...(await sql`select id from docket.users`)]).toEqual([{ id: 'bob' }])
  expect(
    await sql`select from pg_trigger where tgname = 'docket_forget_user' and not tgisinternal`,
  ).toHaveLength(1)
})

test("makes no tables where a frontend's are, and its own where there are none", async () => {
  const sql = await database()
  await applySchema(sql, schemaFilesWithoutAccounts)
  expect((await findAuthTables(sql, { ...usual, isIssuer: true })).tables).toBeNull()

  await applySchema(sql, schemaFiles)

  const { tables } = await findAuthTables(sql, { ...usual, isIssuer: true })
  expect(tables?.user.schema).toBe('docket')
})
