import { afterAll, expect, test } from 'bun:test'
import { createTestApp, db, issuerOptions, issuerUrl, origin, sql } from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import { pausing } from '../support/pausing.ts'
import { type Claims, startProvider } from '../support/provider.ts'

// Who has registered an address, and who has it. The squatter is always first.

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

const page = `${origin}/tasks`
const options = {
  ...issuerOptions,
  mail: { by: 'webhook' as const, address: webhook.url.href },
  oidc: provider.oidc,
}
const app = createTestApp({ issuer: () => options })
const open = () => browser(issuerUrl, origin, (request) => app.handle(request))

/** A browser at the same database whose first write of a kind is held up. */
function openPaused(pattern: RegExp) {
  const { db: paused, ...held } = pausing(db, pattern)
  const slow = createTestApp({ issuer: () => ({ ...options, db: paused }) })
  return { ...held, client: browser(issuerUrl, origin, (request) => slow.handle(request)) }
}

const newEmail = () => `${crypto.randomUUID()}@example.com`
const ownerOf = (email: string): Claims => ({
  sub: crypto.randomUUID(),
  email,
  email_verified: true,
})
const signIn = (client: Browser, claims: Claims) => provider.signIn(client, { claims }, page)
const errorOf = (url: URL): string | null => url.searchParams.get('error')
const isIn = async (client: Browser) => (await client.send('GET', '/api/tasks')).status === 200

const accountsOf = async (email: string): Promise<string[]> => {
  const rows = await sql<{ provider: string }[]>`
    select "providerId" as provider from docket."account"
    where "userId" = (select id from docket."user" where email = ${email})
    order by 1`
  return rows.map((row) => row.provider)
}

async function resetToken(email: string): Promise<string> {
  const found = () => mails.find(({ kind, to }) => kind === 'reset_password' && to === email)
  await open().send('POST', '/api/auth/request-password-reset', { email })
  while (found() === undefined) await Bun.sleep(2)
  return new URL(found()?.url ?? '').pathname.split('/').at(-1) ?? ''
}

const reset = (token: string, newPassword: string) =>
  open().send('POST', '/api/auth/reset-password', { token, newPassword })

test('takes an account whose address nobody has proved from who made it by a password', async () => {
  const email = newEmail()
  const squatter = open()
  await squatter.signUp(email)
  await squatter.send('POST', '/api/tasks', { title: 'There before' })
  const elsewhere = open()
  await elsewhere.signIn(email)
  const token = await resetToken(email)

  const owner = open()
  expect((await signIn(owner, ownerOf(email))).href).toBe(page)

  expect(await isIn(squatter)).toBe(false)
  expect(await isIn(elsewhere)).toBe(false)
  expect((await open().signIn(email)).status).toBe(401)
  expect((await reset(token, 'another horse battery')).status).toBe(400)
  expect(await accountsOf(email)).toEqual(['oidc'])
  expect((await owner.send('GET', '/api/auth/get-session')).body.user.emailVerified).toBe(true)
  // Most often it is the same person: what is there stays.
  expect((await owner.send('GET', '/api/tasks')).body).toMatchObject([{ title: 'There before' }])
})

test('takes it from who made it by a provider that had not verified the address', async () => {
  const email = newEmail()
  const squatting = { ...ownerOf(email), email_verified: false }
  const squatter = open()
  expect((await signIn(squatter, squatting)).href).toBe(page)
  expect(await isIn(squatter)).toBe(true)

  const owning = ownerOf(email)
  expect((await signIn(open(), owning)).href).toBe(page)

  expect(await isIn(squatter)).toBe(false)
  expect(errorOf(await signIn(squatter, squatting))).toBe('account_not_linked')
  // Nor with a claim that is true by now: the provider says that they are two.
  const claiming = { ...squatting, email_verified: true }
  expect(errorOf(await signIn(squatter, claiming))).toBe('account_not_linked')
  expect((await signIn(open(), owning)).href).toBe(page)
})

test('refuses a second registration by password, whoever was first', async () => {
  const email = newEmail()
  await signIn(open(), ownerOf(email))
  const squatter = open()

  expect((await squatter.signUp(email)).status).toBe(422)
  expect((await squatter.signIn(email)).status).toBe(401)
  expect(await accountsOf(email)).toEqual(['oidc'])
})

