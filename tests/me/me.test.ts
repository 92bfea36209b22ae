import { expect, test } from 'bun:test'
import { app, issuerUrl, origin, send, sign, signUp, sql } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { list } from '../support/tasks.ts'

async function account() {
  const client = browser(issuerUrl, origin, (request) => app.handle(request))
  const email = `${crypto.randomUUID()}@example.com`
  await client.signUp(email)
  const authorization = `Bearer ${await client.token()}`
  // Through `send` of the tests: every answer is held against the document.
  const call = (method: string, path: string, body?: unknown) =>
    send(method, path, { headers: { cookie: client.cookieHeader(), origin }, body })
  const { body: me } = await call('GET', '/api/me')
  return { client, email, authorization, call, me }
}

test('says who a session is, and until when', async () => {
  const { me, email } = await account()

  expect(me).toEqual({
    id: expect.any(String),
    name: 'Ann',
    email,
    signed_in_by: 'session',
    scopes: ['tasks:read', 'tasks:write', 'account', 'sign-in'],
    list_ids: null,
    session_id: expect.any(String),
    expires_at: expect.any(String),
    time_zone: null,
    quota: { tasks: null, bytes: null },
    usage: { tasks: 0, bytes: 0 },
  })
  expect((Date.parse(me.expires_at) - Date.now()) / 86_400_000).toBeCloseTo(7, 1)
})

test('says who a token is, with what the database knows of its account', async () => {
  const { me, authorization } = await account()

  const { body } = await send('GET', '/api/me', { headers: { authorization } })

  expect((Date.parse(body.expires_at) - Date.now()) / 60_000).toBeCloseTo(15, 0)
  expect(body).toEqual({ ...me, signed_in_by: 'token', expires_at: body.expires_at })
})

test('says of a user of another issuer what the token says', async () => {
  const told = await sign({ sub: 'https://other.example|7', name: 'Kim', email: 'kim@example.com' })
  const silent = await signUp()

  const one = await send('GET', '/api/me', { headers: { authorization: `Bearer ${told}` } })
  const other = await silent.send('GET', '/api/me')

  expect(one.body).toMatchObject({
    id: 'https://other.example|7',
    name: 'Kim',
    email: 'kim@example.com',
  })
  expect(other.body).toMatchObject({ id: silent.id, name: null, email: null, session_id: null })
})

test('lists the sessions of the caller, without their tokens', async () => {
  const { call, client, email, me } = await account()
  await account()
  const second = browser(issuerUrl, origin, (request) => app.handle(request))
  await second.signIn(email)

  const { status, body, text } = await call('GET', '/api/me/sessions')

  expect(status).toBe(200)
  expect(body).toHaveLength(2)
  expect(body[1].id).toBe(me.session_id)
  for (const browsing of [client, second]) {
    const token = browsing.cookies.get('better-auth.session_token')?.split('.')[0] ?? ''
    expect(token).toHaveLength(32)
    expect(text).not.toContain(token)
  }
  expect((await (await signUp()).send('GET', '/api/me/sessions')).body).toEqual([])
})

test('says of what never ends a time that can be said', async () => {
  const { call, me } = await account()
  await sql.unsafe(`update docket.session set "expiresAt" = 'infinity' where id = $1`, [
    me.session_id,
  ])

  const { body } = await call('GET', '/api/me')

  expect(body.expires_at).toBe('9999-12-31T23:59:59+00:00')
})

test('ends a session at once', async () => {
  const { call, email } = await account()
  const second = browser(issuerUrl, origin, (request) => app.handle(request))
  await second.signIn(email)
  const { body: other } = await second.send('GET', '/api/me')

  const ended = await call('DELETE', `/api/me/sessions/${other.session_id}`)

  expect(ended.status).toBe(200)
  expect(ended.body.id).toBe(other.session_id)
  expect((await second.send('GET', '/api/tasks')).status).toBe(401)
  expect((await call('GET', '/api/me/sessions')).body).toHaveLength(1)
  expect((await call('DELETE', `/api/me/sessions/${other.session_id}`)).status).toBe(404)
})

test("answers 404 to somebody else's session as to none", async () => {
  const ann = await account()
  const kim = await account()

  const answers = await Promise.all(
    [ann.me.session_id, crypto.randomUUID(), 'x', '%00', '%ff'].map((id) =>
      kim.call('DELETE', `/api/me/sessions/${id}`),
    ),
  )

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404])
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect((await ann.call('GET', '/api/me')).status).toBe(200)
})

test('deletes nothing without the own id as confirmation', async () => {
  const { call, me } = await account()
  await call('POST', '/api/tasks', { title: 'A task' })

  for (const body of [
    { confirm: 'yes' },
    { confirm: '' },
    {},
    { confirm: me.id, x: 1 },
    { confirm: true },
  ]) {
    const refused = await call('DELETE', '/api/me', body)
    expect(refused.status).toBe(422)
  }
  expect((await call('DELETE', '/api/me')).status).toBe(422)
  expect((await call('GET', '/api/tasks')).body).toHaveLength(1)
})

test('deletes everything of the caller, and of nobody else', async () => {
  const { call, me, email } = await account()
  const other = await signUp()
  const kept = await other.create()
  const { body: trashed } = await call('POST', '/api/tasks', { title: 'One' })
  await call('DELETE', `/api/tasks/${trashed.id}`)
  await call('POST', '/api/tasks', { title: 'Another' })

  const deleted = await call('DELETE', '/api/me', { confirm: me.id })

  expect(deleted.body).toEqual({ id: me.id, tasks: 2, account: true })
  for (const table of [
    'docket."user" where id',
    'docket."session" where "userId"',
    'docket."account" where "userId"',
    'docket.users where id',
    'docket.tasks where user_id',
  ]) {
    expect(await sql.unsafe(`select from ${table} = $1`, [me.id])).toHaveLength(0)
  }
  expect((await call('GET', '/api/me')).status).toBe(401)
  expect(
    (await browser(issuerUrl, origin, (request) => app.handle(request)).signIn(email)).status,
  ).toBe(401)
  expect(await list(other)).toEqual([kept])
})

test('deletes what a user of another issuer has here', async () => {
  const alice = await signUp()
  await alice.create()

  const deleted = await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect(deleted.body).toEqual({ id: alice.id, tasks: 1, account: false })
  expect(await list(alice)).toEqual([])
})

test('keeps where somebody is, who need not have anything else', async () => {
  const alice = await signUp()
  const zone = async () => (await alice.send('GET', '/api/me')).body.time_zone

  expect(await zone()).toBeNull()
  const { status, body } = await alice.send('PATCH', '/api/me', { time_zone: 'europe/berlin' })
  expect([status, body.id, body.time_zone]).toEqual([200, alice.id, 'Europe/Berlin'])
  expect(await zone()).toBe('Europe/Berlin')
  await alice.create()
  expect(await zone()).toBe('Europe/Berlin')
  for (const time_zone of ['CET', 'Europe/Atlantis', '', 1]) {
    const refused = await alice.send('PATCH', '/api/me', { time_zone })
    expect(refused.status).toBe(422)
    expect(refused.body.errors[0].pointer).toBe('/time_zone')
  }
  expect((await alice.send('PATCH', '/api/me', {})).status).toBe(422)
  expect((await alice.send('PATCH', '/api/me', { name: 'Bob' })).status).toBe(422)
  expect(await zone()).toBe('Europe/Berlin')
  expect((await alice.send('PATCH', '/api/me', { time_zone: null })).body.time_zone).toBeNull()
  expect(await zone()).toBeNull()
})
