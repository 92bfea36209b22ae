import { isCalendarDate } from '../../http/formats.ts'

/** A day as it is written: on the calendar, so many units from today, or the next one of a week, today included. */
export type Day = { date: string } | { plus: number; unit: Unit } | { weekday: number }

type Unit = 'days' | 'weeks' | 'months' | 'years'

/** The day itself, or the one before or after it. */
export type Bound = { day: Day; shift: -1 | 0 | 1 }

const near: Record<string, number> = { yesterday: -1, today: 0, tomorrow: 1 }

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

const units: Record<string, Unit> = { d: 'days', w: 'weeks', m: 'months', y: 'years' }

/** All the words for days, for who has misspelt one. */
export const dayWords = [...Object.keys(near), ...weekdays]

/** The day that is written, in any case; null: it is none. */
export function dayOf(text: string): Day | null {
  const word = text.toLowerCase()
  if (isCalendarDate(word)) return { date: word }
  if (Object.hasOwn(near, word)) return { plus: near[word] ?? 0, unit: 'days' }
  const weekday = weekdays.findIndex((name) => name === word || name.slice(0, 3) === word)
  if (weekday >= 0) return { weekday: weekday + 1 }
  const [, count, unit = ''] = /^([+-]?\d{1,4})([dwmy])$/.exec(word) ?? []
  const known = units[unit]
  return count === undefined || known === undefined ? null : { plus: Number(count), unit: known }
}

/** Where it is today, and what day. */
export type Today = { zone: string; date: string }

export const todayIn = (zone: string): Today => ({
  zone,
  date: Temporal.Now.plainDateISO(zone).toString(),
})

/** The day that is written, as one of the calendar; null: it is none. */
export function dateOf(text: string, today: Today): string | null {
  const day = dayOf(text)
  const bound = day && ({ day, shift: 0 } as const)
  return bound && (daysBetween(bound, bound, today)?.from ?? null)
}

const first = Temporal.PlainDate.from('0001-01-01')
const last = Temporal.PlainDate.from('9999-12-31')

/** From one day to another, both included; null: there is no bound. */
export type Days = { from: string | null; to: string | null }

/** The days between two bounds, as far as there are any on the calendar of the database; null: there are none. */
export function daysBetween(from: Bound | null, to: Bound | null, today: Today): Days | null {
  const begin = from === null ? null : resolve(from, today)
  const end = to === null ? null : resolve(to, today)
  if (begin !== null && isAfter(begin, last)) return null
  if (end !== null && isAfter(first, end)) return null
  return {
    from: begin === null || isAfter(first, begin) ? null : begin.toString(),
    to: end === null || isAfter(end, last) ? null : end.toString(),
  }
}

const isAfter = (one: Temporal.PlainDate, other: Temporal.PlainDate): boolean =>
  Temporal.PlainDate.compare(one, other) > 0

function resolve({ day, shift }: Bound, { date }: Today): Temporal.PlainDate {
  return plainDate(day, Temporal.PlainDate.from(date)).add({ days: shift })
}

function plainDate(day: Day, today: Temporal.PlainDate): Temporal.PlainDate {
  if ('date' in day) return Temporal.PlainDate.from(day.date)
  if ('plus' in day) return today.add({ [day.unit]: day.plus })
  return today.add({ days: (day.weekday - today.dayOfWeek + 7) % 7 })
}

/** When the days begin, and when they are over, on the clock of a zone. */
export function instantsOf({ from, to }: Days, zone: string): Days {
  const after = to === null ? null : Temporal.PlainDate.from(to).add({ days: 1 })
  return {
    // The first day of the calendar begins before it, somewhere.
    from: from === null || from === first.toString() ? null : midnight(from, zone),
    to: after === null || isAfter(after, last) ? null : midnight(after.toString(), zone),
  }
}

/** Or what comes first of a day, where its clock goes forward then. */
const midnight = (date: string, zone: string): string =>
  Temporal.PlainDate.from(date).toZonedDateTime(zone).toInstant().toString()
