import type { TSchema } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import { asArray, faultOf } from './formats.ts'
import type { Fault } from './problem.ts'

/** At most this many faults in one answer: the rest is found when these are repaired. */
const maxFaults = 20

/** One fault for each field, in words for a person. */
export function findFaults(errors: Iterable<ValueError>): Fault[] {
  const faults = new Map<string, string>()
  collect(errors, '', '', faults)
  return Array.from(faults, ([pointer, detail]) => ({ pointer, detail }))
}

function collect(
  errors: Iterable<ValueError>,
  parent: string,
  suffix: string,
  faults: Map<string, string>,
): void {
  for (const error of errors) {
    if (faults.size === maxFaults) return
    // A name that is not known is the client's, and may be of any length.
    const pointer = (parent + error.path).slice(0, 200)
    const variant = nullableVariant(error)
    const array = asArray(error.schema)
    if (variant !== undefined) {
      collect(Value.Errors(variant, error.value), pointer, ', or be null', faults)
    } else if (array !== undefined) {
      collect(Value.Errors(array, error.value), pointer, suffix, faults)
    } else if (!faults.has(pointer)) {
      // A field is often at fault in several ways, of which the first is the plainest.
      faults.set(pointer, describe(error) + (error.path === '' ? suffix : ''))
    }
  }
}

/** The X of an `X or null` that has no sentence of its own. */
function nullableVariant({ type, schema }: ValueError): TSchema | undefined {
  if (type !== ValueErrorType.Union || sentence(schema) !== undefined) return undefined
  const variants: TSchema[] = schema['anyOf']
  return variants.find((variant) => variant['type'] !== 'null')
}

function describe({ type, schema, value }: ValueError): string {
  switch (type) {
    case ValueErrorType.Kind:
      return (
        (schema['type'] === 'string' ? faultOf(schema, value) : sentence(schema)) ?? 'is not valid'
      )
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
    case ValueErrorType.IntegerMaximum:
      return `must be at most ${schema['maximum']}`
    case ValueErrorType.StringMinLength:
      return 'must not be empty'
    case ValueErrorType.StringMaxLength:
      return `must have at most ${schema['maxLength']} characters`
    case ValueErrorType.StringFormat:
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
