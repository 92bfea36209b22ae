import { afterAll, expect, test } from 'bun:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { createTestApp, type TestUser } from '../support/app.ts'
import { titles } from '../support/tasks.ts'
import { withAgent } from './support.ts'

// The official clients, over HTTP, as programs use them.

const app = createTestApp()
app.listen({ port: 0, hostname: '127.0.0.1' })
const address = new URL(`http://127.0.0.1:${app.server?.port}/mcp`)
afterAll(() => app.server?.stop(true))

type Connected = {
  listTools: () => Promise<{ tools: { name: string }[] }>
  callTool: (call: { name: string; arguments: Record<string, unknown> }) => Promise<object>
  close: () => Promise<void>
}

async function use(client: Connected, user: TestUser): Promise<void> {
  const call = async (name: string, args: Record<string, unknown>) =>
    (
      (await client.callTool({ name, arguments: args })) as {
        structuredContent: Record<string, string>
      }
    ).structuredContent

  const { tools } = await client.listTools()
  expect(tools).toHaveLength(12)
  const { task_id = '' } = await call('add_task', { title: 'By ünï ✓', due_date: 'tomorrow' })
  expect(await call('complete_task', { task_id })).toMatchObject({ status: 'completed' })
  expect(await call('delete_task', { task_id })).toMatchObject({ status: 'deleted' })
  const { request_id = '' } = await call('restore_task', { task_id })
  expect(await titles(user)).toEqual(['By ünï ✓'])
  expect(await call('undo', { request_id })).toMatchObject({ status: 'undone' })
  expect(await titles(user)).toEqual([])
  expect(await client.callTool({ name: 'get_task', arguments: { task_id } })).toMatchObject({
    isError: true,
  })
  const fault = await client.callTool({ name: 'nope', arguments: {} }).catch((error) => error)
  expect(String(fault)).toContain('nope')
  // It was no broken connection.
  expect(await call('get_overview', {})).toMatchObject({ pending: 0 })
  await client.close()
}

test('version 1 of the SDK shakes hands', async () => {
  const { user, authorization } = await withAgent({ scopes: ['tasks:write'] })
  const client = new OldClient({ name: 'test', version: '1' })
  const options = { requestInit: { headers: { authorization } } }

  await client.connect(new OldTransport(address, options))

  expect(client.getServerVersion()).toMatchObject({ name: 'docket', title: 'Docket' })
  expect(client.getInstructions()).toContain('get_overview')
  await client.ping()
  await use(client, user)
})

test.each([
  ['as it comes', undefined, '2025-11-25'],
  ['by itself', { mode: 'auto' }, '2026-07-28'],
  ['the newest only', { mode: { pin: '2026-07-28' } }, '2026-07-28'],
] as const)(
  'version 2 of the SDK finds the revision %s',
  async (_, versionNegotiation, revision) => {
    const { user, authorization } = await withAgent({ scopes: ['tasks:write'] })
    const client = new Client(
      { name: 'test', version: '2' },
      versionNegotiation === undefined ? {} : { versionNegotiation },
    )

    await client.connect(
      new StreamableHTTPClientTransport(address, { requestInit: { headers: { authorization } } }),
    )

    expect(client.getServerVersion()).toMatchObject({ name: 'docket' })
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    await use(client, user)
  },
)

test('both are told that they have to sign in', async () => {
  const old = new OldClient({ name: 'test', version: '1' })
  const fresh = new Client({ name: 'test', version: '2' })

  const faults = await Promise.all([
    old.connect(new OldTransport(address)).catch((error) => error),
    fresh.connect(new StreamableHTTPClientTransport(address)).catch((error) => error),
  ])

  for (const fault of faults) expect(fault).toBeInstanceOf(Error)
})
