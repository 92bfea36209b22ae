import { expect, test } from 'bun:test'
import { generateKeyPair, SignJWT } from 'jose'
import { pino } from 'pino'
import { createIdentify } from '../../src/auth/identify.ts'
import { app, auth, db, origin, send, sign } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'

const ann = browser('http://localhost', origin, (request) => app.handle(request))
await ann.signUp()
const cookie = ann.cookieHeader()
const { body: me } = await ann.send('GET', '/api/me')

const write = (headers: Record<string, string>) =>
  send('POST', '/api/tasks', { headers, body: { title: 'A task' } })

test('an Authorization header wins over cookies', async () => {
  const authorization = `Bearer ${await sign({ sub: 'bob' })}`

  const answer = await send('GET', '/api/me', { headers: { authorization, cookie } })

  expect(answer.body).toMatchObject({ id: 'bob', signed_in_by: 'token' })
})

test('a session wins over its copy', async () => {
  const copy = await sign({
    user: { id: 'bob' },
    session: { id: 's', userId: 'bob', expiresAt: new Date(Date.now() + 60_000) },
  })
  const both = `better-auth.session_data=${copy}; ${cookie}`

  const answer = await send('GET', '/api/me', { headers: { cookie: both } })

  expect(answer.body).toMatchObject({ id: me.id, signed_in_by: 'session' })
})

test('the copy counts where the sessions are in another database', async () => {
  const copy = await sign({
    user: { id: 'bob' },
    session: { id: 's', userId: 'bob', expiresAt: new Date(Date.now() + 60_000) },
  })
  const both = `better-auth.session_token=of.elsewhere; better-auth.session_data=${copy}`
  const request = new Request('http://localhost', { headers: { cookie: both } })
  const log = pino({ level: 'silent' })

  expect(await createIdentify(db, auth, [], log)(request)).toBeNull()
  expect(await createIdentify(db, { ...auth, hasSessions: false }, [], log)(request)).toMatchObject(
    {
      id: 'bob',
      by: 'session_cache',
    },
  )
})

test('a cookie writes from the pages of allowed origins', async () => {
  expect((await write({ cookie, origin })).status).toBe(201)
})

test.each([undefined, '', 'null', 'https://evil.example', 'https://app.example.evil.example'])(
  'a cookie writes nothing from %p',
  async (from) => {
    const headers = { cookie, ...(from === undefined ? {} : { origin: from }) }

    const answer = await write(headers)
    const nothing = await send('POST', '/api/tasks')

    expect(answer.status).toBe(401)
    expect(answer.text).toBe(nothing.text)
    for (const [method, path] of [
      ['DELETE', '/api/me'],
      ['DELETE', `/api/me/sessions/${me.session_id}`],
      ['PATCH', `/api/tasks/${crypto.randomUUID()}`],
    ] as const) {
      expect((await send(method, path, { headers })).status).toBe(401)
    }
    expect((await send('GET', '/api/tasks', { headers })).status).toBe(200)
  },
)

test('a header writes from anywhere', async () => {
  const authorization = `Bearer ${await sign({ sub: 'bob' })}`

  expect((await write({ authorization })).status).toBe(201)
  expect((await write({ authorization, origin: 'https://evil.example' })).status).toBe(201)
})

test('tells the operator once what to do about tokens of another algorithm, and nothing of them', async () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
  const identify = createIdentify(db, auth, [], log)
  const { privateKey } = await generateKeyPair('EdDSA')
  const token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k' })
    .setExpirationTime('5m')
    .sign(privateKey)
  const request = () =>
    new Request('http://localhost', { headers: { authorization: `Bearer ${token}` } })

  expect(await identify(request())).toBeNull()
  expect(await identify(request())).toBeNull()

  expect(lines).toHaveLength(1)
  for (const word of ['EdDSA', 'AUTH_JWKS_URL', 'jwks']) expect(lines[0]).toContain(word)
  for (const part of token.split('.')) expect(lines[0]).not.toContain(part)
})
