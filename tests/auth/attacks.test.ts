import { afterAll, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import {
  createTestApp,
  issuerOptions,
  origin,
  secret,
  sql,
  auth as usualAuth,
} from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { frontendAuth } from '../support/frontend-auth.ts'

// Credentials that are not valid, in every way that somebody has thought of. Each is a change to one that is.

const issuer = 'https://auth.example'
const audience = 'docket'
const now = Math.floor(Date.now() / 1000)

const published = await generateKeyPair('EdDSA', { extractable: true })
const rsa = await generateKeyPair('RS256', { extractable: true })
const unpublished = await generateKeyPair('EdDSA', { extractable: true })
const jwks = {
  keys: [
    { ...(await exportJWK(published.publicKey)), kid: 'ed', alg: 'EdDSA', use: 'sig' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
  ],
}
const keyServer = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(jwks) })
afterAll(() => keyServer.stop(true))

const auth = {
  secret,
  issuer,
  audience,
  jwksUrl: `${keyServer.url.origin}/jwks`,
  hasSessions: true,
  cookiePrefix: usualAuth.cookiePrefix,
  tables: usualAuth.tables,
}
const app = createTestApp({ auth, issuer: () => ({ ...issuerOptions, tokens: auth }) })
const handle = (request: Request) => app.handle(request)

const ann = browser('http://localhost', origin, handle)
await ann.signUp('ann.attacked@example.com')
const session = ann.cookies.get('better-auth.session_token') ?? ''
const signed = decodeURIComponent(session)
const raw = signed.split('.')[0] ?? ''

const ended = browser('http://localhost', origin, handle)
await ended.signUp()
const endedSigned = decodeURIComponent(ended.cookies.get('better-auth.session_token') ?? '')
await ended.signOut()

const late = browser('http://localhost', origin, handle)
await late.signUp()
const lateRaw = (late.cookies.get('better-auth.session_token') ?? '').split('.')[0] ?? ''
await sql`update docket."session" set "expiresAt" = now() - interval '1 second' where token = ${lateRaw}`

