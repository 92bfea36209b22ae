import { afterAll, expect, test } from 'bun:test'
import { createTestApp, issuerOptions, issuerUrl, origin, sign, sql } from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import { startProvider } from '../support/provider.ts'

const provider = await startProvider()
const mails: { kind: string; to: string; name: string; url: string }[] = []
const webhook = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    mails.push((await request.json()) as (typeof mails)[number])
    return new Response()
  },
})
afterAll(async () => {
  await webhook.stop(true)
  await provider.stop()
})

const app = createTestApp({
  issuer: () => ({
    ...issuerOptions,
    mail: { by: 'webhook', address: webhook.url.href },
    oidc: provider.oidc,
    errorUrl: 'https://app.example/failed?from=docket',
  }),
})
const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
const newEmail = () => `${crypto.randomUUID()}@example.com`
const page = `${origin}/welcome`

const ask = (email: string, from: Browser, callbackURL?: string) =>
  from.send('POST', '/api/auth/send-verification-email', { email, callbackURL })

/** The link of the mail number `count` to somebody, when it has come. */
async function linkTo(email: string, count = 1): Promise<URL> {
  const own = () => mails.filter(({ kind, to }) => kind === 'verify_email' && to === email)
  while (own().length < count) await Bun.sleep(2)
  return new URL(own()[count - 1]?.url ?? '')
}

const visit = async (client: Browser, link: URL) => {
  const { status, headers } = await client.send('GET', link.href)
  expect(status).toBe(302)
  return new URL(headers.get('location') ?? '')
}

const isVerified = async (email: string): Promise<boolean> =>
  (await sql`select from docket."user" where email = ${email} and "emailVerified"`).length === 1

const signUp = (client: Browser, email: string, callbackURL?: string) =>
  client.send('POST', '/api/auth/sign-up/email', {
    name: 'Ann',
    email,
    password: 'correct horse battery',
    callbackURL,
  })

test('signs in at once, and verifies the address by a link', async () => {
  const email = newEmail()
  const ann = open()

  expect((await signUp(ann, email, page)).status).toBe(200)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(200)
  const link = await linkTo(email)
  expect(mails.find(({ to }) => to === email)).toMatchObject({ kind: 'verify_email', name: 'Ann' })
  expect(await isVerified(email)).toBe(false)

  expect((await visit(ann, link)).href).toBe(page)
  expect(await isVerified(email)).toBe(true)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(200)
  // Once more changes nothing.
  expect((await visit(open(), await linkTo(email))).href).toBe(page)
})

test('goes on at the frontend where nobody says where', async () => {
  const email = newEmail()
  const ann = open()
  await signUp(ann, email)

  expect((await visit(ann, await linkTo(email))).href).toBe(`${origin}/`)
})

test('verifies nothing for who only has the mail: the account may be a stranger’s', async () => {
  const email = newEmail()
  const squatter = open()
  await signUp(squatter, email, page)
  const link = await linkTo(email)
  const kim = open()
  await kim.signUp()

  for (const victim of [open(), kim]) {
    const ended = await visit(victim, link)
    expect([ended.origin, ended.pathname]).toEqual([origin, '/welcome'])
    expect(ended.searchParams.get('error')).toBe('SIGN_IN_REQUIRED')
    expect(ended.searchParams.get('token')).toBe(link.searchParams.get('token'))
  }
  expect(await isVerified(email)).toBe(false)

  // So the owner gets the account all the same.
  const claims = { sub: crypto.randomUUID(), email, email_verified: true }
  expect((await provider.signIn(open(), { claims }, page)).href).toBe(page)
  expect((await squatter.send('GET', '/api/tasks')).status).toBe(401)
})

test('verifies by the token for a frontend that sends no cookies', async () => {
  const email = newEmail()
  const ann = open()
  const { headers } = await signUp(ann, email, page)
  const token = (await linkTo(email)).searchParams.get('token')
  const link = `/api/auth/verify-email?token=${token}`
  const program = { 'sec-fetch-mode': 'cors' }

  const stranger = await open().send('GET', link, undefined, program)
  expect([stranger.status, stranger.body.code]).toEqual([401, 'SIGN_IN_REQUIRED'])
  const authorization = `Bearer ${headers.get('set-auth-token')}`
  const answer = await open().send('GET', link, undefined, { ...program, authorization })
  expect([answer.status, answer.body.status]).toEqual([200, true])
  expect(await isVerified(email)).toBe(true)
})

test('sends another mail when asked, not to who needs none, and answers alike', async () => {
  const email = newEmail()
  const verified = newEmail()
  const ann = open()
  await signUp(ann, email)
  await signUp(open(), verified)
  await sql`update docket."user" set "emailVerified" = true where email = ${verified}`

  const answers = await Promise.all(
    [email, verified, newEmail()].map((address) => ask(address, open(), page)),
  )
  expect(answers.map(({ status, text }) => [status, text])).toEqual(
    answers.map(() => [200, '{"status":true}']),
  )
  expect((await visit(ann, await linkTo(email, 2))).href).toBe(page)
  expect(mails.filter(({ to }) => to === verified)).toHaveLength(1)
})

