import type { App } from '../../src/app.ts'
import { signUp, type TestUser, app as usual } from '../support/app.ts'

/** Any: the test asserts the shape. */
type Json = any

export type Answer = { status: number; headers: Headers; body: Json; text: string }

/** Sends a message, or whatever it is, to /mcp. */
export async function post(
  message: unknown,
  headers: Record<string, string> = {},
  { app = usual, path = '/mcp' }: { app?: App; path?: string } = {},
): Promise<Answer> {
  const response = await app.handle(
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof message === 'string' ? message : JSON.stringify(message),
    }),
  )
  const text = await response.text()
  const { status } = response
  return {
    status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
    text,
  }
}

export const rpc = (method: string, params?: object, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? {} : { params }),
})

/** What a message of the newest revision says of itself, and its headers. */
export const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
export const modernHeaders = (method: string, name?: string) => ({
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
})

export type Agent = {
  /** What a tool answers: its JSON where it could do it, and else what is wrong. */
  call: (name: string, args?: object, headers?: Record<string, string>) => Promise<Json>
  /** The same, where it must be able to. */
  done: (name: string, args?: object, headers?: Record<string, string>) => Promise<Json>
  tools: () => Promise<Json[]>
}

export function agentOf(authorization: string, app: App = usual): Agent {
  const call: Agent['call'] = async (name, args, headers = {}) => {
    const { status, body } = await post(
      rpc('tools/call', { name, ...(args === undefined ? {} : { arguments: args }) }),
      { authorization, ...headers },
      { app },
    )
    if (status !== 200 || body.result === undefined) throw new Error(JSON.stringify(body))
    const { content, structuredContent, isError } = body.result
    const [{ text }] = content
    if (isError) {
      if (structuredContent !== undefined) throw new Error('A fault with a structure')
      return text
    }
    if (JSON.stringify(structuredContent) !== text) throw new Error('Two answers')
    return structuredContent
  }
  return {
    call,
    done: async (name, args, headers) => {
      const answer = await call(name, args, headers)
      if (typeof answer === 'string') throw new Error(answer)
      return answer
    },
    tools: async () =>
      (await post(rpc('tools/list'), { authorization }, { app })).body.result.tools,
  }
}

/** A user who nobody else has, and an agent with a token of his, or with his own sign-in. */
export async function withAgent(
  token?: object,
): Promise<{ user: TestUser; agent: Agent; authorization: string }> {
  const user = await signUp()
  const authorization =
    token === undefined ? user.authorization : `Bearer ${await tokenOf(user, token)}`
  return { user, agent: agentOf(authorization), authorization }
}

/** @param rights besides the name */
export async function tokenOf(user: TestUser, rights: object): Promise<string> {
  const { status, text, body } = await user.send('POST', '/api/me/tokens', {
    name: 'Claude',
    ...rights,
  })
  if (status !== 201) throw new Error(text)
  return body.token
}
