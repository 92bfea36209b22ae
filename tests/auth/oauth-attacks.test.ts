import { expect, test } from 'bun:test'
import { createTestApp, issuerOptions, issuerUrl, origin, send, sql } from '../support/app.ts'
import {
  app,
  authorize,
  byCode,
  byRefresh,
  codeFor,
  consent,
  letIn,
  newBrowser,
  newProgram,
  pkce,
  redirect,
} from '../support/oauth.ts'

// What is dangerous or broken by default in the authorization server, and what somebody would try.

async function signedUp() {
  const user = newBrowser()
  await user.signUp()
  return user
}

const registered = async (metadata: object = {}): Promise<string> =>
  (await newProgram().register(metadata)).body.client_id

const errorOf = ({ searchParams, hash }: URL) =>
  searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error')

// 1. Consent

test.each([
  ['again', {}],
  ['with prompt=none', { prompt: 'none' }],
  ['with prompt=create', { prompt: 'create' }],
  ['for less', { scope: 'tasks:read' }],
  ['from another port', { redirect_uri: 'http://127.0.0.1:1234/callback' }],
])('asks for consent %s', async (_name, more) => {
  const user = await signedUp()
  const { id } = await letIn(user)

  const page = await authorize(user, id, pkce().challenge, more)

  expect(page.pathname).toBe('/consent')
})

test('asks for consent also who has to sign in first, and whose sign-in is too old', async () => {
  const user = await signedUp()
  const { id } = await letIn(user)

  const old = await authorize(user, id, pkce().challenge, { max_age: '0' })
  const anew = await authorize(user, id, pkce().challenge, { prompt: 'login' })

  expect(old.pathname).toBe('/consent')
  expect(anew.pathname).toBe('/sign-in')
  expect(anew.searchParams.get('prompt')).toBe('login consent')
})

test('takes no POST to authorize, with which nobody would be asked', async () => {
  const user = await signedUp()
  const { id } = await letIn(user)

  const { status, headers } = await user.send('POST', '/api/auth/oauth2/authorize', {
    client_id: id,
  })

  expect([status, headers.get('allow')]).toEqual([405, 'GET'])
})

test('takes a consent from its own page alone, and only as it was asked', async () => {
  const user = await signedUp()
  const id = await registered()
  const page = await authorize(user, id, pkce().challenge, { scope: 'tasks:read' })

  const foreign = await user.send(
    'POST',
    '/api/auth/oauth2/consent',
    { accept: true, oauth_query: page.search.slice(1) },
    { origin: 'https://evil.example' },
  )
  expect(foreign.status).toBe(403)
  for (const [name, value] of [
    ['scope', 'tasks:read tasks:write offline_access'],
    ['redirect_uri', 'http://127.0.0.1:1/evil'],
    ['client_id', await registered()],
    ['code_challenge', pkce().challenge],
    ['exp', '99999999999'],
  ] as const) {
    const changed = new URL(page)
    changed.searchParams.set(name, value)
    const refused = await consent(user, changed)
    expect([name, refused.status]).toEqual([name, 400])
  }
  expect(
    (
      await newBrowser().send('POST', '/api/auth/oauth2/consent', {
        accept: true,
        oauth_query: page.search.slice(1),
      })
    ).status,
  ).toBe(401)
  expect(await sql`select from docket."oauthConsent" where "clientId" = ${id}`).toHaveLength(0)
})

test('gives ten minutes to sign in and consent, and one to fetch the tokens', async () => {
  const user = await signedUp()
  const id = await registered()
  const page = await authorize(user, id, pkce().challenge)
  const left = Number(page.searchParams.get('exp')) - Date.now() / 1000
  expect(left).toBeGreaterThan(500)
  expect(left).toBeLessThanOrEqual(601)

  const code = await codeFor(user, id)

  const [row] = await sql<{ seconds: number }[]>`
    select extract(epoch from v."expiresAt" - now())::integer as seconds
    from docket."verification" v
    where v."value" like ${`%${id}%`}`
  expect(row?.seconds).toBeGreaterThan(20)
  expect(row?.seconds).toBeLessThanOrEqual(60)
  await sql`update docket."verification" set "expiresAt" = now() - interval '1 second' where "value" like ${`%${id}%`}`
  const late = await newProgram().token(byCode(id, code))
  expect([late.status >= 400, late.body.error]).toEqual([true, 'invalid_grant'])
})

