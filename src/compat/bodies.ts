import type { CompatConfig } from '../config.ts'
import { isStorable, isUuid } from '../http/formats.ts'
import type { Fault } from '../http/problem.ts'
import { type AskedRule, RuleFault, writtenRule } from '../tasks/recurrence/recurrence.ts'
import { isOfCourse } from '../tasks/schema.ts'
import { type Due, dueAt, dueOf } from './dates.ts'
import { fromWord, type Names } from './names.ts'

export type Fields = Record<string, unknown>

/** What a body is for. */
export type Kind = 'create' | 'change' | 'completion'

/** A body in our own words, and what goes beside them. */
export type Read = {
  body: Fields
  /** What is kept, null what is cleared. */
  extra: Fields
  /** The date-time that was given as the due date; null: the date was cleared; undefined: neither. */
  due: string | null | undefined
  /** The name that each field was given under. */
  used: Map<string, string>
  /** Two names of one field that say different things, and what cannot be kept. */
  faults: Fault[]
}

export function readFields(config: CompatConfig, names: Names, kind: Kind, given: Fields): Read {
  const used = new Map<string, string>()
  const faults: Fault[] = []
  // Without a prototype, so that `__proto__` is a name like any other.
  const body: Fields = Object.create(null)
  const extra: Fields = Object.create(null)

  for (const [name, value] of Object.entries(given)) {
    const completed = names.completed(name)
    const field = completed === undefined ? names.toField(name) : 'completed'
    if (field === undefined || (config.keepsUnknown && isTheirs(field, value))) {
      if (!config.keepsUnknown) body[name] = value
      else if (kind === 'completion') continue
      else if (isKeepable(name, value)) extra[name] = value
      else
        faults.push({
          pointer: `/${name}`,
          detail: 'must not contain NUL or half a surrogate pair',
        })
      continue
    }
    if (config.keepsUnknown && isPassedOver(kind, field, value)) continue
    const meant = completed === undefined ? value : fromWord(completed, value)
    const other = used.get(field)
    if (other !== undefined && !Bun.deepEquals(body[field], meant)) {
      faults.push({ pointer: `/${name}`, detail: `is the same as ${other}, which says otherwise` })
    }
    used.set(field, name)
    body[field] = meant
  }
  return { body, extra, used, faults, due: config.hasDatetimes ? readDue(body) : undefined }
}

/** Fields that a frontend may have had before there were ours, of another form. */
export const places = ['list_id', 'parent_id', 'position', 'recurrence']

const isTheirs = (field: string, value: unknown): boolean => {
  if (value === null || !places.includes(field)) return false
  if (field === 'recurrence') return !isRule(value)
  return !(typeof value === 'string' && (field === 'position' || isUuid(value)))
}

function isRule(value: unknown): boolean {
  const isAsked =
    typeof value === 'string' ||
    (typeof value === 'object' && value !== null && 'frequency' in value)
  if (!isAsked) return false
  try {
    writtenRule(value as AskedRule, {}, '2026-01-01')
    return true
  } catch (error) {
    if (error instanceof RuleFault) return false
    throw error
  }
}

/** What a frontend sends along and only the server decides, a name of its own for a new task among it. */
const isPassedOver = (kind: Kind, field: string, value: unknown): boolean =>
  isOfCourse(field) ||
  field === 'next_task' ||
  (kind === 'create' && field === 'id' && !(typeof value === 'string' && isUuid(value))) ||
  (kind === 'completion' && field !== 'completed')

const isKeepable = (name: string, value: unknown): boolean => {
  if (!isStorable(name)) return false
  if (typeof value === 'string') return isStorable(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([inner, part]) => isKeepable(inner, part))
}

/** Leaves the day in the body. An input of a form that is empty sends an empty text. */
function readDue(body: Fields): Read['due'] {
  for (const name of ['due_date', 'due_time']) if (body[name] === '') body[name] = null
  const { due_date } = body
  const due = typeof due_date === 'string' ? dueOf(due_date) : null
  if (due === null || typeof due_date !== 'string') return due_date === null ? null : undefined
  body['due_date'] = due.due_date
  return due_date
}

type Time = Omit<Due, 'due_date'>

/**
 * What becomes of the due date and its time where a date-time was given.
 * @param body valid, with what it says of the time itself
 * @param before the time that the task had
 */
export function meantDue(sent: string | null, body: Partial<Due>, before: Time | null): Due | null {
  if (sent === null) return { due_date: null, due_time: null, time_zone: null }
  const { due_time = null, time_zone = null } = body
  const own = due_time === null ? before : { due_time, time_zone }
  const due = (own && dueAt(sent, own)) ?? dueOf(sent)
  return due?.due_time === null && due_time !== null ? { ...due, due_time, time_zone } : due
}
