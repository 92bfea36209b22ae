import { expect, test } from 'bun:test'
import { type TObject, Type as t } from '@sinclair/typebox'
import { lenient, wire } from '../../src/mcp/wire.ts'
import { withAgent } from './support.ts'

/** As close as one comes without the tokenizer of some model. */
const tokensOf = (value: unknown): number => JSON.stringify(value).length / 4

/** The words that every provider of models takes. */
const known = [
  'type',
  'description',
  'enum',
  'default',
  'minimum',
  'maximum',
  'properties',
  'required',
  'items',
]

function* schemasIn(schema: Record<string, any>): Generator<Record<string, any>> {
  yield schema
  if (schema['items'] !== undefined) yield* schemasIn(schema['items'])
  for (const property of Object.values(schema['properties'] ?? {})) {
    yield* schemasIn(property as Record<string, any>)
  }
}

test('is told in few words that each provider takes', async () => {
  const { agent } = await withAgent()
  const tools = await agent.tools()

  for (const { name, title, description, inputSchema, annotations, ...rest } of tools) {
    expect(name).toMatch(/^[a-z_]{1,40}$/)
    expect(title).toBeString()
    expect(description).toBeString()
    expect(rest).toEqual({})
    expect(inputSchema.type).toBe('object')
    for (const schema of schemasIn(inputSchema)) {
      expect(Object.keys(schema).filter((word) => !known.includes(word))).toEqual([])
      expect(schema['type']).toBeString()
    }
    const { readOnlyHint, destructiveHint, openWorldHint } = annotations
    expect(openWorldHint).toBe(false)
    expect(typeof destructiveHint).toBe(readOnlyHint ? 'undefined' : 'boolean')
  }
  expect(tools.length).toBeLessThanOrEqual(12)
  expect(tokensOf(tools)).toBeLessThanOrEqual(2500)
})

test('has hints by which clients ask: what changes or removes is said to', async () => {
  const { agent } = await withAgent()
  const tools = await agent.tools()

  const destructive = tools.filter(({ annotations }) => annotations.destructiveHint)
  expect(destructive.map(({ name }) => name)).toEqual(['update_task', 'delete_task', 'undo'])
})

test('says a page in few words', async () => {
  const { user, agent } = await withAgent()
  const { body: list } = await user.send('POST', '/api/lists', { name: 'Home' })
  const tasks = Array.from({ length: 30 }, (_, n) => ({
    title: `Write to the people of house ${n}`,
    ...(n % 2 === 0 ? { due_date: '2031-01-01' } : {}),
    ...(n % 3 === 0 ? { priority: 'high' } : {}),
    ...(n % 4 === 0 ? { tags: ['letters'], list_id: list.id } : {}),
    ...(n % 8 === 0 ? { description: 'And do not forget the stamps. '.repeat(20) } : {}),
  }))
  await user.send('POST', '/api/tasks/batch', { tasks })

  const page = await agent.done('list_tasks')

  expect(page.tasks).toHaveLength(25)
  expect(tokensOf(page)).toBeLessThanOrEqual(900)
})

test('makes of a schema what a model is told', () => {
  const schema = t.Object(
    {
      a: t.Union([t.String({ format: 'date', pattern: 'x', description: 'A day' }), t.Null()]),
      b: t.Optional(t.Array(t.String({ minLength: 1 }), { maxItems: 3 })),
      c: t.Optional(t.Integer({ minimum: 1, maximum: 9, default: 5 })),
      d: t.Optional(t.Array(t.Object({ e: t.Boolean() }, { additionalProperties: false }))),
    },
    { additionalProperties: false },
  )

  expect(wire(schema)).toEqual({
    type: 'object',
    properties: {
      a: { type: 'string', description: 'A day' },
      b: { type: 'array', items: { type: 'string' } },
      c: { type: 'integer', minimum: 1, maximum: 9, default: 5 },
      d: {
        type: 'array',
        items: { type: 'object', properties: { e: { type: 'boolean' } }, required: ['e'] },
      },
    },
    required: ['a'],
  })
})

const input: TObject = t.Object({
  text: t.String(),
  maybe: t.Optional(t.String()),
  clear: t.Optional(t.Union([t.String(), t.Null()])),
  count: t.Optional(t.Integer()),
  yes: t.Optional(t.Boolean()),
  tags: t.Optional(t.Array(t.String())),
  clearTags: t.Optional(t.Union([t.Array(t.String()), t.Null()])),
  things: t.Optional(t.Array(t.Object({ title: t.String(), count: t.Optional(t.Integer()) }))),
})

test.each<[object, object]>([
  [{ text: '' }, { text: '' }],
  [{ text: null }, { text: null }],
  [{ text: 5 }, { text: '5' }],
  [{ text: '5' }, { text: '5' }],
  [{ maybe: '' }, {}],
  [{ maybe: null }, {}],
  [{ maybe: 'null' }, {}],
  [{ clear: '' }, { clear: null }],
  [{ clear: 'null' }, { clear: null }],
  [{ clear: null }, { clear: null }],
  [{ clear: 'x' }, { clear: 'x' }],
  [{ count: '5' }, { count: 5 }],
  [{ count: '-5' }, { count: -5 }],
  [{ count: '5.5' }, { count: '5.5' }],
  [{ count: '0x10' }, { count: '0x10' }],
  [{ count: '' }, {}],
  [{ yes: 'true' }, { yes: true }],
  [{ yes: 'False' }, { yes: false }],
  [{ yes: 'yes' }, { yes: 'yes' }],
  [{ tags: 'a, b,' }, { tags: ['a', 'b'] }],
  [{ tags: '["a","b, c"]' }, { tags: ['a', 'b, c'] }],
  [{ tags: '[a' }, { tags: '[a' }],
  [{ tags: [1, 'b'] }, { tags: ['1', 'b'] }],
  [{ clearTags: '' }, { clearTags: null }],
  [{ clearTags: 'a' }, { clearTags: ['a'] }],
  [{ things: '[{"title":"x","count":"5"}]' }, { things: [{ title: 'x', count: 5 }] }],
  [{ things: 'x' }, { things: 'x' }],
  [{ things: ['x'] }, { things: ['x'] }],
  [{ other: '' }, { other: '' }],
  [JSON.parse('{"__proto__":"x"}'), JSON.parse('{"__proto__":"x"}')],
])('reads %p as %p', (given, meant) => {
  expect(lenient(input, given)).toEqual(meant)
})
