import { createHash, randomBytes } from 'node:crypto'
import type { App } from '../../src/app.ts'
import { clientAddresses } from './addresses.ts'
import { createTestApp, issuerUrl } from './app.ts'
import { type Browser, browser } from './auth-client.ts'

// A program and the browser of its user, by requests alone.

export const app = createTestApp()

export const redirect = 'http://127.0.0.1:9911/callback'

/** Any: the test asserts the shape. */
type Answer = { status: number; headers: Headers; body: any }

/** A program, which has no cookies, at an address of its own. */
export function newProgram(on: App = app) {
  const forwarded = clientAddresses.next().value

  async function send(path: string, init: RequestInit): Promise<Answer> {
    const headers = new Headers(init.headers)
    headers.set('x-forwarded-for', forwarded)
    const response = await on.handle(new Request(`${issuerUrl}${path}`, { ...init, headers }))
    const text = await response.text()
    const body = /^[{[]/.test(text) ? JSON.parse(text) : text
    return { status: response.status, headers: response.headers, body }
  }
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const form = (path: string, fields: Record<string, string>, headers = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields), headers })

  return {
    send,
    post,
    form,
    register: (metadata: object = {}) =>
      post('/api/auth/oauth2/register', {
        client_name: 'Robot',
        redirect_uris: [redirect],
        ...metadata,
      }),
    token: (fields: Record<string, string>) => form('/api/auth/oauth2/token', fields),
    revoke: (fields: Record<string, string>) => form('/api/auth/oauth2/revoke', fields),
    mcp: (token?: string, method = 'ping', params = {}) =>
      post(
        '/mcp',
        { jsonrpc: '2.0', id: 1, method, params },
        token === undefined ? {} : { authorization: `Bearer ${token}` },
      ),
    tool: (token: string, name: string, args: object = {}) =>
      post(
        '/mcp',
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
        { authorization: `Bearer ${token}` },
      ),
  }
}

export type Program = ReturnType<typeof newProgram>

export function pkce() {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export const newBrowser = (on: App = app): Browser =>
  browser(issuerUrl, issuerUrl, (request) => on.handle(request))

/** Where a request to authorize is sent on to. Undefined leaves a parameter out. */
export async function authorize(
  user: Browser,
  clientId: string,
  challenge: string,
  more: Record<string, string | undefined> = {},
): Promise<URL> {
  const query = new URLSearchParams()
  const asked = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirect,
    scope: 'tasks:read tasks:write',
    state: 'state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: `${issuerUrl}/mcp`,
    ...more,
  }
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined) query.set(name, value)
  }
  const { status, headers, text } = await user.send(
    'GET',
    `/api/auth/oauth2/authorize?${query.toString()}`,
  )
  const location = headers.get('location')
  if (status !== 302 || location === null) throw new Error(`${status} ${text}`)
  return new URL(location, issuerUrl)
}

export const consent = (user: Browser, page: URL, accept = true) =>
  user.send('POST', '/api/auth/oauth2/consent', {
    accept,
    oauth_query: page.search.slice(1),
  })

/** A code for a program that a user lets in. */
export async function codeFor(
  user: Browser,
  clientId: string,
  more: Record<string, string | undefined> = {},
) {
  const { verifier, challenge } = pkce()
  const page = await authorize(user, clientId, challenge, more)
  if (page.pathname !== '/consent') throw new Error(page.href)
  const { body } = await consent(user, page)
  const back = new URL(body.url)
  return { code: back.searchParams.get('code') ?? '', verifier, back }
}

/** The fields of a request for a token by a code. */
export const byCode = (
  clientId: string,
  { code, verifier }: { code: string; verifier: string },
) => ({
  grant_type: 'authorization_code',
  code,
  code_verifier: verifier,
  client_id: clientId,
  redirect_uri: redirect,
})

export const byRefresh = (clientId: string, refreshToken: string) => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
  client_id: clientId,
})

/** A program that a user has let in, with its tokens. */
export async function letIn(
  user: Browser,
  more: Record<string, string | undefined> = {},
  on = app,
) {
  const program = newProgram(on)
  const { client_id: id } = (await program.register()).body
  const code = await codeFor(user, id, more)
  const { status, body } = await program.token(byCode(id, code))
  if (status !== 200) throw new Error(JSON.stringify(body))
  return { program, id, code, access: body.access_token, refresh: body.refresh_token, body }
}
