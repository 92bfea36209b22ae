import { expect, test } from 'bun:test'
import { endpoints } from '../../src/auth/endpoints.ts'
import { clientAddresses } from '../support/addresses.ts'
import { app, createTestApp, issuerOptions, issuerUrl, origin, sql } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'

// What nobody sends who means well. Each request comes from an address of its own, so that no limit answers for the rest.

const mailing = createTestApp({
  issuer: () => ({ ...issuerOptions, mail: { by: 'webhook', address: 'http://127.0.0.1:1/' } }),
})

const password = 'correct horse battery'

async function signedIn() {
  const ann = browser(issuerUrl, origin, (request) => app.handle(request))
  await ann.signUp()
  return ann
}

const odd: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'null',
  '\u0007',
  '\u{1f4a3}'.repeat(40),
  '\'; drop table "user"; --',
  'x'.repeat(4000),
  'https://evil.example',
  'javascript:alert(1)',
  '//',
  '%00',
  '__proto__',
  [],
  [null],
  ['a', 'b'],
  {},
  { toString: 'x' },
  { length: 1 },
]

/** Where each takes a hash, these stand for all. */
const few = odd.filter((_, index) => [0, 2, 8, 12, 19, 22].includes(index))

const hashing = ['/sign-up/email', '/sign-in/email', '/change-password', '/delete-user']

/** What each endpoint knows, and one more field. */
const bodies: Record<string, Record<string, unknown>> = {
  '/sign-up/email': { name: 'Kim', password, image: null, callbackURL: origin, rememberMe: true },
  '/sign-in/email': { password, callbackURL: origin, rememberMe: true },
  '/sign-in/social': {
    provider: 'oidc',
    callbackURL: origin,
    errorCallbackURL: origin,
    newUserCallbackURL: origin,
    scopes: ['a'],
    loginHint: 'a',
    requestSignUp: true,
    disableRedirect: true,
    additionalParams: { a: 'b' },
  },
  '/sign-out': { callbackURL: origin, disableRedirect: true, state: 'x' },
  '/request-password-reset': { redirectTo: origin },
  '/send-verification-email': { callbackURL: origin },
  '/reset-password': { token: 'x'.repeat(24), newPassword: password },
  '/change-password': {
    newPassword: password,
    currentPassword: password,
    revokeOtherSessions: false,
  },
  // A wrong password counts, and without one the account is gone with the first valid token.
  '/delete-user': { password: undefined, token: 'x', callbackURL: origin },
  '/update-user': { name: 'Kim', image: null },
  '/revoke-session': { token: 'x'.repeat(32) },
  '/unlink-account': { providerId: 'credential', accountId: 'x' },
  '/oauth2/register': { client_name: 'x', redirect_uris: ['http://127.0.0.1/'], scope: 'x' },
  '/oauth2/consent': { accept: true, oauth_query: 'sig=x&exp=1', scope: 'x' },
  '/oauth2/token': {
    grant_type: 'authorization_code',
    code: 'x',
    code_verifier: 'x'.repeat(43),
    client_id: 'x',
    redirect_uri: 'http://127.0.0.1/',
    refresh_token: 'dkt_rt_x',
    resource: `${issuerUrl}/mcp`,
    scope: 'tasks:read',
    client_secret: 'x',
  },
  '/oauth2/revoke': { token: 'x', client_id: 'x', token_type_hint: 'refresh_token' },
}

/** What takes a form, and nothing else. */
const forms = ['/oauth2/token', '/oauth2/revoke']

