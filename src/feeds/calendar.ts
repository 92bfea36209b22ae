import { zoneOf } from './time-zones.ts'

// Tasks as iCalendar (RFC 5545), by ical.js. It writes components that are given as jCal (RFC 7265).

/** What of a task is in a calendar. */
export type CalendarTask = {
  id: string
  title: string
  description: string | null
  tags: string[]
  priority: 'none' | 'low' | 'medium' | 'high'
  due_date: string | null
  due_time: string | null
  time_zone: string | null
  completed_at: string | null
  version: number
  created_at: string
  updated_at: string
  /** Of one that repeats by its due date: by which rule, and from which day on it is followed. Null: it does not go on. */
  series: { id: string; rule: string; from: string } | null
}

/** What a task is in it. */
export type As = 'event' | 'todo'

export type Property = [
  name: string,
  parameters: Record<string, string>,
  type: string,
  ...values: unknown[],
]
export type Component = [name: string, properties: Property[], components: Component[]]

type Ical = typeof import('ical.js').default

/** Tasks that are written at a time: then others have their turn. */
const atOnce = 100

/** How often a client may look, where it lets itself be told. */
const refresh = 'PT1H'

/** A calendar of this name, as text. The same tasks make the same text. */
export async function calendarOf(name: string, tasks: CalendarTask[], as: As): Promise<string> {
  // It is not needed until somebody has a feed.
  const { default: ical } = await import('ical.js')
  const items: string[] = []
  const zones = new Map<string, { from: string; to: string }>()

  for (const [index, task] of tasks.entries()) {
    if (index % atOnce === atOnce - 1) await new Promise(setImmediate)
    const components = as === 'todo' ? [todoOf(task)] : eventsOf(task, ical)
    for (const component of components) items.push(ical.stringify(component))
    if (task.time_zone !== null && task.due_date !== null && task.time_zone !== 'UTC') {
      addDay(zones, task.time_zone, task.due_date)
      if (task.series !== null) addDay(zones, task.time_zone, task.series.from)
    }
  }
  const title = escape(clean(name).replaceAll('\n', ' '))
  const head: Property[] = [
    ['version', {}, 'text', '2.0'],
    ['prodid', {}, 'text', '-//Docket//Docket//EN'],
    ['calscale', {}, 'text', 'GREGORIAN'],
    ['method', {}, 'text', 'PUBLISH'],
    ['name', {}, 'unknown', title],
    ['x-wr-calname', {}, 'unknown', title],
    // It writes VALUE=DURATION, as the standard wants it, by itself.
    ['refresh-interval', {}, 'duration', refresh],
    ['x-published-ttl', {}, 'unknown', refresh],
  ]
  const definitions = [...zones]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([zone, { from, to }]) => ical.stringify(zoneOf(zone, from, to)))
  const empty = ical.stringify(['vcalendar', head, []])
  const end = empty.lastIndexOf('END:')
  return [empty.slice(0, end), ...definitions, ...items, empty.slice(end)].join('')
}

function addDay(zones: Map<string, { from: string; to: string }>, zone: string, day: string): void {
  const { from, to } = zones.get(zone) ?? { from: day, to: day }
  zones.set(zone, { from: day < from ? day : from, to: day > to ? day : to })
}

/** One for what is due; and one for the rest of its series, where the task is not due on a day of that. */
function eventsOf(task: CalendarTask, ical: Ical): Component[] {
  const { due_date, series } = task
  if (due_date === null) return []
  const status: Property = ['status', {}, 'text', 'CONFIRMED']
  const eventOn = (day: string, more: Property[]): Component => [
    'vevent',
    [...more, ...commonOf(task), status, ...spanOf(task, day)],
    [],
  ]
  const isOnDay = series !== null && series.from === due_date
  const repeat = series === null ? [] : [ruleOf(task, series.rule, ical)]
  return [
    eventOn(due_date, [...identityOf(task), ...(isOnDay ? repeat : [])]),
    // Without a sequence, which is that of the task: the next one of the series begins anew.
    ...(series === null || isOnDay
      ? []
      : [eventOn(series.from, [['uid', {}, 'text', `series-${series.id}`], ...repeat])]),
  ]
}

