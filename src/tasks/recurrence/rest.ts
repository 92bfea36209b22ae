import type { Repetition, Task } from '../schema.ts'
import { daysOf } from './days.ts'
import { nextOf } from './recurrence.ts'
import { parseRule, writeRule } from './rule.ts'

/** How a series goes on: by which rule, and from which of its days on. */
export type Rest = { id: string; rule: string; from: string }

type Repeated = Pick<Task, 'due_date' | 'due_time' | 'time_zone'> & Repetition

/** Before all that is due. */
const beginning = Temporal.Instant.from('0001-01-01T12:00Z')

/**
 * The series of a task from its own day on, as far as it is known. Where the task is not due on the day that the rule has for it, the
 * task is no part of that: then from the next day on. Null: it does not go on, or nobody knows before it is completed.
 */
export async function restOf(task: Repeated): Promise<Rest | null> {
  const { recurrence, repeat_from, series_id, occurrence, due_date, due_time, time_zone } = task
  if (recurrence === null || repeat_from !== 'due') return null
  if (series_id === null || occurrence === null || due_date === null) return null
  if (due_date === occurrence && (await hasDay(recurrence, occurrence))) {
    return { id: series_id, rule: recurrence, from: occurrence }
  }
  const own = { recurrence, repeat_from, occurrence, due_date, due_time, time_zone }
  const next = await nextOf(own, beginning, null)
  return next === null ? null : { id: series_id, rule: next.recurrence, from: next.due_date }
}

/** Whether a rule that begins on a day has that day: it begins there in any case. */
async function hasDay(recurrence: string, day: string): Promise<boolean> {
  const rule = parseRule(recurrence, { due_time: null, zone: 'UTC' })
  const days = await daysOf(writeRule({ ...rule, count: null }), day)
  return days(Temporal.PlainDate.from(day).subtract({ days: 1 }).toString()) === day
}
