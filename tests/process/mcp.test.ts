import { afterAll, expect, test } from 'bun:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { temporaryFolder } from '../support/database.ts'
import { command, docket, startServer } from '../support/process.ts'

const cwd = temporaryFolder()
const env = { BETTER_AUTH_SECRET: 'only-for-tests-only-for-tests-only' }
const server = await startServer({ cwd, env })
afterAll(() => server.end('SIGTERM'))

const { stdout } = await docket(['token', '--user', 'alice'], { cwd, env })
const token = stdout.trim()
const own = { DOCKET_URL: server.address, DOCKET_TOKEN: token }

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const rpc = (method: string, params: object = {}, id: string | number = 1) =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })

/** Runs the bridge on these lines, to the end of both. */
async function bridge(lines: string[], more: Record<string, string> = own) {
  const {
    stdout: said,
    stderr,
    exitCode,
  } = await docket(['mcp'], {
    env: more,
    input: lines.map((line) => `${line}\n`).join(''),
  })
  return { said: linesOf(said), stderr, exitCode }
}

test('passes messages on, answers in lines, and ends with its input', async () => {
  const { said, stderr, exitCode } = await bridge([
    rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {} }, 'first'),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '',
    rpc('tools/list', {}, 2),
    rpc('tools/call', { name: 'add_task', arguments: { title: 'Two\nlines ünï' } }, 3),
    rpc('resources/list', {}, 4),
  ])

  expect([exitCode, stderr]).toEqual([0, ''])
  const byId = new Map(said.map((message) => [message.id, message]))
  expect(new Set(byId.keys())).toEqual(new Set(['first', 2, 3, 4]))
  expect(byId.get('first').result.serverInfo.name).toBe('docket')
  expect(byId.get(2).result.tools).toHaveLength(12)
  expect(byId.get(3).result.structuredContent.title).toBe('Two\nlines ünï')
  expect(byId.get(4).error.code).toBe(-32601)
})

test('says the headers that the newest revision wants', async () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }

  const { said } = await bridge([
    rpc('server/discover', { _meta: meta }, 1),
    rpc('tools/call', { _meta: meta, name: 'get_overview', arguments: {} }, 2),
    rpc('tools/call', { _meta: meta, name: 'ünknown', arguments: {} }, 3),
  ])

  const byId = new Map(said.map((message) => [message.id, message]))
  expect(byId.get(1).result.resultType).toBe('complete')
  expect(byId.get(2).result.structuredContent.user).toEqual({ id: 'alice' })
  expect(byId.get(3).error).toMatchObject({ code: -32602, message: 'Unknown tool: ünknown' })
})

test('passes on what is long, whole', async () => {
  const tasks = Array.from({ length: 40 }, (_, n) => ({
    title: `Long ${n}`,
    description: 'ü'.repeat(10_000),
  }))

  const { said } = await bridge([
    rpc('tools/call', { name: 'add_tasks', arguments: { tasks } }, 1),
    rpc('ping', {}, 2),
  ])

  const byId = new Map(said.map((message) => [message.id, message]))
  expect(byId.get(1).result.structuredContent).toMatchObject({ created: 40, refused: 0 })
  expect(byId.get(2).result).toEqual({})
})

test('tells client and person what is wrong', async () => {
  const nobody = await bridge([rpc('tools/list')], { ...own, DOCKET_TOKEN: 'x.y.z' })
  expect(nobody.said).toMatchObject([{ id: 1, error: { code: -32603 } }])
  expect(nobody.said[0].error.message).toContain('answered 401. Sign in')
  expect(nobody.stderr).toContain('answered 401')
  expect(nobody.stderr).toContain('Set DOCKET_TOKEN to another one.')

  const away = await bridge([rpc('ping'), 'no JSON', '{"jsonrpc":"2.0","method":"x"}'], {
    ...own,
    DOCKET_URL: 'http://127.0.0.1:1',
  })
  expect(away.said).toContainEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32700, message: 'This is no JSON.' },
  })
  expect(away.said).toHaveLength(2)
  expect(away.stderr).toContain('Cannot reach http://127.0.0.1:1/mcp')
  expect(`${away.stderr}${nobody.stderr}`).not.toContain(token)
})

