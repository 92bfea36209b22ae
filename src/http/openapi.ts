// The document of @elysiajs/swagger 1.3.1 as OpenAPI 3.1: it lacks descriptions of answers, offers forms for JSON
// bodies, and shows what only Elysia and TypeBox understand.

type Json = { [key: string]: unknown }
type Operation = Json & { parameters?: Json[]; responses?: Json; tags?: string[] }
type Document = Json & {
  info: Json
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Json }
}

/** Descriptions of what stands in a path. */
const pathParameters: Record<string, Json> = {
  user_id: { description: 'Your own id, or `me`.', example: 'me', schema: { type: 'string' } },
  token: {
    description: 'The token of the address, with `.ics` after it.',
    example: '4hSyCoxCGPfDT0HyqVgCmZ0YqEcvdYJOHYqf3S5XEKE.ics',
    schema: { type: 'string' },
  },
  id: {
    description: 'The id of what it is about.',
    example: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
    schema: { type: 'string', format: 'uuid' },
  },
  delivery_id: {
    description: 'The `webhook-id` of the delivery.',
    example: '6f9c2d1e-3b4a-8c5d-9e6f-7a8b9c0d1e2f',
    schema: { type: 'string', format: 'uuid' },
  },
}

export function tidy(raw: unknown): Document {
  // A copy through JSON drops the symbols of TypeBox. The plugin made it, so it has the shape of a document.
  const document = JSON.parse(JSON.stringify(raw)) as Document
  document['openapi'] = '3.1.0'

  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      operations[method] = tidyOperation(path, operation)
    }
  }
  const models: Json = {}
  const tidied = tidySchemas(document, models) as Document
  Object.assign(tidied.components.schemas, models)
  return tidied
}

function tidyOperation(path: string, operation: Operation): Operation {
  const {
    'x-parameters': parameters = [],
    'x-optional-body': optionalBody,
    'x-body': file,
    requestBody,
    ...rest
  } = operation
  const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name)

  return {
    ...rest,
    parameters: [
      ...names.map((name) => ({ name, in: 'path', required: true, ...pathParameters[name] })),
      ...(parameters as Json[]),
    ],
    ...(file === undefined ? {} : { requestBody: file }),
    ...(requestBody === undefined || file !== undefined
      ? {}
      : { requestBody: { ...jsonOnly(requestBody as Json), required: optionalBody !== true } }),
    security: path.startsWith('/api/') ? [{ bearer: [] }, { session: [] }] : [],
  }
}

const jsonOnly = ({ content }: Json): Json => ({
  content: { 'application/json': (content as Json)['application/json'] },
})

/**
 * Every schema within: no words for ourselves, and one plain way to say enum and nullable.
 * @param models where those go that have a name, so that a generator makes one type of each
 */
function tidySchemas(node: unknown, models: Json): unknown {
  if (Array.isArray(node)) return node.map((item) => tidySchemas(item, models))
  if (typeof node !== 'object' || node === null) return node

  const {
    $id: _id,
    error: _error,
    noValidate: _unchecked,
    aliases: _aliases,
    synonyms: _synonyms,
    model,
    ...kept
  } = node as Json
  const tidied: Json = Object.fromEntries(
    Object.entries(kept).map(([key, value]) => [
      key,
      isData(key) ? value : tidySchemas(value, models),
    ]),
  )
  // A format for ourselves: other tools warn of what they do not know.
  if (ownFormats.includes(tidied['format'])) delete tidied['format']
  const folded = Array.isArray(tidied['anyOf']) ? foldUnion(tidied, tidied['anyOf']) : tidied
  return typeof model === 'string' ? refer(model, folded, models) : folded
}

const ownFormats: unknown[] = ['visible', 'time-zone', 'reminder']

function refer(model: string, { type, enum: words, ...about }: Json, models: Json): Json {
  models[model] = { type, enum: words, description: about['description'] }
  return { $ref: `#/components/schemas/${model}`, ...about }
}

const isData = (key: string): boolean =>
  key === 'example' || key === 'examples' || key === 'default'

function foldUnion({ anyOf: _variants, ...rest }: Json, variants: Json[]): Json {
  if (variants.every((variant) => 'const' in variant)) {
    return { ...rest, type: 'string', enum: variants.map((variant) => variant['const']) }
  }
  const [variant, none] = variants
  if (variants.length !== 2 || variant === undefined || none?.['type'] !== 'null') {
    return { ...rest, anyOf: variants }
  }
  if ('$ref' in variant) return { ...rest, anyOf: [{ $ref: variant['$ref'] }, none] }
  return {
    ...variant,
    ...rest,
    type: [variant['type'], 'null'],
    ...(Array.isArray(variant['enum']) ? { enum: [...variant['enum'], null] } : {}),
  }
}
