import { afterAll, expect, test } from 'bun:test'
import { getMigrations } from 'better-auth/db/migration'
import { authTables } from '../../src/auth/tables.ts'
import { findAuthTables } from '../../src/database/auth-tables/find.ts'
import { schemaFilesWithoutAccounts } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { auth, createTestApp, issuerUrl, secret, sign } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { emptyDatabase } from '../support/database.ts'
import { frontendAuth } from '../support/frontend-auth.ts'

// A frontend that makes its tables, and changes them, while the program runs.

const { sql, db, close } = await emptyDatabase()
afterAll(close)
await applySchema(sql, schemaFilesWithoutAccounts)
const wanted = { schema: 'docket', searchPath: ['public'], named: null, isIssuer: false }
let looks = 0
const look = () => {
  looks += 1
  return db.read(async (pool) => (await findAuthTables(pool, wanted)).tables)
}

/** The program, as it is after a start. */
const start = async (isFirst: boolean) =>
  createTestApp({
    db,
    auth: { ...auth, tables: authTables(isFirst ? null : await look(), look) },
    issuer: null,
  })
const frontend = frontendAuth({ secret, url: issuerUrl, algorithm: 'HS256', db, schema: 'public' })

const statusOf = async (app: Awaited<ReturnType<typeof start>>, cookie: string) =>
  (await app.handle(new Request('http://localhost/api/tasks', { headers: { cookie } }))).status

test('finds them when they are made after the start, and when they are changed', async () => {
  const early = await start(true)
  await (await getMigrations(frontend.options)).runMigrations()
  const ann = browser(issuerUrl, issuerUrl, frontend.handler)
  await ann.signUp()
  const cookie = ann.cookieHeader()

  expect(await statusOf(early, cookie)).toBe(200)

  const running = await start(false)
  expect(await statusOf(running, cookie)).toBe(200)
  await sql.unsafe('alter table public.session rename "expiresAt" to expires_at')
  looks = 0
  const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(running, cookie)))
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(looks).toBe(1)

  await sql.unsafe('alter table public.session rename to logins')
  expect(await statusOf(await start(false), cookie)).toBe(200)
})

test.each([
  ['GET', undefined, { email: expect.any(String) }],
  ['DELETE', { confirm: 'ann' }, { id: 'ann', account: true }],
])(
  'finds them when they are changed for who comes by a token: %s',
  async (method, body, expected) => {
    await sql`
    insert into public."user" (id, name, email, "emailVerified")
    values ('ann', 'Ann', 'ann@example.com', true)
    on conflict do nothing`
    const running = await start(false)
    await sql.unsafe('alter table public."user" rename to members')
    const headers = { authorization: `Bearer ${await sign({ sub: 'ann' })}` }

    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await running.handle(
      new Request('http://localhost/api/me', {
        method,
        headers: { ...headers, 'content-type': 'application/json' },
        ...init,
      }),
    )

    expect(await response.json()).toMatchObject(expected)
    await sql.unsafe('alter table public.members rename to "user"')
  },
)

test('looks again where a right was lost', async () => {
  const first = await look()
  const tables = authTables(first, look)

  const found = await tables.within(db, async (now) => {
    if (now === first) await sql`do $$ begin raise exception 'no' using errcode = '42501'; end $$`
    return now
  })

  expect(found).toEqual(first)
  expect(found).not.toBe(first)
})

test('says of a session that it may not end that it is so', async () => {
  const found = await look()
  if (found?.session == null) throw new Error('There are no sessions.')
  const tables = { ...found, session: { ...found.session, mayDelete: false } }
  const app = createTestApp({
    db,
    auth: { ...auth, tables: authTables(tables, async () => tables) },
    issuer: null,
  })

  const { status } = await app.handle(
    new Request('http://localhost/api/me/sessions/any', {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await sign({ sub: 'ann' })}` },
    }),
  )

  expect(status).toBe(403)
})

test('looks once for many who ask where there are none', async () => {
  const none = createTestApp({
    db,
    auth: {
      ...auth,
      tables: authTables(null, async () => {
        looks += 1
        return null
      }),
    },
    issuer: null,
  })
  looks = 0

  const statuses = await Promise.all(
    Array.from({ length: 20 }, () => statusOf(none, 'better-auth.session_token=a.b')),
  )
  const bare = await Promise.all(
    Array.from({ length: 20 }, () =>
      none.handle(
        new Request('http://localhost/api/tasks', {
          headers: { authorization: `Bearer ${'a'.repeat(32)}` },
        }),
      ),
    ),
  )

  expect(new Set([...statuses, ...bare.map(({ status }) => status)])).toEqual(new Set([401]))
  expect(looks).toBe(1)
})
