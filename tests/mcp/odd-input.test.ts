import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { agentOf, post, rpc, withAgent } from './support.ts'

// Whatever is sent: an answer, never a fault of ours.

const { user, agent, authorization } = await withAgent()
const tools = await agent.tools()
const { id } = await user.create({ title: 'A task', recurrence: 'daily' })
await user.send('POST', '/api/lists', { name: 'Home' })

const words = [
  '',
  ' ',
  '\0',
  '\ud800',
  ...', null true -1 1e9 999999 Home inbox today +9999d +9999y -9999y 0001-01-01 9999-12-31 24:00'.split(
    ' ',
  ),
  ...'[ [] {} " @x list:Home (((( # FREQ=DAILY;COUNT=0 -PT0S Europe/Berlin'.split(' '),
  id,
  `${id},${id}`,
  `${id},x`,
]

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(...words),
)

/** Arguments by the names of a tool, and others. */
const argumentsOf = ({ inputSchema }: (typeof tools)[number]) =>
  fc.dictionary(
    fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...Object.keys(inputSchema.properties), 'user_id') },
      { weight: 1, arbitrary: fc.string({ maxLength: 10 }) },
    ),
    odd,
    { maxKeys: 6, noNullPrototype: true },
  )

test.each(tools.map((tool) => [tool.name, tool] as const))(
  '%s answers whatever it is given',
  async (name, tool) => {
    await fc.assert(
      fc.asyncProperty(argumentsOf(tool), async (args) => {
        const answer = await agentOf(authorization).call(name, args)
        // The words of a 500.
        if (typeof answer === 'string') expect(answer).not.toContain('It has been logged')
        else expect(answer).toBeObject()
      }),
      { numRuns: 150 },
    )
  },
)

test('answers whatever message it is sent', async () => {
  const message = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.record(
      {
        jsonrpc: fc.constantFrom<unknown>('2.0', '1.0', 2),
        id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
        method: fc.oneof(
          fc.constantFrom('initialize', 'ping', 'tools/list', 'tools/call', 'server/discover'),
          fc.jsonValue(),
        ),
        params: fc.oneof(
          fc.jsonValue(),
          fc.record({ name: odd, arguments: odd, _meta: odd }, { requiredKeys: [] }),
        ),
      },
      { requiredKeys: [] },
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      message,
      fc.constantFrom(undefined, '2026-07-28', 'x'),
      async (sent, version) => {
        const { status, body } = await post(sent, {
          authorization,
          ...(version === undefined ? {} : { 'mcp-protocol-version': version }),
        })
        expect([200, 202, 400, 404]).toContain(status)
        if (body !== undefined) expect(body.jsonrpc).toBe('2.0')
      },
    ),
    { numRuns: 500 },
  )
})

test('says nothing of what it was sent in a fault of the protocol but its names', async () => {
  const { body } = await post(rpc('x'.repeat(5000)), { authorization })

  expect(body.error.message.length).toBeLessThan(200)
})
