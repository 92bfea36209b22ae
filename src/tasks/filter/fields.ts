import { fold } from '../../http/fold.ts'
import { isUuid } from '../../http/formats.ts'
import { type Bound, type Day, dayOf, dayWords } from './days.ts'
import {
  type Condition,
  type DayField,
  type Filter,
  FilterError,
  type Given,
  type Place,
  type Priority,
  type TextField,
} from './tree.ts'

// The fields that a filter knows, and what their values mean.

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>='

/** What is compared with: what is quoted is never a word of the language. */
export type Value = { text: string; isQuoted: boolean; place: Place }

/** From one value to another; undefined: no bound. */
export type Range = { from: Value | undefined; to: Value | undefined }

export type Field = {
  name: string
  /** What has this value. */
  equal: (value: Value) => Filter
  /** What is on one side of it, if there is an order. */
  compare?: (operator: Exclude<Operator, '=' | '!='>, value: Value) => Filter
  range?: (range: Range) => Filter
}

const dayField = (field: DayField): Field => ({
  name: field,
  equal(value) {
    const word = wordOf(value)
    if (word === 'any') return { is: 'given', field }
    if (word === 'none') return { not: { is: 'given', field } }
    const isDone = field === 'completed' ? truths[word] : undefined
    if (isDone !== undefined) return isDone ? { is: 'completed' } : { not: { is: 'completed' } }
    const bound = on(readDay(value))
    return { is: 'day', field, from: bound, to: bound }
  },
  compare(operator, value) {
    const day = readDay(value)
    switch (operator) {
      case '<':
        return { is: 'day', field, from: null, to: { day, shift: -1 } }
      case '<=':
        return { is: 'day', field, from: null, to: on(day) }
      case '>':
        return { is: 'day', field, from: { day, shift: 1 }, to: null }
      case '>=':
        return { is: 'day', field, from: on(day), to: null }
    }
  },
  range: ({ from, to }) => ({
    is: 'day',
    field,
    from: from === undefined ? null : on(readDay(from)),
    to: to === undefined ? null : on(readDay(to)),
  }),
})

const on = (day: Day): Bound => ({ day, shift: 0 })

const truths: Record<string, boolean | undefined> = {
  true: true,
  yes: true,
  false: false,
  no: false,
}

const priorities: Priority[] = ['none', 'low', 'medium', 'high']

const ofRank = (isOf: (rank: number) => boolean): Condition => ({
  is: 'priority',
  of: priorities.filter((_, rank) => isOf(rank)),
})

const rankOf = (value: Value): number =>
  oneOf(value, 'priority', { none: 0, low: 1, medium: 2, high: 3 })

const priority: Field = {
  name: 'priority',
  equal: (value) => {
    if (wordOf(value) === 'any') return ofRank((rank) => rank > 0)
    const wanted = rankOf(value)
    return ofRank((rank) => rank === wanted)
  },
  compare(operator, value) {
    const limit = rankOf(value)
    return ofRank((rank) =>
      operator === '<'
        ? rank < limit
        : operator === '<='
          ? rank <= limit
          : operator === '>'
            ? rank > limit
            : rank >= limit,
    )
  },
  range({ from, to }) {
    const least = from === undefined ? 0 : rankOf(from)
    const most = to === undefined ? priorities.length : rankOf(to)
    return ofRank((rank) => rank >= least && rank <= most)
  },
}

const done: Condition = { is: 'completed' }
const pending: Filter = { not: done }

const statuses: Record<string, Filter> = {
  pending,
  open: pending,
  todo: pending,
  completed: done,
  done,
}

const status: Field = { name: 'status', equal: (value) => oneOf(value, 'status', statuses) }

const is: Field = {
  name: 'is',
  equal(value) {
    if (wordOf(value) === 'deleted') {
      throw new FilterError('The trash is a list of its own: deleted=true lists it.', value.place)
    }
    return oneOf(value, 'state', { ...statuses, overdue: { is: 'overdue' } })
  },
}

const things: Record<string, Given> = {
  due: 'due',
  due_date: 'due',
  date: 'due',
  time: 'time',
  due_time: 'time',
  description: 'description',
  notes: 'description',
  tag: 'tag',
  tags: 'tag',
  label: 'tag',
  labels: 'tag',
  list: 'list',
  project: 'list',
  parent: 'parent',
}

const has: Field = {
  name: 'has',
  equal: (value) => ({ is: 'given', field: oneOf(value, 'thing that a task has', things) }),
}

