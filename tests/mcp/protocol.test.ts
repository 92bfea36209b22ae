import { expect, test } from 'bun:test'
import { pino } from 'pino'
import { createLoad } from '../../src/http/load.ts'
import { createOutgoing } from '../../src/http/outgoing.ts'
import { memoryRates } from '../../src/http/rates.ts'
import { createTestApp, db, origin, send, signUp } from '../support/app.ts'
import { agentOf, meta, modernHeaders, post, rpc } from './support.ts'

const { authorization } = await signUp()
const signed = { authorization }

const hello = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})

test.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
  'shakes hands in revision %s, and keeps nothing of it',
  async (version) => {
    const { status, headers, body } = await post(
      rpc('initialize', { protocolVersion: version, capabilities: {} }),
      signed,
    )

    expect(status).toBe(200)
    expect(headers.get('content-type')).toStartWith('application/json')
    expect(headers.has('mcp-session-id')).toBe(false)
    expect(body).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      result: {
        protocolVersion: version,
        capabilities: { tools: {} },
        serverInfo: { name: 'docket', title: 'Docket' },
        instructions: expect.stringContaining('never make one up'),
      },
    })
    const list = await post(rpc('tools/list'), { ...signed, 'mcp-protocol-version': version })
    expect(list.body.result.tools).toHaveLength(12)
    expect(list.body.result).not.toHaveProperty('resultType')
  },
)

test('offers its newest one to who asks for a revision that is unknown', async () => {
  for (const params of [{ protocolVersion: '1999-01-01' }, {}]) {
    const { body } = await post(rpc('initialize', params), signed)
    expect(body.result.protocolVersion).toBe('2025-11-25')
  }
})

test('says nothing to a notification, nor to an answer', async () => {
  for (const message of [
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } },
    { jsonrpc: '2.0', id: 7, result: {} },
    { jsonrpc: '2.0', id: 7, error: { code: 1, message: 'x' } },
  ]) {
    const { status, text } = await post(message, signed)
    expect([status, text]).toEqual([202, ''])
  }
})

test('answers a ping, with the id as it was', async () => {
  for (const id of [0, 'a', '', 9_007_199_254_740_991]) {
    const { status, body } = await post(rpc('ping', undefined, id), signed)
    expect([status, body]).toEqual([200, { jsonrpc: '2.0', id, result: {} }])
  }
})

test.each([
  { params: [] },
  { params: 'x' },
  { method: 5 },
  { method: undefined },
  { jsonrpc: '1.0' },
])('answers under its id what is no message: %j', async (wrong) => {
  for (const id of [7, 'seven', '']) {
    const { body } = await post({ ...rpc('ping', {}, id), ...wrong }, { authorization })
    expect([body.id, typeof body.error.code]).toEqual([id, 'number'])
  }
})

test('tells older clients what is wrong with status 200, or they would not hear it', async () => {
  for (const [message, code] of [
    [rpc('resources/list'), -32601],
    [rpc('prompts/list'), -32601],
    [rpc('server/discover'), -32601],
    [rpc('tools/call', { name: 'nope', arguments: {} }), -32602],
    [rpc('tools/call', { arguments: {} }), -32602],
  ] as const) {
    const { status, body } = await post(message, signed)
    expect([status, body.id, body.error.code]).toEqual([200, 1, code])
  }
})

test('refuses a header with a revision that is unknown', async () => {
  const { status, body } = await post(rpc('tools/list'), {
    ...signed,
    'mcp-protocol-version': '1999-01-01',
  })

  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: -32022, data: { requested: '1999-01-01' } })
  expect(body.error.data.supported).toEqual([
    '2026-07-28',
    '2025-11-25',
    '2025-06-18',
    '2025-03-26',
    '2024-11-05',
  ])
})

test.each([
  ['no JSON', '{', -32700],
  ['the same name twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700],
  ['nothing', '', -32600],
  ['a batch', [rpc('ping'), rpc('ping')], -32600],
  ['an empty batch', [], -32600],
  ['a text', '"ping"', -32600],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }, -32600],
  ['no version', { id: 1, method: 'ping' }, -32600],
  ['no method', { jsonrpc: '2.0', id: 1 }, -32600],
  ['a number for a method', { jsonrpc: '2.0', id: 1, method: 1 }, -32600],
  ['null for an id', { jsonrpc: '2.0', id: null, method: 'ping' }, -32600],
  ['half an id', { jsonrpc: '2.0', id: 1.5, method: 'ping' }, -32600],
  ['a list of params', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }, -32602],
])('takes %s for no message', async (_, message, code) => {
  const { status, body } = await post(message, signed)

  expect([status, body.error.code]).toEqual([400, code])
  expect(body).not.toHaveProperty('result')
})

