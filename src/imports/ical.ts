import ICAL from 'ical.js'
import {
  clockAt,
  clockOf,
  describe,
  type Found,
  type FoundTask,
  hash,
  instantOf,
  mostTasks,
  mostText,
  plainTask,
  type Reader,
  tooMany,
  warningOf,
} from './found.ts'
import type { Pace } from './pace.ts'
import { instantIn, namedZone, type Observance } from './zones.ts'

// iCalendar (RFC 5545): the to-dos of Nextcloud, of Tasks.org, of Apple's Reminders, and of whatever else speaks CalDAV. Lines are read
// one by one, so that one that is wrong is no more than that.

/** A component, and what is in it. */
type Component = {
  name: string
  line: number
  lines: { line: number; name: string; text: string }[]
  parts: Component[]
}

/** `zone`: of who reads times that are in UTC. */
export const readCalendar: Reader = async (sources, zone, pace) => {
  const found: Found = { lists: [], tasks: [], warnings: [] }
  let isCalendar = false
  let others = 0
  for (const { name, text } of sources) {
    const components = await componentsOf(text, pace)
    const calendars = components.filter((component) => component.name === 'VCALENDAR')
    isCalendar ||= calendars.length > 0
    for (const calendar of calendars) {
      const todos = calendar.parts.filter((part) => part.name === 'VTODO')
      others += calendar.parts.filter(({ name: kind }) => kind === 'VEVENT').length
      if (found.tasks.length + todos.length > mostTasks) return tooMany
      if (todos.length > 0) await readTodos(found, { calendar, todos, name }, zone, pace)
    }
  }
  if (!isCalendar) return 'is no calendar: there is no BEGIN:VCALENDAR in it'
  if (found.tasks.length === 0 && found.warnings.length === 0) {
    return others === 0
      ? 'is a calendar without tasks (VTODO)'
      : 'is a calendar of events (VEVENT), without tasks (VTODO): export a list of tasks instead'
  }
  if (others > 0) {
    found.warnings.push({ line: null, what: `Events are not taken: there are ${others}.` })
  }
  return found
}

/** Those at the top, with what is in them. What is not closed ends with the file. */
async function componentsOf(text: string, pace: Pace): Promise<Component[]> {
  const top: Component[] = []
  const open: Component[] = []
  for (const { line, text: content } of unfold(text)) {
    await pace()
    const name = /^[A-Za-z0-9-]{1,60}(?=[;:])/.exec(content)?.[0].toUpperCase()
    if (name === undefined) continue
    const kind = content
      .slice(name.length + 1)
      .trim()
      .toUpperCase()
    if (name === 'BEGIN') {
      const component: Component = { name: kind, line, lines: [], parts: [] }
      ;(open.at(-1)?.parts ?? top).push(component)
      open.push(component)
    } else if (name === 'END') {
      if (open.at(-1)?.name === kind) open.pop()
    } else open.at(-1)?.lines.push({ line, name, text: content })
  }
  return top
}

/** Lines as they were before they were cut. */
function* unfold(text: string): Generator<{ line: number; text: string }> {
  let parts: string[] = []
  let began = 1
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (index > 0 && /^[ \t]/.test(line)) parts.push(line.slice(1))
    else {
      yield { line: began, text: parts.join('').slice(0, mostText) }
      parts = [line]
      began = index + 1
    }
  }
  yield { line: began, text: parts.join('').slice(0, mostText) }
}

/** A line as ical.js has it; null: it is not one. */
type Property = { name: string; parameters: Record<string, string>; values: string[] }

function parse(text: string): Property | null {
  // What ical.js makes of many parameters takes time that grows with their square.
  if (!hasValue.test(text.slice(0, mostParameters))) return null
  try {
    const [name, parameters, , ...values] = ICAL.parse.property(text, ICAL.design.icalendar)
    return { name, parameters, values: values.flat().map(String) }
  } catch {
    return null
  }
}

/** Of each what a task has of it: the first, or several. */
const single = new Set(
  'UID SUMMARY DESCRIPTION LOCATION URL DUE DTSTART DURATION STATUS COMPLETED PERCENT-COMPLETE PRIORITY CREATED RECURRENCE-ID'.split(
    ' ',
  ),
)
const several = new Set(['CATEGORIES', 'RELATED-TO'])

/** How many lines of a kind are read of one task. */
const mostLines = 50

