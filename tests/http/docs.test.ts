import { expect, test } from 'bun:test'
import SwaggerParser from '@apidevtools/swagger-parser'
import { app, createTestApp, send } from '../support/app.ts'

const { body: document } = await send('GET', '/swagger/json')

type Operation = {
  operationId: string
  summary: string
  description: string
  tags: string[]
  parameters: {
    name: string
    in: string
    description?: string
    example?: unknown
    schema: { default?: unknown; examples?: unknown }
  }[]
  requestBody?: { required: boolean; content: Record<string, { schema: { $ref: string } }> }
  responses: Record<
    string,
    { description: string; content?: Record<string, { schema: unknown; example?: unknown }> }
  >
  security: unknown[]
}

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  // The parser below proves the shape.
  Object.entries(item as Record<string, Operation>).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
)

test('is valid OpenAPI 3.1', async () => {
  expect(document.openapi).toBe('3.1.0')
  expect(await SwaggerParser.validate(structuredClone(document))).toBeDefined()
})

test('has every route', () => {
  const routes = app.routes
    .filter(
      ({ method, path, hooks }) =>
        method !== 'ALL' &&
        method !== 'OPTIONS' &&
        !path.startsWith('/swagger') &&
        // They say themselves what they can.
        !/^\/(mcp$|\.well-known\/)/.test(path) &&
        !hooks.detail?.['x-refused'] &&
        // The pages for people.
        !/^\/(?:$|account$|sign-in$|consent$|docs(?:$|\/)|web\/)/.test(path),
    )
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)

  const names: string[] = operations.map(([name]) => name)
  expect(names.toSorted()).toEqual(routes.toSorted())
})

test('names every operation once', () => {
  const ids = operations.map(([, { operationId }]) => operationId)

  expect(new Set(ids).size).toBe(ids.length)
})

test.each(operations)(
  'describes %s, its parameters and its answers, each with an example',
  (name, operation) => {
    expect(operation.summary).toBeString()
    expect(operation.description).toBeString()
    expect(operation.tags).not.toBeEmpty()
    for (const parameter of operation.parameters) {
      expect(parameter.description).toBeString()
      expect(
        parameter.example ?? parameter.schema.examples ?? parameter.schema.default,
      ).toBeDefined()
    }
    for (const [status, answer] of Object.entries(operation.responses)) {
      expect(answer.description).toBeString()
      const [media] = Object.entries(answer.content ?? {})
      if (status === '304') continue
      expect(media?.[0]).toBe(
        Number(status) >= 400
          ? 'application/problem+json'
          : name.endsWith('/events')
            ? 'text/event-stream'
            : name.endsWith('/feeds/{token}')
              ? 'text/calendar'
              : name.endsWith('/export')
                ? 'application/x-ndjson'
                : 'application/json',
      )
      if (!name.endsWith('/health') && !name.endsWith('/ready'))
        expect(media?.[1].example).toBeDefined()
    }
    if (operation.requestBody) {
      // A file is of any of these.
      const files = [
        'text/csv',
        'text/calendar',
        'application/json',
        'application/zip',
        'text/plain',
        'application/octet-stream',
        'application/x-ndjson',
        'application/jsonl',
      ]
      const media = name.endsWith('/import') ? files : ['application/json']
      expect(Object.keys(operation.requestBody.content)).toEqual(media)
      expect(operation.requestBody.required).toBe(!/\/(complete|toggle|skip)$/.test(name))
    }
    expect(operation.security).toEqual(
      name.includes(' /api/') ? [{ bearer: [] }, { session: [] }] : [],
    )
  },
)

test('describes every field of every schema', () => {
  for (const [, schema] of Object.entries<{ properties?: Record<string, object> }>(
    document.components.schemas,
  )) {
    for (const property of Object.values(schema.properties ?? {})) {
      expect(property).toHaveProperty('examples')
    }
  }
})

test('shows nothing that only TypeBox understands', () => {
  const text = JSON.stringify(document)
  JSON.stringify(document, (_key, value) => {
    // A schema with a name cannot be null by its type, and values of several types have several schemas.
    const variants: { $ref?: string; type?: string }[] = value?.anyOf ?? []
    const kinds = variants.map(({ $ref, type }) => type ?? ($ref === undefined ? null : 'named'))
    expect(kinds).not.toContain(null)
    expect(new Set(kinds).size).toBe(kinds.length)
    return value
  })
  expect(text).not.toMatch(/"(\$id|noValidate|error|x-parameters|aliases|synonyms|model)":/)
})

test.each(['Priority', 'Status', 'Sort', 'Order'])('has one schema of %s', (name) => {
  const { [name]: model, ...others } = document.components.schemas
  const rest = JSON.stringify({ paths: document.paths, others })

  expect(model.enum).toBeArray()
  expect(rest).toContain(`{"$ref":"#/components/schemas/${name}"`)
  expect(rest).not.toContain(JSON.stringify(model.enum).slice(1, -1))
})

test('has examples that their own schemas accept', async () => {
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const { default: addFormats } = await import('ajv-formats')
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi')

  for (const [name, { responses }] of operations) {
    for (const [status, { content = {} }] of Object.entries(responses)) {
      for (const { schema, example } of Object.values(content)) {
        if (example === undefined) continue
        const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'))
        expect([name, status, ajv.validate(absolute, example), ajv.errors]).toEqual([
          name,
          status,
          true,
          null,
        ])
      }
    }
  }
})

test('is a page that loads nothing from elsewhere', async () => {
  const { status, headers, text } = await send('GET', '/swagger')

  expect(status).toBe(200)
  expect(headers.get('content-type')).toStartWith('text/html')
  expect(headers.get('content-security-policy')).toContain("script-src 'self'")
  const addresses = Array.from(
    text.matchAll(/(?:src|href)="([^"]+)"/g),
    ([, address = '']) => address,
  )
  expect(addresses.splice(addresses.indexOf('data:,'), 1)).toEqual(['data:,']) // No icon.
  expect(addresses).not.toBeEmpty()
  for (const address of addresses) {
    expect(address).toStartWith('/swagger/')
    expect((await send('GET', address)).status).toBe(200)
  }
  expect(text).not.toMatch(/<script>|onload=|https?:\/\//)
})

test('is not there with DOCS=off', async () => {
  const silent = createTestApp({ docs: false })

  for (const path of ['/swagger', '/swagger/json', '/swagger/init.js']) {
    expect((await silent.handle(new Request(`http://localhost${path}`))).status).toBe(404)
  }
})
