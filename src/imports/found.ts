import { isCalendarDate, timeZoneOf } from '../http/formats.ts'
import type { Pace } from './pace.ts'

// What a reader finds in a file of another program, in the words of Docket. Nothing of it is held to any bounds yet: rules.ts does that.

/** What was not taken, or not as it was, and where that begins in the file; null: the file has no lines. */
export type Warning = { line: number | null; what: string }

export type FoundList = {
  /** What names it in the file, and in a later one too. */
  key: string
  name: string
  is_archived: boolean
}

export type FoundTask = {
  /** What names it in the file, and in a later one too. */
  key: string
  line: number | null
  /** The key of its list; null: it is in the inbox. */
  list: string | null
  /** The key of the task that it is under, which may come later, or not at all. */
  parent: string | null
  title: string
  description: string
  priority: 'none' | 'low' | 'medium' | 'high'
  tags: string[]
  due_date: string | null
  due_time: string | null
  time_zone: string | null
  completed: boolean
  /** Instants; null: the file does not say. */
  completed_at: string | null
  created_at: string | null
  /** A rule (RFC 5545); null: it is due once. */
  recurrence: string | null
  repeat_from: 'due' | 'completion'
  /** Durations or instants. */
  reminders: string[]
}

export type Found = { lists: FoundList[]; tasks: FoundTask[]; warnings: Warning[] }

/** A file to read: its text, and what it is called without its ending; '': nobody has said. */
export type Source = { name: string; text: string }

/** Reads what one program writes. A text is why it is none of those, as the rest of a sentence. */
export type Reader = (sources: Source[], zone: string, pace: Pace) => Promise<Found | string>

/** The most tasks of a file, and what is said of more. */
export const mostTasks = 20_000
export const tooMany = `has more than ${mostTasks} tasks: split it, and import the parts`

/** The longest text of a file that is looked at, in characters: longer than anything that is kept. */
export const mostText = 50_000

export const plainTask = (key: string, line: number | null, title: string): FoundTask => ({
  key,
  line,
  list: null,
  parent: null,
  title,
  description: '',
  priority: 'none',
  tags: [],
  due_date: null,
  due_time: null,
  time_zone: null,
  completed: false,
  completed_at: null,
  created_at: null,
  recurrence: null,
  repeat_from: 'due',
  reminders: [],
})

/** A warning of a task, which is named by the beginning of its title. */
export const warningOf = (
  { line, title }: Pick<FoundTask, 'line' | 'title'>,
  what: string,
): Warning => ({ line, what: `“${shorten(title, 60)}”: ${shorten(what, 300)}` })

export function shorten(text: string, most: number): string {
  // However long it is.
  const plain = text
    .slice(0, 4 * most)
    .replaceAll(/\s+/g, ' ')
    .trim()
  return plain.length <= most ? plain : `${plain.slice(0, most).toWellFormed()}…`
}

/** Adds a paragraph to what describes a task, unless that is longer already than anything that is kept. */
export function describe(task: FoundTask, text: string): void {
  if (task.description.length > mostDescribed) return
  task.description = [task.description, text]
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join('\n\n')
}

/** The longest description, in characters. */
export const mostDescribed = 20_000

/** Names a row that has no id. */
export const hash = (...parts: string[]): string =>
  new Bun.CryptoHasher('sha256').update(JSON.stringify(parts)).digest('base64url')

type Clock = Pick<FoundTask, 'due_date' | 'due_time' | 'time_zone'>

/** A day and a time on the clock of a place; null: there is no such day, or time. */
export function clockOf(date: string, time: string | null, zone: string | null): Clock | null {
  const isTime = time === null || /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(time)
  if (!isTime || !isCalendarDate(date)) return null
  return { due_date: date, due_time: time, time_zone: time === null ? null : zone }
}

/** What the clock of a place says at an instant; null: it is none, or beyond the years that days have here. */
export function clockAt(milliseconds: number, zone: string): Clock | null {
  if (!Number.isFinite(milliseconds) || Math.abs(milliseconds) > mostMilliseconds) return null
  const there = Temporal.Instant.fromEpochMilliseconds(Math.trunc(milliseconds))
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
  const [date = '', time = ''] = there.toString({ smallestUnit: 'second' }).split('T')
  return clockOf(date, time, zone)
}

/** Of a Date. */
const mostMilliseconds = 8.64e15

/** An instant as it is stored; null: there is none. */
export function instantOf(milliseconds: number): string | null {
  if (!Number.isFinite(milliseconds) || Math.abs(milliseconds) > mostMilliseconds) return null
  const text = new Date(milliseconds).toISOString()
  return isCalendarDate(text.slice(0, 10)) ? text : null
}

/** The name of a zone as it is stored; null: it is none. */
export const zoneOf = (text: string): string | null => timeZoneOf(text.trim())