test('takes capabilities that are nested, and no tower', async () => {
  const deep = (levels: number): object => (levels === 0 ? {} : { x: deep(levels - 1) })

  expect((await post(rpc('initialize', { capabilities: deep(12) }), signed)).status).toBe(200)
  expect((await post(rpc('initialize', { capabilities: deep(14) }), signed)).status).toBe(400)
})

test('takes JSON of a megabyte at most', async () => {
  const large = rpc('ping', { x: 'x'.repeat(1024 * 1024) })

  expect(await post(large, signed)).toMatchObject({ status: 413, body: { code: 'too_large' } })
  expect(await post(rpc('ping'), { ...signed, 'content-type': 'text/plain' })).toMatchObject({
    status: 415,
  })
})

test('is there with a slash at the end too, and has no other methods', async () => {
  expect((await post(hello, signed, { path: '/mcp/' })).status).toBe(200)
  for (const path of ['/mcp', '/mcp/']) {
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      const answer = await send(method, path, { headers: signed })
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
    }
  }
})

test('is closed to who is nobody, with a challenge', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer x.y.z' },
    { authorization: 'Bearer dkt_pat_x' },
  ]) {
    for (const message of [hello, rpc('tools/list'), '{', { jsonrpc: '2.0', method: 'x' }]) {
      const answer = await post(message, headers)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer resource_metadata="http://localhost/.well-known/oauth-protected-resource/mcp", scope="tasks:read tasks:write"',
      )
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    }
  }
})

test('takes pages of allowed origins, and of this server where it is local, and no others', async () => {
  const own = createTestApp({ url: 'https://tasks.example/todo' })
  const statusFor = async (from: string, headers: object = signed, app = own) =>
    (await post(hello, { ...headers, origin: from }, { app })).status

  for (const from of [origin, 'https://tasks.example', 'http://localhost']) {
    expect([from, await statusFor(from)]).toEqual([from, 200])
  }
  for (const from of [
    'https://evil.example',
    'null',
    '',
    'http://localhost:9999',
    'http://127.0.0.1',
    'http://localhost.evil.example',
    'https://localhost',
    'http://tasks.example',
  ]) {
    expect([from, await statusFor(from)]).toEqual([from, 403])
    expect([from, await statusFor(from, {})]).toEqual([from, 403])
  }
})

test('does not believe that a name which somebody has pointed here is local', async () => {
  const response = await createTestApp().handle(
    new Request('http://evil.example:8000/mcp', {
      method: 'POST',
      headers: {
        ...signed,
        origin: 'http://evil.example:8000',
        'content-type': 'application/json',
      },
      body: JSON.stringify(hello),
    }),
  )

  expect(response.status).toBe(403)
})

test('lets a browser send what the protocol sends, and read the challenge', async () => {
  const names = [
    'mcp-protocol-version',
    'mcp-method',
    'mcp-name',
    'mcp-session-id',
    'last-event-id',
  ]
  const { status, headers } = await send('OPTIONS', '/mcp', {
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': `authorization,content-type,${names.join(',')}`,
    },
  })
  const answer = await post(hello, { ...signed, origin })

  expect(status).toBe(204)
  const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ')
  expect(allowed).toEqual(expect.arrayContaining([...names, 'authorization', 'content-type']))
  expect(answer.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate')
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
})

const modern = (method: string, params: object = {}, headers: object = {}) =>
  post(rpc(method, { _meta: meta, ...params }), {
    ...signed,
    ...modernHeaders(method, (params as { name?: string }).name),
    ...headers,
  })

test('speaks the revision without a handshake', async () => {
  const discovered = await modern('server/discover')
  const listed = await modern('tools/list')
  const called = await modern('tools/call', { name: 'get_overview', arguments: {} })

  for (const { status, body } of [discovered, listed, called]) {
    expect(status).toBe(200)
    expect(body.result).toMatchObject({
      resultType: 'complete',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'docket' } },
    })
  }
  expect(discovered.body.result).toMatchObject({
    supportedVersions: expect.arrayContaining(['2026-07-28', '2025-11-25']),
    capabilities: { tools: {} },
    instructions: expect.any(String),
  })
  for (const { body } of [discovered, listed]) {
    expect(body.result).toMatchObject({ ttlMs: expect.any(Number), cacheScope: 'private' })
  }
  expect(listed.body.result.tools).toHaveLength(12)
  expect(called.body.result.structuredContent.pending).toBe(0)
})

