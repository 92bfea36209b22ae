import { expect, spyOn, test } from 'bun:test'
import { decodeJwt } from 'jose'
import {
  app,
  auth,
  createTestApp,
  db,
  issuerOptions,
  issuerUrl,
  origin,
  secret,
  sql,
} from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { frontendAuth } from '../support/frontend-auth.ts'

const open = (from = origin) => browser(issuerUrl, from, (request) => app.handle(request))

const errorOf = ({ headers }: { headers: Headers }): string | null =>
  new URL(headers.get('location') ?? '').searchParams.get('error')

test('gives a token without an e-mail address, for 15 minutes', async () => {
  const ann = open()
  await ann.signUp()

  const claims = decodeJwt(await ann.token())

  expect(Object.keys(claims).toSorted()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub'])
  expect(claims).toMatchObject({ iss: issuerUrl, aud: issuerUrl })
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900)
})

test('puts the issuer and audience of the configuration into its tokens', async () => {
  const tokens = { ...auth, issuer: 'https://auth.example', audience: 'docket' }
  const strict = createTestApp({ issuer: () => ({ ...issuerOptions, tokens }) })
  const ann = browser(issuerUrl, origin, (request) => strict.handle(request))
  await ann.signUp()

  expect(decodeJwt(await ann.token())).toMatchObject({ iss: 'https://auth.example', aud: 'docket' })
})

test('gives another token as long as the session lives, and none after it', async () => {
  const ann = open()
  await ann.signUp()

  expect(decodeJwt(await ann.token())).toMatchObject({
    sub: decodeJwt(await ann.token()).sub ?? '',
  })
  await ann.signOut()
  expect((await ann.send('GET', '/api/auth/token')).status).toBe(401)
})

test('has its access tokens refused as links to verify an e-mail address', async () => {
  const ann = open()
  const email = `${crypto.randomUUID()}@example.com`
  await ann.signUp(email)
  const token = await ann.token()

  // Here, and at a Better Auth with the same secret where an account has that address.
  const path = `/api/auth/verify-email?token=${token}`
  expect(errorOf(await ann.send('GET', path))).toBe('INVALID_TOKEN')
  expect((await ann.send('GET', path, undefined, { 'sec-fetch-mode': 'cors' })).status).toBe(401)
  const links: string[] = []
  const frontend = frontendAuth({
    secret,
    url: issuerUrl,
    algorithm: 'HS256',
    db,
    onLink: (link) => links.push(link),
  })
  const kim = browser(issuerUrl, issuerUrl, frontend.handler)
  await kim.signUp()
  // By itself Better Auth prints that it could not read the token.
  const printed = spyOn(console, 'error').mockImplementation(() => {})
  const refused = await kim.send('GET', `/api/auth/verify-email?token=${token}`)
  printed.mockRestore()
  expect(refused.status).toBeGreaterThanOrEqual(400)
  const verified = async () =>
    (await sql`select email from docket."user" where "emailVerified" and email = ${email}`).length
  expect(await verified()).toBe(0)
  // What a link does, so that the refusal means something.
  const own = `${crypto.randomUUID()}@example.com`
  await browser(issuerUrl, issuerUrl, frontend.handler).signUp(own)
  expect((await kim.send('GET', links.at(-1) ?? '')).status).toBe(302)
  expect(
    await sql`select email from docket."user" where "emailVerified" and email = ${own}`,
  ).toHaveLength(1)
})

test('checks the origin, in tests too', async () => {
  const ann = open()
  const email = `${crypto.randomUUID()}@example.com`
  await ann.signUp(email)

  const evil = { origin: 'https://evil.example' }
  expect((await ann.send('POST', '/api/auth/sign-out', {}, evil)).status).toBe(403)
  expect((await ann.send('GET', '/api/me')).status).toBe(200)
  const redirected = await ann.send('POST', '/api/auth/sign-in/email', {
    email,
    password: 'correct horse battery',
    callbackURL: 'https://evil.example',
  })
  expect(redirected.status).toBe(403)
})

test('limits attempts to sign in by the address that they come from', async () => {
  const email = `${crypto.randomUUID()}@example.com`
  await open().signUp(email)
  const thief = open()

  const statuses: number[] = []
  for (let attempt = 0; attempt < 12; attempt += 1) {
    // What a client puts before the entry of the proxy is its own invention.
    const address = `192.0.2.${attempt}, 198.51.100.7`
    const body = { email, password: 'a wrong password' }
    const { status } = await thief.send('POST', '/api/auth/sign-in/email', body, {
      'x-forwarded-for': address,
      'x-docket-client-address': `192.0.2.${attempt}`,
    })
    statuses.push(status)
  }

  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401))
  expect(statuses.slice(10)).toEqual([429, 429])
  expect((await open().signIn(email)).status).toBe(200)
})