// 2., 3. Clients

const good = [
  'http://127.0.0.1:33418/',
  'http://127.0.0.1/callback',
  'http://localhost:1/a/b?c=d',
  'http://[::1]:8080/callback',
  'https://claude.ai/api/mcp/auth_callback',
  'https://claude.com/api/mcp/auth_callback',
  'https://chatgpt.com/connector_platform_oauth_redirect',
  'https://vscode.dev/redirect',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'vscode://ms-vscode.some-extension/callback',
]
test.each(good)('registers %s', async (uri) => {
  const { status, body, headers } = await newProgram().register({ redirect_uris: [uri] })

  expect(status).toBe(201)
  expect(body.redirect_uris).toEqual([uri])
  expect(headers.get('cache-control')).toBe('no-store')
  const user = await signedUp()
  const page = await authorize(user, body.client_id, pkce().challenge, { redirect_uri: uri })
  expect(page.pathname).toBe('/consent')
  const back: string = (await consent(user, page)).body.url
  expect(back.startsWith(uri.split('?')[0] ?? '')).toBe(true)
  expect(back).toContain('code=')
})

const bad = [
  'https://evil.example/callback',
  'https://claude.ai.evil.example/callback',
  'https://evil.example/claude.ai',
  'https://claude.ai@evil.example/callback',
  'https://evil.example\\@claude.ai/callback',
  'https://claude.ai:8443/callback',
  'https://claude.ai/callback#x',
  'http://claude.ai/callback',
  'http://evil.example/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://127.0.0.1@evil.example/callback',
  'http://127.0.0.1:80@evil.example/callback',
  'http://localhost.evil.example/',
  'http://127.0.0.1/callback#x',
  'http://127.0.0.1:99999999/',
  'http://10.0.0.1/callback',
  'http://0.0.0.0/callback',
  'https://localhost/callback',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'com.example.app:/callback',
  'cursor:alert(1)',
  'cursor://a/b?c',
  '//evil.example',
  '',
  'x'.repeat(600),
  `http://127.0.0.1/${'x'.repeat(600)}`,
  'http://127.0.0.1/\0',
  'http://127.0.0.1/a b',
  ' http://127.0.0.1/',
  'http://127.0.0.1/\n',
  null,
  7,
  {},
]
test.each(bad)('registers no %p', async (uri) => {
  const { status, body } = await newProgram().register({ redirect_uris: [uri] })

  expect(status).toBe(400)
  expect(body).toMatchObject({ status: 400, type: 'about:blank' })
  expect(body.error).toMatch(/^invalid_(redirect_uri|request)$/)
  expect(body.error_description).toBeString()
})

test.each([
  ['nothing', {}],
  ['no list', { redirect_uris: redirect }],
  ['an empty list', { redirect_uris: [] }],
  ['too long a list', { redirect_uris: Array.from({ length: 11 }, () => redirect) }],
])('registers nobody with %s', async (_name, metadata) => {
  const { status, body } = await newProgram().post('/api/auth/oauth2/register', metadata)

  expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
})

test('leaves out addresses that are not known, and whatever else a program asks for', async () => {
  const { body } = await newProgram().register({
    redirect_uris: ['https://evil.example/', redirect, redirect],
    application_type: 'web',
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials', 'implicit'],
    response_types: ['token'],
    scope: 'admin',
    skip_consent: true,
    require_pkce: false,
    client_secret: 'x',
    client_id: 'mine',
    user_id: 'x',
    jwks_uri: 'https://evil.example/',
    logo_uri: 'https://evil.example/logo',
  })

  expect(body).toEqual({
    client_id: expect.stringMatching(/^[\da-f]{32}$/),
    client_id_issued_at: expect.any(Number),
    client_name: 'Robot',
    redirect_uris: [redirect],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'tasks:read tasks:write offline_access',
  })
  const [row] = await sql`
    select "skipConsent", "clientSecret", "userId", "requirePKCE", "icon", "jwksUri"
    from docket."oauthClient" where "clientId" = ${body.client_id}`
  expect(row).toEqual({
    skipConsent: null,
    clientSecret: null,
    userId: null,
    requirePKCE: true,
    icon: null,
    jwksUri: null,
  })
})