async function send(
  method: string,
  path: string,
  raw: string | null,
  headers: Record<string, string>,
) {
  const response = await mailing.handle(
    new Request(`${issuerUrl}/api/auth${path}`, {
      method,
      body: raw,
      headers: {
        origin,
        'x-forwarded-for': clientAddresses.next().value,
        ...(raw === null ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    }),
  )
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

/** What is expected of every answer: no fault of ours, and an error is a problem. */
function check(what: unknown, { status, headers, text }: Awaited<ReturnType<typeof send>>): void {
  expect([what, status < 500 && status !== 429]).toEqual([what, true])
  if (status < 400) return
  expect([what, headers.get('content-type')]).toEqual([what, 'application/problem+json'])
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ type: 'about:blank', status, title: expect.any(String) })
  expect([what, Object.keys(problem).toSorted().join()]).toEqual([
    what,
    expect.stringMatching(
      /^code,detail,(error,error_description,)?(errors,)?message,request_id,status,title,type$/,
    ),
  ])
}

const posts = endpoints
  .filter(({ method, path }) => method === 'POST' && !forms.includes(path))
  .map(({ path }) => path)

test.each(posts)(
  'POST %s answers whatever is sent with a 4xx at most',
  async (path) => {
    const { cookieHeader } = await signedIn()
    const cookie = { cookie: cookieHeader() }
    const body = bodies[path] ?? {}
    const isSlow = hashing.includes(path)

    for (const name of [...Object.keys(body), 'email', 'unknown']) {
      const email = `${crypto.randomUUID()}@x.example`
      for (const value of isSlow ? few : odd) {
        const raw = JSON.stringify({ ...body, email, [name]: value })
        check([path, name, value], await send('POST', path, raw, cookie))
      }
      const without = JSON.stringify({ ...body, email, [name]: undefined })
      check([path, name], await send('POST', path, without, cookie))
    }
    for (const raw of ['', '[]', '1', 'null', '"x"', '{', '{"a":1,"a":2}', '\ufeff{}']) {
      check([path, raw], await send('POST', path, raw, cookie))
    }
    check([path, 'none'], await send('POST', path, null, cookie))
    const form = { ...cookie, 'content-type': 'application/x-www-form-urlencoded' }
    expect((await send('POST', path, 'email=a%40b.example&password=x', form)).status).toBe(415)
  },
  60_000,
)

test.each(forms)('POST %s answers whatever form is sent with a 4xx at most', async (path) => {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = bodies[path] ?? {}
  for (const name of [...Object.keys(body), 'unknown']) {
    for (const value of odd) {
      const form = new URLSearchParams(
        Object.entries({ ...body, [name]: value }).map(([key, one]): [string, string] => [
          key,
          typeof one === 'string' ? one : JSON.stringify(one),
        ]),
      )
      check([path, name, value], await send('POST', path, form.toString(), type))
      form.append(name, 'twice')
      check([path, name, value], await send('POST', path, form.toString(), type))
      form.delete(name)
      check([path, name], await send('POST', path, form.toString(), type))
    }
  }
  for (const raw of ['', '&', '=', 'a', '%', '%ff', 'grant_type=%ff', '{}']) {
    check([path, raw], await send('POST', path, raw, type))
  }
  check([path, 'none'], await send('POST', path, null, type))
  const json = { 'content-type': 'application/json' }
  expect((await send('POST', path, JSON.stringify(body), json)).status).toBe(415)
})

const unstorable = ['\0', 'a\0b', '\ud800', 'a\udfffb']

test.each(posts)(
  'POST %s takes no text that cannot be stored, wherever it is',
  async (path) => {
    const { cookieHeader } = await signedIn()
    const body = bodies[path] ?? {}
    for (const text of unstorable) {
      const spoilt = [
        ...[...Object.keys(body), 'email'].map((name) => ({ ...body, [name]: text })),
        { ...body, [text]: 'x' },
        { ...body, deep: [{ a: [{ b: text }] }] },
        { ...body, deep: [{ [text]: 1 }] },
      ]
      for (const sent of spoilt) {
        const answer = await send('POST', path, JSON.stringify(sent), { cookie: cookieHeader() })
        expect([path, sent, answer.status]).toEqual([path, sent, 400])
      }
    }
  },
  30_000,
)

test('takes no address that has a NUL in it', async () => {
  const open = { cookie: (await signedIn()).cookieHeader() }
  for (const { method, path, isVisited } of endpoints) {
    const real = path.replace(':id', 'oidc').replace(':token', 'x')
    for (const query of [
      '?callbackURL=%00',
      '?token=a%00',
      '?%00=1',
      '?a=1&a=%00',
      '?error=x%00',
    ]) {
      const answer = await send(method, real + query, null, open)
      expect([path, query, answer.status]).toEqual([path, query, isVisited ? 302 : 400])
      if (isVisited) expect(answer.headers.get('location')).toBe(`${origin}/?error=malformed`)
    }
    for (const query of [
      '?a',
      '?callbackURL=%FF',
      '?callbackURL=//evil.example',
      '?a[b]=c',
      '?state=%E0%A4%A',
    ]) {
      check([path, query], await send(method, real + query, null, open))
    }
  }
  for (const path of ['/reset-password/%00', '/callback/%00', '/reset-password/a%2fb']) {
    expect([path, (await send('GET', path, null, open)).status]).toEqual([path, 404])
  }
})

test('answers odd credentials', async () => {
  const credentials = [
    'Bearer %00',
    'Bearer a%00',
    'Bearer .',
    'Bearer a.b.c',
    'Bearer %',
    'Basic x',
    'x',
  ]
  for (const authorization of credentials) {
    for (const path of ['/get-session', '/token', '/list-sessions']) {
      check([authorization, path], await send('GET', path, null, { authorization }))
    }
  }
  for (const cookie of [
    'better-auth.session_token=%00.x',
    'better-auth.state=%00',
    'a',
    '=',
    '%',
  ]) {
    check(cookie, await send('GET', '/get-session', null, { cookie }))
    check(cookie, await send('GET', '/callback/google?state=x&code=y', null, { cookie }))
  }
})

test('keeps names and images within bounds, and as they are', async () => {
  const ann = await signedIn()
  const change = (body: unknown) => ann.send('POST', '/api/auth/update-user', body)

  expect((await change({ name: 'x'.repeat(201) })).body).toMatchObject({
    status: 422,
    code: 'invalid',
    errors: [{ pointer: '/name', detail: 'must have at most 200 characters' }],
  })
  expect((await change({ name: null })).status).toBe(422)
  expect((await change({ name: 7 })).status).toBe(422)
  expect((await change({ image: 'x'.repeat(2049) })).status).toBe(422)
  expect((await change({ image: {} })).status).toBe(422)
  expect((await change({ name: 'Ånn \u{1f33f}', image: null })).status).toBe(200)
  expect((await ann.send('GET', '/api/auth/get-session')).body.user).toMatchObject({
    name: 'Ånn \u{1f33f}',
    image: null,
  })
})

test('keeps only the beginning of a long user agent', async () => {
  const kim = browser(issuerUrl, origin, (request) => app.handle(request))
  const email = `${crypto.randomUUID()}@example.com`
  await kim.send(
    'POST',
    '/api/auth/sign-up/email',
    { name: 'Kim', email, password },
    { 'user-agent': 'Browser/'.repeat(1000) },
  )

  const [session] = await sql`
    select length(s."userAgent") as length
    from docket."session" s
    join docket."user" u on u.id = s."userId"
    where u.email = ${email}`
  expect(session?.['length']).toBe(400)
})
