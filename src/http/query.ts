import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { type Fault, invalid } from './problem.ts'
import { findFaults } from './validation.ts'

/**
 * A reader of query strings for a schema of optional strings, integers, booleans and arrays of strings. Throws 422 that names
 * what is unknown, given twice, or not valid. Read here because Elysia splits arrays at an escaped comma, keeps the
 * last of two values in silence and takes 0x10 for a number.
 */
export function queryReader<T extends TObject>(schema: T): (url: string) => Static<T> {
  const compiled = TypeCompiler.Compile(schema)

  return (url) => {
    const start = url.indexOf('?')
    // Every parameter is optional: nothing is a valid query.
    if (start === -1) return {}
    const given = new URLSearchParams(url.slice(start))
    // Without a prototype, so that `__proto__` is a name like any other.
    const values: Record<string, unknown> = Object.create(null)
    const faults: Fault[] = []

    for (const name of new Set(given.keys())) {
      const texts = given.getAll(name)
      const property = schema.properties[name]
      if (property?.type !== 'array' && texts.length > 1) {
        faults.push({ pointer: `/${name}`, detail: 'is given more than once' })
      }
      values[name] = property === undefined ? texts[0] : parse(property, texts)
    }
    if (compiled.Check(values) && faults.length === 0) return values
    throw invalid([...faults, ...findFaults(compiled.Errors(values))])
  }
}

function parse(schema: TSchema, texts: string[]): unknown {
  const text = texts[0] ?? ''
  switch (schema['type']) {
    case 'array':
      // Words are separated by commas; free text may contain them, and is repeated instead.
      // The same twice means nothing more.
      return [
        ...new Set(
          schema['items'].type === 'string' ? texts : texts.flatMap((part) => part.split(',')),
        ),
      ]
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
  }
}
