import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { newAccessToken } from '../../src/auth/access-tokens.ts'
import { app, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'

const day = 24 * 60 * 60 * 1000

const make = async (user: TestUser, body: object = {}) => {
  const answer = await user.send('POST', '/api/me/tokens', {
    name: 'Claude',
    scopes: ['tasks:write'],
    ...body,
  })
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.body
}

const as =
  ({ token }: { token: string }) =>
  (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    send(method, path, { headers: { authorization: `Bearer ${token}`, ...headers }, body })

test('is made, is shown once, and is listed without itself', async () => {
  const alice = await signUp()
  const before = Date.now()

  const answer = await alice.send('POST', '/api/me/tokens', {
    name: 'Claude',
    scopes: ['tasks:read'],
  })

  const { token, ...rest } = answer.body
  expect(answer.status).toBe(201)
  expect(answer.headers.get('location')).toBe(`/api/me/tokens/${rest.id}`)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(token).toMatch(/^dkt_pat_[0-9A-Za-z]{49}$/)
  expect(rest).toEqual({
    id: expect.any(String),
    name: 'Claude',
    scopes: ['tasks:read'],
    list_ids: null,
    hint: token.slice(-4),
    expires_at: expect.any(String),
    last_used_on: null,
    created_at: expect.any(String),
  })
  const life = Date.parse(rest.expires_at) - before
  expect(life).toBeGreaterThanOrEqual(90 * day - 1000)
  expect(life).toBeLessThan(90 * day + 60_000)
  const listed = await alice.send('GET', '/api/me/tokens')
  expect(listed.body).toEqual([rest])
  expect(listed.text).not.toContain(token)
  const [row] = await sql`select * from docket.access_tokens where user_id = ${alice.id}`
  expect(JSON.stringify(row)).not.toContain(token.slice(8, 40))
  expect(row?.['token_hash']).toBe(createHash('sha256').update(token).digest('hex'))
})

test.each([
  ['/name', { name: '' }],
  ['/name', { name: '\u200b' }],
  ['/scopes', { scopes: [] }],
  ['/scopes/0', { scopes: ['sign-in'] }],
  ['/scopes/0', { scopes: ['tasks:delete'] }],
  ['/scopes', { scopes: ['tasks:read', 'tasks:read'] }],
  ['/scopes', { scopes: 'tasks:read' }],
  ['/list_ids', { list_ids: [] }],
  ['/list_ids/0', { list_ids: ['home'] }],
  ['/expires_at', { expires_at: '2020-01-01T00:00:00Z' }],
  ['/expires_at', { expires_at: '2100-01-01T00:00:00Z' }],
  ['/expires_at', { expires_at: '2027-01-01' }],
  ['/expires_at', { expires_at: 'soon' }],
  ['/expires_at', { expires_at: '2027-02-30T00:00:00Z' }],
  ['/user_id', { user_id: 'bob' }],
])('refuses a wrong %s', async (pointer, body) => {
  const alice = await signUp()

  const answer = await alice.send('POST', '/api/me/tokens', {
    name: 'A',
    scopes: ['tasks:read'],
    ...body,
  })

  expectInvalid(answer, pointer)
})

test('never ends where that is said, and ends when it is to', async () => {
  const alice = await signUp()
  const forever = await make(alice, { expires_at: null })
  const ended = await make(alice)
  await sql`update docket.access_tokens set expires_at = now() where user_id = ${alice.id} and id = ${ended.id}`

  expect(forever.expires_at).toBe(null)
  expect((await as(forever)('GET', '/api/me')).body).toMatchObject({
    id: alice.id,
    signed_in_by: 'access_token',
    scopes: ['tasks:write'],
    list_ids: null,
    expires_at: null,
  })
  expect((await as(ended)('GET', '/api/me')).status).toBe(401)
})

test('is known on which day it was used, by one write a day', async () => {
  const alice = await signUp()
  const token = await make(alice)

  await as(token)('GET', '/api/tasks')
  const used = async () => (await alice.send('GET', '/api/me/tokens')).body[0].last_used_on
  while ((await used()) === null) await Bun.sleep(5)

  expect(await used()).toBe(new Date().toISOString().slice(0, 10))
})

test('is in the history under its name', async () => {
  const alice = await signUp()
  const token = await make(alice, { name: 'A robot' })
  const { body: task } = await as(token)('POST', '/api/tasks', { title: 'Made by it' })

  const { body: history } = await alice.send('GET', `/api/tasks/${task.id}/history`)

  expect(history[0].by).toEqual({ kind: 'token', name: 'A robot' })
})

test('has another secret when it is rotated, and none when it is deleted', async () => {
  const alice = await signUp()
  const first = await make(alice)
  const path = `/api/me/tokens/${first.id}`

  const { body: second } = await alice.send('POST', `${path}/rotate`)
  expect(second.token).not.toBe(first.token)
  expect(second).toMatchObject({ id: first.id, name: first.name, hint: second.token.slice(-4) })
  const life = ({ expires_at, created_at }: { expires_at: string; created_at: string }) =>
    Date.parse(expires_at) - Date.parse(created_at)
  // Of an instant the database knows microseconds.
  expect(Math.abs(life(second) - life(first))).toBeLessThanOrEqual(1)
  expect((await as(first)('GET', '/api/tasks')).status).toBe(401)
  expect((await as(second)('GET', '/api/tasks')).status).toBe(200)

  const { token: _token, ...rest } = second
  expect((await alice.send('DELETE', path)).body).toEqual({
    ...rest,
    last_used_on: expect.anything(),
  })
  expect((await as(second)('GET', '/api/tasks')).status).toBe(401)
  expect((await alice.send('DELETE', path)).status).toBe(404)
  expect((await alice.send('POST', `${path}/rotate`)).status).toBe(404)
  expect((await alice.send('DELETE', '/api/me/tokens/odd')).status).toBe(404)
})

test('is nothing to anybody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const token = await make(alice)

  expect((await bob.send('GET', '/api/me/tokens')).body).toEqual([])
  expect((await bob.send('DELETE', `/api/me/tokens/${token.id}`)).status).toBe(404)
  expect((await bob.send('POST', `/api/me/tokens/${token.id}/rotate`)).status).toBe(404)
  expect((await as(token)('GET', `/api/${bob.id}/tasks`)).status).toBe(403)
  expect((await as(token)('GET', `/api/${alice.id}/tasks`)).status).toBe(200)
})

test('is of no more than fifty', async () => {
  const alice = await signUp()
  for (let n = 0; n < 50; n += 1) await make(alice)

  const { status, body } = await alice.send('POST', '/api/me/tokens', {
    name: 'One more',
    scopes: ['tasks:read'],
  })

  expect([status, body.detail]).toEqual([422, 'You have 50 tokens already: delete one first.'])
})

test('is refused before the database is asked, if a character is wrong', async () => {
  const right = newAccessToken()
  const wrong = [
    right.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')),
    right.replace(/^dkt_pat_./, (start) => start.slice(0, -1) + (start.endsWith('0') ? '1' : '0')),
    right.slice(0, -1),
    `${right}0`,
    'dkt_',
    'dkt_pat_',
    `dkt_at_${right.slice(8)}`,
    right.toUpperCase(),
    `${right}.${right}.${right}`,
  ]

  for (const token of wrong) expect((await as({ token })('GET', '/api/me')).status).toBe(401)
  expect((await as({ token: right })('GET', '/api/me')).status).toBe(401)
})

test('is no cookie, and no guest', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { token } = await make(bob)

  const headers = {
    cookie: `better-auth.session_token=${token}; better-auth.session_data=${token}`,
  }
  expect((await send('GET', '/api/me', { headers })).status).toBe(401)
  expectInvalid(await alice.send('POST', '/api/me/adopt', { token }), '/token')
})

test('goes with its user', async () => {
  const alice = await signUp()
  const token = await make(alice)
  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect((await as(token)('GET', '/api/me')).status).toBe(401)
})

test('is for no list of anybody else, or in the trash', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { body: his } = await bob.send('POST', '/api/lists', { name: 'His' })
  const { body: gone } = await alice.send('POST', '/api/lists', { name: 'Gone' })
  await alice.send('DELETE', `/api/lists/${gone.id}`)

  for (const id of [his.id, gone.id, crypto.randomUUID()]) {
    const body = { name: 'A', scopes: ['tasks:read'], list_ids: [id] }
    expect((await alice.send('POST', '/api/me/tokens', body)).status).toBe(404)
  }
})

test('ends a stream of events when it is deleted', async () => {
  const alice = await signUp()
  const token = await make(alice, { scopes: ['tasks:read'] })
  const response = await app.handle(
    new Request('http://localhost/api/events', {
      headers: { authorization: `Bearer ${token.token}` },
    }),
  )
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  expect(response.status).toBe(200)

  await alice.send('DELETE', `/api/me/tokens/${token.id}`)

  // It has an end now.
  while (!(await reader.read()).done);
})
