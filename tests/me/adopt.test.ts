import { expect, test } from 'bun:test'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { anonymous, bearer } from 'better-auth/plugins'
import { dialectOf } from '../../src/auth/issuer-database.ts'
import { authTables } from '../../src/auth/tables.ts'
import { forgetWithAccount } from '../../src/database/auth-tables/forget.ts'
import { schemaFilesWithoutAccounts } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import {
  auth,
  createTestApp,
  issuerUrl,
  secret,
  sign,
  signUp,
  sql,
  type TestUser,
} from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { accountsIn, emptyDatabase } from '../support/database.ts'
import { faultsOf, readLog } from '../support/log.ts'

const tokenOf = (id: string) => sign({ sub: id })

test('makes all tasks of another one mine, the trash too, and once', async () => {
  const [ann, guest, other] = [await signUp(), await signUp(), await signUp()]
  const own = await ann.create({ title: 'Own' })
  const kept = await other.create()
  const first = await guest.create({ title: 'First', tags: ['home'], due_date: '2026-12-01' })
  const trashed = await guest.create({ title: 'Trashed' })
  await guest.send('DELETE', `/api/tasks/${trashed.id}`)
  const token = await tokenOf(guest.id)

  const adopted = await ann.send('POST', '/api/me/adopt', { token })
  const again = await ann.send('POST', '/api/me/adopt', { token })

  expect(adopted.body).toEqual({ id: ann.id, tasks: 2 })
  expect(again.body).toEqual({ id: ann.id, tasks: 0 })
  const { body: tasks } = await ann.send('GET', '/api/tasks?sort=title&order=asc')
  expect(tasks).toEqual([
    {
      ...first,
      user_id: ann.id,
      // After my own.
      position: 'i000000002',
      version: first.version + 1,
      updated_at: expect.any(String),
    },
    own,
  ])
  expect((await ann.send('GET', '/api/tasks?deleted=true')).body).toMatchObject([
    { id: trashed.id, title: 'Trashed' },
  ])
  expect((await guest.send('GET', '/api/tasks')).body).toEqual([])
  expect((await other.send('GET', '/api/tasks')).body).toEqual([kept])
  expect((await ann.send('GET', '/api/me')).body.usage.tasks).toBe(3)
})

test('loses none that has an id which I have already', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const { id } = await ann.create({ title: 'Mine' })
  await guest.create({ id, title: 'Of the guest' })

  const adopted = await ann.send('POST', '/api/me/adopt', { token: await tokenOf(guest.id) })

  expect(adopted.body.tasks).toBe(1)
  const { body: tasks } = await ann.send('GET', '/api/tasks')
  expect(tasks.map(({ title }: { title: string }) => title).toSorted()).toEqual([
    'Mine',
    'Of the guest',
  ])
  expect((await ann.send('GET', `/api/tasks/${id}`)).body.title).toBe('Mine')
})

test('a task that comes back is listed once, where it changed last', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const { id } = await guest.create({ title: 'There and back' })
  await guest.create({ title: 'Meanwhile' })
  const adopt = async (from: TestUser, to: TestUser) =>
    to.send('POST', '/api/me/adopt', { token: await tokenOf(from.id) })
  await adopt(guest, ann)
  await guest.create({ title: 'Later' })
  await adopt(ann, guest)
  await guest.create({ title: 'Last' })

  expect(faultsOf(await readLog(sql, [ann.id, guest.id]))).toEqual([])
  expect((await guest.send('GET', `/api/tasks/${id}`)).body).toMatchObject({ version: 3 })
  for (const page of ['', '&status=pending', '&q=a']) {
    const { body } = await guest.send('GET', `/api/tasks?sort=updated_at${page}`)
    expect(body.map(({ title }: { title: string }) => title)).toEqual([
      'Last',
      'Meanwhile',
      'There and back',
      'Later',
    ])
  }
})

test('many at the same moment are once', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  for (let n = 0; n < 20; n += 1) await guest.create({ title: `${n}` })
  const token = await tokenOf(guest.id)

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => ann.send('POST', '/api/me/adopt', { token })),
  )

  expect(answers.reduce((sum, { body }) => sum + body.tasks, 0)).toBe(20)
  expect((await ann.send('GET', '/api/tasks?limit=200')).body).toHaveLength(20)
})