test('wants a token, and does not send one in the clear to anywhere', async () => {
  const without = await bridge([], { DOCKET_URL: server.address })
  expect([without.exitCode, without.stderr]).toEqual([
    1,
    'Set DOCKET_TOKEN to a token of the user.\n',
  ])
  const open = await bridge([], { ...own, DOCKET_URL: 'http://tasks.example' })
  expect(open.exitCode).toBe(1)
  expect(open.stderr).toContain('DOCKET_URL must be an address with https://')
})

test('says of each answer which question it is of, also where that is wrong', async () => {
  const tower = `${'['.repeat(40)}${']'.repeat(40)}`
  const { said } = await bridge([
    `{"jsonrpc":"2.0","id":"deep","method":"ping","params":{"a":${tower}}}`,
    '{"jsonrpc":"2.0","id":2,"method":"ping","params":[]}',
    '{"jsonrpc":"2.0","id":3}',
    `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"${'x'.repeat(1_100_000)}"}}`,
  ])

  expect(said.map(({ id, error }) => [id, typeof error.message])).toBeArrayOfSize(4)
  expect(new Set(said.map(({ id }) => id))).toEqual(new Set(['deep', 2, 3, 4]))
})

test('ends where nobody hears it any more, though its input is open', async () => {
  const bridged = Bun.spawn([...command, 'mcp'], {
    cwd: temporaryFolder(),
    env: { ...process.env, ...own },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const ask = async () => {
    await bridged.stdin.write(`${rpc('ping')}\n`)
    await bridged.stdin.flush()
  }
  await ask()
  const reader = bridged.stdout.getReader()
  await reader.read()
  await reader.cancel()
  while (bridged.exitCode === null) {
    // It may be gone already.
    await ask().catch(() => {})
    await Bun.sleep(20)
  }

  expect([bridged.exitCode, await new Response(bridged.stderr).text()]).toEqual([0, ''])
})

test('refuses a token that no header can have', async () => {
  const { exitCode, stderr } = await bridge([rpc('ping')], { ...own, DOCKET_TOKEN: 'dkt pat' })

  expect([exitCode, stderr]).toEqual([
    1,
    'DOCKET_TOKEN is no token: it has a space, or a character that none has.\n',
  ])
})

test('does not follow to where else it is sent', async () => {
  using elsewhere = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => Response.redirect('https://evil.example/mcp', 307),
  })

  const { said } = await bridge([rpc('ping')], { ...own, DOCKET_URL: elsewhere.url.href })

  expect(said).toMatchObject([{ id: 1, error: { code: -32603 } }])
})

test('gives up a call that is cancelled', async () => {
  using patient = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Promise<Response>(() => {}),
  })

  const { said, exitCode } = await bridge(
    [
      rpc('tools/list', {}, 'a'),
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}',
    ],
    { ...own, DOCKET_URL: patient.url.href },
  )

  expect([said, exitCode]).toEqual([[], 0])
})

test.each([undefined, { mode: 'auto' }, { mode: { pin: '2026-07-28' } }] as const)(
  'is understood by the official client (%j)',
  async (versionNegotiation) => {
    const client = new Client(
      { name: 'test', version: '1' },
      versionNegotiation === undefined ? {} : { versionNegotiation },
    )
    const [program = '', ...args] = command
    const transport = new StdioClientTransport({
      command: program,
      args: [...args, 'mcp'],
      cwd: temporaryFolder(),
      env: own,
    })

    await client.connect(transport)
    const { tools } = await client.listTools()
    const { structuredContent } = await client.callTool({
      name: 'add_task',
      arguments: { title: 'By a client' },
    })
    await client.close()

    expect(tools).toHaveLength(12)
    expect(structuredContent).toMatchObject({ status: 'created', title: 'By a client' })
  },
)
