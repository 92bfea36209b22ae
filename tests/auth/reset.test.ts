import { afterAll, expect, test } from 'bun:test'
import { createTestApp, issuerOptions, issuerUrl, origin, sql } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { startProvider } from '../support/provider.ts'

const provider = await startProvider()
const mails: { kind: string; to: string; url: string }[] = []
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
  }),
})

const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
const newEmail = () => `${crypto.randomUUID()}@example.com`

const ask = (email: string, from = open()) =>
  from.send('POST', '/api/auth/request-password-reset', { email, redirectTo: `${origin}/reset` })

const resetsTo = (email: string) =>
  mails.filter(({ kind, to }) => kind === 'reset_password' && to === email)

/** The token of the mail number `count` to somebody, when it has come. */
async function tokenOf(email: string, count = 1): Promise<string> {
  const own = () => resetsTo(email)
  while (own().length < count) await Bun.sleep(2)
  return new URL(own()[count - 1]?.url ?? '').pathname.split('/').at(-1) ?? ''
}

const reset = (token: string, newPassword: string, from = open()) =>
  from.send('POST', '/api/auth/reset-password', { token, newPassword })

test('proves the address, and ends sessions and every other mail of the kind', async () => {
  const email = newEmail()
  const squatter = open()
  await squatter.signUp(email)
  const other = newEmail()
  await open().signUp(other)
  await ask(email)
  await ask(email)
  await ask(other)
  const [first, second] = [await tokenOf(email, 1), await tokenOf(email, 2)]

  expect((await reset(second, 'another horse battery')).status).toBe(200)

  expect((await squatter.send('GET', '/api/tasks')).status).toBe(401)
  expect((await open().signIn(email)).status).toBe(401)
  for (const token of [first, second]) {
    expect((await reset(token, 'a third horse battery')).status).toBe(400)
  }
  expect((await open().signIn(email, 'another horse battery')).status).toBe(200)
  expect(
    await sql`select email from docket."user" where email in (${email}, ${other}) and "emailVerified"`,
  ).toEqual([{ email }] as never)
  expect((await reset(await tokenOf(other), 'another horse battery')).status).toBe(200)
})

test('leaves a password that was reset as it is, when its owner comes by a provider', async () => {
  const email = newEmail()
  await open().signUp(email)
  const claims = { sub: crypto.randomUUID(), email, email_verified: true }
  const page = `${origin}/tasks`
  await ask(email)
  const ann = open()
  await reset(await tokenOf(email), 'another horse battery')
  await ann.signIn(email, 'another horse battery')

  expect((await provider.signIn(open(), { claims }, page)).href).toBe(page)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(200)
  expect((await open().signIn(email, 'another horse battery')).status).toBe(200)
})

test('gives an account that a provider opens, and whose address nobody has proved, to who reads its mail', async () => {
  const email = newEmail()
  const claims = { sub: crypto.randomUUID(), email, email_verified: false }
  const page = `${origin}/tasks`
  const squatter = open()
  await provider.signIn(squatter, { claims }, page)
  expect((await squatter.send('GET', '/api/tasks')).status).toBe(200)

  await ask(email)
  expect((await reset(await tokenOf(email), 'another horse battery')).status).toBe(200)

  expect((await squatter.send('GET', '/api/tasks')).status).toBe(401)
  const again = await provider.signIn(squatter, { claims }, page)
  expect(again.searchParams.get('error')).toBe('account_not_linked')
  expect((await open().signIn(email, 'another horse battery')).status).toBe(200)
})

test('keeps the provider of an account whose address was proved before', async () => {
  const email = newEmail()
  await open().signUp(email)
  const claims = { sub: crypto.randomUUID(), email, email_verified: true }
  const page = `${origin}/tasks`
  await ask(email)
  await reset(await tokenOf(email), 'another horse battery')
  await provider.signIn(open(), { claims }, page)

  await ask(email)
  expect((await reset(await tokenOf(email, 2), 'a third horse battery')).status).toBe(200)

  expect((await provider.signIn(open(), { claims }, page)).href).toBe(page)
})

test('gives nobody a password for an account that a provider opens', async () => {
  const email = newEmail()
  const claims = { sub: crypto.randomUUID(), email, email_verified: true }
  await provider.signIn(open(), { claims }, `${origin}/tasks`)
  const last = newEmail()
  await open().signUp(last)

  expect((await ask(email)).status).toBe(200)
  await ask(last)
  await tokenOf(last)

  expect(resetsTo(email)).toEqual([])
})

test('lets who has reset the password in, however many guess it', async () => {
  const email = newEmail()
  await open().signUp(email)
  for (let time = 0; time < 11; time += 1) await open().signIn(email, 'a wrong password')
  const ann = open()
  expect((await ann.signIn(email)).status).toBe(429)

  await ask(email)
  expect((await reset(await tokenOf(email), 'another horse battery', ann)).status).toBe(200)
  for (let time = 0; time < 11; time += 1) await open().signIn(email, 'a wrong password')

  expect((await open().signIn(email, 'another horse battery')).status).toBe(429)
  expect((await ann.signIn(email, 'another horse battery')).status).toBe(200)
})

test('sends no more than three mails an hour to one recipient, and answers alike', async () => {
  const email = newEmail()
  await open().signUp(email)
  const after = newEmail()
  await open().signUp(after)

  const answers = []
  for (let time = 0; time < 6; time += 1) answers.push(await ask(email))
  await ask(after)
  await tokenOf(after)

  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  expect(resetsTo(email)).toHaveLength(3)
})

test('answers for an address that is known as for one that is not, before the mail goes', async () => {
  const taken: (() => void)[] = []
  using hanging = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      taken.push(resolve)
      await promise
      return new Response()
    },
  })
  const slow = createTestApp({
    issuer: () => ({ ...issuerOptions, mail: { by: 'webhook', address: hanging.url.href } }),
  })
  const there = () => browser(issuerUrl, origin, (request) => slow.handle(request))
  const email = newEmail()
  await there().signUp(email)

  const known = await ask(email, there())
  const unknown = await ask(newEmail(), there())

  expect([known.status, known.text]).toEqual([200, unknown.text])
  const said = ({ headers }: typeof known) =>
    [...headers].filter(([name]) => name !== 'x-request-id')
  expect(said(known)).toEqual(said(unknown))
  // It is answered although nobody has answered the mail.
  while (taken.length === 0) await Bun.sleep(2)
  for (const resolve of taken) resolve()
})

test('refuses an address that is none, and a page of somebody else', async () => {
  expect((await ask('nobody')).status).toBe(400)
  const away = { email: newEmail(), redirectTo: 'https://evil.example/' }
  expect((await open().send('POST', '/api/auth/request-password-reset', away)).status).toBe(403)
})
