import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { app, sign, signUp } from '../support/app.ts'
import { checkAnswer } from '../support/conformance.ts'
import { malformed, texts, unfitting } from './corpora.ts'
import { report, setting } from './support.ts'

// Requests made from the OpenAPI document and from corpora, and every answer held against the document. A run is
// repeated by its seed: FUZZ_SEED=… FUZZ_INPUTS=… bun test ./tests/harden/fuzz.ts

const inputs = setting('FUZZ_INPUTS', 20_000)
const seed = setting('FUZZ_SEED', 20_261_120)

type Schema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  anyOf?: Schema[]
  format?: string
  pattern?: string
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  maxLength?: number
  examples?: unknown[]
}
type Parameter = { name: string; in: string; schema: Schema }
type Operation = {
  parameters: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

const document = (await (
  await app.handle(new Request('http://localhost/swagger/json'))
).json()) as {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const alice = await signUp('fuzz-alice')
const bob = await signUp('fuzz-bob')
const ids = await Promise.all(
  Array.from({ length: 5 }, async () => (await alice.create()).id as string),
)
const foreign = (await bob.create()).id as string

const text = fc.oneof(
  fc.constantFrom(...texts),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
)
const id = fc.oneof(
  { arbitrary: fc.constantFrom(...ids), weight: 6 },
  { arbitrary: fc.constantFrom(foreign), weight: 2 },
  { arbitrary: fc.uuid(), weight: 2 },
  { arbitrary: text, weight: 1 },
)

/** What a schema allows, and now and then what it does not. */
function valueOf(schema: Schema, odd = 1): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: fitting(schema), weight: 24 },
    { arbitrary: fc.oneof(text, fc.jsonValue({ maxDepth: 2 })), weight: odd },
  )
}

function fitting(schema: Schema): fc.Arbitrary<unknown> {
  const { $ref, enum: words, anyOf, properties, required = [], maxLength = 30 } = schema
  if ($ref !== undefined)
    return fitting(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {})
  if (words !== undefined) return fc.constantFrom(...words)
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(fitting))
  const types = [schema.type ?? 'string'].flat()
  return fc.oneof(
    ...types.map((type) => ofType(type, schema, properties ?? {}, required, maxLength)),
  )
}

function ofType(
  type: string,
  schema: Schema,
  properties: Record<string, Schema>,
  required: string[],
  maxLength: number,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.oneof(fc.nat(250), fc.integer(), fc.maxSafeInteger())
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 4 })
    case 'object': {
      const fields = Object.entries(properties).map(([name, field]) => [name, valueOf(field)])
      const fit = fc.record(Object.fromEntries(fields), { requiredKeys: required as never[] })
      // Most have few fields, so that few of them are wrong.
      return fc.tuple(fit, fc.nat(9)).map(([object, count]) => {
        const entries = Object.entries(object)
        return Object.fromEntries(
          entries.filter(([name], index) => required.includes(name) || index < count),
        )
      })
    }
    default:
      if (schema.format === 'uuid') return id
      if (schema.format === 'date') {
        return fc
          .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
          .map((date) => date.toISOString().slice(0, 10))
      }
      // A time zone, of which the document cannot say what it may be.
      if (schema.examples?.[0] === 'Europe/Berlin') return fc.constantFrom(...schema.examples)
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern))
      return fc.oneof(
        { arbitrary: fc.string({ minLength: 1, maxLength: Math.min(maxLength, 100) }), weight: 12 },
        text,
      )
  }
}

type Input = {
  method: string
  path: string
  headers: Record<string, string>
  body: string | null
}

