import type { TSchema } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import type { Fault } from './problem.ts'

/** At most this many faults in one answer: the rest is found when these are repaired. */
const maxFaults = 20

/** One fault for each field, in words for a person. */
export function findFaults(errors: Iterable<ValueError>): Fault[] {
  const faults = new Map<string, string>()
  for (const error of errors) {
    // A field is often at fault in several ways of which the first is the plainest.
    if (!faults.has(error.path)) faults.set(error.path, describe(error))
    if (faults.size === maxFaults) break
  }
  return Array.from(faults, ([pointer, detail]) => ({ pointer, detail }))
}

function describe({ type, schema, value }: ValueError): string {
  switch (type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return 'is not known here'
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required'
    case ValueErrorType.ObjectMinProperties:
      return 'must have at least one field'
    case ValueErrorType.Object:
      return 'must be a JSON object'
    case ValueErrorType.Boolean:
      return 'must be true or false'
    case ValueErrorType.Array:
      return 'must be an array'
    case ValueErrorType.ArrayMinItems:
      return 'must not be empty'
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${schema['maxItems']} items`
    case ValueErrorType.ArrayUniqueItems:
      return 'must not have the same item twice'
    case ValueErrorType.Integer:
      return 'must be a whole number'
    case ValueErrorType.IntegerMinimum:
      return `must be at least ${schema['minimum']}`
    case ValueErrorType.StringMinLength:
      return 'must not be empty'
    case ValueErrorType.StringMaxLength:
      return `must have at most ${schema['maxLength']} characters`
    case ValueErrorType.Union:
      return describeUnion(schema, value)
    case ValueErrorType.StringFormat:
      if (schema['format'] === 'text') return 'must not contain NUL or half a surrogate pair'
      if (schema['format'] === 'uuid') return 'must be a UUID'
      return sentence(schema) ?? 'is not valid'
    case ValueErrorType.String:
      return sentence(schema) ?? 'must be a string'
    default:
      return sentence(schema) ?? 'is not valid'
  }
}

/** The words that a schema carries for its own faults. */
const sentence = (schema: TSchema): string | undefined =>
  typeof schema['error'] === 'string' ? schema['error'] : undefined

/** `X or null`: what is wrong with it as an X. Anything else has a sentence of its own. */
function describeUnion(schema: TSchema, value: unknown): string {
  const own = sentence(schema)
  if (own !== undefined) return own
  const variants: TSchema[] = schema['anyOf']
  const variant = variants.find(({ type }) => type !== 'null')
  const first = variant && Value.Errors(variant, value).First()
  return first === undefined ? 'is not valid' : `${describe(first)}, or be null`
}
