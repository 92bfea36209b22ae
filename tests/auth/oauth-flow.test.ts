import { expect, test } from 'bun:test'
import { createTestApp, issuerOptions, issuerUrl, sql } from '../support/app.ts'
import {
  authorize,
  byCode,
  byRefresh,
  consent,
  letIn,
  newBrowser,
  newProgram,
  pkce,
  redirect,
} from '../support/oauth.ts'
import { startProvider } from '../support/provider.ts'

const email = () => `${crypto.randomUUID()}@example.com`

test('lets a program in that knows the address of /mcp alone', async () => {
  const address = email()
  await newBrowser().signUp(address)
  const program = newProgram()

  // What it reads.
  const refused = await program.mcp()
  expect(refused.status).toBe(401)
  const challenge = refused.headers.get('www-authenticate') ?? ''
  expect(challenge).toBe(
    `Bearer resource_metadata="${issuerUrl}/.well-known/oauth-protected-resource/mcp", scope="tasks:read tasks:write"`,
  )
  const documentOf = async (url: string) =>
    (await program.send(new URL(url).pathname, { method: 'GET' })).body
  const resource = await documentOf(/resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '')
  expect(resource).toMatchObject({
    resource: `${issuerUrl}/mcp`,
    authorization_servers: [`${issuerUrl}/api/auth`],
    scopes_supported: ['tasks:read', 'tasks:write'],
  })
  const server = await documentOf(
    `${issuerUrl}/.well-known/oauth-authorization-server${new URL(resource.authorization_servers[0]).pathname}`,
  )
  expect(server.issuer).toBe(resource.authorization_servers[0])

  // What it registers as.
  const registered = await program.post(new URL(server.registration_endpoint).pathname, {
    client_name: 'Claude',
    redirect_uris: [redirect],
  })
  expect(registered.status).toBe(201)
  expect(registered.body).toMatchObject({
    client_name: 'Claude',
    token_endpoint_auth_method: 'none',
  })
  expect(Object.keys(registered.body)).not.toContain('client_secret')
  const { client_id: id } = registered.body

  // What its user sees.
  const { verifier, challenge: hash } = pkce()
  const user = newBrowser()
  const signInPage = await authorize(user, id, hash, { scope: undefined, resource: undefined })
  expect(signInPage.pathname).toBe('/sign-in')
  const signedIn = await user.send('POST', '/api/auth/sign-in/email', {
    email: address,
    password: 'correct horse battery',
    oauth_query: signInPage.search.slice(1),
  })
  const consentPage = new URL(signedIn.body.url)
  expect(consentPage.origin + consentPage.pathname).toBe(`${issuerUrl}/consent`)
  expect(consentPage.searchParams.get('scope')).toBe('tasks:read tasks:write offline_access')
  expect((await user.send('GET', '/consent')).status).toBe(200)
  const named = await user.send('GET', `/api/auth/oauth2/public-client?client_id=${id}`)
  expect(named.body.client_name).toBe('Claude')
  const back = new URL((await consent(user, consentPage)).body.url)
  expect(back.origin + back.pathname).toBe(redirect)
  expect(back.searchParams.get('state')).toBe('state')
  expect(back.searchParams.get('iss')).toBe(server.issuer)

  // What it is given, and what for.
  const code = back.searchParams.get('code') ?? ''
  const { status, body } = await program.token(byCode(id, { code, verifier }))
  expect(status).toBe(200)
  expect(body.access_token).toMatch(/^dkt_at_[\w-]{43}$/)
  expect(body.refresh_token).toMatch(/^dkt_rt_[\w-]{43}$/)
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600 })
  expect((await program.mcp(body.access_token)).status).toBe(200)

  // Again, an hour later.
  const refreshed = await program.token(byRefresh(id, body.refresh_token))
  expect(refreshed.status).toBe(200)
  expect(refreshed.body.refresh_token).not.toBe(body.refresh_token)
  expect((await program.mcp(refreshed.body.access_token)).status).toBe(200)

  // And no more.
  const gone = await program.revoke({ token: refreshed.body.refresh_token, client_id: id })
  expect(gone.status).toBe(200)
  expect((await program.mcp(refreshed.body.access_token)).status).toBe(401)
  expect((await program.token(byRefresh(id, refreshed.body.refresh_token))).status).toBe(400)
})

