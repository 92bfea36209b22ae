import { fold, isTitleKey, titleKey } from '../http/fold.ts'
import { isCalendarDate, isStorable, isUuid, timeZoneOf } from '../http/formats.ts'
import { invalid } from '../http/problem.ts'
import type { Tests } from './filter/tree.ts'
import { reminderOf } from './reminders.ts'
import {
  type Bulk,
  type Course,
  type Kept,
  mostSkipped,
  type NewTask,
  type Task,
  type TaskListQuery,
  type TaskPatch,
} from './schema.ts'

/** What is folded of the fields of a task that are given, as writes.ts puts it together. */
export type Folded = {
  title_key?: string
  title_words?: string
  description_words?: string
  /** Null: the tags are what they fold to. */
  tag_keys?: string[] | null
}

type Fields = Partial<Pick<NewTask, 'title' | 'description' | 'tags' | 'time_zone' | 'reminders'>>

/** Fields as they are stored: of tags that are one to a reader the first, a zone by its name, reminders as they are written; with what is folded of them. */
export function stored<T extends Fields>(fields: T): T & Folded {
  const { title, description, tags, time_zone, reminders } = fields
  return {
    ...fields,
    ...(title === undefined ? {} : foldedTitle(title)),
    ...(description ? { description_words: fold(description) } : {}),
    ...(tags ? foldedTags(tags) : {}),
    ...(time_zone ? { time_zone: timeZoneOf(time_zone) } : {}),
    ...(reminders ? { reminders: [...new Set(reminders.map(reminderOf))] } : {}),
  }
}

function foldedTitle(title: string) {
  const title_words = fold(title)
  return { title_words, title_key: titleKey(title, title_words) }
}

function foldedTags(tags: string[]) {
  const first = new Map<string, string>()
  for (const tag of tags) {
    const key = fold(tag)
    if (!first.has(key)) first.set(key, tag)
  }
  const isPlain = first.entries().every(([key, tag]) => key === tag)
  return { tags: [...first.values()], tag_keys: isPlain ? null : [...first.keys()] }
}

/** What a patch changes, and what it sends back that only the server changes. */
export type Parts = {
  changes: Omit<TaskPatch, 'id' | 'user_id' | 'next_task' | keyof Course> & Kept
  course: Course | null
}

/** What is to repeat no more is reckoned from nothing: forms send both. */
export const unruled = <T extends Pick<TaskPatch, 'recurrence' | 'repeat_from'>>(patch: T): T =>
  patch.recurrence === null && patch.repeat_from != null ? { ...patch, repeat_from: null } : patch

/** @throws Problem 422 where it does not say which tasks, or what becomes of them, or says so twice */
export function refuseBulk({ filter, ids, versions, set, action }: Bulk): void {
  const faults = [
    ...(filter === undefined && ids === undefined
      ? [{ pointer: '', detail: 'must have one of filter, ids' }]
      : []),
    ...(filter !== undefined && ids !== undefined
      ? [{ pointer: '/ids', detail: 'is not taken together with filter' }]
      : []),
    ...(versions !== undefined && versions.length !== ids?.length
      ? [{ pointer: '/versions', detail: 'must have one for each of the ids' }]
      : []),
    ...(set === undefined && action === undefined
      ? [{ pointer: '', detail: 'must have one of set, action' }]
      : []),
    ...(set !== undefined && action !== undefined
      ? [{ pointer: '/action', detail: 'is not taken together with set' }]
      : []),
  ]
  if (faults.length > 0) throw invalid(faults)
}

/**
 * Where a page ended: the sort key of its last task, as PostgreSQL reads it, and the task's id. With an offset it may have ended on
 * its way: then how many are left to skip.
 */
export type Position = { key: string; id: string; skip?: number }

/** The order of a list: what it is sorted by, and which way. */
export type Order = {
  sort: NonNullable<TaskListQuery['sort']>
  direction: NonNullable<TaskListQuery['order']>
}

