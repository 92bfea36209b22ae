import { expect, test } from 'bun:test'
import { type Answer, send, signUp, type TestUser } from '../support/app.ts'

// What the document says of what is sent, held against the server: everything is tried, in every operation that has it.

const { body: document } = await send('GET', '/swagger/json')

type Schema = {
  type?: string | string[]
  format?: string
  pattern?: string
  enum?: unknown[]
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  items?: Schema
  uniqueItems?: boolean
  readOnly?: boolean
  examples?: unknown[]
  default?: unknown
}
type Parameter = {
  name: string
  required?: boolean
  in: 'path' | 'query' | 'header'
  example?: unknown
  schema: Schema
}
type Body = {
  properties: Record<string, Schema>
  required?: string[]
  /** Of these there is one. */
  oneOf?: { required: [string] }[]
  dependentSchemas?: Record<string, { not: { required: string[] } }>
  /** What goes only with others. */
  dependentRequired?: Record<string, string[]>
  examples?: object[]
}
type Operation = {
  parameters: Parameter[]
  requestBody?: {
    content: { 'application/json': { schema: { $ref?: string } }; 'text/csv'?: { example: string } }
  }
}

/** The document with what its schemas refer to in its place. Null is a type, or a word of a list. */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain)
  if (typeof node !== 'object' || node === null) return node
  const { $ref, anyOf, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, plain(value)]),
  )
  const named = String($ref).replace('#/components/schemas/', '')
  if (isWords(named)) return { ...document.components.schemas[named], ...rest }
  if ($ref !== undefined) return node
  const [variant] = Array.isArray(anyOf) ? anyOf : []
  if (variant === undefined) return rest
  return variant.enum === undefined
    ? { anyOf, ...rest }
    : { ...variant, ...rest, enum: [...variant.enum, null] }
}

const isWords = (name: string): boolean => document.components.schemas[name]?.enum !== undefined

const operations = Object.entries(plain(document.paths) as object).flatMap(([path, item]) =>
  // Another test proves the shape.
  Object.entries(item as Record<string, Operation>).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
)

function bodyOf({ requestBody }: Operation): Body | undefined {
  const model = requestBody?.content['application/json'].schema.$ref
  if (model === undefined) return undefined
  // Its shape is that of the document.
  return plain(document.components.schemas[model.replace('#/components/schemas/', '')]) as Body
}

const examplesOf = ({ example, schema }: Parameter): unknown[] =>
  example === undefined ? (schema.examples ?? [schema.default]) : [example]

type Values = {
  path: Record<string, string>
  query: [string, string][]
  header: Record<string, string>
}

/** Adds a value of a parameter, as a query string or a header has it. */
function give(values: Values, { name, in: where, schema }: Parameter, value: unknown) {
  if (where === 'query' && Array.isArray(value)) {
    // Text is repeated, words are separated by commas.
    const texts = schema.items?.enum ? [value.join(',')] : value.map(String)
    values.query.push(...texts.map((text): [string, string] => [name, text]))
  } else if (where === 'query') values.query.push([name, String(value)])
  else values[where][name] = String(value)
}

const list = '019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f'

/** The lists and the tasks that the examples refer to. */
async function placeFor(user: TestUser): Promise<void> {
  const place = { list_id: list }
  const parent_id = '019d2f6e-6c2b-7d4e-9f3a-2b1c0d9e8f70'
  for (const id of [list, '019d2f6e-5b1a-7c3d-8e2f-2b1c0d9e8f70']) {
    await user.send('POST', '/api/lists', { id, name: 'Home' })
  }
  await user.create({ ...place, id: parent_id })
  await user.create({ ...place, parent_id, id: '019d2f6e-8d4c-7a6b-9c0d-1e2f3a4b5c6d' })
}

/** Sends it as a user of its own, with a task of its own, whom the examples name alice. */
async function call(name: string, operation: Operation, values: Values, body?: unknown) {
  const user = await signUp()
  const { id } = await user.create()
  await placeFor(user)
  for (const parameter of operation.parameters) {
    const isGiven = values.query.some(([given]) => given === parameter.name)
    if (parameter.in === 'query' && parameter.required === true && !isGiven) {
      give(values, parameter, examplesOf(parameter)[0])
    }
  }
  return sendAs(user, id, name, values, body ?? smallestBody(operation))
}

