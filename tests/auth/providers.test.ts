import { afterAll, expect, test } from 'bun:test'
import { createTestApp, issuerOptions, issuerUrl, origin, sql } from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import { type Claims, type Person, startProvider } from '../support/provider.ts'

const provider = await startProvider()
afterAll(() => provider.stop())
const app = createTestApp({ issuer: () => ({ ...issuerOptions, oidc: provider.oidc }) })

const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
const page = `${origin}/tasks`

const signIn = (client: Browser, person: Person) => provider.signIn(client, person, page)

/** Somebody whom nobody else is. */
function someone(more: Claims = {}): Claims {
  const sub = crypto.randomUUID()
  return { sub, email: `${sub}@corp.example`, email_verified: true, name: 'Kim', ...more }
}

const emailOf = (claims: Claims): string => String(claims['email'])

const errorOf = (url: URL): string | null => url.searchParams.get('error')

test('signs in whom the ID token names, again and again', async () => {
  const claims = someone()
  const kim = open()
  const again = open()

  expect((await signIn(kim, { claims })).href).toBe(page)
  expect((await signIn(again, { claims })).href).toBe(page)
  const [first, second] = [await kim.send('GET', '/api/me'), await again.send('GET', '/api/me')]
  expect(first.body).toMatchObject({ name: 'Kim', email: claims['email'] })
  expect(second.body.id).toBe(first.body.id)
})

test('signs in by the userinfo of the one whom the ID token names', async () => {
  const { sub, email, ...rest } = someone()
  const thin = { sub, email: undefined, name: undefined, email_verified: undefined }
  const kim = open()

  const ended = await signIn(kim, { claims: thin, userinfo: { sub, email, ...rest } })
  expect(ended.href).toBe(page)
  expect((await kim.send('GET', '/api/me')).body).toMatchObject({ name: 'Kim', email })
  const other = await signIn(open(), { claims: thin, userinfo: { ...rest, sub: 'other', email } })
  expect(errorOf(other)).toBe('unable_to_get_user_info')
})

const verified: [unknown, boolean][] = [
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
  ['FALSE', false],
  ['no', false],
  ['TRUE', false],
  ['1', false],
  ['', false],
  [1, false],
  [0, false],
  [null, false],
  [undefined, false],
  [[], false],
  [[true], false],
  [{}, false],
]

test.each(verified)(
  'takes an address whose email_verified is %p as verified: %p',
  async (claim, is) => {
    const claims = someone({ email_verified: claim, emailVerified: true })

    expect((await signIn(open(), { claims })).href).toBe(page)

    const [user] =
      await sql`select "emailVerified" from docket."user" where email = ${emailOf(claims)}`
    expect(user?.['emailVerified']).toBe(is)
  },
)

const unsigned: [string, Claims][] = [
  ['without an ID token', { id_token: undefined }],
  ['with null for an ID token', { id_token: null }],
  ['with an empty ID token', { id_token: '' }],
  ['with an ID token that is none', { id_token: 'a.b.c' }],
  ['with an object for an ID token', { id_token: { sub: 'x' } }],
]

test.each(unsigned)('signs in nobody %s, whatever the userinfo says', async (_name, answer) => {
  const client = open()
  const claims = someone()

  const ended = await signIn(client, { claims, userinfo: claims, answer })

  expect([ended.origin, ended.pathname]).toEqual([origin, '/'])
  expect(errorOf(ended)).toBeString()
  expect((await client.send('GET', '/api/me')).status).toBe(401)
})

const hour = 3600
const now = Math.floor(Date.now() / 1000)
const meantForOthers: [string, Claims][] = [
  ['no expiry', { exp: undefined }],
  ['an expiry that is a text', { exp: '9999999999' }],
  ['an expiry that has passed', { exp: now - hour }],
  ['another audience', { aud: 'another' }],
  ['several audiences and no authorized party', { aud: ['docket', 'another'] }],
  ['another authorized party', { azp: 'another' }],
  ['another authorized party of several audiences', { aud: ['docket', 'x'], azp: 'x' }],
  ['an authorized party that is an array', { azp: ['docket'] }],
  ['null for an authorized party', { azp: null }],
  ['another issuer', { iss: 'https://other.example' }],
  ['another nonce', { nonce: 'x' }],
  ['no subject', { sub: undefined }],
  ['an empty subject', { sub: '' }],
  ['a number for a subject', { sub: 7 }],
  ['an array for a subject', { sub: ['a'] }],
  ['an object for a subject', { sub: { a: 1 } }],
  ['a subject with a NUL', { sub: 'a\0b' }],
  ['a subject that is too long', { sub: 'x'.repeat(300) }],
  ['no e-mail address', { email: undefined }],
  ['a number for an e-mail address', { email: 7 }],
  ['an array for an e-mail address', { email: ['a@b.example'] }],
  ['an e-mail address with a NUL', { email: 'a\0@b.example' }],
  ['half a surrogate in the e-mail address', { email: '\ud800@b.example' }],
  ['an e-mail address that is too long', { email: `${'x'.repeat(300)}@b.example` }],
  ['two e-mail addresses', { email: 'a@b.example, c@d.example' }],
]