test('sends no more than three mails an hour to one recipient, and those to reset a password besides', async () => {
  const email = newEmail()
  await signUp(open(), email)
  for (let time = 0; time < 4; time += 1) expect((await ask(email, open())).status).toBe(200)

  const reset = { email, redirectTo: `${origin}/reset` }
  expect((await open().send('POST', '/api/auth/request-password-reset', reset)).status).toBe(200)
  while (!mails.some(({ kind, to }) => kind === 'reset_password' && to === email)) {
    await Bun.sleep(2)
  }

  const kinds = mails.filter(({ to }) => to === email).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'verify_email')).toHaveLength(3)
})

test('takes no other token for a link', async () => {
  const email = newEmail()
  const ann = open()
  await signUp(ann, email)
  const { id } = (await ann.send('GET', '/api/me')).body
  const tokens = [
    'x',
    'a.b.c',
    await ann.token(),
    // What a frontend with the same secret may sign: tokens for access, changes of an address, and a link that is too old.
    await sign({ sub: id, email }),
    await sign({ sub: id, email, userId: id, iat: 0 }),
    await sign({ email, userId: id, iat: 0, updateTo: newEmail() }),
    await sign({ email, userId: 'somebody else', iat: 0 }),
  ]
  for (const token of tokens) {
    const ended = await visit(ann, new URL(`${issuerUrl}/api/auth/verify-email?token=${token}`))
    expect([ended.pathname, ended.searchParams.get('from')]).toEqual(['/failed', 'docket'])
    expect(ended.searchParams.get('error')).toBe('INVALID_TOKEN')
  }
  const late = await sign({ email, userId: id, iat: 0 }, '-1 minute')
  const ended = await visit(ann, new URL(`${issuerUrl}/api/auth/verify-email?token=${late}`))
  expect(ended.searchParams.get('error')).toBe('TOKEN_EXPIRED')
  expect(await isVerified(email)).toBe(false)
})

test('lets no link be an entry', async () => {
  const email = newEmail()
  await signUp(open(), email)
  const token = (await linkTo(email)).searchParams.get('token')

  for (const path of ['/api/tasks', '/api/auth/get-session']) {
    const answer = await open().send('GET', path, undefined, { authorization: `Bearer ${token}` })
    expect([path, answer.status === 401 || answer.text === 'null']).toEqual([path, true])
  }
})

test('sends nobody to a page of somebody else', async () => {
  const email = newEmail()
  const evil = 'https://evil.example/'
  expect((await signUp(open(), email, evil)).status).toBe(403)
  const ann = open()
  await signUp(ann, email)
  expect((await ask(email, open(), evil)).status).toBe(403)

  const link = await linkTo(email)
  link.searchParams.set('callbackURL', evil)
  const links = [
    link.href,
    `${issuerUrl}/api/auth/reset-password/abc?callbackURL=${evil}`,
    `${issuerUrl}/api/auth/reset-password/abc`,
    `${issuerUrl}/api/auth/error?error=%22%3E%3Cscript%3E`,
  ]
  for (const client of [open(), ann]) {
    for (const href of links) {
      const ended = await visit(client, new URL(href))
      expect([href, ended.origin, ended.pathname]).toEqual([href, origin, '/failed'])
      expect(ended.searchParams.get('error')).toMatch(/^\w+$/)
    }
  }
  expect(await isVerified(email)).toBe(false)
})

test('sends no mail where none can be sent, and needs none', async () => {
  const silent = createTestApp()
  const ann = browser(issuerUrl, origin, (request) => silent.handle(request))
  const email = newEmail()

  expect((await ann.signUp(email)).status).toBe(200)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(200)
  expect(await ask(email, ann)).toMatchObject({
    status: 400,
    body: { code: 'VERIFICATION_EMAIL_NOT_ENABLED' },
  })
})

test('goes on at the frontend after a provider, where nobody says where', async () => {
  const ann = open()
  const { body } = await ann.send('POST', '/api/auth/sign-in/social', { provider: 'oidc' })
  expect(body.url).toBeString()

  const values = await sql`select value from docket."verification" where value like '%callbackURL%'`
  const states = values.map(({ value }) => JSON.parse(String(value)))
  const own = states.find(
    ({ oauthState }) => oauthState === new URL(body.url).searchParams.get('state'),
  )
  expect(own?.callbackURL).toBe(origin)
})

test('says what went wrong where there is no page for it', async () => {
  const alone = createTestApp({
    corsOrigins: [],
    issuer: () => ({ ...issuerOptions, origins: [], errorUrl: null, oidc: provider.oidc }),
  })
  const ann = browser(issuerUrl, issuerUrl, (request) => alone.handle(request))

  const { status, headers } = await ann.send('GET', '/api/auth/callback/oidc?error=access_denied')
  expect(status).toBe(302)
  const told = await ann.send('GET', headers.get('location') ?? '')
  expect([told.status, told.body.code]).toEqual([400, 'state_not_found'])
  expect(told.body.detail).toContain('AUTH_ERROR_URL')
  expect((await ann.send('GET', '/api/auth/verify-email?token=x')).status).toBe(401)
})