function sendAs(
  user: TestUser,
  id: string,
  name: string,
  values: Values,
  body: unknown,
): Promise<Answer> {
  const [method = '', template = ''] = name.split(' ')
  const path = template
    .replace('{user_id}', 'me')
    .replace('{id}', values.path['id'] ?? (template.includes('/lists/') ? list : id))
  const query = new URLSearchParams(values.query).toString()
  const file = fileOf(name)
  if (file !== undefined) {
    const headers = { authorization: user.authorization, 'content-type': 'text/csv' }
    return send(method, `${path}?${query}`, { headers, raw: file })
  }
  const own =
    body && JSON.parse(JSON.stringify(body).replaceAll('"alice"', JSON.stringify(user.id)))
  return user.send(method, query === '' ? path : `${path}?${query}`, own, values.header)
}

/** The example of a body that is a file. */
const fileOf = (name: string): string | undefined =>
  operations.find(([other]) => other === name)?.[1].requestBody?.content['text/csv']?.example

/** What is required, by its examples. */
function smallestBody(operation: Operation): object | undefined {
  const body = bodyOf(operation)
  if (body === undefined) return undefined
  if (body.oneOf !== undefined) return body.examples?.[0]
  const names = body.required ?? Object.keys(body.properties).slice(0, 1)
  return Object.fromEntries(names.map((name) => [name, body.properties[name]?.examples?.[0]]))
}

/** Without those of which there can be only one, but this one. */
function without(
  { oneOf = [], dependentRequired = {} }: Body,
  fields: object,
  one: string,
): object {
  const rivals = oneOf.flatMap(({ required }) => required)
  if (!rivals.includes(one)) return fields
  const isKept = (name: string) => name === one || !rivals.includes(name)
  const needs = (name: string) => dependentRequired[name] ?? []
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => isKept(name) && needs(name).every(isKept)),
  )
}

const nothing = (): Values => ({ path: {}, query: [], header: {} })
/** Neither a fault of what was sent, nor a defect. */
const isTaken = ({ status, text }: Answer) =>
  // An example of a token cannot be one that counts, and one of a file is of one program only.
  ![400, 422, 500].includes(status) ||
  /is no (credential of a guest|backup of|calendar)|Line 1: it is not JSON/.test(text)

const parameters = operations.flatMap(([name, operation]) =>
  operation.parameters.map((parameter) => [name, parameter.name, operation, parameter] as const),
)

test.each(parameters)('%s takes the examples of %s', async (name, _, operation, parameter) => {
  for (const value of examplesOf(parameter)) {
    const values = nothing()
    give(values, parameter, value)
    const answer = await call(name, operation, values)
    expect([value, answer.status, answer.text, isTaken(answer)]).toEqual([
      value,
      answer.status,
      answer.text,
      true,
    ])
  }
})

test.each(operations.filter(([, { parameters: all }]) => all.length > 1))(
  '%s takes the examples of all parameters at once',
  async (name, operation) => {
    const values = nothing()
    for (const parameter of operation.parameters) {
      // A cursor is of one list only.
      if (parameter.name !== 'cursor') give(values, parameter, examplesOf(parameter)[0])
    }

    const answer = await call(name, operation, values)

    expect([answer.text, isTaken(answer)]).toEqual([answer.text, true])
  },
)

const withBody = operations.flatMap(([name, operation]) => {
  const body = bodyOf(operation)
  return body === undefined ? [] : [[name, operation, body] as const]
})

test.each(withBody)(
  '%s takes the examples of its body, and of its fields',
  async (name, operation, body) => {
    // What is read-only is taken as it was given.
    const rivals = Object.values(body.dependentSchemas ?? {}).flatMap(({ not }) => not.required)
    const all = Object.entries(body.properties)
      .filter(([field, { readOnly }]) => readOnly !== true && !rivals.includes(field))
      .map(([field, { examples }]) => [field, examples?.[0]])
    expect(body.examples).not.toBeEmpty()

    const whole = Object.fromEntries(all)
    const { recurrence, repeat_from: _from, ...once } = whole
    const { parent_id, ...onTop } = whole
    // What is under another one does not repeat.
    const each = recurrence === undefined || parent_id === undefined ? [whole] : [once, onTop]
    const wholes = body.oneOf?.map(({ required: [one] }) => without(body, whole, one)) ?? each

    for (const example of [...(body.examples ?? []), ...wholes]) {
      const answer = await call(name, operation, nothing(), example)
      expect([answer.text, isTaken(answer)]).toEqual([answer.text, true])
    }
  },
)

