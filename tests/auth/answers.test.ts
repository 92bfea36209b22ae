import { expect, test } from 'bun:test'
import { createAuthClient } from 'better-auth/client'
import { createAccounts } from '../../src/auth/accounts.ts'
import { createIssuer } from '../../src/auth/better-auth.ts'
import { endpoints, switchedOff } from '../../src/auth/endpoints.ts'
import { Unavailable } from '../../src/database/gate/faults.ts'
import type { Gate } from '../../src/database/gate/gate.ts'
import { clientAddresses } from '../support/addresses.ts'
import { app, createTestApp, db, issuerOptions, issuerUrl, origin } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'

const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
const password = 'correct horse battery'

/** Better Auth's own client, as a frontend has it. */
function client() {
  const forwarded = clientAddresses.next().value
  return createAuthClient({
    baseURL: `${issuerUrl}/api/auth`,
    fetchOptions: {
      customFetchImpl: async (input, init) => {
        const request = new Request(
          input instanceof Request ? input.url : input.toString(),
          init ?? {},
        )
        request.headers.set('origin', origin)
        request.headers.set('x-forwarded-for', forwarded)
        return app.handle(request)
      },
    },
  })
}

test('has every endpoint of Better Auth in the list, or switched off', async () => {
  const oidc = { discoveryUrl: 'http://127.0.0.1:1/', clientId: 'a', clientSecret: 'b' }
  const keys = { clientId: 'a', clientSecret: 'b' }
  const { endpoints: all } = await createIssuer(
    {
      ...issuerOptions,
      google: keys,
      github: keys,
      oidc,
      mail: { by: 'webhook', address: 'http://127.0.0.1:1/' },
    },
    createAccounts(async () => false),
  )
  const actual = all().filter(({ path }) => !switchedOff.includes(path))

  expect(endpoints.map(({ path }) => path).toSorted()).toEqual(
    actual.map(({ path }) => path).toSorted(),
  )
  // Only with an option, for providers that come back with a form, and where nobody would be asked for consent.
  const left = ['POST /get-session', 'POST /callback/:id', 'POST /oauth2/authorize']
  expect(endpoints.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
    actual
      .flatMap(({ path, methods }) => methods.map((method) => `${method} ${path}`))
      .filter((one) => !left.includes(one))
      .toSorted(),
  )
  expect(all().map(({ path }) => path)).toEqual(expect.arrayContaining(switchedOff))
})

const absent = [
  '/nope',
  '/nope/nope',
  '/',
  '//sign-in/email',
  '/sign-in//email',
  '/sign-in/email/more',
  '/SIGN-IN/email',
  '/sign%2din/email',
  '/sign-in/email%2f',
  '/callback',
  '/callback/a/b',
  '/reset-password/a.b',
  ...switchedOff,
]

test.each(absent)('%s is the usual 404, whatever the method', async (path) => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
    const { status, headers, body } = await open().send(method, `/api/auth${path}`)

    expect([method, status]).toEqual([method, 404])
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(body).toMatchObject({ type: 'about:blank', status: 404, code: 'not_found' })
    expect(body.detail).toContain('POST /api/auth/sign-in/email')
  }
})

test('says which method a path has', async () => {
  for (const [method, path, allow] of [
    ['GET', '/sign-in/email', 'POST'],
    ['DELETE', '/sign-out', 'POST'],
    ['POST', '/token', 'GET'],
    ['PUT', '/get-session', 'GET'],
    ['POST', '/callback/oidc', 'GET'],
  ] as const) {
    const { status, headers, body } = await open().send(method, `/api/auth${path}`)

    expect([path, status, headers.get('allow')]).toEqual([path, 405, allow])
    expect(body).toMatchObject({ status: 405, code: 'method_not_allowed' })
  }
})

test('answers with or without a slash at the end', async () => {
  expect((await open().send('GET', '/api/auth/ok/')).body).toEqual({ ok: true })
})

