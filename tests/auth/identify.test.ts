import { expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { pino } from 'pino'
import { createIdentify } from '../../src/auth/identify.ts'
import { app, auth, createTestApp, db, issuerOptions, origin, send, sign } from '../support/app.ts'
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

const named = (name: string, value: string) => `${name}=${value}`
const [, live = ''] = /=(.*)$/.exec(cookie) ?? []
const usual = 'better-auth.session_token'

test.each([
  [named(`__Secure-${usual}`, 'stale.x'), named(usual, live)],
  [named(usual, live), named(`__Secure-${usual}`, 'stale.x')],
  [named(usual, 'stale.x'), named(usual, live)],
  [named(usual, 'stale.x'), named(`__Secure-${usual}`, live)],
  [named(`__Secure-${usual}`, 'a.b'), named(usual, 'c.d'), named(usual, live)],
  [named(`__Secure-${usual}`, 'unsigned'), named(usual, live)],
  [named(`${usual}.0`, live.slice(0, 20)), named(`${usual}.1`, live.slice(20))],
])('of several session cookies the live one counts: %s; %s', async (...cookies) => {
  const headers = { cookie: cookies.join('; '), origin }

  expect((await send('GET', '/api/me', { headers })).body).toMatchObject({ id: me.id })
  expect((await write(headers)).status).toBe(201)
})

test('of several session cookies the live one counts, but not behind any number', async () => {
  const stale = Array.from({ length: 20 }, (_, index) => named(usual, `stale${index}.x`))
  const headers = { cookie: [...stale, named(usual, live)].join('; ') }

  expect((await send('GET', '/api/me', { headers })).status).toBe(401)
})

test.each(['acme', 'my-app', 'app.v2_x'])('knows the cookies of the prefix %p', async (prefix) => {
  const other = createTestApp({
    auth: { ...auth, cookiePrefix: prefix },
    issuer: () => ({ ...issuerOptions, cookiePrefix: prefix }),
  })
  const bob = browser('http://localhost', origin, (request) => other.handle(request))

  await bob.signUp()
  const own = await bob.send('GET', '/api/me')
  const usually = await other.handle(
    new Request('http://localhost/api/me', { headers: { cookie } }),
  )
  const document = await bob.send('GET', '/swagger/json')

  expect([...bob.cookies.keys()]).toEqual([`${prefix}.session_token`])
  expect([own.status, usually.status]).toEqual([200, 401])
  expect(document.body.components.securitySchemes.session.name).toBe(`${prefix}.session_token`)
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

test('a cookie writes from a page of the same origin, where the browser says that it is one', async () => {
  const own = { cookie, host: 'docket.example', origin: 'https://docket.example' }

  expect((await write({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(201)
  for (const site of ['same-site', 'cross-site', 'none', '']) {
    expect((await write({ ...own, 'sec-fetch-site': site })).status).toBe(401)
  }
  // Over http it does not say so: it is the host that counts.
  expect((await write({ ...own, origin: 'http://docket.example' })).status).toBe(201)
  for (const other of [
    'http://docket.example:81',
    'http://evil.example',
    'null',
    'file://',
    'http://x@docket.example',
    'http://docket.example/',
    'ws://docket.example',
    'chrome-extension://docket.example',
  ]) {
    expect((await write({ ...own, origin: other })).status).toBe(401)
  }
})

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

test.each([
  ['HS512', 'only HS256, EdDSA, Ed25519, ES256, ES384, ES512, PS256'],
  ['HS384', 'only HS256'],
  ['ES256K', 'only HS256'],
  ['none', 'only HS256'],
])('says of a token signed with %s what is taken', async (alg, why) => {
  expect(await warningsOf(`${encode({ alg })}.${encode({ sub: 'alice' })}.AAAA`)).toEqual([
    expect.stringContaining(`A token signed with ${alg} was refused: ${why}`),
  ])
})

test('says of a token of the issuer what it has to carry', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES512', { extractable: true })
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES512', kid: 'k' }]
  using server = Bun.serve({ port: 0, fetch: () => Response.json({ keys }) })
  const jwksUrl = `http://user:secret@localhost:${server.port}/jwks`
  const tokenOf = (claims: Record<string, unknown>, expires: string) =>
    new SignJWT({ sub: 'alice', ...claims })
      .setProtectedHeader({ alg: 'ES512', kid: 'k' })
      .setExpirationTime(expires)
      .sign(privateKey)

  const issuer = 'https://app.example.com'
  const [line = ''] = await warningsOf(await tokenOf({ iss: issuer, aud: issuer }, '5m'), jwksUrl)
  const late = await warningsOf(await tokenOf({ iss: issuer, aud: issuer }, '-5m'), jwksUrl)

  expect(line).toContain(`http://localhost:${server.port}/jwks`)
  for (const word of ['ES512', 'JWT_ISSUER', 'JWT_AUDIENCE']) expect(line).toContain(word)
  for (const word of [issuer, 'secret', 'alice']) expect(line).not.toContain(word)
  expect(late).toEqual([])
})

test.each([{ alg: 'the name of nothing' }, { alg: ['ES256'] }, { alg: 'HS2561' }, {}])(
  'says nothing of a token whose header is %j',
  async (header) => {
    expect(await warningsOf(`${encode(header)}.${encode({ sub: 'alice' })}.AAAA`)).toEqual([])
  },
)

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What the operator is told when somebody sends this token. */
async function warningsOf(token: string, jwksUrl: string | null = null): Promise<string[]> {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
  const headers = { authorization: `Bearer ${token}` }
  const identify = createIdentify(db, { ...auth, jwksUrl }, [], log)
  expect(await identify(new Request('http://localhost', { headers }))).toBeNull()
  return lines
}
