import { expect, test } from 'bun:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Algorithm, algorithms } from '../../src/auth/published-keys.ts'
import { createTestApp, db, origin, secret, sql } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { frontendAuth } from '../support/frontend-auth.ts'

// Tokens of Better Auth's jwt() plugin as it comes, whose keys are in a table of this database.

const url = 'https://frontend.example'
const frontend = frontendAuth({ secret, url, algorithm: 'EdDSA', db })
const app = createTestApp({ issuer: null })

const ask = async (token: string) => {
  const response = await app.handle(
    new Request('http://localhost/api/me', { headers: { authorization: `Bearer ${token}` } }),
  )
  return { status: response.status, body: await response.json() }
}

/** A key in the table, and what signs with it. */
async function publish(algorithm: Algorithm, { expires = null as string | null } = {}) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const id = crypto.randomUUID()
  await sql`
    insert into docket."jwks" (id, "publicKey", "privateKey", "createdAt", "expiresAt")
    values (${id}, ${JSON.stringify(await exportJWK(publicKey))}, 'unused', now(), ${expires}::timestamptz)`
  return (claims: Record<string, unknown>, kid: unknown = id) =>
    new SignJWT({ sub: 'ann', iss: url, aud: url, ...claims })
      .setProtectedHeader({ alg: algorithm, kid: kid as string })
      .setExpirationTime('5m')
      .sign(privateKey)
}

test('takes the token of a frontend that nothing was said of here', async () => {
  const ann = browser(url, url, frontend.handler)
  await ann.signUp()
  const { body: session } = await ann.send('GET', '/api/auth/get-session')

  const answer = await ask(await ann.token())

  expect(answer).toMatchObject({
    status: 200,
    body: { id: session.user.id, email: session.user.email, signed_in_by: 'token' },
  })
})

test.each(algorithms)('takes %s', async (algorithm) => {
  const sign = await publish(algorithm)
  expect((await ask(await sign({}))).status).toBe(200)
})

test.each<[string, Record<string, unknown>]>([
  ['another audience', { aud: 'https://other.example' }],
  ['several audiences', { aud: [url, 'https://other.example'] }],
  ['its own audience in a list', { aud: [url] }],
  ['no audience', { aud: undefined }],
  ['no issuer', { iss: undefined }],
  ['neither', { iss: undefined, aud: undefined }],
  ['an issuer that is no origin', { iss: `${url}/api/auth`, aud: `${url}/api/auth` }],
  ['words for both', { iss: 'docket', aud: 'docket' }],
  ['the copy of a session', { aud: 'better-auth:session-cache' }],
  ['no subject', { sub: undefined }],
])('refuses a token for %s', async (_what, claims) => {
  const sign = await publish('EdDSA')
  expect((await ask(await sign(claims))).status).toBe(401)
})

test.each([undefined, '', '\0', 'of nobody', 'x'.repeat(300), 7])(
  'refuses a token of the key %p',
  async (kid) => {
    const sign = await publish('EdDSA')
    const token = await sign({})
    const [, payload, signature] = token.split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', kid })).toString('base64url')

    expect((await ask(`${header}.${payload}.${signature}`)).status).toBe(401)
  },
)

test('refuses a token whose key is of another algorithm', async () => {
  const sign = await publish('ES256')
  const [, payload, signature] = (await sign({})).split('.')
  const [row] = await sql<{ id: string }[]>`
    select id from docket."jwks" order by "createdAt" desc limit 1`
  for (const alg of ['EdDSA', 'RS256']) {
    const header = Buffer.from(JSON.stringify({ alg, kid: row?.id })).toString('base64url')
    expect((await ask(`${header}.${payload}.${signature}`)).status).toBe(401)
  }
})

test('refuses what is signed with a key that is for something else', async () => {
  const sign = await publish('EdDSA')
  await sql`update docket."jwks" set "publicKey" = ("publicKey"::jsonb || '{"use":"enc"}')::text`

  expect((await ask(await sign({}))).status).toBe(401)
  await sql`delete from docket."jwks"`
})

test('knows a key as long as Better Auth publishes it', async () => {
  const now = Date.now()
  const day = 24 * 60 * 60 * 1000
  const recent = await publish('EdDSA', { expires: new Date(now - 29 * day).toISOString() })
  const old = await publish('EdDSA', { expires: new Date(now - 31 * day).toISOString() })

  expect((await ask(await recent({}))).status).toBe(200)
  expect((await ask(await old({}))).status).toBe(401)
})

test('what is stored as a key and is none lets nobody in, and ends nothing', async () => {
  for (const stored of ['', 'null', '{}', '{"kty":"OKP"}', '[1]', '"text"']) {
    const id = crypto.randomUUID()
    await sql`
      insert into docket."jwks" (id, "publicKey", "privateKey", "createdAt")
      values (${id}, ${stored}, 'unused', now())`
    const sign = await publish('EdDSA')
    expect((await ask(await sign({}, id))).status).toBe(401)
  }
})

test('takes the token from nowhere but the header', async () => {
  const sign = await publish('EdDSA')
  const response = await app.handle(
    new Request('http://localhost/api/tasks', {
      headers: { cookie: `better-auth.session_token=${await sign({})}`, origin },
    }),
  )
  expect(response.status).toBe(401)
})