test.each(meantForOthers)('signs in nobody by an ID token with %s', async (_name, claims) => {
  const client = open()

  const ended = await signIn(client, { claims: someone(claims) })

  expect([ended.origin, ended.pathname]).toEqual([origin, '/'])
  expect(errorOf(ended)).toBeString()
  expect((await client.send('GET', '/api/me')).status).toBe(401)
})

test('takes several audiences with this client as the authorized party', async () => {
  const claims = someone({ aud: ['another', 'docket'], azp: 'docket' })

  expect((await signIn(open(), { claims })).href).toBe(page)
})

const odd: [string, unknown][] = [
  ['a number', 7],
  ['null', null],
  ['an object', { formatted: 'Kim' }],
  ['an array', ['Kim']],
  ['a text with a NUL', 'K\0m'],
  ['half a surrogate', 'K\udc00m'],
  ['a long text', 'x'.repeat(5000)],
]

test.each(odd)('leaves a name or picture out that is %s', async (_name, value) => {
  const client = open()

  expect((await signIn(client, { claims: someone({ name: value, picture: value }) })).href).toBe(
    page,
  )

  const { user } = (await client.send('GET', '/api/auth/get-session')).body
  expect([user.name, user.image ?? null]).toEqual(['', null])
})

test('keeps nothing by which it could act at the provider', async () => {
  const claims = someone()
  const answer = { scope: 'a\0b', refresh_token: 'secret-refresh' }

  expect((await signIn(open(), { claims, answer })).href).toBe(page)
  expect((await signIn(open(), { claims, answer })).href).toBe(page)

  const [account] = await sql`
    select "accessToken", "refreshToken", scope from docket."account" where "accountId" = ${String(claims['sub'])}`
  expect(account).toEqual({ accessToken: null, refreshToken: null, scope: null })
})

test('opens no account to somebody else who has its address later', async () => {
  const first = someone()
  const owner = open()
  await signIn(owner, { claims: first })
  await owner.send('POST', '/api/tasks', { title: 'Mine' })

  const next = open()
  const ended = await signIn(next, { claims: someone({ email: first['email'] }) })

  expect([ended.origin, errorOf(ended)]).toEqual([origin, 'account_not_linked'])
  expect((await next.send('GET', '/api/tasks')).status).toBe(401)
  expect(
    await sql`select from docket."account" where "userId" = (select id from docket."user" where email = ${emailOf(first)})`,
  ).toHaveLength(1)
})

test.each([
  [true, true, page],
  [true, 'true', page],
  [true, false, 'account_not_linked'],
  [true, 'false', 'account_not_linked'],
  [true, [], 'account_not_linked'],
  [false, true, page],
  [false, false, 'account_not_linked'],
  [false, 'false', 'account_not_linked'],
  [false, undefined, 'account_not_linked'],
])(
  'of an account with a password, proved: %p, comes by a provider that says the address is verified: %p',
  async (proved, email_verified, expected) => {
    const claims = someone({ email_verified, emailVerified: true })
    const ann = open()
    await ann.signUp(emailOf(claims))
    await sql`update docket."user" set "emailVerified" = ${proved} where email = ${emailOf(claims)}`

    const ended = await signIn(open(), { claims })

    expect(errorOf(ended) ?? ended.href).toBe(expected)
    // Whoever had the account still has it, but where the owner has come for one that nobody had proved.
    const isTaken = !proved && expected === page
    expect((await ann.send('GET', '/api/tasks')).status).toBe(isTaken ? 401 : 200)
    expect((await open().signIn(emailOf(claims))).status).toBe(isTaken ? 401 : 200)
  },
)

test('takes an ID token from nobody but the provider', async () => {
  const asked = { provider: 'oidc', idToken: { token: 'a.b.c' } }

  const answer = await open().send('POST', '/api/auth/sign-in/social', asked)

  expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, '/idToken'])
})

test('sends who comes back with an error to the frontend', async () => {
  for (const query of [
    '',
    '?error=access_denied',
    '?state=x&code=y',
    '?error=access_denied&state=x',
  ]) {
    const { status, headers } = await open().send('GET', `/api/auth/callback/oidc${query}`)

    const ended = new URL(headers.get('location') ?? '')
    expect([query, status, ended.origin]).toEqual([query, 302, origin])
    expect(errorOf(ended)).toBeString()
  }
})