test('calls a program by what can be seen', async () => {
  const nameOf = async (name: unknown) =>
    (await newProgram().register({ client_name: name })).body.client_name

  expect(await nameOf('<b>Claude</b>')).toBe('<b>Claude</b>')
  expect(await nameOf('Cl\u202eaude\n\u200b')).toBe('Claude')
  for (const nothing of [undefined, null, 7, '', ' ', '\u200b', 'x'.repeat(101)]) {
    expect(await nameOf(nothing)).toBe('127.0.0.1:9911')
  }
  expect((await newProgram().register({ client_name: '\0' })).status).toBe(400)
})

test('takes hosts of the configuration', async () => {
  const uri = 'https://agent.example.com/callback'
  const other = createTestApp({ programs: { hosts: ['agent.example.com'] } })

  expect((await newProgram(other).register({ redirect_uris: [uri] })).status).toBe(201)
  expect((await newProgram().register({ redirect_uris: [uri] })).status).toBe(400)
})

test('registers so many from one address, and says so in the words of OAuth', async () => {
  const program = newProgram()
  const statuses = []
  for (let count = 0; count < 61; count += 1) statuses.push((await program.register()).status)

  expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 201))
  const { status, headers, body } = await program.register()
  expect([statuses[60], status, body.error]).toEqual([429, 429, 'temporarily_unavailable'])
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
  expect((await newProgram().register()).status).toBe(201)
})

test('forgets clients that nobody let in within a day, and no others', async () => {
  const user = await signedUp()
  const { id: kept } = await letIn(user)
  const [old, young] = [await registered(), await registered()]
  await sql`update docket."oauthClient" set "createdAt" = now() - interval '25 hours' where "clientId" in (${kept}, ${old})`

  await registered()

  const ids = (
    await sql<{ id: string }[]>`
    select "clientId" as id from docket."oauthClient" where "clientId" in (${kept}, ${old}, ${young})`
  ).map(({ id }) => id)
  expect(new Set(ids)).toEqual(new Set([kept, young]))
})

// 4. What older programs leave out

test('gives a refresh token and the right resource to a program that asks for neither', async () => {
  const user = await signedUp()

  const { program, access, refresh, body } = await letIn(user, {
    scope: 'tasks:read',
    resource: undefined,
  })

  expect(refresh).toStartWith('dkt_rt_')
  expect(body.scope.split(' ').toSorted()).toEqual(['offline_access', 'tasks:read'])
  const { body: overview } = await program.tool(access, 'get_overview')
  expect(overview.result.structuredContent.may).toEqual(['tasks:read'])
})

test('lets in for everything who says nothing, or only that it wants to stay', async () => {
  const user = await signedUp()
  for (const scope of [undefined, '', 'offline_access']) {
    const { body } = await letIn(user, { scope })
    expect(body.scope).toBe('tasks:read tasks:write offline_access')
  }
})

// 5. Refresh tokens

test('answers a refresh token twice alike at once, and ends the family of one that is used later', async () => {
  const user = await signedUp()
  const { program, id, refresh } = await letIn(user)

  const [first, second] = await Promise.all([
    program.token(byRefresh(id, refresh)),
    program.token(byRefresh(id, refresh)),
  ])
  expect([first.status, second.status]).toEqual([200, 200])
  expect(second.body.refresh_token).toBe(first.body.refresh_token)
  expect((await program.mcp(first.body.access_token)).status).toBe(200)

  await sql`update docket."oauthRefreshToken" set "rotationReplayExpiresAt" = now() - interval '1 second' where "clientId" = ${id}`
  const stolen = await program.token(byRefresh(id, refresh))
  expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant'])
  expect((await program.token(byRefresh(id, first.body.refresh_token))).status).toBe(400)
  expect((await program.mcp(first.body.access_token)).status).toBe(401)
})