/** How long the name of a property and its parameters may be together. */
const mostParameters = 1000
const hasValue = /^[^":]*(?:"[^"]*"[^":]*)*:/

type Zones = Map<string, Observance[]>

async function readTodos(
  found: Found,
  { calendar, todos, name: file }: { calendar: Component; todos: Component[]; name: string },
  zone: string,
  pace: Pace,
): Promise<void> {
  const name = valueOf(calendar, 'X-WR-CALNAME') || valueOf(calendar, 'NAME') || file
  const list = name === '' ? null : JSON.stringify(['calendar', name])
  if (list !== null) found.lists.push({ key: list, name, is_archived: false })
  const zones: Zones = new Map(
    calendar.parts
      .filter((part) => part.name === 'VTIMEZONE')
      .map((part) => [valueOf(part, 'TZID'), part.parts.map(observanceOf)]),
  )
  // A task may say what is under it, instead of what it is under.
  const parents = new Map<string, string>()
  const read: FoundTask[] = []
  for (const todo of todos) {
    await pace()
    read.push(readTodo(found, todo, zones, zone, parents))
  }
  for (const task of read) {
    found.tasks.push({ ...task, list, parent: task.parent ?? parents.get(task.key) ?? null })
  }
}

/** The text of the first line of a name; '': there is none. */
const valueOf = ({ lines }: Component, name: string): string => {
  const line = lines.find((one) => one.name === name)
  return (line && parse(line.text)?.values[0]?.trim()) ?? ''
}

/** As it is written, of what ical.js would make something else. */
const rawOf = ({ lines }: Component, name: string): string | null => {
  const line = lines.find((one) => one.name === name)
  return line === undefined ? null : line.text.slice(line.text.indexOf(':') + 1).trim()
}

const observanceOf = (part: Component): Observance => ({
  start: rawOf(part, 'DTSTART') ?? '',
  offsetTo: rawOf(part, 'TZOFFSETTO') ?? '',
  rule: rawOf(part, 'RRULE'),
})

function readTodo(
  { warnings }: Found,
  todo: Component,
  zones: Zones,
  zone: string,
  parents: Map<string, string>,
): FoundTask {
  const properties = new Map<string, Property[]>()
  const faults = new Set<string>()
  for (const { name, text } of todo.lines) {
    const known = properties.get(name) ?? []
    if (
      !(single.has(name) && known.length === 0) &&
      !(several.has(name) && known.length < mostLines)
    ) {
      continue
    }
    const property = parse(text)
    if (property === null) faults.add(`${name} cannot be read, and is not taken.`)
    else properties.set(name, [...known, property])
  }
  const first = (name: string): Property | undefined => properties.get(name)?.[0]
  const text = (name: string): string => first(name)?.values.join(',').trim() ?? ''

  const title = text('SUMMARY')
  const instance = text('RECURRENCE-ID')
  const uid = text('UID') || hash(title, text('CREATED'), text('DUE'), text('DTSTART'))
  const key = instance === '' ? uid : `${uid} ${instance}`
  const task = plainTask(key, todo.line, title)
  const warn = (what: string) => warnings.push(warningOf(task, what))
  for (const fault of faults) warn(fault)
  for (const name of ['DESCRIPTION', 'LOCATION', 'URL']) describe(task, text(name))
  task.priority = priorityOf(Number(text('PRIORITY')))
  task.tags = (properties.get('CATEGORIES') ?? []).flatMap(({ values }) => values)
  for (const { parameters, values } of properties.get('RELATED-TO') ?? []) {
    const [related = ''] = values
    const type = (parameters['reltype'] ?? 'PARENT').toUpperCase()
    if (type === 'PARENT') task.parent ??= related
    if (type === 'CHILD') parents.set(related, key)
  }
  task.created_at = instantOf(Date.parse(text('CREATED')))

  const status = text('STATUS').toUpperCase()
  task.completed =
    ['COMPLETED', 'CANCELLED'].includes(status) ||
    first('COMPLETED') !== undefined ||
    (status === '' && text('PERCENT-COMPLETE') === '100')
  task.completed_at = task.completed ? instantOf(Date.parse(text('COMPLETED'))) : null
  if (status === 'CANCELLED') warn('it is cancelled, and comes as done.')

  const raw = rawOf(todo, first('DUE') === undefined ? 'DTSTART' : 'DUE') ?? ''
  readDue(
    task,
    { due: first('DUE'), start: first('DTSTART'), length: text('DURATION'), raw },
    zones,
    zone,
    warn,
  )
  readRule(task, todo, { instance, raw }, warn)
  // A task that starts before it is due is reminded of before it starts.
  const hasStart = first('DTSTART') !== undefined && first('DUE') !== undefined
  task.reminders = todo.parts
    .filter((part) => part.name === 'VALARM')
    .slice(0, mostLines)
    .flatMap((alarm) => triggerOf(alarm, hasStart) ?? [])
  return task
}

/** When an alarm rings, from when the task is due, or at an instant; null: it does not say. */
function triggerOf(alarm: Component, hasStart: boolean): string | null {
  const line = alarm.lines.find(({ name }) => name === 'TRIGGER')
  if (line === undefined) return null
  const value = line.text.slice(line.text.indexOf(':') + 1).trim()
  const [, date, hours, minutes, seconds] = /^(\d{8})T(\d\d)(\d\d)(\d\d)Z$/.exec(value) ?? []
  if (date !== undefined) {
    const day = date.replace(/^(....)(..)/, '$1-$2-')
    return `${day}T${hours}:${minutes}:${seconds}Z`
  }
  const isOfEnd = /;RELATED=END[;:]/i.test(line.text)
  return hasStart && !isOfEnd ? `${value} of its start` : value
}

const priorityOf = (number: number): FoundTask['priority'] =>
  number >= 1 && number <= 9 ? (number < 5 ? 'high' : number === 5 ? 'medium' : 'low') : 'none'

type Dates = { due: Property | undefined; start: Property | undefined; length: string; raw: string }

function readDue(
  task: FoundTask,
  { due, start, length, raw }: Dates,
  zones: Zones,
  zone: string,
  warn: (what: string) => void,
): void {
  const property = due ?? start
  if (property === undefined) return
  const clock = clockOfProperty(property, zones, zone, warn)
  const later = due === undefined && length !== '' ? addTo(clock, length) : clock
  if (later === null) {
    describe(task, `Due: ${raw}`)
    warn(`its date (${raw}) is not taken, but kept in its description.`)
    return
  }
  Object.assign(task, later)
  if (due === undefined && length === '')
    warn('it is not due, but starts: that is when it is due now.')
}

type Clock = ReturnType<typeof clockOf>

/** A day, a time wherever the reader is, one in UTC, or one in a zone. */
function clockOfProperty(
  { parameters, values }: Property,
  zones: Zones,
  zone: string,
  warn: (what: string) => void,
): Clock {
  const [, date = '', time = null, isInstant] =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(Z)?)?$/.exec(values[0] ?? '') ?? []
  const tzid = parameters['tzid']
  if (isInstant !== undefined) return clockAt(Date.parse(values[0] ?? ''), zone)
  if (time === null || tzid === undefined) return clockOf(date, time, null)
  const named = namedZone(tzid)
  if (named !== null) return clockOf(date, time, named)
  const at = instantIn(zones.get(tzid) ?? [], date, time)
  if (at !== null) return clockAt(at, zone)
  warn(`its time zone (${tzid}) is not known: ${zone} is taken.`)
  return clockOf(date, time, zone)
}

/** Later by a duration, on the clock. */
function addTo(clock: Clock, length: string): Clock {
  if (clock === null) return null
  const { due_date, due_time, time_zone } = clock
  try {
    const later = Temporal.PlainDateTime.from(`${due_date}T${due_time ?? '00:00:00'}`)
      .add(Temporal.Duration.from(length))
      .toString({ smallestUnit: 'second' })
    const [date = '', time = ''] = later.split('T')
    return clockOf(date, due_time && time, time_zone)
  } catch {
    return null
  }
}

/** Parts of a rule that say when, and the ones of the clock that may say the same. */
const times: Record<string, number> = { BYHOUR: 0, BYMINUTE: 1, BYSECOND: 2 }

function readRule(
  task: FoundTask,
  todo: Component,
  { instance, raw }: { instance: string; raw: string },
  warn: (what: string) => void,
): void {
  const rule = rawOf(todo, 'RRULE')
  if (instance !== '')
    warn('it is one time of a task that repeats, and comes as a task of its own.')
  if (rule === null || instance !== '') return
  const clock = /T(\d\d)(\d\d)(\d\d)/.exec(raw)?.slice(1).map(Number) ?? []
  // What the time says already.
  const isSaid = (part: string) => {
    const [name = '', value] = part.toUpperCase().split('=')
    const at = Object.hasOwn(times, name) ? times[name] : undefined
    return at !== undefined && Number(value) === clock[at]
  }
  task.recurrence = rule
    .split(';')
    .filter((part) => !isSaid(part))
    .join(';')
  const isChanged = todo.lines.some(({ name }) => ['EXDATE', 'RDATE', 'EXRULE'].includes(name))
  if (isChanged) warn('days that are left out or added (EXDATE, RDATE) are not taken.')
}