test('signs up many at once', async () => {
  const clients = Array.from({ length: 12 }, () => open())

  const answers = await Promise.all(clients.map((client) => client.signUp()))
  const listed = await Promise.all(clients.map((client) => client.send('GET', '/api/tasks')))

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(listed.map(({ status }) => status)).toEqual(answers.map(() => 200))
}, 20_000)

test('refuses a second account with the same address, and forgets what it began', async () => {
  const email = `${crypto.randomUUID()}@example.com`

  const answers = await Promise.all([open(), open(), open()].map((client) => client.signUp(email)))

  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await sql`select email from docket."user" where email = ${email}`).toHaveLength(1)
  expect((await open().signIn(email)).status).toBe(200)
})

test('resets a password by a mail that somebody else sends', async () => {
  const mails: { kind: string; to: string; url: string }[] = []
  using webhook = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      mails.push((await request.json()) as (typeof mails)[number])
      return new Response()
    },
  })
  const mailing = createTestApp({
    issuer: () => ({ ...issuerOptions, mail: { by: 'webhook', address: webhook.url.href } }),
  })
  const ann = browser(issuerUrl, origin, (request) => mailing.handle(request))
  const email = `${crypto.randomUUID()}@example.com`
  await ann.signUp(email)

  await ann.send('POST', '/api/auth/request-password-reset', {
    email,
    redirectTo: `${origin}/reset`,
  })
  while (mails.length < 2) await Bun.sleep(5)
  expect(mails).toMatchObject([
    { kind: 'verify_email', to: email },
    { kind: 'reset_password', to: email },
  ])
  const token = new URL(mails[1]?.url ?? '').pathname.split('/').at(-1)
  const reset = await open().send('POST', '/api/auth/reset-password', {
    token,
    newPassword: 'another horse battery',
  })

  expect(reset.status).toBe(200)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(401)
  expect((await open().signIn(email)).status).toBe(401)
  expect((await open().signIn(email, 'another horse battery')).status).toBe(200)
})

test('resets no password where nobody sends mails', async () => {
  const answer = await open().send('POST', '/api/auth/request-password-reset', {
    email: 'a@example.com',
  })

  expect(answer.status).toBe(400)
})

test('answers an unknown path and a body that is too large', async () => {
  const large = { email: 'x'.repeat(70_000) }

  expect((await open().send('GET', '/api/auth/nope')).status).toBe(404)
  expect((await open().send('POST', '/api/auth/sign-in/email', large)).status).toBe(413)
})

test('sets cookies for secure origins only where browsers reach it by https', async () => {
  const url = 'https://api.example.com'
  const secure = createTestApp({ issuer: () => ({ ...issuerOptions, url }) })
  const ann = browser(issuerUrl, origin, (request) => secure.handle(request))

  const { headers } = await ann.signUp()

  expect([...ann.cookies.keys()]).toEqual(['__Secure-better-auth.session_token'])
  expect(headers.get('set-cookie')).toMatch(/; HttpOnly; Secure; SameSite=Lax/)
  expect((await ann.send('GET', '/api/me')).body.signed_in_by).toBe('session')
  expect(decodeJwt(await ann.token()).iss).toBe(url)
})

test('goes on without a provider that cannot be reached', async () => {
  const oidc = { discoveryUrl: 'http://127.0.0.1:1/x', clientId: 'docket', clientSecret: 's' }
  const alone = createTestApp({ issuer: () => ({ ...issuerOptions, oidc }) })
  const ann = browser(issuerUrl, origin, (request) => alone.handle(request))

  expect((await ann.signUp()).status).toBe(200)
  const asked = { provider: 'oidc', callbackURL: origin }
  expect((await ann.send('POST', '/api/auth/sign-in/social', asked)).status).toBe(404)
})

test('is not there where it is off', async () => {
  const silent = createTestApp({ issuer: null })

  for (const path of ['/api/auth/ok', '/api/auth/sign-in/email', '/api/auth/token']) {
    const response = await silent.handle(new Request(`http://localhost${path}`, { method: 'POST' }))
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
  }
})
