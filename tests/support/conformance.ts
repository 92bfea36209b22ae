import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { App } from '../../src/app.ts'
import type { Answer } from './app.ts'

type Operation = { responses: Record<string, { content?: Record<string, { schema: object }> }> }
type Document = { paths: Record<string, Record<string, Operation>> }

const readings = new Map<App, Promise<Document & { name: string }>>()
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)

async function readDocument(app: App, name: string): Promise<Document & { name: string }> {
  const response = await app.handle(new Request('http://localhost/swagger/json'))
  // Another test proves it a valid document.
  const parsed = (await response.json()) as Document
  ajv.addSchema(parsed, name)
  return { ...parsed, name }
}

/** The templates of a document that a path fits, as `/api/tasks/{id}`. A literal segment wins over a parameter. */
function findTemplate(paths: string[], path: string): string | undefined {
  const segments = path
    .replace(/\?.*$/, '')
    .replace(/(.)\/$/, '$1')
    .split('/')
  return paths
    .filter((template) => {
      const parts = template.split('/')
      return (
        parts.length === segments.length &&
        parts.every((part, index) =>
          part.startsWith('{') ? segments[index] !== '' : part === segments[index],
        )
      )
    })
    .toSorted((a, b) => a.split('{').length - b.split('{').length)[0]
}

/** Throws when an answer is not one that the OpenAPI document has for its route. */
export async function checkAnswer(
  app: App,
  method: string,
  path: string,
  answer: Answer,
): Promise<void> {
  const reading = readings.get(app) ?? readDocument(app, `openapi${readings.size}`)
  readings.set(app, reading)
  const document = await reading
  const template = findTemplate(Object.keys(document.paths), path)
  const operation =
    template === undefined
      ? undefined
      : document.paths[template]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
  const where = `${method} ${path} answered ${answer.status}`

  const documented = operation?.responses[answer.status]
  if (operation !== undefined && documented === undefined)
    throw new Error(`${where}, which is not documented.`)
  if (documented === undefined && answer.status < 400) return // Documentation, preflights.

  const [type, { schema } = { schema: undefined }] = Object.entries(
    documented?.content ?? (answer.status >= 400 ? problem : {}),
  )[0] ?? [null]
  if (method === 'HEAD') return
  const actual = answer.headers.get('content-type')?.split(';')[0] ?? null
  if (actual !== type) throw new Error(`${where} as ${actual}, not as ${type}.`)
  if (type === 'text/event-stream') return
  if (schema === undefined) {
    if (answer.text !== '') throw new Error(`${where} with a body: ${answer.text}`)
    return
  }
  const validate = compile(schema, document.name)
  if (!validate(/[/+]json/.test(type ?? '') ? answer.body : answer.text)) {
    throw new Error(`${where}: ${ajv.errorsText(validate.errors)} in ${answer.text}`)
  }
}

const problem = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
}

const compiled = new Map<string, ValidateFunction>()

/** The schema of an answer with its references into the document, once for all answers that have it. */
function compile(schema: object, document: string): ValidateFunction {
  const text = JSON.stringify(schema).replaceAll('"#/', `"${document}#/`)
  const known = compiled.get(text) ?? ajv.compile(JSON.parse(text))
  compiled.set(text, known)
  return known
}