test('keeps no token, but a digest of each', async () => {
  const user = newBrowser()
  await user.signUp()
  const { access, refresh, code } = await letIn(user)

  const rows = JSON.stringify([
    await sql`select * from docket."oauthAccessToken"`,
    await sql`select * from docket."oauthRefreshToken"`,
    await sql`select * from docket."verification"`,
  ])
  for (const secret of [access.slice(7), refresh.slice(7), code.code]) {
    expect(rows).not.toContain(secret)
  }
})

test('keeps lists as lists', async () => {
  const user = newBrowser()
  await user.signUp()
  const { id } = await letIn(user)

  const [row] = await sql`
    select jsonb_typeof(k."scopes") as consent, jsonb_typeof(t."scopes") as token, jsonb_typeof(t."resources") as resources,
      jsonb_typeof(r."scopes") as refresh, jsonb_typeof(c."redirectUris") as uris
    from docket."oauthConsent" k
    join docket."oauthAccessToken" t on t."clientId" = k."clientId"
    join docket."oauthRefreshToken" r on r."clientId" = k."clientId"
    join docket."oauthClient" c on c."clientId" = k."clientId"
    where k."clientId" = ${id}`
  expect(row).toEqual({
    consent: 'array',
    token: 'array',
    resources: 'array',
    refresh: 'array',
    uris: 'array',
  })
})

test('sends a program away that its user does not want', async () => {
  const user = newBrowser()
  await user.signUp()
  const program = newProgram()
  const { client_id: id } = (await program.register()).body
  const page = await authorize(user, id, pkce().challenge)

  const { body } = await consent(user, page, false)

  const back = new URL(body.url)
  expect(back.origin + back.pathname).toBe(redirect)
  expect(back.searchParams.get('error')).toBe('access_denied')
  expect(back.searchParams.has('code')).toBe(false)
  expect((await user.send('GET', '/api/me/programs')).body).toEqual([])
})

test('writes into the history what a program does, under its name', async () => {
  const user = newBrowser()
  await user.signUp()
  const { program, access } = await letIn(user)

  const { body } = await program.tool(access, 'add_task', { title: 'Made by it' })

  const { task_id: id } = body.result.structuredContent
  const { body: history } = await user.send('GET', `/api/tasks/${id}/history`)
  expect(history[0].by).toEqual({ kind: 'program', name: 'Robot' })
})

test('lets a program in after a sign-in by a provider', async () => {
  const provider = await startProvider()
  const other = createTestApp({
    issuer: () => ({ ...issuerOptions, oidc: provider.oidc }),
  })
  const program = newProgram(other)
  const user = newBrowser(other)
  const { client_id: id } = (await program.register()).body
  const { verifier, challenge } = pkce()
  const signIn = await authorize(user, id, challenge)
  expect(signIn.pathname).toBe('/sign-in')

  // As the page does: what comes back from there asks once more.
  const asked = new URLSearchParams(signIn.search)
  for (const name of ['sig', 'exp', 'prompt']) asked.delete(name)
  const address = email()
  const next = await provider.signIn(
    user,
    { claims: { sub: address, email: address, email_verified: true } },
    `${issuerUrl}/api/auth/oauth2/authorize?${asked.toString()}`,
  )
  const page = new URL((await user.send('GET', next.href)).headers.get('location') ?? '')

  expect(page.pathname).toBe('/consent')
  const back = new URL((await consent(user, page)).body.url)
  const code = back.searchParams.get('code') ?? ''
  const { status, body } = await program.token(byCode(id, { code, verifier }))
  expect(status).toBe(200)
  expect((await program.mcp(body.access_token)).status).toBe(200)
  await provider.stop()
})