/** Values at the limits of a schema, and beyond them. Where it has a format or a list of its own only what is beyond. */
function* limitsOf(schema: Schema): Generator<[value: unknown, isWithin: boolean]> {
  const isFree = schema.format === undefined && schema.enum === undefined
  for (const [limit, step] of [
    [schema.minLength, -1],
    [schema.maxLength, 1],
  ] as const) {
    if (limit === undefined) continue
    if (isFree) yield ['x'.repeat(limit), true]
    if (limit + step > 0) yield ['x'.repeat(limit + step), false]
  }
  for (const [limit, step] of [
    [schema.minimum, -1],
    [schema.maximum, 1],
  ] as const) {
    if (limit === undefined) continue
    yield [limit, true]
    yield [limit + step, false]
  }
  if (schema.maxItems !== undefined) {
    const [one] = schema.examples ?? []
    // Of things as in the example, or of texts.
    const isOfThings = Array.isArray(one) && typeof one[0] === 'object'
    const many = Array.from({ length: schema.maxItems + 1 }, (_, index) =>
      isOfThings ? one[0] : `${index}`,
    )
    yield [many.slice(1), schema.items?.enum === undefined]
    yield [many, false]
  }
  if (schema.items !== undefined) {
    for (const [value, isWithin] of limitsOf(schema.items)) yield [[value], isWithin]
  }
  if (schema.pattern !== undefined) {
    const pattern = new RegExp(schema.pattern)
    yield ['x\u0001', pattern.test('x\u0001')]
    const words = 'x y z '.repeat(3)
    yield [words, pattern.test(words)]
  }
  if (schema.format !== undefined && schema.format !== 'uuid') yield ['x', false]
  if (schema.enum !== undefined) {
    yield ['x', false]
    for (const one of schema.enum) if (one !== null) yield [one, true]
  }
}

test.each(
  parameters.filter(
    ([, , , { in: where, schema }]) => where !== 'path' && [...limitsOf(schema)].length > 0,
  ),
)('%s draws the line of %s where the document does', async (name, _, operation, parameter) => {
  for (const [value, isWithin] of limitsOf(parameter.schema)) {
    const values = nothing()
    // No header can have it.
    if (parameter.in === 'header' && String(value).includes('\u0001'))
      values.header[parameter.name] = 'ü'
    else give(values, parameter, value)
    const answer = await call(name, operation, values)
    expect([String(value).slice(0, 20), String(value).length, isTaken(answer)]).toEqual([
      String(value).slice(0, 20),
      String(value).length,
      isWithin,
    ])
  }
})

/** Whose values have to be something that JSON Schema cannot say. */
const unsaid = [
  'time_zone',
  'confirm',
  'ids',
  'versions',
  'repeat_from',
  'reminders',
  'endpoint',
  'list_ids',
]

test.each(
  withBody.flatMap(([name, operation, body]) =>
    Object.entries(body.properties)
      .filter(([, schema]) => [...limitsOf(schema)].length > 0)
      .map(([field, schema]) => [name, field, operation, body, schema] as const),
  ),
)(
  '%s draws the line of the field %s where the document does',
  async (name, field, operation, body, schema) => {
    for (const [value, isWithin] of limitsOf(schema)) {
      if (isWithin && unsaid.includes(field)) continue
      const sent = without(body, { ...smallestBody(operation), [field]: value }, field)
      const answer = await call(name, operation, nothing(), sent)
      expect([field, String(value).slice(0, 20), String(value).length, isTaken(answer)]).toEqual([
        field,
        String(value).slice(0, 20),
        String(value).length,
        isWithin,
      ])
    }
  },
)

test('says what an Idempotency-Key is, wherever there is one', () => {
  const keys = parameters.filter(([, name]) => name === 'Idempotency-Key')

  expect(keys.length).toBeGreaterThan(10)
  for (const [, , , { schema }] of keys) {
    expect(schema).toMatchObject({ minLength: 1, maxLength: 255, pattern: '^[ -~]+$' })
  }
})