test('has in that revision no handshake, no ping, and a status for each fault', async () => {
  for (const method of ['initialize', 'ping', 'resources/list']) {
    const { status, body } = await modern(method)
    expect([status, body.error.code]).toEqual([404, -32601])
  }
  const unknown = await modern('tools/call', { name: 'nope', arguments: {} })
  expect([unknown.status, unknown.body.error.code]).toEqual([400, -32602])
})

test.each([
  ['no method', { 'mcp-method': undefined }],
  ['another method', { 'mcp-method': 'tools/list' }],
  ['no name', { 'mcp-name': undefined }],
  ['another name', { 'mcp-name': 'undo' }],
  ['no version', { 'mcp-protocol-version': undefined }],
  ['another version', { 'mcp-protocol-version': '2025-11-25' }],
])('refuses headers with %s than the message has', async (_, changed) => {
  const headers = Object.entries({
    ...signed,
    ...modernHeaders('tools/call', 'get_overview'),
    ...changed,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)

  const { status, body } = await post(
    rpc('tools/call', { _meta: meta, name: 'get_overview', arguments: {} }),
    Object.fromEntries(headers),
  )

  expect([status, body.error.code]).toEqual([400, -32020])
})

test('takes a name that was encoded for its header', async () => {
  const encoded = `=?base64?${Buffer.from('get_overview').toString('base64')}?=`

  const { status } = await modern(
    'tools/call',
    { name: 'get_overview', arguments: {} },
    { 'mcp-name': encoded },
  )

  expect(status).toBe(200)
})

test('wants in that revision to be told the version and the capabilities', async () => {
  const [version, capabilities] = Object.keys(meta) as [keyof typeof meta, keyof typeof meta]
  for (const [_meta, code] of [
    [{ [version]: meta[version] }, -32602],
    [{ [capabilities]: {} }, -32602],
    [{ ...meta, [capabilities]: 'none' }, -32602],
    [{}, -32602],
  ] as const) {
    const { status, body } = await modern('tools/list', { _meta })
    expect([status, body.error.code]).toEqual([400, code])
  }
  const future = await modern(
    'tools/list',
    { _meta: { ...meta, [version]: '2030-01-01' } },
    { 'mcp-protocol-version': '2030-01-01' },
  )
  expect([future.status, future.body.error.code]).toEqual([400, -32022])
})

test('counts a call as one request, whatever it asks', async () => {
  const app = createTestApp({
    rates: { users: memoryRates(60), failures: memoryRates(60), calendars: memoryRates(60) },
    outgoing: createOutgoing(),
  })
  const user = await signUp()
  const left = async () => {
    const { headers } = await post(rpc('ping'), { authorization: user.authorization }, { app })
    return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
  }
  const before = await left()

  await agentOf(user.authorization, app).done('get_overview')

  expect(before - (await left())).toBeLessThanOrEqual(2)
})

test('gives up what it asks when the client does', async () => {
  const asked: AbortSignal[] = []
  const recording: typeof db = {
    ...db,
    for: (request, owner) => {
      if (request !== null) asked.push(request.signal)
      return db.for(request, owner)
    },
  }
  const controller = new AbortController()
  await createTestApp({ db: recording }).handle(
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { ...signed, 'content-type': 'application/json' },
      body: JSON.stringify(rpc('tools/call', { name: 'list_tasks' })),
      signal: controller.signal,
    }),
  )

  controller.abort()

  expect(asked).not.toBeEmpty()
  for (const signal of asked) expect(signal.aborted).toBe(true)
})

test('takes the place of one request, and leaves it', async () => {
  // There is room for one.
  const load = createLoad(1, 0, 1)
  const app = createTestApp({ load })
  const agent = agentOf(authorization, app)

  const { tasks } = await agent.done('list_tasks')

  expect(tasks).toBeArray()
  // It asks much, but one thing after the other.
  expect(await agent.done('get_overview')).toMatchObject({ pending: 0 })
  expect(load.inFlight).toBe(0)
  expect(await agent.done('list_tasks')).toEqual({ tasks })
})

test('logs what a call asks under its own id, and nothing of what it says', async () => {
  const written: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => written.push(line) })
  const app = createTestApp({ log })
  const { authorization: own } = await signUp()

  await agentOf(own, app).done('add_task', { title: 'Secret' })

  const lines = written.map((line) => JSON.parse(line))
  expect(lines.map(({ route }) => route)).toEqual(['/api/tasks', '/mcp'])
  expect(new Set(lines.map(({ request_id }) => request_id)).size).toBe(1)
  expect(written.join('')).not.toContain('Secret')
})
