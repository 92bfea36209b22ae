import { afterAll, expect, test } from 'bun:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { createTestApp, issuerOptions } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'

// The official clients with their own OAuth, over HTTP, as programs use them: they know the address of /mcp, and no more.

const app = createTestApp({ issuer: () => ({ ...issuerOptions, url: here() }) })
app.listen({ port: 0, hostname: '127.0.0.1' })
const here = (): string => `http://127.0.0.1:${app.server?.port}`
afterAll(() => app.server?.stop(true))

const redirect = 'http://localhost:27199/callback'

/** What a program keeps. Any: what the clients keep is theirs. */
function createProvider() {
  const kept: { client?: any; tokens?: any; verifier?: any; found?: any; url?: URL } = {}
  return {
    kept,
    redirectUrl: redirect,
    // As the older client says it: neither a scope nor a type.
    clientMetadata: {
      client_name: 'SDK',
      redirect_uris: [redirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'state-of-the-client',
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => {
      kept.client = client
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens: unknown) => {
      kept.tokens = tokens
    },
    codeVerifier: () => kept.verifier,
    saveCodeVerifier: (verifier: unknown) => {
      kept.verifier = verifier
    },
    discoveryState: () => kept.found,
    saveDiscoveryState: (found: unknown) => {
      kept.found = found
    },
    redirectToAuthorization: (url: URL) => {
      kept.url = url
    },
  }
}

type Provider = ReturnType<typeof createProvider>

/** What the user does in the browser that the program opens. */
async function letIn({ kept }: Provider): Promise<URL> {
  const user = browser(here(), here())
  const email = `${crypto.randomUUID()}@example.com`
  const asked = await user.send('GET', kept.url?.href ?? '')
  const signIn = new URL(asked.headers.get('location') ?? '')
  expect(signIn.href).toStartWith(`${here()}/sign-in?`)
  const signedUp = await user.send('POST', '/api/auth/sign-up/email', {
    name: 'Ann',
    email,
    password: 'correct horse battery',
    oauth_query: signIn.search.slice(1),
  })
  const page = new URL(signedUp.body.url)
  expect(page.href).toStartWith(`${here()}/consent?`)
  const { body } = await user.send('POST', '/api/auth/oauth2/consent', {
    accept: true,
    oauth_query: page.search.slice(1),
  })
  return new URL(body.url)
}

async function goThrough(
  provider: Provider,
  connect: () => Promise<Connected>,
  finish: (back: URL) => Promise<void>,
): Promise<void> {
  expect(await connect().catch((error: Error) => error.constructor.name)).toBe('UnauthorizedError')
  await finish(await letIn(provider))
  expect(provider.kept.tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600 })

  const first = await connect()
  const { structuredContent } = await first.callTool({
    name: 'add_task',
    arguments: { title: 'By OAuth' },
  })
  expect(structuredContent).toMatchObject({ title: 'By OAuth' })
  await first.close()

  // An hour later, and with nobody there to sign in.
  const before = provider.kept.tokens
  provider.kept.tokens = { ...before, access_token: `dkt_at_${'x'.repeat(43)}` }
  const second = await connect()
  expect((await second.listTools()).tools).not.toBeEmpty()
  expect(provider.kept.tokens.refresh_token).not.toBe(before.refresh_token)
  await second.close()
}

/** What both clients have. Any: they differ in their types. */
type Connected = {
  listTools: () => Promise<{ tools: unknown[] }>
  callTool: (call: { name: string; arguments: Record<string, unknown> }) => Promise<any>
  close: () => Promise<void>
}

test('version 1 of the SDK signs in by itself', async () => {
  const provider = createProvider()
  let transport: OldTransport
  const connect = async (): Promise<Connected> => {
    const client = new OldClient({ name: 'test', version: '1' })
    transport = new OldTransport(new URL(`${here()}/mcp`), { authProvider: provider })
    await client.connect(transport)
    return client
  }

  await goThrough(provider, connect, async (back) =>
    transport.finishAuth(back.searchParams.get('code') ?? ''),
  )
})

test('version 2 of the SDK signs in by itself', async () => {
  const provider = createProvider()
  let transport: StreamableHTTPClientTransport
  const connect = async (): Promise<Connected> => {
    const client = new Client({ name: 'test', version: '1' })
    transport = new StreamableHTTPClientTransport(new URL(`${here()}/mcp`), {
      authProvider: provider,
    })
    await client.connect(transport)
    return client
  }

  await goThrough(provider, connect, (back) => transport.finishAuth(back.searchParams))
})
