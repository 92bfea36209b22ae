import { invalid } from '../../http/problem.ts'
import type { NewTask, Repetition, Task, TaskPatch } from '../schema.ts'
import {
  type AskedRule,
  type Begun,
  nextOf,
  RuleFault,
  readRule,
  todayIn,
  writtenRule,
} from './recurrence.ts'

/** When it is, and where the user is; null: nobody has said. */
export type Now = { now: Temporal.Instant; zone: string | null }

/** That a task does not repeat. */
export const alone: Repetition = {
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
}

type Repeated = Pick<Task, 'due_date' | 'due_time' | 'time_zone'> & Repetition

/** What is asked of it. */
type Asked = Pick<TaskPatch, 'recurrence' | 'repeat_from' | 'due_date' | 'due_time' | 'time_zone'>

/** What becomes of how a task repeats, and of its due date: as far as it becomes something else. */
export type Begins = Partial<Repetition> & { due_date?: string }

/**
 * How a task repeats when something is asked of it. The rule that it has changes nothing; another one begins anew, on the day on which
 * the task is due.
 * @param fresh the id of the series, if the task is in none yet
 * @throws Problem 422
 */
export async function repeating(
  before: Repeated,
  asked: Asked,
  { now, zone }: Now,
  fresh: string,
): Promise<Begins> {
  const { recurrence: rule, repeat_from: from } = asked
  const repeat_from = (from === undefined ? before.repeat_from : from) ?? 'due'
  if (rule === undefined) {
    if (before.recurrence !== null) return from === undefined ? {} : { repeat_from }
    // There is none to be reckoned from, as the database says.
    return from == null ? {} : { repeat_from: from }
  }
  const { due_time = before.due_time, time_zone = before.time_zone } = asked
  const clock = { due_time, time_zone, repeat_from }
  const today = todayIn(time_zone ?? zone, now)
  const known = { ...clock, due_date: before.occurrence ?? before.due_date }
  const written = ruled(() => writtenRule(rule, known, today, zone))
  if (written === null) return before.recurrence === null ? {} : alone
  if (written === before.recurrence) return { repeat_from }

  const due_date = asked.due_date ?? before.due_date
  const isUndated = asked.due_date === null && before.due_date !== null
  const starts = isUndated ? null : await begin(rule, { ...clock, due_date }, today, zone)
  return {
    recurrence: starts?.recurrence ?? written,
    repeat_from,
    series_id: before.series_id ?? fresh,
    // Of what shall have no due date the database says what is wrong.
    occurrence: starts?.due_date ?? today,
    ...(starts === null ? {} : { due_date: starts.due_date }),
  }
}

/** A new task, that repeats if it is asked to: then the first of a series. @throws Problem 422 */
export async function begun<T extends Partial<NewTask>>(
  task: T,
  id: string,
  now: Now,
): Promise<T & Partial<Repetition>> {
  const { due_date = null, due_time = null, time_zone = null, recurrence, repeat_from } = task
  const asked = {
    ...(recurrence === undefined ? {} : { recurrence }),
    ...(repeat_from === undefined ? {} : { repeat_from }),
  }
  const begins = await repeating({ ...alone, due_date, due_time, time_zone }, asked, now, id)
  return { ...task, ...alone, ...begins }
}

const begin = (rule: AskedRule | null, task: Begun, today: string, zone: string | null) =>
  readRule(rule, task, today, zone).catch(refused)

function ruled<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): never {
  if (!(error instanceof RuleFault)) throw error
  throw invalid([{ pointer: '/recurrence', detail: error.message }])
}

/** What the next one of a task has of its own; null: it was the last, or does not repeat. */
export async function following(
  { due_date, due_time, time_zone, recurrence, repeat_from, occurrence }: Repeated,
  { now, zone }: Now,
) {
  if (due_date === null || recurrence === null || repeat_from === null || occurrence === null) {
    return null
  }
  const task = { due_date, due_time, time_zone, recurrence, repeat_from, occurrence }
  return nextOf(task, now, zone)
}

/** A day as far from another one as two are apart; at the end of the calendar that. */
export function moved(day: string | null, from: string, to: string): string | null {
  if (day === null) return null
  const days = Temporal.PlainDate.from(from).until(to).days
  const date = Temporal.PlainDate.from(day).add({ days })
  return date.year > 9999 ? '9999-12-31' : date.toString()
}
