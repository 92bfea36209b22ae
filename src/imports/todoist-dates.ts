import { isCalendarDate } from '../http/formats.ts'
import type { FoundTask } from './found.ts'

// The sentences in which Todoist writes when a task is due, in English. What can mean several things is not read.

export type When = Pick<FoundTask, 'due_date' | 'due_time' | 'recurrence' | 'repeat_from'>

/** A day, or how often, with a time; null: it cannot be surely said what is meant. */
export function readWhen(sentence: string): When | null {
  if (sentence.length > longest) return null
  const text = sentence.trim().toLowerCase().replaceAll(/\s+/g, ' ')
  const [, beforeEnd = text, last = null] = /^(.*) (?:until|ending) (?:on )?(.*)$/.exec(text) ?? []
  const [, body = beforeEnd, first = null] =
    /^(.*) (?:starting|from) (?:on )?(.*)$/.exec(beforeEnd) ?? []
  // The time may be after the first day.
  const [begins, ends] = [first && readDay(readTime(first).rest), last && readDay(last)]
  if ((first !== null && begins === null) || (last !== null && ends === null)) return null
  const { rest, time } = readTime(body)
  const due_time = time ?? (first && readTime(first).time)

  const day = readDay(rest)
  if (day !== null) {
    if (begins !== null || ends !== null) return null
    return { due_date: day, due_time, recurrence: null, repeat_from: 'due' }
  }
  const [, mark = '', often = plainly[rest]] = /^(?:every|ev)(!?) ?(.*)$/.exec(rest) ?? []
  const rule = often === undefined ? null : ruleOf(often)
  if (rule === null) return null
  return {
    due_date: begins,
    due_time,
    recurrence: ends === null ? rule : `${rule};UNTIL=${ends.replaceAll('-', '')}`,
    repeat_from: mark === '!' ? 'completion' : 'due',
  }
}

/** No sentence that is sure is longer, in characters. */
const longest = 200

const plainly: Record<string, string | undefined> = {
  __proto__: null as never,
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  quarterly: 'quarter',
  yearly: 'year',
  annually: 'year',
}

