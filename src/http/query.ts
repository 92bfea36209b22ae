import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { wordOf } from './enums.ts'
import { type Fault, invalid } from './problem.ts'
import { findFaults } from './validation.ts'

/**
 * A reader of query strings for a schema of strings, integers, booleans and arrays of strings, each under its name or one of
 * its `aliases`. What is empty was not chosen, and is as if it was not there. Throws 422 that names what is unknown, given
 * twice, or not valid. Read here because Elysia splits arrays at an escaped comma, keeps the
 * last of two values in silence and takes 0x10 for a number.
 */
export function queryReader<T extends TObject>(schema: T): (url: string) => Static<T> {
  const compiled = TypeCompiler.Compile(schema)
  const aliases = new Map(
    Object.entries(schema.properties).flatMap(([name, property]) =>
      aliasesOf(property).map((alias) => [alias, name] as const),
    ),
  )

  return (url) => {
    const start = url.indexOf('?')
    // Most often every parameter is optional: nothing is a valid query.
    if (start === -1 && schema.required === undefined) return {}
    const given = new URLSearchParams(start === -1 ? '' : url.slice(start))
    // Without a prototype, so that `__proto__` is a name like any other.
    const values: Record<string, unknown> = Object.create(null)
    const names = new Map<string, string>()
    const faults: Fault[] = []

    for (const name of new Set(given.keys())) {
      const own = aliases.get(name) ?? name
      const property = Object.hasOwn(schema.properties, own) ? schema.properties[own] : undefined
      const texts = given.getAll(name).filter((text) => text !== '' || property === undefined)
      if (texts.length === 0) continue
      if (property?.type !== 'array' && texts.length > 1) {
        faults.push({ pointer: `/${name}`, detail: 'is given more than once' })
      }
      const value = property === undefined ? texts[0] : parse(property, texts)
      const other = names.get(own)
      if (other !== undefined && !Bun.deepEquals(values[own], value)) {
        faults.push({
          pointer: `/${name}`,
          detail: `is the same as ${other}, which says otherwise`,
        })
      }
      names.set(own, name)
      values[own] = value
    }
    if (compiled.Check(values) && faults.length === 0) return values
    const found = findFaults(compiled.Errors(values)).map(({ pointer, detail }) => ({
      pointer: pointer.replace(/^\/([^/]*)/, (_, own) => `/${names.get(own) ?? own}`),
      detail,
    }))
    throw invalid([...faults, ...found])
  }
}

export const aliasesOf = (property: TSchema): string[] => property['aliases'] ?? []

function parse(schema: TSchema, texts: string[]): unknown {
  const text = texts[0] ?? ''
  switch (schema['type']) {
    case 'array':
      // Words are separated by commas; free text may contain them, and is repeated instead.
      // The same twice means nothing more.
      return [
        ...new Set(
          schema['items'].type === 'string'
            ? texts
            : texts
                .flatMap((part) => part.split(','))
                .filter((word) => word !== '')
                .map((word) => wordOf(schema['items'], word)),
        ),
      ]
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : text
    case 'boolean':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : text
    default:
      return wordOf(schema, text)
  }
}