const begun: [string, RegExp, (squatter: Browser, email: string) => Promise<unknown>][] = [
  ['a session', /insert into .*"session"/, (squatter, email) => squatter.signIn(email)],
  [
    'another password',
    /^begin$/,
    (squatter) =>
      squatter.send('POST', '/api/auth/change-password', {
        currentPassword: 'correct horse battery',
        newPassword: 'a squatting horse battery',
        revokeOtherSessions: true,
      }),
  ],
  [
    'another password, and keeps the sessions',
    /^begin$/,
    (squatter) =>
      squatter.send('POST', '/api/auth/change-password', {
        currentPassword: 'correct horse battery',
        newPassword: 'a squatting horse battery',
      }),
  ],
]
const proofs: [string, (email: string) => Promise<unknown>][] = [
  ['comes by a provider', (email) => signIn(open(), ownerOf(email))],
  ['resets it', async (email) => reset(await resetToken(email), 'the horse of the owner')],
  [
    'who has proved the address before resets it',
    async (email) => {
      await sql`update docket."user" set "emailVerified" = true where email = ${email}`
      await reset(await resetToken(email), 'the horse of the owner')
    },
  ],
]

for (const [what, pattern, begin] of begun) {
  test.each(proofs)(
    `leaves nobody ${what} that was under way when the owner %s`,
    async (_, prove) => {
      const email = newEmail()
      const { client: squatter, reached, release } = openPaused(pattern)
      await open().signUp(email)
      // Of the same account, without a write that would be the one to wait.
      const session = open()
      await session.signIn(email)
      for (const [name, value] of session.cookies) squatter.cookies.set(name, value)

      const pending = begin(squatter, email)
      await reached
      await prove(email)
      release()
      await pending

      expect(await isIn(squatter)).toBe(false)
      for (const password of ['correct horse battery', 'a squatting horse battery']) {
        expect((await open().signIn(email, password)).status).toBe(401)
      }
    },
  )
}

test('leaves nobody a session by a provider that was under way when the owner came', async () => {
  const email = newEmail()
  const squatting = { ...ownerOf(email), email_verified: false }
  await signIn(open(), squatting)
  const { client: squatter, reached, release } = openPaused(/insert into .*"session"/)

  const pending = signIn(squatter, squatting)
  await reached
  expect((await signIn(open(), ownerOf(email))).href).toBe(page)
  release()

  expect(errorOf(await pending)).toBeString()
  expect(await isIn(squatter)).toBe(false)
})

test.each([true, false])(
  'links one of two who come at once, address proved: %p',
  async (proved) => {
    const email = newEmail()
    await open().signUp(email)
    await sql`update docket."user" set "emailVerified" = ${proved} where email = ${email}`
    const clients = [open(), open(), open()]

    const ended = await Promise.all(clients.map((client) => signIn(client, ownerOf(email))))

    expect(ended.filter(({ href }) => href === page)).toHaveLength(1)
    expect(ended.filter((url) => errorOf(url) === 'account_not_linked')).toHaveLength(2)
    expect(await accountsOf(email)).toEqual(proved ? ['credential', 'oidc'] : ['oidc'])
    expect(await Promise.all(clients.map(isIn))).toEqual(ended.map(({ href }) => href === page))
  },
)

test('links one who comes twice at once only once', async () => {
  const email = newEmail()
  await open().signUp(email)
  const claims = ownerOf(email)
  const clients = [open(), open(), open()]

  const ended = await Promise.all(clients.map((client) => signIn(client, claims)))

  expect(ended.map(({ href }) => href)).toEqual([page, page, page])
  expect(await accountsOf(email)).toEqual(['oidc'])
  expect(await Promise.all(clients.map(isIn))).toEqual([true, true, true])
})

test('lets the owner in where somebody registers the address at the same moment', async () => {
  const email = newEmail()
  const claims = ownerOf(email)
  const squatter = open()
  await Promise.all([squatter.signUp(email), signIn(open(), claims)])

  const owner = open()
  expect((await signIn(owner, claims)).href).toBe(page)

  expect(await isIn(owner)).toBe(true)
  expect(await isIn(squatter)).toBe(false)
  expect(await accountsOf(email)).toEqual(['oidc'])
})
