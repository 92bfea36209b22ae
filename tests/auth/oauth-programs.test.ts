import { expect, test } from 'bun:test'
import { createTestApp, issuerOptions, origin, send, signUp, sql } from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import { byCode, byRefresh, codeFor, letIn, newBrowser, newProgram } from '../support/oauth.ts'
import { startProvider } from '../support/provider.ts'

// What a user sees of the programs that they let in, and how each is shut out.

async function signedUp() {
  const user = newBrowser()
  const email = `${crypto.randomUUID()}@example.com`
  await user.signUp(email)
  return Object.assign(user, { email })
}

/** From a page of the frontend. */
const shutOut = (user: Browser, id: string) =>
  user.send('DELETE', `/api/me/programs/${id}`, undefined, { origin, 'x-request-id': 'test' })

test('lists the programs that one let in, the latest first', async () => {
  const [ann, kim] = [await signedUp(), await signedUp()]
  const first = await letIn(ann, { scope: 'tasks:read' })
  await sql`update docket."oauthConsent" set "createdAt" = now() - interval '1 hour' where "clientId" = ${first.id}`
  const second = await letIn(ann)
  await letIn(kim)

  const { status, body } = await ann.send('GET', '/api/me/programs')

  expect(status).toBe(200)
  const today = new Date().toISOString().slice(0, 10)
  const common = { name: 'Robot', host: '127.0.0.1:9911', last_used_on: today }
  expect(body).toEqual([
    {
      id: second.id,
      ...common,
      scopes: ['tasks:read', 'tasks:write'],
      created_at: expect.any(String),
    },
    { id: first.id, ...common, scopes: ['tasks:read'], created_at: expect.any(String) },
  ])
})

test('shuts a program out at once, with all that it has', async () => {
  const ann = await signedUp()
  const { program, id, access, refresh } = await letIn(ann)
  const other = await letIn(ann)
  const pending = await codeFor(ann, id)

  const { status, body } = await shutOut(ann, id)

  expect(status).toBe(200)
  expect(body).toMatchObject({ id, name: 'Robot', scopes: ['tasks:read', 'tasks:write'] })
  expect((await program.mcp(access)).status).toBe(401)
  expect((await program.token(byRefresh(id, refresh))).status).toBe(400)
  // With a code that it had not used yet it gets nothing that is good for anything.
  const { body: late } = await program.token(byCode(id, pending))
  expect((await program.mcp(late.access_token ?? 'dkt_at_')).status).toBe(401)
  expect(
    (await ann.send('GET', '/api/me/programs')).body.map((one: { id: string }) => one.id),
  ).toEqual([other.id])
  expect((await other.program.mcp(other.access)).status).toBe(200)
  expect((await shutOut(ann, id)).status).toBe(404)
})

test('knows nothing of the programs of others', async () => {
  const [ann, kim] = [await signedUp(), await signedUp()]
  const { program, id, access } = await letIn(ann)
  await program.register()

  const answers = []
  for (const wrong of [id, crypto.randomUUID().replaceAll('-', ''), 'x', id.toUpperCase(), '%00']) {
    const { status, body } = await shutOut(kim, wrong)
    answers.push([status, body])
  }

  for (const answer of answers) expect(answer).toEqual(answers[0] ?? [])
  expect(answers[0]?.[0]).toBe(404)
  expect((await kim.send('GET', '/api/me/programs')).body).toEqual([])
  expect((await program.mcp(access)).status).toBe(200)
})

test('lets two users in by one program, each for themselves', async () => {
  const [ann, kim] = [await signedUp(), await signedUp()]
  const hers = await letIn(ann)
  const code = await codeFor(kim, hers.id)
  const { body: his } = await hers.program.token(byCode(hers.id, code))

  await shutOut(kim, hers.id)

  expect((await hers.program.mcp(his.access_token)).status).toBe(401)
  expect((await hers.program.mcp(hers.access)).status).toBe(200)
})

test('is nothing for a token, of whatever kind', async () => {
  const alice = await signUp()
  const { body } = await alice.send('POST', '/api/me/tokens', {
    name: 'A',
    scopes: ['tasks:write', 'account'],
  })
  const headers = { authorization: `Bearer ${body.token}` }

  expect((await send('GET', '/api/me/programs', { headers })).status).toBe(403)
  expect((await send('DELETE', '/api/me/programs/x', { headers })).status).toBe(403)
  // Who signs in elsewhere has none.
  expect((await alice.send('GET', '/api/me/programs')).body).toEqual([])
})

