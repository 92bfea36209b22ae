import type { Component } from './calendar.ts'

// VTIMEZONE out of what the runtime knows of a zone, so that no table of zones is needed.

/** What is before or after these is told by the nearest that is known. */
const first = 1970
const last = 2100

/** How long the clock of a zone is known after the last day that is named: what repeats goes on. */
const years = 10

/**
 * The clock of a zone around these days: a part for each change from one offset to another, with all times at which it happens.
 */
export function zoneOf(zone: string, from: string, to: string): Component {
  const [firstYear, lastYear] = [yearOf(from) - 1, yearOf(to) + years]
  const begin = newYear(zone, Math.min(Math.max(firstYear, first), last))
  const end = newYear(zone, Math.min(lastYear, last))
  const parts = new Map<string, Component>()

  let at = begin
  for (;;) {
    const next = at.getTimeZoneTransition('next')
    if (next === null || Temporal.ZonedDateTime.compare(next, end) >= 0) break
    // By the clock before it.
    const wall = next
      .toPlainDateTime()
      .subtract({ nanoseconds: next.offsetNanoseconds - at.offsetNanoseconds })
    const isForward = next.offsetNanoseconds > at.offsetNanoseconds
    const key = `${at.offset} ${next.offset}`
    const part =
      parts.get(key) ?? partOf(isForward ? 'daylight' : 'standard', wall, at.offset, next.offset)
    parts.set(key, part)
    // The first too, which is its beginning: some readers, as ical.js and so Thunderbird, see no other once there are such.
    part[1].push(['rdate', {}, 'date-time', textOf(wall)])
    at = next
  }
  // What holds before all changes.
  const before = partOf('standard', begin.toPlainDateTime(), begin.offset, begin.offset)
  return ['vtimezone', [['tzid', {}, 'text', zone]], [before, ...parts.values()]]
}

const partOf = (
  name: 'standard' | 'daylight',
  wall: Temporal.PlainDateTime,
  before: string,
  after: string,
): Component => [
  name,
  [
    ['dtstart', {}, 'date-time', textOf(wall)],
    ['tzoffsetfrom', {}, 'utc-offset', minutesOf(before)],
    ['tzoffsetto', {}, 'utc-offset', minutesOf(after)],
  ],
  [],
]

const yearOf = (day: string): number => Number(day.slice(0, 4))

const newYear = (zone: string, year: number): Temporal.ZonedDateTime =>
  Temporal.PlainDate.from({ year, month: 1, day: 1 }).toZonedDateTime(zone)

const textOf = (wall: Temporal.PlainDateTime): string => wall.toString({ smallestUnit: 'second' })

/** Offsets had seconds once. */
const minutesOf = (offset: string): string => offset.slice(0, 6)
