// The Model Context Protocol over HTTP, for a server that has tools and nothing else: the stateless revision 2026-07-28, and the
// four before it, which begin with a handshake that is stateless here too. One message in, one JSON out: no stream, no session.

export const modern = '2026-07-28'
/** Who asks for one that is unknown is offered the first. */
export const legacy = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

const supported = [modern, ...legacy]

const inMeta = (name: string): string => `io.modelcontextprotocol/${name}`

type Json = Record<string, unknown>

/** Who answers. What it does may throw an RpcError. */
export type Server = {
  info: { name: string; title: string; version: string }
  /** What a model is to know of all tools. */
  instructions: string
  listTools: () => Json
  callTool: (name: string, args: unknown) => Promise<Json>
}

type Message = {
  /** Undefined: nothing is to be answered. */
  id: string | number | undefined
  method: string
  params: Json
}

/** JSON is all that there is of a reply; null: there is nothing to say. */
export type Reply = { status: number; body: object | null }

export class RpcError extends Error {
  readonly code: number
  readonly status: number
  readonly data: object | undefined

  constructor(code: number, message: string, more: { status?: number; data?: object } = {}) {
    super(message)
    this.code = code
    this.status = more.status ?? 400
    this.data = more.data
  }
}

/** Answers one message. What is no RpcError is thrown on. */
export async function answer(body: unknown, headers: Headers, server: Server): Promise<Reply> {
  let message: Message | undefined
  try {
    message = readMessage(body)
    const { id } = message
    // A notification, or the answer to what nobody has asked.
    if (id === undefined) return { status: 202, body: null }
    const result = isModern(message, headers)
      ? await answerModern(message, headers, server)
      : await answerLegacy(message, headers, server)
    return { status: 200, body: { jsonrpc: '2.0', id, result } }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    // To older clients any other status is a broken connection, and what the body says is lost.
    const isOld = message !== undefined && !isModern(message, headers)
    const status = isOld && error.code !== codes.version ? 200 : error.status
    return refusal(error, status, idOf(body))
  }
}

/** What is said instead of an answer. */
export const refusal = (
  { code, message, data, status: usual }: RpcError,
  status = usual,
  id?: string | number,
): Reply => ({
  status,
  body: {
    jsonrpc: '2.0',
    ...(id === undefined ? {} : { id }),
    error: { code, message, ...(data === undefined ? {} : { data }) },
  },
})

export const codes = {
  unreadable: -32700,
  message: -32600,
  method: -32601,
  params: -32602,
  failure: -32603,
  header: -32020,
  version: -32022,
}

function readMessage(body: unknown): Message {
  if (!isObject(body) || body['jsonrpc'] !== '2.0') {
    throw new RpcError(codes.message, 'This is no message of JSON-RPC 2.0. Send one at a time.')
  }
  const { id, method, params = {} } = body
  const isAnswer = method === undefined && ('result' in body || 'error' in body)
  if (isAnswer) return { id: undefined, method: '', params: {} }
  if (typeof method !== 'string') throw new RpcError(codes.message, 'The method is missing.')
  if (id !== undefined && !isId(id)) {
    throw new RpcError(codes.message, 'The id must be a string or a whole number.')
  }
  if (!isObject(params)) throw new RpcError(codes.params, 'The params must be an object.')
  return { id, method, params }
}

/** What a message is known by, also where it is wrong otherwise. */
export function idOf(body: unknown): Message['id'] {
  const id = isObject(body) ? body['id'] : undefined
  return isId(id) ? id : undefined
}

const isId = (id: unknown): id is string | number =>
  typeof id === 'string' || Number.isSafeInteger(id)

const metaOf = ({ params: { _meta: meta } }: Message): Json => (isObject(meta) ? meta : {})

/** By its header alone too: what is then missing in the message is said as the new revision wants it. */
const isModern = (message: Message, headers: Headers): boolean =>
  inMeta('protocolVersion') in metaOf(message) || headers.get('mcp-protocol-version') === modern