test('moves more than go into one statement', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  await guest.create()
  await sql`
    insert into docket.tasks (user_id, id, title)
    select ${guest.id}, gen_random_uuid(), 'A task' from generate_series(1, 10000)`

  const adopted = await ann.send('POST', '/api/me/adopt', { token: await tokenOf(guest.id) })

  expect(adopted.body.tasks).toBe(10_001)
}, 60_000)

test('does nothing with a credential of my own', async () => {
  const ann = await signUp()
  await ann.create()

  const answer = await ann.send('POST', '/api/me/adopt', { token: await tokenOf(ann.id) })

  expect(answer.body).toEqual({ id: ann.id, tasks: 0 })
  expect((await ann.send('GET', '/api/tasks')).body).toHaveLength(1)
})

test.each([
  ['of nobody', 'abc'],
  ['with a space', 'a b'],
  ['of five parts', 'a.b.c.d.e'],
  ['with a scheme', 'Bearer abc'],
])('refuses a token %s', async (_what, token) => {
  const ann = await signUp()
  const answer = await ann.send('POST', '/api/me/adopt', { token })

  expect(answer.status).toBe(422)
  expect(answer.body.errors).toEqual([{ pointer: '/token', detail: 'is no credential of a guest' }])
})

test('refuses what is no body for it, an expired token, and a stranger', async () => {
  const ann = await signUp()
  for (const body of [{}, { token: '' }, { token: 7 }, { token: 'a', user_id: 'b' }]) {
    expect((await ann.send('POST', '/api/me/adopt', body)).status).toBe(422)
  }
  const token = await sign({ sub: 'guest' }, Math.floor(Date.now() / 1000) - 60)
  expect((await ann.send('POST', '/api/me/adopt', { token })).status).toBe(422)
  const stranger = { ...ann, id: 'x' }
  expect(
    (await stranger.send('POST', '/api/me/adopt', { token }, { authorization: 'Bearer x' })).status,
  ).toBe(401)
})

test('a guest of Better Auth keeps the tasks when the account is linked, and nobody else is one', async () => {
  const database = await emptyDatabase()
  const linked: unknown[] = []
  const options = {
    secret,
    baseURL: issuerUrl,
    database: {
      dialect: dialectOf(database.db),
      type: 'postgres' as const,
      schemaName: 'public',
      transaction: true,
    },
    emailAndPassword: { enabled: true },
    logger: { disabled: true },
    plugins: [
      bearer(),
      anonymous({
        // As docs/signing-in.md has it, over HTTP.
        onLinkAccount: async ({ anonymousUser, newUser }) => {
          const response = await call(newUser.session.token, 'POST', '/me/adopt', {
            token: anonymousUser.session.token,
          })
          linked.push(response.status)
        },
      }),
    ],
  }
  await (await getMigrations(options)).runMigrations()
  await applySchema(database.sql, schemaFilesWithoutAccounts)
  const tables = await accountsIn(database.sql, false)
  await forgetWithAccount(database.sql, tables, 'docket')
  const app = createTestApp({
    db: database.db,
    auth: { ...auth, tables: authTables(tables, async () => tables) },
    issuer: null,
  })
  const call = (token: string, method: string, path: string, body?: unknown) =>
    app.handle(
      new Request(`http://localhost/api${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    )
  const frontend = betterAuth(options)
  const guest = browser(issuerUrl, issuerUrl, frontend.handler)
  const { body: started } = await guest.send('POST', '/api/auth/sign-in/anonymous', {})
  expect((await call(started.token, 'POST', '/tasks', { title: 'Early' })).status).toBe(201)

  const { body: account } = await guest.signUp()

  expect(linked).toEqual([200])
  expect(await (await call(account.token, 'GET', '/tasks')).json()).toMatchObject([
    { title: 'Early', user_id: account.user.id },
  ])
  expect(await database.sql`select from public."user"`).toHaveLength(1)

  // An account is no guest, even to who has its credential.
  const other = browser(issuerUrl, issuerUrl, frontend.handler)
  const { body: second } = await other.signUp()
  const refused = await call(second.token, 'POST', '/me/adopt', { token: account.token })
  expect(refused.status).toBe(422)
  await database.close()
})
