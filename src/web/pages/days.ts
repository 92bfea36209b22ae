// Days are texts, YYYY-MM-DD, as the API has them: they can be compared, and no time zone gets in between.

export const weekdays = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
]

const milliseconds = 86_400_000

/** On the calendar of whoever looks at the page. */
export function today(now = new Date()): string {
  const [year, month, day] = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
  return [String(year).padStart(4, '0'), pad(month), pad(day)].join('-')
}

const pad = (number: number): string => String(number).padStart(2, '0')

export const addDays = (day: string, count: number): string =>
  new Date(Date.parse(day) + count * milliseconds).toISOString().slice(0, 10)

/** In a month that has no such day it is the last one. */
export function addMonths(day: string, count: number): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const last = new Date(Date.UTC(year, month + count, 0)).getUTCDate()
  const moved = Date.UTC(year, month - 1 + count, Math.min(date, last))
  return new Date(moved).toISOString().slice(0, 10)
}

/** 0 is Sunday. */
export const weekdayOf = (day: string): number => new Date(day).getUTCDay()

/** The next day from this one on, itself included, that is such a weekday. */
export const nextWeekday = (from: string, weekday: number): string =>
  addDays(from, (weekday - weekdayOf(from) + 7) % 7)

const distance = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / milliseconds)

/** As people say it: Today, Friday, Dec 1. */
export function sayDay(day: string, now: string): string {
  const away = distance(now, day)
  if (away === 0) return 'Today'
  if (away === 1) return 'Tomorrow'
  if (away === -1) return 'Yesterday'
  if (away > 1 && away < 7) return weekdays[weekdayOf(day)] ?? day
  return sayDate(day, now)
}

/** A moment: 14:02 of today, of yesterday, or of a day. */
export function sayMoment(at: string, now = new Date()): string {
  const then = new Date(at)
  const time = then.toLocaleTimeString(undefined, { hour: 'numeric', minute: '2-digit' })
  const day = sayDay(today(then), today(now))
  if (day === 'Today') return time
  const isNear = day === 'Yesterday' || day === 'Tomorrow'
  return `${isNear ? day.toLowerCase() : sayDate(at, today(now))}, ${time}`
}

/** The day of a moment, or a day itself: Nov 20. */
export function sayDate(at: string, now = today()): string {
  const isDay = at.length === 10
  const day = isDay ? at : today(new Date(at))
  return new Intl.DateTimeFormat('en', {
    month: 'short',
    day: 'numeric',
    ...(day.slice(0, 4) === now.slice(0, 4) ? {} : { year: 'numeric' }),
    timeZone: 'UTC',
  }).format(new Date(day))
}

/** 18:30, as the clock of the reader has it. */
export const sayTime = (time: string): string =>
  new Intl.DateTimeFormat(undefined, {
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
  }).format(new Date(`1970-01-01T${time.slice(0, 5)}Z`))
