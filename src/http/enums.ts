import type { TObject, TSchema } from '@sinclair/typebox'

// Words of a list, such as those of a status, in any case, and by their other names.

/** The word that is meant, where it is a schema of words; else what was given. */
export function wordOf(schema: TSchema, given: unknown): unknown {
  if (typeof given !== 'string') return given
  const small = given.toLowerCase()
  const word = schema['synonyms']?.[small] ?? small
  return wordsOf(schema).includes(word) ? word : given
}

/** Also of those that may be null. */
const wordsOf = ({ anyOf = [], const: word }: TSchema): unknown[] =>
  word === undefined ? anyOf.flatMap(wordsOf) : [word]

/** A body with the words that are meant. */
export function withWords(schema: TObject, body: object | null): object | null {
  if (body === null) return null
  const meant = Object.entries(body).map(([name, value]) => {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    return [name, property === undefined ? value : wordOf(property, value)]
  })
  return Object.fromEntries(meant)
}
