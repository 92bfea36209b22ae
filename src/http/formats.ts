import {
  type ArrayOptions,
  FormatRegistry,
  Kind,
  type SchemaOptions,
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
import { isBlank } from './fold.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const date = /^(\d{4})-(\d{2})-(\d{2})$/

FormatRegistry.Set('uuid', (text) => uuid.test(text))
FormatRegistry.Set('date', isCalendarDate)
FormatRegistry.Set('time-zone', (text) => timeZoneOf(text) !== null)

export const isUuid = (text: string): boolean => uuid.test(text)

/** True for text that PostgreSQL gives back as it was: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Whether a text has no more characters, which are code points, as in JSON Schema and in PostgreSQL. */
export function hasAtMost(text: string, most: number): boolean {
  if (text.length <= most || text.length > 2 * most) return text.length <= most
  let count = 0
  for (const _ of text) count += 1
  return count <= most
}

const withKind = <T extends TSchema>(kind: string, schema: T): T => ({ ...schema, [Kind]: kind })

/** Text that comes back as it went in. */
export const storable = (minLength: number, maxLength: number, options: StringOptions) =>
  withKind('Text', t.String({ ...options, ...(minLength > 0 ? { minLength } : {}), maxLength }))

/** The same, with something to see in it. */
export const visible = (maxLength: number, options: StringOptions) =>
  storable(1, maxLength, { ...options, format: 'visible' })

TypeRegistry.Set<TString>('Text', (schema, value) => faultOf(schema, value) === null)

/** What is wrong with a text, as the rest of a sentence; null: nothing. */
export function faultOf(schema: TSchema, value: unknown): string | null {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = schema
  if (typeof value !== 'string') return 'must be a string'
  if (value.length < minLength) return 'must not be empty'
  if (!hasAtMost(value, maxLength)) return `must have at most ${maxLength} characters`
  if (!isStorable(value)) return 'must not contain NUL or half a surrogate pair'
  if (format === 'visible' && isBlank(value)) return 'must have something to see in it'
  return pattern === undefined || new RegExp(pattern).test(value) ? null : String(schema['error'])
}

/**
 * Texts of which no two are the same. TypeBox hashes each of them byte by byte for that: 69 µs for the longest tags, more than
 * all else that is done for a request. So it is asked only to say what is wrong, of `asArray`.
 */
export const distinct = (items: TString, options: ArrayOptions) =>
  withKind('Distinct', t.Array(items, { ...options, uniqueItems: true }))

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

/** The number of a change, or an instant: one is a place in the log, and so is the other. */
export const place = (options: SchemaOptions) =>
  withKind('Place', t.Unsafe<number | string>({ ...options, type: ['integer', 'string'] }))

TypeRegistry.Set('Place', (_schema, value) =>
  typeof value === 'string' ? isInstant(value) : Number.isSafeInteger(value) && Number(value) >= 0,
)

/** Names that the IANA database had once. */
const removedZones = ['US/Pacific-New', 'Canada/East-Saskatchewan']

/** Those that were asked for, by their names in small letters. */
const zones = new Map<string, string>()

/**
 * The name of a time zone, in any case, as the IANA database writes it; null: it is none that every reader takes for the same one.
 * CET is fixed to some of them and has a summer to others, EST5EDT and Japan are unknown where only names of places are kept. A
 * second name of a place stays what it is.
 */
export function timeZoneOf(text: string): string | null {
  const known = zones.get(text.toLowerCase())
  if (known !== undefined) return known
  if (!/^(?:UTC$|[a-z]+\/[a-z])/i.test(text)) return null
  try {
    const { timeZone } = Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions()
    if (removedZones.includes(timeZone)) return null
    zones.set(text.toLowerCase(), timeZone)
    return timeZone
  } catch {
    return null
  }
}