test('loads Better Auth for nothing that is not there', async () => {
  let asked = 0
  const other = createTestApp({
    issuer: () => {
      asked += 1
      return issuerOptions
    },
  })
  const stranger = browser(issuerUrl, origin, (request) => other.handle(request))

  for (const path of ['nope', 'a/b/c', 'sign-in', 'change-email', 'x'.repeat(10_000)]) {
    expect((await stranger.send('GET', `/api/auth/${path}`)).status).toBe(404)
  }
  expect((await stranger.send('GET', '/api/auth/sign-in/email')).status).toBe(405)
  expect((await stranger.send('POST', '/api/auth/sign-in/email', { email: '\0' })).status).toBe(400)

  expect(asked).toBe(0)
})

test("tells Better Auth's client what went wrong, as Better Auth would", async () => {
  const authClient = client()
  const email = `${crypto.randomUUID()}@example.com`
  const { data } = await authClient.signUp.email({ name: 'Ann', email, password })
  expect(data?.user).toMatchObject({ name: 'Ann', email })

  const wrong = await client().signIn.email({ email, password: 'a wrong password' })
  expect(wrong.error).toMatchObject({
    status: 401,
    code: 'INVALID_EMAIL_OR_PASSWORD',
    message: 'Invalid email or password',
    type: 'about:blank',
    detail: 'Invalid email or password.',
  })
  const taken = await client().signUp.email({ name: 'Ann', email, password })
  expect(taken.error).toMatchObject({
    status: 422,
    code: 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL',
  })
  const short = await client().signUp.email({ name: 'A', email: `a${email}`, password: 'short' })
  expect(short.error).toMatchObject({ status: 400, code: 'PASSWORD_TOO_SHORT' })
  const long = await client().signUp.email({ name: 'x'.repeat(300), email: `b${email}`, password })
  expect(long.error).toMatchObject({ status: 422, code: 'invalid' })
  expect(long.error?.message).toBe('name must have at most 200 characters.')
  expect((await client().signIn.email({ email, password })).error).toBeNull()
})

test('gives errors the headers of all others, and says what a browser may read', async () => {
  const answers = [
    await open().send('POST', '/api/auth/sign-in/email', { email: 'a@b.example', password }),
    await open().send('POST', '/api/auth/sign-in/email', {}),
    await open().send('GET', '/api/auth/token'),
    await open().send('GET', '/api/auth/nope'),
    await open().send(
      'POST',
      '/api/auth/sign-out',
      {},
      { origin: 'https://evil.example', cookie: 'a=b' },
    ),
  ]
  expect(answers.map(({ status }) => status)).toEqual([401, 400, 401, 404, 403])
  for (const { status, headers, body } of answers) {
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(body).toMatchObject({ status, request_id: headers.get('x-request-id') })
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  }
  const { headers } = await open().signUp()
  const exposed = headers.get('access-control-expose-headers') ?? ''
  for (const name of ['X-Request-Id', 'Retry-After', 'Set-Auth-Token'])
    expect(exposed).toContain(name)
  expect(headers.get('set-auth-token')).toBeString()
})

test('says 503 while the database is away, and not that there is no session, or none any more', async () => {
  let isAway = false
  const away = async (): Promise<never> => {
    throw new Unavailable('away')
  }
  const gate: Gate = {
    ...db,
    read: (statement) => (isAway ? away() : db.read(statement)),
    write: (statement) => (isAway ? away() : db.write(statement)),
    for: () => gate,
  }
  const failing = createTestApp({ issuer: () => ({ ...issuerOptions, db: gate }) })
  const ann = browser(issuerUrl, origin, (request) => failing.handle(request))
  await ann.signUp()

  isAway = true
  for (const [method, path, body] of [
    ['GET', '/get-session', undefined],
    ['GET', '/token', undefined],
    ['POST', '/sign-out', {}],
    ['POST', '/delete-user', { password }],
    ['POST', '/sign-in/email', { email: 'a@b.example', password }],
    ['POST', '/sign-up/email', { name: 'A', email: 'a@b.example', password }],
  ] as const) {
    const answer = await ann.send(method, `/api/auth${path}`, body, { cookie: ann.cookieHeader() })
    expect([path, answer.status, answer.body?.code]).toEqual([path, 503, 'unavailable'])
    expect(answer.headers.get('retry-after')).toBe('1')
  }
  isAway = false
  expect((await ann.send('GET', '/api/me')).status).toBe(200)
})