/** A time at the end, as HH:MM:SS. */
function readTime(text: string): { rest: string; time: string | null } {
  const found = / (?:at |@ ?)?(\d{1,2})(?::(\d{2})(?::00)?)? ?(am|pm)?$/.exec(` ${text}`)
  const [whole = '', hours = '', minutes, half] = found ?? []
  const nothing = { rest: text, time: null }
  if (found === null || (minutes === undefined && half === undefined)) return nothing
  const hour = Number(hours)
  if (half === undefined ? hour > 23 : hour < 1 || hour > 12) return nothing
  if (Number(minutes ?? 0) > 59) return nothing
  const there = half === undefined ? hour : (hour % 12) + (half === 'pm' ? 12 : 0)
  return {
    rest: text.slice(0, Math.max(0, text.length - whole.length)).trim(),
    time: `${String(there).padStart(2, '0')}:${minutes ?? '00'}:00`,
  }
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const monthWord = `(${months.join('|')})[a-z]*\\.?`
const dayWord = '(\\d{1,2})(?:st|nd|rd|th)?'
const dayFirst = new RegExp(`^${dayWord} (?:of )?${monthWord}(?:,? (\\d{4}))?$`)
const monthFirst = new RegExp(`^${monthWord} ${dayWord}(?:,? (\\d{4}))?$`)

/** The month and the day of a date with or without a year. */
function readDate(text: string): { month: number; day: number; year: string | undefined } | null {
  const [, day, month, year] = dayFirst.exec(text) ?? []
  const [, month2, day2, year2] = monthFirst.exec(text) ?? []
  const name = month ?? month2
  if (name === undefined) return null
  return { month: months.indexOf(name) + 1, day: Number(day ?? day2), year: year ?? year2 }
}

/** A day with its year: only that is one whenever it is read. */
function readDay(text: string): string | null {
  const iso = /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null
  const found = readDate(text.replace(/^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /, ''))
  const two = (number: number) => String(number).padStart(2, '0')
  const date = iso ?? (found?.year && `${found.year}-${two(found.month)}-${two(found.day)}`)
  return date && isCalendarDate(date) ? date : null
}

const days: Record<string, string> = {
  mon: 'MO',
  tue: 'TU',
  wed: 'WE',
  thu: 'TH',
  fri: 'FR',
  sat: 'SA',
  sun: 'SU',
}
const weekday =
  /^(?:(mon)(?:days?)?|(tue)(?:s|sdays?)?|(wed)(?:s|nesdays?)?|(thu)(?:r|rs|rsdays?)?|(fri)(?:days?)?|(sat)(?:urdays?)?|(sun)(?:days?)?)$/

const ordinals: Record<string, number> = {
  first: 1,
  second: 2,
  third: 3,
  fourth: 4,
  fifth: 5,
  last: -1,
}

/** 3 of third and of 3rd; -1 of last. */
function readOrdinal(text: string): number | null {
  const [, number] = /^(\d{1,2})(?:st|nd|rd|th)$/.exec(text) ?? []
  if (number !== undefined) return Number(number)
  return Object.hasOwn(ordinals, text) ? (ordinals[text] ?? null) : null
}

const readWeekday = (text: string): string | null => {
  const name = weekday.exec(text)?.slice(1).find(Boolean)
  return name === undefined ? null : (days[name] ?? null)
}

/** What comes after "every"; null: it is not sure. */
function ruleOf(text: string): string | null {
  const often = text.replace(/ of (?:the|each|every) month$/, '')
  return byUnit(often) ?? byWeekdays(often) ?? byMonthDays(often) ?? byYearDay(text)
}

const units: Record<string, string> = {
  day: 'FREQ=DAILY',
  week: 'FREQ=WEEKLY',
  month: 'FREQ=MONTHLY',
  year: 'FREQ=YEARLY',
}

/** day, 2 weeks, other month, quarter */
function byUnit(text: string): string | null {
  const [, number = '1', unit = ''] =
    /^(?:(\d{1,3}|other) )?(day|week|month|quarter|year)s?$/.exec(text) ?? []
  const times = (number === 'other' ? 2 : Number(number)) * (unit === 'quarter' ? 3 : 1)
  const rule = units[unit === 'quarter' ? 'month' : unit]
  if (rule === undefined || times < 1) return null
  return times === 1 ? rule : `${rule};INTERVAL=${times}`
}

/** The parts of "mon, wed and fri". */
const partsOf = (text: string): string[] =>
  text.split(/ ?(?:,| and |&|\/)(?: and )? ?/).map((part) => part.trim())

/** A rule if every part is known. */
function listed(head: string, parts: (string | null)[]): string | null {
  return parts.length > 0 && parts.every((part) => part !== null)
    ? `${head}${[...new Set(parts)].join(',')}`
    : null
}

/** weekday, mon and fri, other tue, 3rd friday, last workday */
function byWeekdays(text: string): string | null {
  if (/^(?:week|work) ?days?$/.test(text)) return 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'
  const [, edge] = /^(first|last) (?:week|work) ?day$/.exec(text) ?? []
  if (edge !== undefined) {
    return `FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=${edge === 'last' ? -1 : 1}`
  }
  const isOther = text.startsWith('other ')
  const parts = partsOf(text.replace(/^other /, ''))
  const weekly = isOther ? 'FREQ=WEEKLY;INTERVAL=2;BYDAY=' : 'FREQ=WEEKLY;BYDAY='
  const monthly = parts.map((part) => {
    const [, nth = '', name = ''] = /^(\w+) (\w+)$/.exec(part) ?? []
    const [number, day] = [readOrdinal(nth), readWeekday(name)]
    return number === null || number > 5 || number === 0 || day === null ? null : `${number}${day}`
  })
  return (
    listed(weekly, parts.map(readWeekday)) ??
    (isOther ? null : listed('FREQ=MONTHLY;BYDAY=', monthly))
  )
}

/** 15th, 1st and 15th, last day */
function byMonthDays(text: string): string | null {
  const parts = partsOf(text).map((part) => {
    const number = part === 'last day' ? -1 : /^\d/.test(part) ? readOrdinal(part) : null
    return number === null || number > 31 || number === 0 ? null : String(number)
  })
  return listed('FREQ=MONTHLY;BYMONTHDAY=', parts)
}

/** 15 nov, november 15th */
function byYearDay(text: string): string | null {
  const found = readDate(text)
  if (found === null || found.year !== undefined) return null
  const { month, day } = found
  // A leap year.
  const isDay = isCalendarDate(
    `2028-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`,
  )
  return isDay ? `FREQ=YEARLY;BYMONTH=${month};BYMONTHDAY=${day}` : null
}
