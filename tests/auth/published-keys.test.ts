import { afterAll, expect, setSystemTime, test } from 'bun:test'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { type Algorithm, algorithms, publishedKeys } from '../../src/auth/published-keys.ts'
import { Problem } from '../../src/http/problem.ts'
import { auth, createTestApp } from '../support/app.ts'

let keys: JWK[] = []
let fetched = 0
let status = 200
let hold: Promise<void> | undefined
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async () => {
    fetched += 1
    await hold
    return Response.json({ keys }, { status })
  },
})
afterAll(() => server.stop(true))
const address = `${server.url.origin}/api/auth/jwks`
const origin = server.url.origin

async function publish(alg: Algorithm, kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  keys = [...keys, { ...(await exportJWK(publicKey)), alg, kid }]
  return (claims: Record<string, unknown> = {}) =>
    new SignJWT({ sub: 'alice', iss: origin, aud: origin, ...claims })
      .setProtectedHeader({ alg, kid })
      .setExpirationTime('5m')
      .sign(privateKey)
}

const open = (issuer: string | null = null) => publishedKeys(address, { issuer, audience: null })

test.each(algorithms)('takes %s', async (algorithm) => {
  const sign = await publish(algorithm, algorithm)

  expect(await open().verify(await sign(), algorithm)).toMatchObject({ id: 'alice', by: 'token' })
})

test('takes no token for another algorithm than its own', async () => {
  const sign = await publish('ES256', 'es')

  expect(await open().verify(await sign(), 'RS256')).toBeNull()
})

test('wants the origin of the address as issuer and audience, or what is configured', async () => {
  const sign = await publish('EdDSA', 'ed')

  expect(await open().verify(await sign({ iss: 'https://other.example' }), 'EdDSA')).toBeNull()
  expect(await open().verify(await sign({ aud: 'https://other.example' }), 'EdDSA')).toBeNull()
  const configured = open('https://other.example')
  expect(
    await configured.verify(await sign({ iss: 'https://other.example' }), 'EdDSA'),
  ).not.toBeNull()
  expect(await configured.verify(await sign(), 'EdDSA')).toBeNull()
})

test('fetches the keys once, and again for a key that is new', async () => {
  const sign = await publish('EdDSA', 'first')
  const published = open()
  fetched = 0
  await published.verify(await sign(), 'EdDSA')
  await published.verify(await sign({ x: 1 }), 'EdDSA')
  expect(fetched).toBe(1)

  const signNew = await publish('EdDSA', 'second')
  // Whoever makes up names of keys has the issuer asked no more often than this.
  expect(await published.verify(await signNew(), 'EdDSA')).toBeNull()
  expect(fetched).toBe(1)
  setSystemTime(Date.now() + 31_000)
  try {
    expect(await published.verify(await signNew(), 'EdDSA')).toMatchObject({ id: 'alice' })
  } finally {
    setSystemTime()
  }
  expect(fetched).toBe(2)
})

test('says 503 while the keys cannot be had', async () => {
  const sign = await publish('EdDSA', 'unreachable')
  const token = await sign()
  const statusOf = (url: string) =>
    publishedKeys(url, { issuer: null, audience: null })
      .verify(token, 'EdDSA')
      .then(
        () => 200,
        (error) => (error instanceof Problem ? error.status : error),
      )

  expect(await statusOf('http://127.0.0.1:1/jwks')).toBe(503)
  status = 500
  expect(await statusOf(address)).toBe(503)
  status = 200

  const app = createTestApp({ auth: { ...auth, jwksUrl: 'http://127.0.0.1:1/jwks' } })
  for (const method of ['GET', 'POST']) {
    const response = await app.handle(
      new Request('http://localhost/api/tasks', {
        method,
        headers: { authorization: `Bearer ${token}` },
      }),
    )
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  }
})

test('waits for nobody with a key that is at hand, however many wait for one that is not', async () => {
  const sign = await publish('EdDSA', 'at hand')
  const published = open()
  await published.verify(await sign(), 'EdDSA')
  const { privateKey } = await generateKeyPair('EdDSA')
  const unknown = await new SignJWT({ sub: 'kim' })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'unknown' })
    .setExpirationTime('5m')
    .sign(privateKey)
  const told: boolean[] = []
  const hung = Promise.withResolvers<void>()
  hold = hung.promise
  // Later than the issuer was asked last, and sooner than the keys are too old.
  setSystemTime(Date.now() + 31_000)

  const waiting = Array.from({ length: 300 }, () =>
    published
      .verify(unknown, 'EdDSA', (isWaiting) => told.push(isWaiting))
      .catch((error: unknown) => error),
  )
  try {
    expect(
      await published.verify(await sign({ x: 1 }), 'EdDSA', () => expect.unreachable()),
    ).toMatchObject({ id: 'alice' })
    expect(told).toEqual(Array.from({ length: 256 }, () => true))
  } finally {
    hold = undefined
    hung.resolve()
    setSystemTime()
  }
  const answers = await Promise.all(waiting)

  expect(answers.filter((answer) => answer === null)).toHaveLength(256)
  expect(
    answers.filter((answer) => answer instanceof Problem && answer.status === 503),
  ).toHaveLength(44)
  expect(told.filter((isWaiting) => !isWaiting)).toHaveLength(256)
})