test('gives nothing for the refresh token of another program', async () => {
  const user = await signedUp()
  const { program, refresh } = await letIn(user)

  const { status, body } = await program.token(byRefresh(await registered(), refresh))

  expect(status).toBeGreaterThanOrEqual(400)
  expect(body.access_token).toBeUndefined()
})

test('gives no more by a refresh token than was consented to', async () => {
  const user = await signedUp()
  const { program, id, refresh } = await letIn(user, { scope: 'tasks:read' })

  const { status, body } = await program.token({
    ...byRefresh(id, refresh),
    scope: 'tasks:read tasks:write',
  })

  expect([status, body.error]).toEqual([400, 'invalid_scope'])
})

// 7. Who makes what

test.each([
  ['POST', '/oauth2/create-client'],
  ['POST', '/admin/oauth2/create-client'],
  ['POST', '/admin/oauth2/resources'],
  ['GET', '/oauth2/get-clients'],
  ['GET', '/oauth2/get-consents'],
  ['POST', '/oauth2/delete-consent'],
  ['POST', '/oauth2/introspect'],
  ['GET', '/oauth2/userinfo'],
  ['POST', '/oauth2/continue'],
  ['GET', '/.well-known/openid-configuration'],
])('has no %s %s', async (method, path) => {
  const user = await signedUp()

  const { status } = await user.send(method, `/api/auth${path}`, method === 'GET' ? undefined : {})

  expect(status).toBe(404)
})

test.each([
  'client_credentials',
  'password',
  'implicit',
  'urn:ietf:params:oauth:grant-type:device_code',
])('gives nothing for the grant %p', async (grant_type) => {
  const { status, body } = await newProgram().token({
    grant_type,
    client_id: await registered(),
    scope: 'tasks:write',
  })

  expect([status, body.error]).toEqual([400, 'unsupported_grant_type'])
  expect(body.access_token).toBeUndefined()
})

// 10. Codes

test('gives nothing for a wrong verifier, and the code is spent', async () => {
  const user = await signedUp()
  const program = newProgram()
  const id = await registered()
  const code = await codeFor(user, id)

  const wrong = await program.token(byCode(id, { ...code, verifier: pkce().verifier }))
  const right = await program.token(byCode(id, code))

  expect([wrong.status >= 400, wrong.body.error !== undefined]).toEqual([true, true])
  expect([right.status, right.body.error]).toEqual([400, 'invalid_grant'])
})

test('ends the tokens of a code that is used twice', async () => {
  const user = await signedUp()
  const { program, id, code, access, refresh } = await letIn(user)

  const again = await program.token(byCode(id, code))

  expect([again.status, again.body.error]).toEqual([400, 'invalid_grant'])
  expect((await program.mcp(access)).status).toBe(401)
  expect((await program.token(byRefresh(id, refresh))).status).toBe(400)
})

test.each([
  ['no verifier', { code_verifier: '' }],
  ['another redirection', { redirect_uri: 'http://127.0.0.1:9911/evil' }],
  ['another port', { redirect_uri: 'http://127.0.0.1:9912/callback' }],
  ['another program', { client_id: 'other' }],
  ['no program', { client_id: '' }],
  ['another resource', { resource: `${issuerUrl}/other` }],
])('gives nothing for a code with %s', async (_name, more) => {
  const user = await signedUp()
  const id = await registered()
  const code = await codeFor(user, id)

  const { status, body } = await newProgram().token({ ...byCode(id, code), ...more })

  expect(status).toBeGreaterThanOrEqual(400)
  expect(status).toBeLessThan(500)
  expect(body.error).toBeString()
  expect(body.access_token).toBeUndefined()
})

