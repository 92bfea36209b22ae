import { isCalendarDate } from '../../http/formats.ts'
import { nearest } from './days.ts'

/** No rule that a task takes. Its message goes on after the name of the field. */
export class RuleFault extends Error {
  override name = 'RuleFault'
}

/** What a client asks for as `recurrence`: an RRULE of RFC 5545, a word such as `weekly`, or a word with an interval. */
export type AskedRule = string | { frequency: string; interval?: number }

const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const
type Frequency = (typeof frequencies)[number]

const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** On which days a task is due, as far as a rule says it. */
export type Rule = {
  frequency: Frequency
  interval: number
  months: number[]
  monthDays: number[]
  /** As MO, or of a month 1MO to -5MO. */
  days: string[]
  positions: number[]
  weekStart: string
  count: number | null
  /** The last day that it may have, as YYYY-MM-DD. */
  until: string | null
}

/** Where UNTIL is read as a moment: when a task is due on its days. */
export type Clock = { due_time: string | null; zone: string }

const known = [
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'BYMONTH',
  'BYMONTHDAY',
  'BYDAY',
  'BYSETPOS',
  'WKST',
]

const mostCharacters = 500
const mostInterval = 999

/** @throws RuleFault */
export function parseRule(text: string, clock: Clock): Rule {
  const parts = partsOf(text)
  const frequency = frequencies.find((name) => name === parts.get('FREQ'))
  if (frequency === undefined) {
    throw new RuleFault('must have FREQ as one of DAILY, WEEKLY, MONTHLY, YEARLY')
  }
  const rule: Rule = {
    frequency,
    interval: wholeOf(parts, 'INTERVAL', mostInterval) ?? 1,
    months: listOf(parts, 'BYMONTH', 1, 12),
    monthDays: listOf(parts, 'BYMONTHDAY', -31, 31),
    days: weekdaysOf(parts),
    positions: listOf(parts, 'BYSETPOS', -31, 31),
    weekStart: weekStartOf(parts, frequency),
    count: wholeOf(parts, 'COUNT', 9999),
    until: untilOf(parts, clock),
  }
  refuseTogether(rule)
  return rule
}

/** In ASCII alone: of other letters, some become ASCII in the other case. */
const upperCase = (text: string): string => text.replace(/[a-z]/g, (letter) => letter.toUpperCase())

function partsOf(text: string): Map<string, string> {
  if (text.length > mostCharacters) {
    throw new RuleFault(`must have at most ${mostCharacters} characters`)
  }
  const line = upperCase(text.trim())
    .replace(/^RRULE:/, '')
    .replace(/;$/, '')
  const parts = new Map<string, string>()
  for (const part of line.split(';')) {
    const [, name, value] = /^([A-Z-]{1,40})=(.*)$/.exec(part) ?? []
    if (name === undefined || value === undefined) {
      throw new RuleFault('must be an RRULE of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO')
    }
    if (!known.includes(name)) {
      throw new RuleFault(`has ${name}, which is not taken: take only ${known.join(', ')}`)
    }
    if (parts.has(name)) throw new RuleFault(`must have ${name} once`)
    parts.set(name, value)
  }
  return parts
}

function wholeOf(parts: Map<string, string>, name: string, most: number): number | null {
  const text = parts.get(name)
  if (text === undefined) return null
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > most) throw new RuleFault(`must have ${name} from 1 to ${most}`)
  return value
}

/** Each once, in order. */
function listOf(parts: Map<string, string>, name: string, least: number, most: number): number[] {
  const text = parts.get(name)
  if (text === undefined) return []
  const values = text.split(',').map((item) => (/^[+-]?\d{1,3}$/.test(item) ? Number(item) : 0))
  if (values.some((value) => value === 0 || value < least || value > most)) {
    const range = least < 0 ? `1 to ${most} or -1 to ${least}` : `${least} to ${most}`
    throw new RuleFault(`must have ${name} as numbers from ${range}, with commas between`)
  }
  return [...new Set(values)].toSorted((one, other) => one - other)
}

function weekdaysOf(parts: Map<string, string>): string[] {
  const text = parts.get('BYDAY')
  if (text === undefined) return []
  const days = text.split(',').map((day) => day.replace(/^\+(?=\d)/, ''))
  if (!days.every((day) => /^(-?[1-5])?(MO|TU|WE|TH|FR|SA|SU)$/.test(day))) {
    throw new RuleFault(
      'must have BYDAY as days such as MO or, of a month, 1MO to 5MO, -1MO to -5MO',
    )
  }
  const order = (day: string) => weekdays.indexOf(day.slice(-2)) * 100 + numberOf(day)
  return [...new Set(days)].toSorted((one, other) => order(one) - order(other))
}

/** Which of its month a day is; 0: each. */
const numberOf = (day: string): number => Number(day.slice(0, -2))

/** It says something of weeks only. */
function weekStartOf(parts: Map<string, string>, frequency: Frequency): string {
  const day = parts.get('WKST') ?? 'MO'
  if (!weekdays.includes(day)) throw new RuleFault('must have WKST as a day such as MO')
  return frequency === 'WEEKLY' ? day : 'MO'
}