const query = (parameters: Parameter[]): fc.Arbitrary<string> => {
  const known = parameters.map(({ name, schema }) =>
    fc.tuple(fc.constant(name), valueOf(schema, 2)),
  )
  const pair = fc.oneof(...known.map((arbitrary) => ({ arbitrary, weight: 4 })), {
    arbitrary: fc.tuple(text, text),
    weight: 1,
  })
  return fc.oneof(
    { arbitrary: fc.constant(''), weight: known.length === 0 ? 60 : 2 },
    {
      arbitrary: fc
        .array(pair, { minLength: 1, maxLength: 4 })
        .map(
          (pairs) =>
            `?${pairs.map(([name, value]) => `${encode(name)}=${encode(shown(value))}`).join('&')}`,
        ),
      weight: 6,
    },
    { arbitrary: text.map((raw) => `?${raw}`), weight: 1 },
  )
}

const encode = (value: string): string =>
  value.isWellFormed() ? encodeURIComponent(value) : '%ED%A0%80'

const shown = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value).replace(/^\[|\]$|"/g, '')

/** A header that is there now and then. */
const maybe = (values: fc.Arbitrary<string>) => fc.option(values, { nil: undefined, freq: 2 })

const expired = `Bearer ${await sign({ sub: 'fuzz-alice' }, 1000)}`

function inputOf(method: string, template: string, operation: Operation): fc.Arbitrary<Input> {
  const body = operation.requestBody?.content['application/json']?.schema
  const bodies: fc.Arbitrary<string | null> = fc.oneof(
    {
      arbitrary:
        body === undefined
          ? fc.constant(null)
          : valueOf(body).map((value) => JSON.stringify(value)),
      weight: 8,
    },
    { arbitrary: fc.constantFrom(...malformed, ...unfitting), weight: 2 },
    { arbitrary: fc.oneof(text, fc.json()), weight: 1 },
    { arbitrary: fc.constant(null), weight: 1 },
  )
  return fc
    .record({
      id,
      user: fc.oneof({ arbitrary: fc.constantFrom('me', 'fuzz-alice'), weight: 8 }, text),
      query: query(operation.parameters.filter(({ in: place }) => place === 'query')),
      slash: fc.constantFrom('', '', '', '/'),
      authorization: fc.oneof(
        { arbitrary: fc.constant(alice.authorization), weight: 12 },
        {
          arbitrary: fc.oneof(
            fc.constant(expired),
            text.map((raw) => `Bearer ${raw}`),
            text,
          ),
          weight: 1,
        },
      ),
      type: fc.oneof(
        { arbitrary: fc.constant('application/json'), weight: 12 },
        { arbitrary: text, weight: 1 },
      ),
      match: maybe(fc.oneof(fc.constantFrom('*', '"1"', '"2", "3"', 'W/"1"', '"', ''), text)),
      key: maybe(fc.oneof(fc.uuid(), fc.constantFrom('a', 'b'), text)),
      trace: maybe(text),
      body: bodies,
    })
    .map(({ id: task, user, query: search, slash, ...rest }) => ({
      method,
      path:
        template.replace('{user_id}', encode(user)).replace('{id}', encode(task)) + slash + search,
      headers: headersOf({
        authorization: rest.authorization,
        'content-type': rest.type,
        'if-match': rest.match,
        'if-none-match': rest.match,
        'idempotency-key': rest.key,
        'x-request-id': rest.trace,
        traceparent: rest.trace,
      }),
      body: method === 'GET' ? null : rest.body,
    }))
}

const headersOf = (headers: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    // What a client cannot send as a header, it does not send.
    Object.entries(headers).filter((entry): entry is [string, string] =>
      /^[\t\x20-\x7e\x80-\xff]*$/.test(entry[1] ?? '\0'),
    ),
  )

const tally: Record<number, number> = {}
let tried = 0

async function attempt({ method, path, headers, body }: Input): Promise<void> {
  // As every client says it: of what has no length there may be much to come.
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const response = await app.handle(
    new Request(`http://localhost${path}`, { method, headers: { ...headers, ...length }, body }),
  )
  // A stream of events has no end.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (isStream) await response.body?.cancel()
  const content = isStream ? '' : await response.text()
  tried += 1
  tally[response.status] = (tally[response.status] ?? 0) + 1
  const sent = `${method} ${path} ${JSON.stringify(headers)} ${body?.slice(0, 500)}`
  if (response.status >= 500) throw new Error(`${response.status} to ${sent}: ${content}`)
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '')
  const answer = {
    status: response.status,
    headers: response.headers,
    text: content,
    body: content !== '' && isJson ? JSON.parse(content) : undefined,
  }
  try {
    // An odd id can make another path of it, of which the address says what it is.
    await checkAnswer(app, method, new URL(`http://localhost${path}`).pathname, answer)
  } catch (error) {
    throw new Error(`${String(error)} to ${sent}`, { cause: error })
  }
}

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) =>
    inputOf(method.toUpperCase(), path, operation),
  ),
)

