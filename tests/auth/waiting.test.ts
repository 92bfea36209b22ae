import { afterAll, expect, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { generateKeyPair, SignJWT } from 'jose'
import { createLoad, type Load } from '../../src/http/load.ts'
import { clientAddresses } from '../support/addresses.ts'
import { auth, createTestApp, issuerOptions, issuerUrl, origin, signUp } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'
import { startProvider } from '../support/provider.ts'

// Who waits for a hash, a provider, a mail or somebody's keys is no load, and keeps nobody else out.

const provider = await startProvider()
const hung: (() => void)[] = []
const hanging: Bun.Server<undefined> = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 60,
  fetch: async ({ url }) => {
    if (!url.endsWith('/discovery'))
      return new Promise<Response>((resolve) => hung.push(() => resolve(new Response())))
    // The provider, but for where its tokens are.
    const discovered = (await (await fetch(provider.oidc.discoveryUrl)).json()) as object
    return Response.json({ ...discovered, token_endpoint: hanging.url.href })
  },
})
afterAll(async () => {
  for (const resolve of hung) resolve()
  await hanging.stop(true)
  await provider.stop()
})

const newLoad = () => createLoad(Number.POSITIVE_INFINITY, 0)

/** Waits until all that are under way are waiting for something else, or fails. */
async function untilIdle(load: Load, answered: () => number, sent: number): Promise<void> {
  while (load.inFlight > 0) {
    if (answered() === sent) throw new Error('all are answered, and were load until then')
    await Bun.sleep(1)
  }
  expect(answered()).toBeLessThan(sent)
}

function count<T>(promises: Promise<T>[]): () => number {
  let answered = 0
  for (const promise of promises) void promise.then(() => (answered += 1))
  return () => answered
}

test('hashes for some at a time, refuses whom it cannot soon, and is no load for others', async () => {
  const load = newLoad()
  const app = createTestApp({ load })
  const sent = 60 * availableParallelism()
  const neighbour = await signUp()
  await browser(issuerUrl, origin, (request) => app.handle(request)).send('GET', '/api/auth/ok')

  const pending = Array.from({ length: sent }, () =>
    browser(issuerUrl, origin, (request) => app.handle(request)).signIn(
      `${crypto.randomUUID()}@example.com`,
      'a wrong password',
    ),
  )
  await untilIdle(load, count(pending), sent)
  const beside = await app.handle(
    new Request('http://localhost/api/tasks', {
      headers: { authorization: neighbour.authorization },
    }),
  )
  expect(beside.status).toBe(200)

  const answers = await Promise.all(pending)
  const refused = answers.filter(({ status }) => status === 503)
  expect(answers.filter(({ status }) => status === 401).length + refused.length).toBe(sent)
  expect(refused.length).toBeGreaterThan(0)
  for (const { headers, body } of refused) {
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(body).toMatchObject({ code: 'overloaded', message: expect.any(String) })
  }
  expect(load.inFlight).toBe(0)
}, 60_000)

test('waits for a provider that hangs without being load, and no longer for others', async () => {
  const load = newLoad()
  const oidc = { ...provider.oidc, discoveryUrl: `${hanging.url.href}discovery` }
  const app = createTestApp({
    load,
    issuer: () => ({ ...issuerOptions, oidc }),
  })
  const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
  const pending = Array.from({ length: 70 }, () =>
    provider.signIn(open(), { claims: {} }, origin).catch(() => null),
  )
  const answered = count(pending)
  while (hung.length < 64) await Bun.sleep(5)
  await untilIdle(load, answered, pending.length)

  const ann = open()
  expect((await ann.signUp()).status).toBe(200)
  expect((await ann.send('GET', '/api/tasks')).status).toBe(200)
  for (const resolve of hung.splice(0)) resolve()
  await Promise.all(pending)
  expect(load.inFlight).toBe(0)
}, 60_000)

test('waits for keys that do not come without being load', async () => {
  const load = newLoad()
  const app = createTestApp({ load, auth: { ...auth, jwksUrl: `${hanging.url.href}jwks` } })
  const { privateKey } = await generateKeyPair('EdDSA')
  const { authorization } = await signUp()
  const call = (credential: string) =>
    app.handle(
      new Request('http://localhost/api/tasks', {
        headers: {
          authorization: credential,
          'x-forwarded-for': clientAddresses.next().value,
        },
      }),
    )
  const tokens = await Promise.all(
    Array.from({ length: 300 }, (_, number) =>
      new SignJWT({ sub: `${number}` })
        .setProtectedHeader({ alg: 'EdDSA', kid: `${number}` })
        .setExpirationTime('5m')
        .sign(privateKey),
    ),
  )

  const pending = tokens.map(async (token) => call(`Bearer ${token}`))
  await untilIdle(load, count(pending), pending.length)
  expect((await call(authorization)).status).toBe(200)

  const answers = await Promise.all(pending)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
  expect(load.inFlight).toBe(0)
})

test('goes on without a provider that does not say where its keys are', async () => {
  const oidc = { ...provider.oidc, discoveryUrl: `${hanging.url.href}never` }
  const app = createTestApp({ issuer: () => ({ ...issuerOptions, oidc }) })
  const ann = browser(issuerUrl, origin, (request) => app.handle(request))

  expect((await ann.signUp()).status).toBe(200)
  const asked = { provider: 'oidc', callbackURL: origin }
  expect((await ann.send('POST', '/api/auth/sign-in/social', asked)).status).toBe(404)
})
