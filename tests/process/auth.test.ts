import { expect, test } from 'bun:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { OAuth2Server } from 'oauth2-mock-server'
import { type Browser, browser } from '../support/auth-client.ts'
import { serverEnvironment, temporaryFolder } from '../support/database.ts'
import { type Server, startFrontend, startServer } from '../support/process.ts'

// Docket as it is run, and Better Auth as it is: as the built-in issuer, and as a process of its own.

const secret = 'a-secret-of-thirty-two-bytes-or-more'
const page = 'http://localhost:3000'

/** How Docket answers a credential: to a read and to a write, with a task of its own each time. */
async function use(server: Server, headers: Record<string, string>) {
  const call = (method: string, body: string | null) =>
    fetch(`${server.address}/api/tasks`, {
      method,
      body,
      headers: { origin: page, 'content-type': 'application/json', ...headers },
    })
  const created = await call('POST', '{"title":"A task"}')
  const listed = await call('GET', null)
  expect(listed.status === 200).toBe(created.status === 201)
  return listed.status
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Of a browser that is signed in: every credential that Better Auth gave it, by its name. */
async function credentialsOf(client: Browser): Promise<Record<string, Record<string, string>>> {
  const session = client.cookies.get('better-auth.session_token') ?? ''
  const copy = client.cookies.get('better-auth.session_data')
  const signed = decodeURIComponent(session)
  return {
    token: bearer(await client.token()),
    'session cookie': { cookie: `better-auth.session_token=${session}` },
    'all cookies': { cookie: client.cookieHeader() },
    'signed session token': bearer(signed),
    'raw session token': bearer(signed.split('.')[0] ?? ''),
    ...(copy === undefined
      ? {}
      : { 'session cache': { cookie: `better-auth.session_data=${copy}` } }),
  }
}

test('signs up, calls, refreshes and signs out with the built-in issuer', async () => {
  const server = await startServer({ env: { TRUST_PROXY: '1' } })
  const ann = browser(server.address, page)
  const email = 'ann@example.com'

  expect((await ann.signUp(email)).status).toBe(200)
  const credentials = await credentialsOf(ann)
  expect(Object.keys(credentials)).toHaveLength(5)
  for (const [name, headers] of Object.entries(credentials)) {
    expect([name, await use(server, headers)]).toEqual([name, 200])
  }
  const claims = decodeJwt(await ann.token())
  expect(Object.keys(claims).toSorted()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub'])
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(900)
  expect([claims.iss, claims.aud]).toEqual([server.address, server.address])

  const me = await ann.send('GET', '/api/me')
  expect(me.body).toMatchObject({ id: claims.sub, name: 'Ann', email, signed_in_by: 'session' })

  const again = browser(server.address, page)
  expect((await again.signIn(email, 'wrong password')).status).toBe(401)
  expect((await again.signIn(email)).status).toBe(200)
  expect((await again.send('GET', '/api/me/sessions')).body).toHaveLength(2)

  expect((await ann.signOut()).status).toBe(200)
  for (const [name, headers] of Object.entries(credentials)) {
    // What was signed before lasts for its 15 minutes; a session ends at once.
    expect([name, await use(server, headers)]).toEqual([name, name === 'token' ? 200 : 401])
  }
  expect((await again.send('GET', '/api/tasks')).status).toBe(200)
  expect(await server.end('SIGTERM')).toBe(0)
}, 12_000)

test('signs in with an OpenID Connect provider by its discovery address', async () => {
  const provider = new OAuth2Server()
  await provider.issuer.keys.generate('RS256')
  await provider.start(0, 'localhost')
  let fault: 'none' | 'nonce' | 'audience' | 'signature' = 'none'
  const exchanged: Record<string, unknown>[] = []
  provider.service.on('beforeTokenSigning', (token) => {
    Object.assign(token.payload, { email: 'kim@corp.example', email_verified: true, name: 'Kim' })
    if (fault === 'nonce') token.payload['nonce'] = 'of somebody else'
    if (fault === 'audience') token.payload['aud'] = 'another client'
  })
  provider.service.on('beforeResponse', (response, request) => {
    exchanged.push(request.body)
    if (fault !== 'signature' || typeof response.body !== 'object') return
    const token = String(response.body?.['id_token'])
    response.body = { ...response.body, id_token: `${token.slice(0, -9)}AAAA${token.slice(-5)}` }
  })
  const server = await startServer({
    env: {
      AUTH_OIDC_DISCOVERY_URL: `${provider.issuer.url}/.well-known/openid-configuration`,
      AUTH_OIDC_CLIENT_ID: 'docket',
      AUTH_OIDC_CLIENT_SECRET: 'a secret of the client',
    },
  })

  /** The way to the provider and back to a page of the frontend, in one browser or another. */
  async function signIn(client: Browser, returning = client) {
    const started = await client.send('POST', '/api/auth/sign-in/social', {
      provider: 'oidc',
      callbackURL: `${page}/tasks`,
    })
    expect(started.status).toBe(200)
    const authorization = new URL(started.body.url)
    const consented = await fetch(authorization, { redirect: 'manual' })
    const callback = consented.headers.get('location') ?? ''
    expect(callback).toStartWith(`${server.address}/api/auth/callback/oidc`)
    const { headers } = await returning.send('GET', callback)
    return { asked: authorization.searchParams, arrived: headers.get('location') }
  }

  const kim = browser(server.address, page)
  const { asked, arrived } = await signIn(kim)
  expect(arrived).toBe(`${page}/tasks`)
  expect(asked.get('code_challenge_method')).toBe('S256')
  expect(asked.get('nonce')).toBeString()
  expect(exchanged.at(-1)?.['code_verifier']).toBeString()
  expect(await use(server, bearer(await kim.token()))).toBe(200)
  const me = await kim.send('GET', '/api/me')
  expect(me.body).toMatchObject({ name: 'Kim', email: 'kim@corp.example' })
  const [session] = (await kim.send('GET', '/api/me/sessions')).body
  expect(session.ip_address).toContain('127.0.0.1')

  const thief = browser(server.address, page)
  expect((await signIn(kim, thief)).arrived).not.toBe(`${page}/tasks`)
  for (fault of ['nonce', 'audience', 'signature'] as const) {
    expect([fault, (await signIn(thief)).arrived]).not.toEqual([fault, `${page}/tasks`])
    expect((await thief.send('GET', '/api/me')).status).toBe(401)
  }
  fault = 'none'
  expect((await signIn(thief)).arrived).toBe(`${page}/tasks`)

  await server.end('SIGTERM')
  await provider.stop()
}, 12_000)

test('takes the tokens of a frontend with the same secret and a database of its own', async () => {
  const frontend = await startFrontend({ SECRET: secret, ALGORITHM: 'HS256' })
  const server = await startServer({ env: { BETTER_AUTH_SECRET: secret, AUTH_ISSUER: 'off' } })
  const ann = browser(frontend.address, frontend.address)
  expect((await ann.signUp()).status).toBe(200)

  const { token, 'session cache': copy } = await credentialsOf(ann)
  expect(decodeProtectedHeader(await ann.token()).alg).toBe('HS256')
  expect(await use(server, token ?? {})).toBe(200)
  expect(await use(server, copy ?? {})).toBe(200)
  expect(await use(server, bearer(copy?.['cookie']?.split('=')[1] ?? ''))).toBe(200)
  expect((await fetch(`${server.address}/api/auth/ok`)).status).toBe(404)

  expect((await ann.signOut()).status).toBe(200)
  await server.end('SIGTERM')
  await frontend.end()
}, 12_000)

test('takes EdDSA from a frontend as it comes, by its published keys', async () => {
  const frontend = await startFrontend({ SECRET: `${secret} of its own`, ALGORITHM: 'EdDSA' })
  const keys = { AUTH_JWKS_URL: `${frontend.address}/api/auth/jwks` }
  const server = await startServer({ env: keys })
  const without = await startServer()
  const ann = browser(frontend.address, frontend.address)
  await ann.signUp()
  const token = await ann.token()

  expect(decodeProtectedHeader(token).alg).toBe('EdDSA')
  expect(await use(server, bearer(token))).toBe(200)
  expect(await use(without, bearer(token))).toBe(401)
  expect(without.said()).toContain('AUTH_JWKS_URL')

  for (const running of [server, without]) await running.end('SIGTERM')
  await frontend.end()
}, 12_000)

const environment = serverEnvironment()

test.skipIf(environment === null)(
  'takes every credential of a frontend on the same database, and ends with it',
  async () => {
    const env = {
      ...environment,
      BETTER_AUTH_SECRET: secret,
      CORS_ORIGINS: page,
      AUTH_ISSUER: 'on',
      AUTH_URL: page,
    }
    const server = await startServer({ env })
    const frontend = await startFrontend({ ...environment, SECRET: secret, ALGORITHM: 'HS256' })
    const ann = browser(frontend.address, frontend.address)
    const email = `${crypto.randomUUID()}@example.com`
    expect((await ann.signUp(email)).status).toBe(200)

    const credentials = await credentialsOf(ann)
    expect(Object.keys(credentials)).toHaveLength(6)
    for (const [name, headers] of Object.entries(credentials)) {
      expect([name, await use(server, headers)]).toEqual([name, 200])
    }
    expect((await ann.signOut()).status).toBe(200)
    for (const [name, headers] of Object.entries(credentials)) {
      const lasts = name === 'token' || name === 'session cache'
      expect([name, await use(server, headers)]).toEqual([name, lasts ? 200 : 401])
    }
    await server.end('SIGTERM')
    await frontend.end()
  },
  12_000,
)

test('does not load the issuer where it is off', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd, env: { AUTH_ISSUER: 'off' } })

  const answer = await fetch(`${server.address}/api/auth/get-session`)

  expect(answer.status).toBe(404)
  expect(((await answer.json()) as { code: string }).code).toBe('not_found')
  const agent = await fetch(`${server.address}/mcp`, { method: 'POST' })
  expect(agent.headers.get('www-authenticate')).toBe('Bearer')
  const document = await fetch(`${server.address}/.well-known/oauth-protected-resource/mcp`)
  expect(document.status).toBe(404)
  await server.end('SIGTERM')
})
