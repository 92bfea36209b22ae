import {
  type ArrayOptions,
  FormatRegistry,
  Kind,
  type StringOptions,
  type TArray,
  type TSchema,
  type TString,
  TypeRegistry,
  Type as t,
} from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
// Elysia registers formats of its own when it is loaded, laxer than these: it has to come first.
import 'elysia'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const date = /^(\d{4})-(\d{2})-(\d{2})$/

FormatRegistry.Set('uuid', (text) => uuid.test(text))
FormatRegistry.Set('date', isCalendarDate)
FormatRegistry.Set('time-zone', isTimeZone)
FormatRegistry.Set('text', isStorable)

export const isUuid = (text: string): boolean => uuid.test(text)

/** True for text that PostgreSQL gives back as it was: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Text that comes back as it went in. Lengths are in UTF-16 code units, as JavaScript counts. */
export const storable = (minLength: number, maxLength: number, options: StringOptions) =>
  t.String({ ...options, ...(minLength > 0 ? { minLength } : {}), maxLength, format: 'text' })

/**
 * Texts of which no two are the same. TypeBox hashes each of them byte by byte for that: 69 µs for the longest tags, more than
 * all else that is done for a request. So it is asked only to say what is wrong, of `asArray`.
 */
export const distinct = (items: TString, options: ArrayOptions) =>
  t.Unsafe<string[]>({ ...t.Array(items, { ...options, uniqueItems: true }), [Kind]: 'Distinct' })

TypeRegistry.Set<TArray<TString>>(
  'Distinct',
  ({ items, maxItems = Number.POSITIVE_INFINITY }, value) =>
    Array.isArray(value) &&
    value.length <= maxItems &&
    new Set(value).size === value.length &&
    value.every((item) => Value.Check(items, item)),
)

/** The array of TypeBox that a `distinct` is, which tells what is wrong with it; undefined for anything else. */
export const asArray = (schema: TSchema): TSchema | undefined =>
  schema[Kind] === 'Distinct' ? { ...schema, [Kind]: 'Array' } : undefined

/** The same schema, or null. */
export const nullable = <T extends TSchema>(schema: T) =>
  t.Union([schema, t.Null()], {
    ...(schema['error'] === undefined ? {} : { error: `${String(schema['error'])}, or null` }),
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...(schema['examples'] === undefined ? {} : { examples: schema['examples'] }),
  })

/** A day that exists: neither 31 February nor the year 0. */
export function isCalendarDate(text: string): boolean {
  const [, year, month, day] = date.exec(text)?.map(Number) ?? []
  if (!year || !month || !day || month > 12) return false
  // Day 0 of the next month is the last of this one. setUTCFullYear takes 1 as the year 1, not as 1901.
  const last = new Date(0)
  last.setUTCFullYear(year, month, 0)
  return day <= last.getUTCDate()
}

const instant =
  /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)$/
const firstYear = Date.parse('0001-01-01T00:00:00Z')
const lastYear = Date.parse('9999-12-31T23:59:59Z')

/** An instant with its offset that has a four-digit year in UTC too, to the microsecond at most: it comes back as it went in. */
export function isInstant(text: string): boolean {
  if (!isCalendarDate(instant.exec(text)?.[1] ?? '')) return false
  const second = Date.parse(text.replace(/\.\d+/, ''))
  return second >= firstYear && second <= lastYear
}

/** A name that the time zone database of the runtime knows. An offset such as +02:00 is no zone. */
function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false
  try {
    Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