async function answerLegacy(
  { method, params }: Message,
  headers: Headers,
  { info, instructions, listTools, callTool }: Server,
): Promise<Json> {
  if (method === 'initialize') {
    const asked = legacy.find((version) => version === params['protocolVersion'])
    return {
      protocolVersion: asked ?? legacy[0],
      capabilities: { tools: {} },
      serverInfo: info,
      instructions,
    }
  }
  const version = headers.get('mcp-protocol-version')
  if (version !== null && !legacy.includes(version)) throw unsupported(version)
  switch (method) {
    case 'ping':
      return {}
    case 'tools/list':
      return listTools()
    case 'tools/call':
      return callTool(nameOf(params), params['arguments'])
    default:
      throw noMethod(method)
  }
}

async function answerModern(
  message: Message,
  headers: Headers,
  { info, instructions, listTools, callTool }: Server,
): Promise<Json> {
  const { method, params } = message
  const meta = metaOf(message)
  const version = meta[inMeta('protocolVersion')]
  if (typeof version !== 'string') throw missing('protocolVersion')
  compare(headers, 'mcp-protocol-version', version)
  if (version !== modern) throw unsupported(version)
  if (!isObject(meta[inMeta('clientCapabilities')])) throw missing('clientCapabilities')
  compare(headers, 'mcp-method', method)
  if (method === 'tools/call') compare(headers, 'mcp-name', params['name'])

  const complete = { resultType: 'complete', _meta: { [inMeta('serverInfo')]: info } }
  switch (method) {
    case 'server/discover':
      return {
        ...complete,
        ...ofCaller,
        supportedVersions: supported,
        capabilities: { tools: {} },
        instructions,
      }
    case 'tools/list':
      return { ...complete, ...ofCaller, ...listTools() }
    case 'tools/call':
      return { ...complete, ...(await callTool(nameOf(params), params['arguments'])) }
    default:
      throw noMethod(method)
  }
}

/** For how long it holds, and for whom: tools are listed by what the caller may do. */
const ofCaller = { ttlMs: 300_000, cacheScope: 'private' }

function nameOf({ name }: Json): string {
  if (typeof name !== 'string') throw new RpcError(codes.params, 'The name of the tool is missing.')
  return name
}

const noMethod = (method: string): RpcError =>
  new RpcError(codes.method, `There is no method ${method.slice(0, 100)}.`, { status: 404 })

const missing = (name: string): RpcError =>
  new RpcError(codes.params, `The _meta of the params has no ${inMeta(name)}.`)

const unsupported = (requested: string): RpcError =>
  new RpcError(codes.version, 'Unsupported protocol version', { data: { supported, requested } })

/** A proxy on the way goes by the header: it has to say what the message says. */
function compare(headers: Headers, name: string, expected: unknown): void {
  const given = headers.get(name)
  if (given === null) throw new RpcError(codes.header, `Header mismatch: ${name} is missing`)
  if (decode(given) !== expected) {
    throw new RpcError(codes.header, `Header mismatch: ${name} is not that of the body`)
  }
}

const encoded = /^=\?base64\?(.*)\?=$/

/** A header with what does not fit into one as it is. */
function decode(text: string): string {
  const [, base64] = encoded.exec(text) ?? []
  return base64 === undefined ? text : Buffer.from(base64, 'base64').toString()
}

/** The headers that a message of the new revision needs; of an older one none. */
export function headersOf(body: unknown): Record<string, string> {
  if (!isObject(body) || !isObject(body['params'])) return {}
  const { method, params } = body
  const version = metaOf({ id: undefined, method: '', params: body['params'] })[
    inMeta('protocolVersion')
  ]
  if (typeof version !== 'string' || typeof method !== 'string') return {}
  const name = isObject(params) ? params['name'] : undefined
  return {
    'mcp-protocol-version': encode(version),
    'mcp-method': encode(method),
    ...(typeof name === 'string' ? { 'mcp-name': encode(name) } : {}),
  }
}

const encode = (text: string): string =>
  /^[!-~](?:[ -~]*[!-~])?$/.test(text) && !encoded.test(text)
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