/** Of what a task may have or not: none and any of it are words of the language. */
const given = (name: string, field: Given, equal: (value: Value) => Filter): Field => ({
  name,
  equal(value) {
    const word = wordOf(value)
    if (word === 'any') return { is: 'given', field }
    return word === 'none' ? { not: { is: 'given', field } } : equal(value)
  },
})

export const tagged = (value: Value): Filter => ({ is: 'tag', key: keyOf(value) })

const list = given('list', 'list', (value) =>
  wordOf(value) === 'inbox'
    ? { not: { is: 'given', field: 'list' } }
    : {
        is: 'list',
        key: keyOf(value),
        id: isUuid(value.text) ? value.text.toLowerCase() : null,
        place: value.place,
      },
)

export const containing = (field: TextField, value: Value): Filter => ({
  is: 'words',
  in: field,
  words: keyOf(value),
})

const textField = (field: TextField): Field => ({
  name: field,
  equal: (value) => containing(field, value),
})

const description = given('description', 'description', (value) => containing('description', value))

/** Each with the names that people know it by elsewhere. */
const fields: [Field, string[]][] = [
  [status, ['state']],
  [priority, ['p', 'prio']],
  [given('tag', 'tag', tagged), ['tags', 'label', 'labels']],
  [list, ['lists', 'project']],
  [dayField('due'), ['due_date', 'date']],
  [dayField('created'), ['created_at']],
  [dayField('updated'), ['updated_at']],
  [dayField('completed'), ['completed_at', 'done']],
  [textField('title'), ['name']],
  [description, ['desc', 'notes']],
  [textField('text'), ['q', 'search']],
  [is, []],
  [has, []],
]

const byName = new Map(
  fields.flatMap(([field, others]) => [field.name, ...others].map((name) => [plain(name), field])),
)

/** `due_date` is `dueDate` to some. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

/** @throws FilterError where there is no field of that name */
export function fieldOf(name: string, place: Place): Field {
  const field = byName.get(plain(name))
  if (field !== undefined) return field
  const near = nearest(
    name,
    fields.flatMap(([known, others]) => [known.name, ...others]),
  )
  throw new FilterError(
    near === null
      ? `There is no field ${name.slice(0, 50)}. There are ${fields.map(([known]) => known.name).join(', ')}. What has a colon or a sign in it goes into quotes.`
      : `There is no field ${name}: did you mean ${near}?`,
    place,
  )
}

/** In small letters; none where it is quoted. */
const wordOf = ({ text, isQuoted }: Value): string => (isQuoted ? '' : text.toLowerCase())

/** As texts are compared. */
function keyOf({ text, place }: Value): string {
  const key = fold(text)
  if (key === '') throw new FilterError('There is nothing in it to look for.', place)
  return key
}

/** What a word stands for, which may be quoted. */
function oneOf<T>({ text, place }: Value, what: string, known: Record<string, T>): T {
  const word = text.toLowerCase()
  if (Object.hasOwn(known, word)) return known[word] as T
  throw new FilterError(
    `This is no ${what}${suggestion(word, Object.keys(known))} There are ${Object.keys(known).join(', ')}.`,
    place,
  )
}

function readDay({ text, place }: Value): Day {
  const day = dayOf(text)
  if (day !== null) return day
  throw new FilterError(
    /^\d{4}-\d{1,2}-\d{1,2}$/.test(text)
      ? 'There is no such day on the calendar: a day is written as 2026-12-31.'
      : `This is no day${suggestion(text.toLowerCase(), dayWords)} A day is written as 2026-12-31, today, friday, +3d, -2w, 1m.`,
    place,
  )
}

/** @returns the rest of a sentence */
function suggestion(word: string, known: string[]): string {
  const near = nearest(word, known)
  return near === null ? '.' : `: did you mean ${near}?`
}

/** The one that it is most like, if it is like one. */
export function nearest(word: string, known: string[]): string | null {
  const most = Math.min(2, Math.floor(word.length / 2))
  let near: { name: string; distance: number } | null = null
  for (const name of known) {
    if (Math.abs(name.length - word.length) > most) continue
    const distance = distanceOf(word.toLowerCase(), name.toLowerCase())
    if (distance <= most && (near === null || distance < near.distance)) near = { name, distance }
  }
  return near?.name ?? null
}

/** How many letters are to be put in, left out, changed, or swapped with the next one, to make one word of another. */
function distanceOf(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const at = (back: number, left: number) => rows[i - back]?.[j - left] ?? 0
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row.push(
        Math.min(
          at(1, 0) + 1,
          (row[j - 1] ?? 0) + 1,
          at(1, 1) + (isSame ? 0 : 1),
          isSwapped ? at(2, 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    rows.push(row)
  }
  return rows.at(-1)?.at(-1) ?? 0
}