test(`answers ${inputs} inputs as the document says, and none with 5xx`, async () => {
  const batch = 500
  for (let start = 0; start < inputs; start += batch) {
    const some = fc.sample(fc.oneof(...operations), {
      numRuns: Math.min(batch, inputs - start),
      seed: seed + start,
    })
    for (let index = 0; index < some.length; index += 8) {
      await Promise.all(some.slice(index, index + 8).map(attempt))
    }
  }
  report('inputs from the OpenAPI document', {
    seed,
    tried,
    '5xx': 0,
    undocumented: 0,
    ...Object.fromEntries(Object.entries(tally).map(([status, count]) => [`[${status}]`, count])),
  })
  expect(tried).toBe(inputs)
}, 900_000)

const json = (body: string, method = 'POST', path = '/api/tasks'): Input => ({
  method,
  path,
  headers: { authorization: alice.authorization, 'content-type': 'application/json' },
  body,
})

test('answers the corpora as the document says', async () => {
  tried = 0
  const statusOf = async (input: Input): Promise<number> => {
    await attempt(input)
    const { method, path, headers, body } = input
    return (await app.handle(new Request(`http://localhost${path}`, { method, headers, body })))
      .status
  }
  for (const body of malformed)
    expect([body.slice(0, 50), await statusOf(json(body))]).toEqual([body.slice(0, 50), 400])
  for (const body of unfitting) expect([400, 422]).toContain(await statusOf(json(body)))

  for (const raw of texts) {
    const encoded = encode(raw)
    for (const path of [
      `/api/tasks/${encoded}`,
      `/api/${encoded}/tasks`,
      `/api/tasks?q=${encoded}`,
      `/api/tasks?${encoded}=1`,
      ...['tag', 'cursor', 'limit', 'due_after', 'priority', 'sort'].map(
        (name) => `/api/tasks?${name}=${encoded}`,
      ),
    ]) {
      if (path.length < 13_000) await attempt({ ...json(''), method: 'GET', path, body: null })
    }
    for (const name of [
      'title',
      'description',
      'due_date',
      'due_time',
      'time_zone',
      'priority',
      'id',
    ]) {
      await attempt(json(JSON.stringify({ title: 'A task', [name]: raw })))
    }
    await attempt(json(JSON.stringify({ title: 'A task', tags: [raw] })))
    await attempt(json(JSON.stringify({ title: 'A task', [raw]: 1 })))
    for (const name of [
      'authorization',
      'if-match',
      'idempotency-key',
      'traceparent',
      'content-type',
    ]) {
      const input = json('{"title":"A task"}')
      await attempt({ ...input, headers: { ...input.headers, ...headersOf({ [name]: raw }) } })
    }
  }
  report('corpora', {
    texts: texts.length,
    malformed: malformed.length,
    unfitting: unfitting.length,
    tried,
    '5xx': 0,
  })
  expect(tried).toBeGreaterThan(1000)
}, 300_000)

test('left the tasks of others as they were', async () => {
  const { body } = await bob.send('GET', '/api/tasks')

  expect(body).toHaveLength(1)
  expect(body[0]).toMatchObject({ id: foreign, version: 1 })
})