/** Newest, latest changed and most important first; soonest due and A first. */
const usualDirection = {
  created_at: 'desc',
  updated_at: 'desc',
  due_date: 'asc',
  priority: 'desc',
  title: 'asc',
  position: 'asc',
} as const

/** What is asked of a list, with what its filter means. */
export type ListQuery = Omit<TaskListQuery, 'filter'> & { filter?: Tests }

export const orderOf = ({ sort = 'created_at', order }: ListQuery): Order => ({
  sort,
  direction: order ?? usualDirection[sort],
})

export const pageSize = ({ limit = 50 }: ListQuery): number => Math.min(limit, 200)

/** The cursor that goes on after a position: opaque to clients, and good for this list only. */
export function writeCursor(query: ListQuery, { key, id, skip }: Position): string {
  const cursor = [fingerprint(query), key, id, ...(skip === undefined ? [] : [skip])]
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** @throws Problem 422 for a cursor of another list, or one that no list gave */
export function readCursor(query: ListQuery): Position | null {
  if (query.cursor === undefined) return null
  if (query.offset) {
    throw invalid([
      { pointer: '/offset', detail: 'is not taken with a cursor, which goes on by itself' },
    ])
  }
  const [print, key, id, skip = 0] = decode(query.cursor)
  if (print === fingerprint(query) && isKey(orderOf(query), key) && isId(id) && isOffset(skip)) {
    return { key, id, skip }
  }
  throw invalid([
    { pointer: '/cursor', detail: 'is not of this list: start again without a cursor' },
  ])
}

/**
 * Same list, same fingerprint: everything of the query but where the page begins and how long it is. Of a filter what it means now:
 * what is due today is another list tomorrow.
 */
function fingerprint(query: ListQuery): string {
  const {
    cursor: _cursor,
    limit: _limit,
    offset: _offset,
    sort: _sort,
    order: _order,
    ...filters
  } = query
  const sorted = Object.entries({ ...filters, ...orderOf(query) }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  return Bun.hash(JSON.stringify(sorted)).toString(36)
}

/** The sort key of a task without a date, as the index has it. */
export const noDate = 'infinity'

/** When a task without a time is due: after all that have one. */
const endOfDay = '23:59:59.5'

/** @param storedKey what the list goes by, where that is not in the task: the key of its title, the number of its last change */
export const positionOf = ({ sort }: Order, task: Task, storedKey = ''): Position => ({
  key:
    sort === 'title' || sort === 'updated_at'
      ? storedKey
      : sort === 'due_date'
        ? dueOf(task)
        : sort === 'position'
          ? `${task.list_id ?? ''} ${task.position}`
          : task[sort],
  id: task.id,
})

const dueOf = ({ due_date, due_time }: Task): string =>
  due_date === null ? noDate : `${due_date}T${due_time ?? endOfDay}`

function decode(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

const instant = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?\+00:00$/

const due = /^(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.5)?$/

/** A forged cursor is refused here: the database would answer with an error. */
function isKey({ sort }: Order, key: unknown): key is string {
  if (typeof key !== 'string') return false
  switch (sort) {
    case 'updated_at':
      return /^[1-9]\d{0,15}$/.test(key)
    case 'created_at':
      return isCalendarDate(instant.exec(key)?.[1] ?? '')
    case 'due_date':
      return key === noDate || isCalendarDate(due.exec(key)?.[1] ?? '')
    case 'priority':
      return ['none', 'low', 'medium', 'high'].includes(key)
    case 'position':
      return /^([0-9a-f-]{36})? [0-9A-Za-z]{1,60}$/.test(key)
    case 'title':
      return (key === '' || isTitleKey(key)) && isStorable(key)
  }
}

const isOffset = (skip: unknown): skip is number =>
  typeof skip === 'number' && Number.isInteger(skip) && skip >= 0 && skip <= mostSkipped

const isId = (id: unknown): id is string => typeof id === 'string' && isUuid(id)