/** Of a moment, the last day on which a task is not due after it; without a due time, the day that it is in. */
function untilOf(parts: Map<string, string>, { due_time, zone }: Clock): string | null {
  const text = parts.get('UNTIL')
  if (text === undefined) return null
  const [, year, month, day, time, isUtc] =
    /^(\d{4})(\d\d)(\d\d)(?:T((?:[01]\d|2[0-3])[0-5]\d[0-5]\d)(Z)?)?$/.exec(text) ?? []
  const date = `${year}-${month}-${day}`
  if (!isCalendarDate(date)) throw new RuleFault('must have UNTIL as a day, YYYYMMDD')
  if (time === undefined) return date
  const wall = Temporal.PlainDateTime.from(`${date}T${time}`)
  const moment = isUtc ? wall.toZonedDateTime('UTC').withTimeZone(zone) : null
  const last = (moment ?? wall).toPlainDate()
  if (due_time === null) return nearest(last)
  const due = last.toPlainDateTime(due_time)
  const isOver = moment
    ? Temporal.ZonedDateTime.compare(due.toZonedDateTime(zone), moment) > 0
    : Temporal.PlainDateTime.compare(due, wall) > 0
  return nearest(isOver ? last.subtract({ days: 1 }) : last)
}

function refuseTogether({ frequency, months, monthDays, days, positions, count, until }: Rule) {
  const isOfMonths = frequency === 'MONTHLY' || (frequency === 'YEARLY' && months.length > 0)
  const ofMonths = 'only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH'
  if (monthDays.length > 0 && !isOfMonths) throw new RuleFault(`may have BYMONTHDAY ${ofMonths}`)
  if (days.some(numberOf) && !isOfMonths) {
    throw new RuleFault(`may have BYDAY with a number ${ofMonths}`)
  }
  const isOfSets = frequency === 'MONTHLY' || frequency === 'YEARLY'
  if (positions.length > 0 && !(isOfSets && monthDays.length + days.length > 0)) {
    throw new RuleFault(
      'may have BYSETPOS only with FREQ=MONTHLY or FREQ=YEARLY, and with BYDAY or BYMONTHDAY',
    )
  }
  if (count !== null && until !== null) throw new RuleFault('may have COUNT or UNTIL, not both')
}

/** A rule in the one form in which it is stored. What says nothing is left out. */
export function writeRule(rule: Rule): string {
  const { frequency, interval, months, monthDays, days, positions, weekStart, count, until } = rule
  return [
    `FREQ=${frequency}`,
    interval > 1 && `INTERVAL=${interval}`,
    months.length > 0 && `BYMONTH=${months.join()}`,
    monthDays.length > 0 && `BYMONTHDAY=${monthDays.join()}`,
    days.length > 0 && `BYDAY=${days.join()}`,
    positions.length > 0 && `BYSETPOS=${positions.join()}`,
    weekStart !== 'MO' && `WKST=${weekStart}`,
    count !== null && `COUNT=${count}`,
    until !== null && `UNTIL=${until.replaceAll('-', '')}`,
  ]
    .filter((part) => part !== false)
    .join(';')
}

/** What frontends say instead of a rule. */
const words = new Map<string, { name: Frequency; times?: number; days?: string }>([
  ['DAILY', { name: 'DAILY' }],
  ['WEEKDAYS', { name: 'WEEKLY', days: 'MO,TU,WE,TH,FR' }],
  ['WEEKLY', { name: 'WEEKLY' }],
  ['BIWEEKLY', { name: 'WEEKLY', times: 2 }],
  ['FORTNIGHTLY', { name: 'WEEKLY', times: 2 }],
  ['MONTHLY', { name: 'MONTHLY' }],
  ['QUARTERLY', { name: 'MONTHLY', times: 3 }],
  ['YEARLY', { name: 'YEARLY' }],
  ['ANNUALLY', { name: 'YEARLY' }],
])

/**
 * What is asked for, as an RRULE; null: nothing. A word means the day on which the task is due, and where a month has no such day its
 * last one; from completion, any day. An RRULE means what it says.
 * @throws RuleFault
 */
export function rruleOf(
  asked: AskedRule,
  due: string,
  repeatFrom: 'due' | 'completion',
): string | null {
  if (typeof asked === 'string' && asked.includes('=')) return asked
  const { frequency, interval = 1 } =
    typeof asked === 'string' ? { frequency: asked } : { interval: 1, ...asked }
  const word = upperCase(frequency.trim())
  if (word === 'NONE') return null
  const meant = words.get(word)
  if (meant === undefined) {
    const all = [...words.keys()].join(', ').toLowerCase()
    throw new RuleFault(`must be none, ${all}, or an RRULE such as FREQ=WEEKLY;BYDAY=MO`)
  }
  if (!Number.isInteger(interval) || interval < 1 || interval > mostInterval) {
    throw new RuleFault(`must have an interval from 1 to ${mostInterval}`)
  }
  const { name, times = 1, days } = meant
  const rrule = `FREQ=${name};INTERVAL=${times * interval}`
  if (days !== undefined) return `${rrule};BYDAY=${days}`
  return repeatFrom === 'due' ? rrule + monthEndOf(name, due) : rrule
}

/** The day of a task as a rule has to say it, if it is one that not every month or year has. */
function monthEndOf(frequency: Frequency, due: string): string {
  const [, month = 0, day = 0] = due.split('-').map(Number)
  if (frequency === 'YEARLY' && month === 2 && day === 29) return ';BYMONTH=2;BYMONTHDAY=-1'
  if (frequency !== 'MONTHLY' || day < 29) return ''
  if (day === 31) return ';BYMONTHDAY=-1'
  return `;BYMONTHDAY=28,29${day === 30 ? ',30' : ''};BYSETPOS=-1`
}
