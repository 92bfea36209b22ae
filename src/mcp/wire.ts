import type { TObject, TSchema } from '@sinclair/typebox'

// Arguments on their way: how models are told of them, and what is understood of what they send.

/**
 * A schema in the few words that every provider of models takes: one that finds a union, a null, a format, a pattern or a reference
 * in any tool refuses all of them. Whether it is kept is looked at here and by the routes.
 */
export function wire(schema: TSchema): Record<string, unknown> {
  const { type, description, enum: words, default: usual, minimum, maximum } = valueOf(schema)
  const said = {
    type,
    ...(description === undefined ? {} : { description }),
    ...(words === undefined ? {} : { enum: words }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(usual === undefined ? {} : { default: usual }),
  }
  if (type === 'array') return { ...said, items: wire(valueOf(schema)['items']) }
  if (type !== 'object') return said
  const { properties, required = [] } = schema as TObject
  return {
    ...said,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, wire(property)]),
    ),
    ...(required.length === 0 ? {} : { required }),
  }
}

/** The X of an `X or null`. */
const valueOf = (schema: TSchema): TSchema =>
  variantsOf(schema).find(({ type }) => type !== 'null') ?? schema

const variantsOf = (schema: TSchema): TSchema[] => schema['anyOf'] ?? []

const takesNull = (schema: TSchema): boolean =>
  variantsOf(schema).some(({ type }) => type === 'null')

/**
 * What was meant: some clients send numbers, booleans, lists and null as text, and some every argument there is, the ones that they
 * do not want as nothing.
 */
export function lenient({ properties, required = [] }: TObject, given: object): object {
  const meant = Object.entries(given).flatMap(([name, value]) => {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (schema === undefined) return [[name, value]]
    const isNothing = value === null || value === '' || value === 'null'
    if (!isNothing || required.includes(name)) return [[name, read(valueOf(schema), value)]]
    return takesNull(schema) ? [[name, null]] : []
  })
  return Object.fromEntries(meant)
}

function read(schema: TSchema, value: unknown): unknown {
  switch (schema['type']) {
    case 'string':
      return typeof value === 'number' ? String(value) : value
    case 'integer':
      return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
    case 'boolean':
      return typeof value === 'string' && isTruth(value) ? /^true$/i.test(value) : value
    case 'array':
      return readList(schema['items'], value)
    default:
      return isObject(value) ? lenient(schema as TObject, value) : value
  }
}

const isTruth = (text: string): boolean => /^(?:true|false)$/i.test(text)

function readList(items: TSchema, value: unknown): unknown {
  const list = typeof value === 'string' ? listOf(items, value) : value
  return Array.isArray(list) ? list.map((item) => read(items, item)) : list
}

/** JSON, or words that are separated by commas. */
function listOf(items: TSchema, text: string): unknown {
  if (!text.trim().startsWith('[')) return items['type'] === 'string' ? splitIds(text) : text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const splitIds = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