test('goes with the account', async () => {
  const ann = await signedUp()
  const { program, id, access, refresh } = await letIn(ann)
  const { body: me } = await ann.send('GET', '/api/me')

  const gone = browser('http://localhost', origin, (request) => createTestApp().handle(request))
  expect(
    (await gone.send('DELETE', '/api/me', { confirm: me.id }, { cookie: ann.cookieHeader() }))
      .status,
  ).toBe(200)

  expect((await program.mcp(access)).status).toBe(401)
  expect((await program.token(byRefresh(id, refresh))).status).toBe(400)
  for (const table of ['oauthConsent', 'oauthAccessToken', 'oauthRefreshToken']) {
    expect(
      await sql.unsafe(`select from docket."${table}" where "userId" = '${me.id}'`),
    ).toHaveLength(0)
  }
})

test('goes when its user deletes the account at the issuer', async () => {
  const ann = await signedUp()
  const { program, access } = await letIn(ann)

  expect((await ann.deleteUser()).status).toBe(200)

  expect((await program.mcp(access)).status).toBe(401)
})

test('outlives the session that let it in', async () => {
  const ann = await signedUp()
  const { program, id, refresh } = await letIn(ann)

  await ann.signOut()

  const { status, body } = await program.token(byRefresh(id, refresh))
  expect(status).toBe(200)
  expect((await program.mcp(body.access_token)).status).toBe(200)
})

test('goes where an account turns out to be of somebody else', async () => {
  const provider = await startProvider()
  const other = createTestApp({ issuer: () => ({ ...issuerOptions, oidc: provider.oidc }) })
  const squatter = newBrowser(other)
  const email = `${crypto.randomUUID()}@example.com`
  await squatter.signUp(email)
  const { program, id, access, refresh } = await letIn(squatter, {}, other)
  expect((await program.mcp(access)).status).toBe(200)

  const made = await squatter.send(
    'POST',
    '/api/me/tokens',
    { name: 'A', scopes: ['tasks:read'] },
    { origin },
  )
  expect((await program.mcp(made.body.token)).status).toBe(200)

  const kim = browser('http://localhost', origin, (request) => other.handle(request))
  await provider.signIn(kim, { claims: { sub: email, email, email_verified: true } }, origin)

  expect((await kim.send('GET', '/api/me')).body.email).toBe(email)
  expect((await program.mcp(access)).status).toBe(401)
  expect((await program.token(byRefresh(id, refresh))).status).toBe(400)
  expect((await program.mcp(made.body.token)).status).toBe(401)
  expect((await kim.send('GET', '/api/me/programs')).body).toEqual([])
  expect((await kim.send('GET', '/api/me/tokens')).body).toEqual([])
  await provider.stop()
})

test('is not there without the issuer', async () => {
  const off = createTestApp({ issuer: null })
  const program = newProgram(off)
  for (const path of [
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server',
    '/consent',
    '/api/auth/oauth2/authorize',
  ]) {
    expect([path, (await program.send(path, { method: 'GET' })).status]).toEqual([path, 404])
  }
  expect((await program.register()).status).toBe(404)
  expect((await program.token({})).status).toBe(404)
  const { status, headers } = await newProgram(off).send('/api/tasks', {
    method: 'GET',
    headers: { authorization: `Bearer dkt_at_${'x'.repeat(43)}` },
  })
  expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
})

test('is not there where the accounts are of a frontend', async () => {
  const other = createTestApp({
    programs: null,
    issuer: () => ({ ...issuerOptions, hasPrograms: false }),
  })
  const program = newProgram(other)

  expect((await program.register()).status).toBe(404)
  expect((await program.send('/consent', { method: 'GET' })).status).toBe(404)
  expect((await newBrowser(other).signUp()).status).toBe(200)
})

test('says where it is behind a proxy that cuts off a path', async () => {
  const url = 'https://example.com/todo'
  const behind = createTestApp({ basePath: '/todo', issuer: () => ({ ...issuerOptions, url }) })
  const read = (path: string) => newProgram(behind).send(path, { method: 'GET' })

  for (const about of ['', '/', '/mcp', '/mcp/', '/todo/mcp']) {
    const { body } = await read(`/.well-known/oauth-protected-resource${about}`)
    expect(body.resource).toBe(`${url}/mcp`)
  }
  for (const about of ['', '/api/auth', '/todo/api/auth']) {
    const { body } = await read(`/.well-known/oauth-authorization-server${about}`)
    expect(body).toMatchObject({
      issuer: `${url}/api/auth`,
      authorization_endpoint: `${url}/api/auth/oauth2/authorize`,
      code_challenge_methods_supported: ['S256'],
    })
  }
  expect((await read('/.well-known/oauth-protected-resource/other')).status).toBe(404)
  expect((await read('/.well-known/oauth-authorization-server/mcp')).status).toBe(404)
  const { headers, body } = await read('/consent')
  expect(body).toMatch(/src="\/todo\/web\/consent-\w+\.js"/)
  expect(headers.get('content-security-policy')).not.toContain('unsafe')
})