// What a Better Auth with the same secret puts into mails and cookies.
const links: string[] = []
const frontend = frontendAuth({
  secret,
  url: 'http://localhost',
  algorithm: 'HS256',
  db: null,
  onLink: (link) => links.push(new URL(link).searchParams.get('token') ?? ''),
})
const kim = browser('http://localhost', 'http://localhost', frontend.handler)
await kim.signUp()
const copy = kim.cookies.get('better-auth.session_data') ?? ''
const [emailLink = ''] = links

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Any header and payload, signed as it should be. */
function forge(header: unknown, payload: unknown, by = secret, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, by).update(input).digest('base64url')}`
}
const hs256 = { alg: 'HS256' }
const claims = { sub: 'alice', iss: issuer, aud: audience, iat: now, exp: now + 300 }
const without = (name: string) =>
  Object.fromEntries(Object.entries(claims).filter(([n]) => n !== name))
const token = forge(hs256, claims)
const [head = '', body = '', mac = ''] = token.split('.')

const signAs = (alg: string, by: CryptoKey | Uint8Array, kid?: string, payload: object = claims) =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(by)
const eddsa = await signAs('EdDSA', published.privateKey, 'ed')
const pem = await exportSPKI(rsa.publicKey)
const publicKeyText = JSON.stringify(jwks.keys[0])

const end = new Date(Date.now() + 600_000).toISOString()
const cache = {
  session: { id: 's', userId: 'alice', expiresAt: end },
  user: { id: 'alice' },
  iat: now,
  exp: now + 300,
}

const flip = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

/** The same bytes, written with other ignored bits in the last character. */
function respell(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(part.at(-1) ?? '')
  return part.slice(0, -1) + alphabet[last + 1]
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const cookie = (text: string, name = 'better-auth.session_token') => ({
  cookie: `${name}=${text}`,
  origin,
})
const macOf = (text: string, by = secret) => createHmac('sha256', by).update(text).digest('base64')

const valid: Record<string, Record<string, string>> = {
  'HS256 token': bearer(token),
  'EdDSA token': bearer(eddsa),
  'RS256 token': bearer(await signAs('RS256', rsa.privateKey, 'rsa')),
  'signed session token': bearer(signed),
  'signed session token, encoded': bearer(session),
  'raw session token': bearer(raw),
  'session cookie': cookie(session),
  'secure session cookie': cookie(session, '__Secure-better-auth.session_token'),
  'session cookie behind a bad secure one': cookie(
    `x; better-auth.session_token=${session}`,
    '__Secure-better-auth.session_token',
  ),
  'session cookie behind an ended one of the same name': cookie(
    `${encodeURIComponent(endedSigned)}; better-auth.session_token=${session}`,
  ),
  'session cookie behind an ended secure one': cookie(
    `${encodeURIComponent(endedSigned)}; better-auth.session_token=${session}`,
    '__Secure-better-auth.session_token',
  ),
  'copy of a session behind a bad secure one': cookie(
    `x.y.z; better-auth.session_data=${copy}`,
    '__Secure-better-auth.session_data',
  ),
  'copy of a session as a cookie': cookie(copy, 'better-auth.session_data'),
  'copy of a session in parts': {
    origin,
    cookie: `better-auth.session_data.1=${copy.slice(90)}; x=y; better-auth.session_data.0=${copy.slice(0, 90)}`,
  },
  'copy of a session as a token': bearer(copy),
}

const attacks: Record<string, Record<string, string>> = {
  nothing: {},
  'an empty header': { authorization: '' },
  'another scheme': { authorization: `Basic ${btoa('alice:password')}` },
  'a scheme alone': { authorization: 'Bearer' },
  'a token without a scheme': { authorization: token },
  'two tokens': { authorization: `Bearer ${token}, Bearer ${token}` },
  'a token and a word': { authorization: `Bearer ${token} x` },
  'a quoted token': bearer(`"${token}"`),
  'none as its algorithm': bearer(`${encode({ alg: 'none' })}.${body}.`),
  'None as its algorithm': bearer(`${encode({ alg: 'None' })}.${body}.`),
  'NONE, with a signature': bearer(forge({ alg: 'NONE' }, claims)),
  'none, with a signature': bearer(forge({ alg: 'none' }, claims)),
  'no algorithm': bearer(forge({ typ: 'JWT' }, claims)),
  'a list of algorithms': bearer(forge({ alg: ['HS256'] }, claims)),
  'null as its algorithm': bearer(forge({ alg: null }, claims)),
  'hs256 in small letters': bearer(forge({ alg: 'hs256' }, claims)),
  HS384: bearer(forge({ alg: 'HS384' }, claims, secret, 'sha384')),
  HS512: bearer(forge({ alg: 'HS512' }, claims, secret, 'sha512')),
  'HS256 with the MAC of HS512': bearer(forge(hs256, claims, secret, 'sha512')),
  'RS256 with an HMAC of the secret': bearer(forge({ alg: 'RS256', kid: 'rsa' }, claims)),
  'EdDSA with an HMAC of the secret': bearer(forge({ alg: 'EdDSA', kid: 'ed' }, claims)),
  'HS256 by the published key as text': bearer(
    forge({ alg: 'HS256', kid: 'ed' }, claims, publicKeyText),
  ),
  'HS256 by the published key as PEM': bearer(forge({ alg: 'HS256', kid: 'rsa' }, claims, pem)),
  'HS256 by the published key itself': bearer(
    forge({ alg: 'HS256', kid: 'ed' }, claims, jwks.keys[0]?.x ?? ''),
  ),
  'another key': bearer(forge(hs256, claims, 'another-secret-of-thirty-two-bytes')),
  'an empty key': bearer(forge(hs256, claims, '')),
  "Better Auth's published secret": bearer(
    forge(hs256, claims, 'better-auth-secret-12345678901234567890'),
  ),
  'the secret decoded from base64': bearer(
    forge(hs256, claims, Buffer.from(secret, 'base64').toString('latin1')),
  ),
  'an unpublished key': bearer(await signAs('EdDSA', unpublished.privateKey, 'ed')),
  'a key that is not there': bearer(await signAs('EdDSA', unpublished.privateKey, 'gone')),
  'a key of another algorithm': bearer(await signAs('RS256', rsa.privateKey, 'ed')),
  'RS512 by a published key': bearer(
    await signAs('RS512', (await generateKeyPair('RS512')).privateKey, 'rsa'),
  ),
  PS256: bearer(await signAs('PS256', (await generateKeyPair('PS256')).privateKey, 'rsa')),
  'a key that it brings along': bearer(
    await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', jwk: await exportJWK(unpublished.publicKey) })
      .sign(unpublished.privateKey),
  ),
  'an address of keys that it brings along': bearer(
    await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'x', jku: 'http://127.0.0.1:1/jwks' })
      .sign(unpublished.privateKey),
  ),
  'an extension that must be understood': bearer(forge({ ...hs256, crit: ['x'], x: 1 }, claims)),
  'an unencoded payload': bearer(forge({ ...hs256, b64: false, crit: ['b64'] }, claims)),
  'an expiry in the past': bearer(forge(hs256, { ...claims, exp: now - 60 })),
  'an expiry in the past, EdDSA': bearer(
    await signAs('EdDSA', published.privateKey, 'ed', { ...claims, exp: now - 60 }),
  ),
  'no expiry': bearer(forge(hs256, without('exp'))),
  'an expiry that is text': bearer(forge(hs256, { ...claims, exp: String(now + 60) })),
  'an expiry in milliseconds': bearer(forge(hs256, { ...claims, exp: (now + 60) * 1000 })),
  'an endless expiry': bearer(
    forge(hs256, `{"sub":"alice","iss":"${issuer}","aud":"${audience}","exp":1e308}`),
  ),
  'a beginning in the future': bearer(forge(hs256, { ...claims, nbf: now + 60 })),
  'another issuer': bearer(forge(hs256, { ...claims, iss: 'https://evil.example' })),
  'no issuer': bearer(forge(hs256, without('iss'))),
  'an issuer in a list': bearer(forge(hs256, { ...claims, iss: [issuer] })),
  'another issuer, EdDSA': bearer(
    await signAs('EdDSA', published.privateKey, 'ed', { ...claims, iss: 'https://evil.example' }),
  ),
  'another audience': bearer(forge(hs256, { ...claims, aud: 'other' })),
  'no audience': bearer(forge(hs256, without('aud'))),
  'another audience, EdDSA': bearer(
    await signAs('EdDSA', published.privateKey, 'ed', { ...claims, aud: ['other'] }),
  ),
  'no subject': bearer(forge(hs256, without('sub'))),
  'no subject, but all else': bearer(
    forge(hs256, {
      ...without('sub'),
      id: 'alice',
      userId: 'alice',
      email: 'a@example.com',
      uid: 'alice',
    }),
  ),
  'an empty subject': bearer(forge(hs256, { ...claims, sub: '' })),
  'a number as subject': bearer(forge(hs256, { ...claims, sub: 7 })),
  'two subjects': bearer(forge(hs256, { ...claims, sub: ['alice', 'bob'] })),
  'an object as subject': bearer(forge(hs256, { ...claims, sub: { id: 'alice' } })),
  'a subject with NUL': bearer(forge(hs256, { ...claims, sub: 'ali\0ce' })),
  'a subject that is too long': bearer(forge(hs256, { ...claims, sub: 'a'.repeat(256) })),
  'a link to verify an e-mail address': bearer(emailLink),
  'such a link with a user id': bearer(
    forge(hs256, { email: 'a@example.com', userId: 'alice', iat: now, exp: now + 60 }),
  ),
  'a link to change an e-mail address': bearer(
    forge(hs256, {
      email: 'a@example.com',
      updateTo: 'b@example.com',
      requestType: 'x',
      exp: now + 60,
    }),
  ),
  'such a link as a cookie': cookie(emailLink, 'better-auth.session_data'),
  'a changed payload': bearer(`${head}.${encode({ ...claims, sub: 'bob' })}.${mac}`),
  'a changed header': bearer(`${encode({ alg: 'HS256', x: 1 })}.${body}.${mac}`),
  'a changed signature': bearer(`${head}.${body}.${flip(mac, 5)}`),
  'a changed last character': bearer(`${head}.${body}.${respell(mac)}`),
  'a signature with padding': bearer(`${token}=`),
  'no signature': bearer(`${head}.${body}.`),
  'half a signature': bearer(token.slice(0, -20)),
  'two parts': bearer(`${head}.${body}`),
  'four parts': bearer(`${token}.x`),
  'five parts': bearer(`${token}.x.y`),
  'a payload that is no JSON': bearer(forge(hs256, '{"sub":"alice"')),
  'a payload that is a list': bearer(forge(hs256, [claims])),
  'a header that is no JSON': bearer(forge('{', claims)),
  'a header that is null': bearer(forge('null', claims)),
  'white space within': bearer(`${head}.${body}.\t${mac}`),
  'a long payload': bearer(forge(hs256, { ...claims, x: 'x'.repeat(20_000) })),
  'a long header': bearer(forge({ ...hs256, x: 'x'.repeat(5000) }, claims)),
  'a long word': bearer('x'.repeat(100_000)),
  'a copy of a session of another user': bearer(forge(hs256, { ...cache, user: { id: 'bob' } })),
  'a copy of a session that has ended': bearer(
    forge(hs256, { ...cache, session: { ...cache.session, expiresAt: '2020-01-01T00:00:00Z' } }),
  ),
  'a copy of a session without an end': bearer(
    forge(hs256, { ...cache, session: { id: 's', userId: 'alice' } }),
  ),
  'a copy of a session whose end is a number': bearer(
    forge(hs256, { ...cache, session: { ...cache.session, expiresAt: Date.now() + 60_000 } }),
  ),
  'a copy of a session without a session': bearer(
    forge(hs256, { user: { id: 'alice' }, exp: now + 60 }),
  ),
  'a copy of a session without a user': bearer(
    forge(hs256, { session: cache.session, userId: 'alice', exp: now + 60 }),
  ),
  'a copy of a session with another issuer': bearer(
    forge(hs256, { ...cache, iss: 'https://evil.example' }),
  ),
  'a copy of a session that has expired': bearer(forge(hs256, { ...cache, exp: now - 60 })),
  'a copy of a session by another key': bearer(
    forge(hs256, cache, 'another-secret-of-thirty-two-bytes'),
  ),
  'a copy of a session, compact': cookie(encode(cache), 'better-auth.session_data'),
  'a copy of a session, cut': cookie(copy.slice(0, -30), 'better-auth.session_data'),
  'a copy of a session without its first part': cookie(
    copy.slice(90),
    'better-auth.session_data.1',
  ),
  'a session token of nobody': bearer('A'.repeat(32)),
  'a short session token': bearer(raw.slice(0, 19)),
  'half a session token': bearer(raw.slice(0, 24)),
  'a session token and %': bearer(`${raw}%`),
  'a session token with quotes': bearer(`${raw}'--`),
  'a session that has ended': bearer(endedSigned),
  'a session that has ended, raw': bearer(endedSigned.split('.')[0] ?? ''),
  'a session that is too old': bearer(lateRaw),
  'a session that is too old, signed': bearer(`${lateRaw}.${macOf(lateRaw)}`),
  'a signature of another key': bearer(
    `${raw}.${macOf(raw, 'another-secret-of-thirty-two-bytes')}`,
  ),
  'the signature of another session': bearer(`${raw}.${endedSigned.split('.')[1]}`),
  'a changed session token': bearer(flip(signed, 3)),
  'a changed signature of a session': bearer(flip(signed, 40)),
  'a signature in base64url': bearer(
    `${raw}.${Buffer.from(macOf(raw), 'base64').toString('base64url')}`,
  ),
  'a session with half a signature': bearer(signed.slice(0, -10)),
  'a session with an empty signature': bearer(`${raw}.`),
  'a signature alone': bearer(`.${macOf('')}`),
  'a raw session token as a cookie': cookie(raw),
  'a JWT as the session cookie': cookie(token),
  'a session cookie that cannot be decoded': cookie('%E0%A4%A'),
  'a session cookie of another name': cookie(session, 'session_token'),
  'a session cookie that has ended': cookie(encodeURIComponent(endedSigned)),
  'a bad session cookie before a good copy': {
    origin,
    cookie: `better-auth.session_token=x; better-auth.session_data=${copy}`,
  },
  'an ended session cookie before a good copy': {
    origin,
    cookie: `better-auth.session_token=${encodeURIComponent(endedSigned)}; better-auth.session_data=${copy}`,
  },
  'a bad header before a good cookie': { ...bearer('x.y.z'), ...cookie(session) },
  'another scheme before a good cookie': { authorization: 'Basic x', ...cookie(session) },
}

const paths = ['/api/tasks', '/api/me']

async function answers(headers: Record<string, string>, path: string) {
  // The same for all, so that answers can be compared whole.
  const request = { headers: { 'x-request-id': 'test', ...headers } }
  const response = await app.handle(new Request(`http://localhost${path}`, request))
  return { status: response.status, text: await response.text(), headers: response.headers }
}

test.each(Object.entries(valid))('%s is taken', async (_name, headers) => {
  for (const path of paths) expect((await answers(headers, path)).status).toBe(200)
})

test('are at least 60', () => {
  expect(Object.keys(attacks).length).toBeGreaterThanOrEqual(60)
})

test.each(Object.entries(attacks))('%s is answered with 401, twice', async (_name, headers) => {
  const nothing = await answers({}, '/api/tasks')

  for (const path of [...paths, ...paths]) {
    const { status, text, headers: answered } = await answers(headers, path)
    expect(status).toBe(401)
    expect(text).toBe(nothing.text)
    expect(answered.get('www-authenticate')).toBe('Bearer')
  }
})