test.each([
  ['an unknown resource', { resource: 'https://evil.example/mcp' }],
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
  ['plain PKCE', { code_challenge_method: 'plain' }],
  ['no method of PKCE', { code_challenge_method: undefined }],
  ['an unknown scope', { scope: 'tasks:read admin' }],
  ['the scope of an access token', { scope: 'account' }],
  ['OpenID Connect', { scope: 'openid tasks:read' }],
  ['an answer by token', { response_type: 'token' }],
  ['a request object', { request: 'x.y.z' }],
])('authorizes nobody with %s', async (_name, more) => {
  const user = await signedUp()

  const to = await authorize(user, await registered(), pkce().challenge, more)

  expect(errorOf(to)).toBeString()
  expect(to.href).not.toMatch(/[?&#]code=/)
  expect(to.pathname).not.toBe('/consent')
})

test.each([
  ['another redirection', { redirect_uri: 'http://127.0.0.1:9911/evil' }],
  ['localhost for 127.0.0.1', { redirect_uri: 'http://localhost:9911/callback' }],
  ['a foreign redirection', { redirect_uri: 'https://evil.example/' }],
  ['no redirection', { redirect_uri: undefined }],
  ['an unknown program', { client_id: 'nobody' }],
])('sends nobody to the program with %s', async (_name, more) => {
  const user = await signedUp()

  const to = await authorize(user, await registered(), pkce().challenge, more)

  expect(to.origin).toBe('https://app.example')
  expect(errorOf(to)).toBeString()
})

// Where a token counts

test('takes the token of a program at /mcp alone', async () => {
  const user = await signedUp()
  const { access, refresh } = await letIn(user)
  const authorization = `Bearer ${access}`

  for (const path of [
    '/api/tasks',
    '/api/me',
    '/api/me/programs',
    '/api/me/tokens',
    '/api/events',
  ]) {
    const { status, headers } = await send('GET', path, { headers: { authorization } })
    expect([path, status, headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer'])
  }
  const program = newProgram()
  expect((await program.mcp(access)).status).toBe(200)
  expect((await program.mcp(refresh)).status).toBe(401)
  expect((await program.mcp(`${access}x`)).status).toBe(401)
  expect((await program.mcp(access.replace('dkt_at_', 'dkt_pat_'))).status).toBe(401)
  expect(
    (await program.send('/api/auth/get-session', { method: 'GET', headers: { authorization } }))
      .body,
  ).not.toHaveProperty('user')
})

test('takes no token that has ended, is for another resource, or is bound to a key', async () => {
  const user = await signedUp()
  for (const change of [
    `"expiresAt" = now()`,
    `"revoked" = now()`,
    `"resources" = '["https://other.example/mcp"]'`,
    `"resources" = null`,
    `"confirmation" = '{"jkt":"x"}'`,
  ]) {
    const { program, id, access } = await letIn(user)
    expect((await program.mcp(access)).status).toBe(200)
    await sql.unsafe(`update docket."oauthAccessToken" set ${change} where "clientId" = '${id}'`)
    expect([change, (await program.mcp(access)).status]).toEqual([change, 401])
  }
  const { program, id, access } = await letIn(user)
  await sql`update docket."oauthClient" set "disabled" = true where "clientId" = ${id}`
  expect((await program.mcp(access)).status).toBe(401)
  await sql`update docket."oauthClient" set "disabled" = false where "clientId" = ${id}`
  await sql`update docket."oauthAccessToken" set "scopes" = '["offline_access"]' where "clientId" = ${id}`
  expect((await program.mcp(access)).status).toBe(403)
})

test('follows what was consented to last', async () => {
  const user = await signedUp()
  const { program, id, access } = await letIn(user)
  const may = async (token: string) =>
    (await program.tool(token, 'get_overview')).body.result.structuredContent.may
  expect(await may(access)).toEqual(['tasks:read', 'tasks:write'])

  const less = await program.token(byCode(id, await codeFor(user, id, { scope: 'tasks:read' })))
  expect(await may(access)).toEqual(['tasks:read'])
  expect((await user.send('GET', '/api/me/programs')).body[0].scopes).toEqual(['tasks:read'])
  await codeFor(user, id, { scope: 'tasks:write' })
  expect(await may(access)).toEqual(['tasks:read', 'tasks:write'])
  expect(await may(less.body.access_token)).toEqual(['tasks:read'])
})

test('tells a program what more it takes, and a token that it takes another', async () => {
  const user = await signedUp()
  const { program, access } = await letIn(user, { scope: 'tasks:read' })

  const { status, headers, body } = await program.tool(access, 'add_task', { title: 'A task' })

  expect([status, body.code]).toEqual([403, 'insufficient_scope'])
  expect(headers.get('www-authenticate')).toBe(
    `Bearer error="insufficient_scope", scope="tasks:write", resource_metadata="${issuerUrl}/.well-known/oauth-protected-resource/mcp"`,
  )
  const { body: made } = await user.send(
    'POST',
    '/api/me/tokens',
    { name: 'A', scopes: ['tasks:read'] },
    { origin },
  )
  const answer = await program.tool(made.token, 'add_task', { title: 'A task' })
  expect([answer.status, answer.body.result.isError]).toEqual([200, true])
  const { body: other } = await user.send(
    'POST',
    '/api/me/tokens',
    { name: 'B', scopes: ['account'] },
    { origin },
  )
  const refused = await program.mcp(other.token)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
    403,
    'Bearer error="insufficient_scope", scope="tasks:read"',
  ])
})

test('keeps its resource where AUTH_URL is another one by now', async () => {
  const url = 'http://localhost:9999'
  const moved = createTestApp({ issuer: () => ({ ...issuerOptions, url }) })
  const user = newBrowser(moved)
  // Registered before Better Auth has begun, which knows of another resource.
  expect((await newProgram(moved).register()).status).toBe(201)
  await user.send('GET', '/api/auth/ok')
  const challenge = (
    await newProgram(moved).send('/.well-known/oauth-protected-resource/mcp', { method: 'GET' })
  ).body
  expect(challenge.resource).toBe(`${url}/mcp`)
  const rows = await sql<{ identifier: string }[]>`select "identifier" from docket."oauthResource"`
  expect(rows.map(({ identifier }) => identifier)).toContain(`${url}/mcp`)
  expect((await newProgram(app).register()).status).toBe(201)
})

// The form

test('reads a form, and nothing else', async () => {
  const program = newProgram()
  const path = '/api/auth/oauth2/token'

  const json = await program.post(path, { grant_type: 'refresh_token' })
  expect([json.status, json.body.error]).toEqual([415, 'invalid_request'])
  const empty = await program.form(path, {})
  expect([empty.status, empty.body.error]).toEqual([400, 'invalid_request'])
  for (const value of ['\0', 'x'.repeat(5000)]) {
    const odd = await program.form(path, { grant_type: 'refresh_token', refresh_token: value })
    expect([odd.status, odd.body.error]).toEqual([400, 'invalid_request'])
  }
  const large = await program.form(path, { a: 'x'.repeat(70_000) })
  expect(large.status).toBe(413)
})

test('asks no cookie and no page who a program is', async () => {
  const user = await signedUp()
  const { program, id, refresh } = await letIn(user)

  const { status, headers } = await program.form('/api/auth/oauth2/token', byRefresh(id, refresh), {
    origin: 'https://inspector.example',
    cookie: user.cookieHeader(),
  })

  expect(status).toBe(200)
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('access-control-allow-credentials')).toBe(null)
  expect(headers.getSetCookie()).toEqual([])
  expect(headers.get('cache-control')).toContain('no-store')
})

test('answers OPTIONS of any page where programs ask, and of no other', async () => {
  const preflight = (path: string) =>
    newProgram().send(path, {
      method: 'OPTIONS',
      headers: { origin: 'https://inspector.example', 'access-control-request-method': 'POST' },
    })
  for (const path of [
    '/api/auth/oauth2/token',
    '/api/auth/oauth2/register',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server/api/auth',
  ]) {
    expect((await preflight(path)).headers.get('access-control-allow-origin')).toBe('*')
  }
  for (const path of ['/api/auth/oauth2/consent', '/api/auth/oauth2/authorize', '/api/tasks']) {
    expect((await preflight(path)).headers.get('access-control-allow-origin')).toBe(null)
  }
})
