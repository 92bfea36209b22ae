import { isCalendarDate } from '../http/formats.ts'

// A due date as a date-time, for frontends that know nothing else.

export type Due = { due_date: string | null; due_time: string | null; time_zone: string | null }

/** The instant when a task is due; without a zone of its own, the time as it is on the clock of whoever reads it. */
export function dateTimeOf({ due_date, due_time, time_zone }: Due): string | null {
  if (due_date === null) return null
  if (due_time === null) return `${due_date}T00:00:00Z`
  if (time_zone === null) return `${due_date}T${due_time}`
  return Temporal.PlainDateTime.from(`${due_date}T${due_time}`)
    .toZonedDateTime(time_zone)
    .toInstant()
    .toString()
}

const dateTime =
  /^(\d{4}-\d{2}-\d{2})[T ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:\.\d+)?)? ?(?:(Z)|([+-]\d{2}):?(\d{2})?)?$/i

/** What it says, to the second; null: it is none. */
function read(text: string) {
  const [, date = '', minutes = '', seconds = '00', utc, hours, rest = '00'] =
    dateTime.exec(text) ?? []
  if (!isCalendarDate(date)) return null
  const time = `${minutes}:${seconds}`
  const zone = utc === undefined && hours === undefined ? null : utc ? 'Z' : `${hours}:${rest}`
  return { date, time, zone }
}

/** What a date-time means as a due date; null: it is none. Midnight is no time: it is how a day is said as an instant. */
export function dueOf(text: string): Due | null {
  const said = read(text)
  if (said === null) return null
  const { date, time, zone } = said
  if (time === '00:00:00') return { due_date: date, due_time: null, time_zone: null }
  if (zone === null) return { due_date: date, due_time: time, time_zone: null }
  const instant = new Date(`${date}T${time}${zone}`)
  const [day = '', clock = ''] = Number.isNaN(instant.getTime())
    ? []
    : instant.toISOString().split(/[T.]/)
  return isCalendarDate(day) ? { due_date: day, due_time: clock, time_zone: 'UTC' } : null
}

/** The day that it names, as it is written; or what was given. */
export const dayOf = (text: string): string => read(text)?.date ?? text

/**
 * The same date-time as a day with this time in this zone, where it is one: so a task that is sent back as it was answered is due as
 * before, and one that is moved to another day at the same time stays in its zone.
 */
export function dueAt(text: string, { due_time, time_zone }: Omit<Due, 'due_date'>): Due | null {
  const said = read(text)
  if (said === null || due_time === null) return null
  const { date, time, zone } = said
  if ((zone === null) !== (time_zone === null)) return null
  const due_date =
    time_zone === null
      ? date
      : Temporal.Instant.from(`${date}T${time}${zone}`)
          .toZonedDateTimeISO(time_zone)
          .toPlainDate()
          .toString()
  const due = { due_date, due_time, time_zone }
  const same = dateTimeOf(due)
  return same !== null && isSame(same, text) ? due : null
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => {
    const { date, time, zone } = read(text) ?? { date: '', time: '', zone: null }
    return zone === null ? `${date}T${time}` : Date.parse(`${date}T${time}${zone}`)
  })
  return a === b
}
