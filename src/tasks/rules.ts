import { isCalendarDate, isStorable, isUuid } from '../http/formats.ts'
import { invalid } from '../http/problem.ts'
import type { Task, TaskListQuery } from './schema.ts'

/** Where a page ended: the sort key of its last task, as PostgreSQL reads it, and the task's id. */
export type Position = { key: string; id: string }

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
} as const

export const orderOf = ({ sort = 'created_at', order }: TaskListQuery): Order => ({
  sort,
  direction: order ?? usualDirection[sort],
})

export const pageSize = ({ limit = 50 }: TaskListQuery): number => Math.min(limit, 200)

/** The cursor that goes on after a position: opaque to clients, and good for this list only. */
export function writeCursor(query: TaskListQuery, { key, id }: Position): string {
  const cursor = [fingerprint(query), key, id]
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

/** @throws Problem 422 for a cursor of another list, or one that no list gave */
export function readCursor(query: TaskListQuery): Position | null {
  if (query.cursor === undefined) return null
  const [print, key, id] = decode(query.cursor)
  if (print === fingerprint(query) && isKey(orderOf(query), key) && isId(id)) return { key, id }
  throw invalid([
    { pointer: '/cursor', detail: 'is not of this list: start again without a cursor' },
  ])
}

/** Same list, same fingerprint: everything of the query but where the page begins and how long it is. */
function fingerprint(query: TaskListQuery): string {
  const { cursor: _cursor, limit: _limit, sort: _sort, order: _order, ...filters } = query
  const sorted = Object.entries({ ...filters, ...orderOf(query) }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )
  return Bun.hash(JSON.stringify(sorted)).toString(36)
}

/** The sort key of a task without a date, as the index has it. */
export const noDate = 'infinity'

export const positionOf = ({ sort }: Order, task: Task): Position => ({
  key: task[sort] ?? noDate,
  id: task.id,
})

function decode(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

const instant = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?\+00:00$/

/** A forged cursor is refused here: the database would answer with an error. */
function isKey({ sort }: Order, key: unknown): key is string {
  if (typeof key !== 'string') return false
  switch (sort) {
    case 'created_at':
    case 'updated_at':
      return isCalendarDate(instant.exec(key)?.[1] ?? '')
    case 'due_date':
      return key === noDate || isCalendarDate(key)
    case 'priority':
      return ['none', 'low', 'medium', 'high'].includes(key)
    case 'title':
      return key.length <= 500 && isStorable(key)
  }
}

const isId = (id: unknown): id is string => typeof id === 'string' && isUuid(id)
