import { findIana } from 'windows-iana'
import { zoneOf } from './found.ts'

// What calendars call time zones: the IANA database's names with something in front, those of Windows, or names of their own, with a
// VTIMEZONE that says what the clocks do. Of such a one only what programs write is understood: the rules are anybody's, and to expand
// some takes for ever.

/** The name of a zone as it is stored; null: none is meant by it. */
export const namedZone = (name: string): string | null =>
  zoneOf(name) ??
  zoneOf(/[A-Za-z]+\/[A-Za-z_]+(?:\/[A-Za-z_]+)?$/.exec(name.slice(-100))?.[0] ?? '') ??
  zoneOf(findIana(name.trim())[0] ?? '') ??
  (/^(?:GMT|Etc\/UTC|Z)$/i.test(name.trim()) ? 'UTC' : null)

/** When the clocks are so from: an RRULE, or once. */
export type Observance = { start: string; offsetTo: string; rule: string | null }

/** Milliseconds since 1970 of what the clock says; null: it cannot be said. */
export function instantIn(observances: Observance[], date: string, time: string): number | null {
  const wall = Date.parse(`${date}T${time}Z`)
  const year = Number(date.slice(0, 4))
  let found: { onset: number; offset: number } | null = null
  for (const { start, offsetTo, rule } of observances) {
    const offset = offsetOf(offsetTo)
    const first = millisecondsOf(start)
    if (offset === null || first === null) return null
    const onsets =
      rule === null ? [first] : [year - 1, year].map((one) => onsetIn(one, rule, first))
    for (const onset of onsets) {
      if (onset === null) return null
      if (onset < first || onset > wall) continue
      if (found === null || onset > found.onset) found = { onset, offset }
    }
  }
  return found === null || Number.isNaN(wall) ? null : wall - found.offset
}

/** Of +0130. */
function offsetOf(text: string): number | null {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})/.exec(text) ?? []
  if (sign === undefined) return null
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Of a time on a clock, as if it were in UTC. */
function millisecondsOf(text: string): number | null {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})/.exec(text) ?? []
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at) ? null : at
}

const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/** The nth weekday of a month, which is what all clocks go by. */
function onsetIn(year: number, rule: string, first: number): number | null {
  const parts = new Map(
    rule
      .toUpperCase()
      .split(';')
      .map((part) => part.split('=') as [string, string]),
  )
  const [, nth = '', name = ''] =
    /^(-?[1-5])(SU|MO|TU|WE|TH|FR|SA)$/.exec(parts.get('BYDAY') ?? '') ?? []
  const month = Number(parts.get('BYMONTH') ?? new Date(first).getUTCMonth() + 1)
  if (parts.get('FREQ') !== 'YEARLY' || name === '' || !(month >= 1 && month <= 12)) return null
  const until = parts.get('UNTIL')
  const end = until === undefined ? Number.POSITIVE_INFINITY : millisecondsOf(until)
  const weekday = weekdays.indexOf(name)
  const number = Number(nth)
  const edge = new Date(
    Date.UTC(year, number > 0 ? month - 1 : month, number > 0 ? 1 : 0),
  ).getUTCDay()
  const days =
    number > 0
      ? ((weekday - edge + 7) % 7) + 7 * (number - 1)
      : -((edge - weekday + 7) % 7) + 7 * (number + 1)
  const day = Date.UTC(year, number > 0 ? month - 1 : month, (number > 0 ? 1 : 0) + days)
  const onset = day + (first % 86_400_000)
  // It is over: that of another part counts.
  return end !== null && onset > end ? Number.NEGATIVE_INFINITY : onset
}
