import { expect, test } from 'bun:test'
import { generateKeyPair, SignJWT } from 'jose'
import { createTokens } from '../../src/auth/tokens.ts'

const secret = 'only-for-tests-only-for-tests-only'
const key = new TextEncoder().encode(secret)
const tokens = createTokens({ secret, issuer: null, audience: null })
const verify = async (token: string): Promise<string | null> =>
  (await tokens.verify(token))?.id ?? null
const now = () => Math.floor(Date.now() / 1000)

const sign = (
  claims: Record<string, unknown>,
  { alg = 'HS256', with: signer = key }: { alg?: string; with?: Uint8Array | CryptoKey } = {},
): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg }).sign(signer)

/** A token of any header and payload, signed as it should be. */
function forge(header: unknown, payload: unknown): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${new Bun.CryptoHasher('sha256', secret).update(input).digest('base64url')}`
}

test('gives the subject of a valid token', async () => {
  expect(await verify(await sign({ sub: 'alice', exp: now() + 60 }))).toBe('alice')
})

test('signs what it verifies', async () => {
  expect(await verify(await tokens.sign('alice', 60))).toBe('alice')
})

test('allows for a clock that is five seconds off', async () => {
  expect(await verify(await sign({ sub: 'alice', exp: now() - 3 }))).toBe('alice')
  expect(await verify(await sign({ sub: 'alice', exp: now() - 10 }))).toBeNull()
})

test.each([
  ['without an expiry', { sub: 'alice' }],
  ['with an expiry that is text', { sub: 'alice', exp: String(now() + 60) }],
  ['that is not valid yet', { sub: 'alice', exp: now() + 60, nbf: now() + 30 }],
  ['without a subject', { exp: now() + 60 }],
  ['with an empty subject', { sub: '', exp: now() + 60 }],
  ['with a number for a subject', { sub: 7, exp: now() + 60 }],
  ['with two subjects', { sub: ['alice', 'bob'], exp: now() + 60 }],
  ['with an object for a subject', { sub: { id: 'alice' }, exp: now() + 60 }],
  ['with NUL in the subject', { sub: 'ali\0ce', exp: now() + 60 }],
  ['with half a surrogate pair in the subject', { sub: 'ali\ud800ce', exp: now() + 60 }],
  ['with a subject of 256 characters', { sub: 'a'.repeat(256), exp: now() + 60 }],
  [
    "of Better Auth's e-mail links",
    { email: 'a@example.com', userId: 'alice', id: 'alice', exp: now() + 60 },
  ],
])('refuses a token %s', async (_what, claims) => {
  expect(await verify(forge({ alg: 'HS256' }, claims))).toBeNull()
})

test('takes a subject of 255 characters', async () => {
  const sub = '|'.repeat(255)

  expect(await verify(await sign({ sub, exp: now() + 60 }))).toBe(sub)
})

test.each(['HS384', 'HS512'])('refuses %s with the same secret', async (alg) => {
  expect(await verify(await sign({ sub: 'alice', exp: now() + 60 }, { alg }))).toBeNull()
})

test.each([
  { alg: 'none' },
  { alg: 'None' },
  {},
  { alg: ['HS256'] },
  { alg: 'RS256' },
  { alg: 'HS256', crit: ['x'], x: 1 },
])('refuses the header %j', async (header) => {
  expect(await verify(forge(header, { sub: 'alice', exp: now() + 60 }))).toBeNull()
})

test('refuses EdDSA, and another secret', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true })
  const claims = { sub: 'alice', exp: now() + 60 }
  const other = new TextEncoder().encode('another-secret-of-thirty-two-bytes')

  expect(await verify(await sign(claims, { alg: 'EdDSA', with: privateKey }))).toBeNull()
  expect(await verify(await sign(claims, { with: other }))).toBeNull()
})

test('refuses a changed payload, and what is no token', async () => {
  const [header, , signature] = (await sign({ sub: 'alice', exp: now() + 60 })).split('.')
  const payload = Buffer.from(JSON.stringify({ sub: 'bob', exp: now() + 60 })).toString('base64url')

  for (const token of [
    `${header}.${payload}.${signature}`,
    '',
    'x',
    'a.b',
    'a.b.c',
    'a.b.c.d',
    `${'a'.repeat(5000)}.b.c`,
  ]) {
    expect(await verify(token)).toBeNull()
  }
})

test('checks issuer and audience when they are set', async () => {
  const strict = createTokens({ secret, issuer: 'https://auth.example', audience: 'docket' })
  const strictly = async (token: string) => (await strict.verify(token))?.id ?? null
  const claims = { sub: 'alice', exp: now() + 60 }

  expect(await strictly(await sign(claims))).toBeNull()
  expect(await strictly(await sign({ ...claims, iss: 'https://auth.example' }))).toBeNull()
  expect(
    await strictly(await sign({ ...claims, iss: 'https://evil.example', aud: 'docket' })),
  ).toBeNull()
  expect(
    await strictly(await sign({ ...claims, iss: 'https://auth.example', aud: 'other' })),
  ).toBeNull()
  expect(
    await strictly(await sign({ ...claims, iss: 'https://auth.example', aud: ['docket'] })),
  ).toBe('alice')
  expect(await strictly(await strict.sign('alice', 60))).toBe('alice')
})