/** All of a day, or half an hour of it; nobody is busy. */
function spanOf(task: CalendarTask, day: string): Property[] {
  const start = momentOf('dtstart', task, day)
  const transparent: Property = ['transp', {}, 'text', 'TRANSPARENT']
  if (task.due_time !== null) {
    return [start, ['duration', {}, 'duration', 'PT30M'], transparent]
  }
  const next = Temporal.PlainDate.from(day).add({ days: 1 })
  // After the last day of four digits there is none: without an end it is one day too.
  const end: Property[] = next.year > 9999 ? [] : [['dtend', {}, 'date', next.toString()]]
  return [start, ...end, transparent]
}

/** It does not repeat: a rule needs a beginning, and what has one is shown without the day it is due. */
function todoOf(task: CalendarTask): Component {
  const { due_date, completed_at } = task
  return [
    'vtodo',
    [
      ...identityOf(task),
      ...commonOf(task),
      ...(due_date === null ? [] : [momentOf('due', task, due_date)]),
      ['status', {}, 'text', completed_at === null ? 'NEEDS-ACTION' : 'COMPLETED'],
      ...(completed_at === null ? [] : [stamp('completed', completed_at)]),
    ],
    [],
  ]
}

const identityOf = ({ id, version }: CalendarTask): Property[] => [
  ['uid', {}, 'text', id],
  ['sequence', {}, 'integer', version],
]

const priorities = { none: null, high: 1, medium: 5, low: 9 }

function commonOf(task: CalendarTask): Property[] {
  const { title, description, tags, created_at, updated_at } = task
  const priority = priorities[task.priority]
  return [
    stamp('dtstamp', updated_at),
    stamp('created', created_at),
    stamp('last-modified', updated_at),
    ['summary', {}, 'text', clean(title)],
    ...optional(description !== null && description !== '', () => [
      'description',
      {},
      'text',
      clean(description ?? ''),
    ]),
    ...optional(tags.length > 0, () => ['categories', {}, 'text', ...tags.map(clean)]),
    ...optional(priority !== null, () => ['priority', {}, 'integer', priority]),
  ]
}

const optional = (isThere: boolean, make: () => Property): Property[] => (isThere ? [make()] : [])

/** A day, or a time of it: in its zone, or wherever the reader is. */
function momentOf(name: string, { due_time, time_zone }: CalendarTask, day: string): Property {
  if (due_time === null) return [name, {}, 'date', day]
  const time = `${day}T${due_time}`
  if (time_zone === 'UTC') return [name, {}, 'date-time', `${time}Z`]
  return [name, time_zone === null ? {} : { tzid: time_zone }, 'date-time', time]
}

/** Of an instant as the API answers it, which is in UTC: to the second. */
const stamp = (name: string, instant: string): Property => [
  name,
  {},
  'date-time',
  `${instant.slice(0, 19)}Z`,
]

/** The rule, with its end as the standard wants it: of what has a time a time too, and of what has a zone in UTC. */
function ruleOf({ due_time, time_zone }: CalendarTask, rule: string, ical: Ical): Property {
  const text = rule.replace(/UNTIL=(\d{4})(\d\d)(\d\d)/, (until, year, month, day) => {
    if (due_time === null) return until
    const last = Temporal.PlainDateTime.from(`${year}-${month}-${day}T${due_time}`)
    const moment = time_zone === null ? last : last.toZonedDateTime(time_zone).toInstant()
    // As 20261231T183000: Temporal leaves out no seconds.
    return `UNTIL=${moment.toString().replaceAll(/[-:]/g, '')}`
  })
  return ['rrule', {}, 'recur', ical.Recur.fromString(text).toJSON()]
}

/**
 * Text as the standard has it: no control characters but tabs and line feeds. ical.js would write a CR as it is, and what comes
 * after it would be a line of its own; to some readers so would what else separates lines.
 */
const clean = (text: string): string =>
  text.replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replaceAll(/[\p{Cc}--[\t\n]]/gv, '')

/** What ical.js does to text itself, where it knows that something is text. */
const escape = (text: string): string => text.replaceAll(/[\\;,]/g, '\\$&')
