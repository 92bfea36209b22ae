import { FormatRegistry, type StringOptions, type TSchema, Type as t } from '@sinclair/typebox'
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
