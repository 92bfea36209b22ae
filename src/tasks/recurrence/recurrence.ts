import { type Days, daysOf, momentOf, within, writeMoment } from './days.ts'
import { type AskedRule, parseRule, type Rule, RuleFault, rruleOf, writeRule } from './rule.ts'

export { type AskedRule, RuleFault }

/** When a task is due, as it is stored. */
export type Due = { due_date: string; due_time: string | null; time_zone: string | null }

/** What is known of the task that is to repeat; without a due date, it gets one. */
export type Begun = { [K in keyof Due]?: Due[K] | null } & {
  repeat_from?: 'due' | 'completion'
}

/** A task that repeats. `occurrence` is the day of the rule that it is for: `due_date` may have been moved away from it. */
export type Repeating = Due & {
  recurrence: string
  repeat_from: 'due' | 'completion'
  occurrence: string
}

/** What the next task of a series has of its own. */
export type Next = { due_date: string; occurrence: string; recurrence: string }

/** One day of a task, with the moment at which it is due; null: all day. */
export type Occurrence = Due & { at: string | null }

/** What day it is somewhere. */
export const todayIn = (zone: string | null, now: Temporal.Instant): string =>
  now
    .toZonedDateTimeISO(zone ?? 'UTC')
    .toPlainDate()
    .toString()

/**
 * What is asked for in its one written form; null: that it does not repeat. Where a task has this rule already, nothing has changed.
 * @param task its `due_date` is what a word such as `monthly` means: of a task that repeats, its occurrence
 * @throws RuleFault
 */
export function writtenRule(
  asked: AskedRule | null,
  { due_date, due_time = null, time_zone, repeat_from = 'due' }: Begun,
  today: string,
  userZone: string | null = null,
): string | null {
  const rrule = asked === null ? null : rruleOf(asked, due_date ?? today, repeat_from)
  if (rrule === null) return null
  return writeRule(parseRule(rrule, { due_time, zone: time_zone ?? userZone ?? 'UTC' }))
}

/**
 * The same for a task that begins to repeat, with its first day: that on which it is due, else the first from today on that the rule
 * has, whatever its interval, which is counted from there.
 * @throws RuleFault, also where it would not come again within a hundred years
 */
export async function readRule(
  asked: AskedRule | null,
  task: Begun,
  today: string,
  userZone: string | null = null,
): Promise<{ recurrence: string; due_date: string } | null> {
  const recurrence = writtenRule(asked, task, today, userZone)
  if (recurrence === null) return null
  const rule = stored(recurrence)
  const due_date = task.due_date ?? (await firstDay(rule, today))
  await refuseNever(rule, due_date)
  return { recurrence, due_date }
}

/** What was written is read the same in any zone. */
const stored = (recurrence: string): Rule => parseRule(recurrence, { due_time: null, zone: 'UTC' })

async function firstDay(rule: Rule, today: string): Promise<string> {
  const days = await daysOf(writeRule({ ...rule, interval: 1, count: null }), today)
  const first = days(plain(today).subtract({ days: 1 }).toString())
  if (first === null) {
    throw new RuleFault(rule.until === null ? neverAgain : overBefore)
  }
  return first
}

const overBefore = 'must have UNTIL not before its first day from today on, or go with a due_date'
const neverAgain = 'must come again within 100 years'

/** Its end aside: the last of a series keeps its rule. */
async function refuseNever(rule: Rule, start: string): Promise<void> {
  const days = await daysOf(writeRule({ ...rule, count: null, until: null }), start)
  const next = days(start)
  const limit = within(plain(start).add({ years: 100 }))
  if (next === null || (limit !== null && next > limit)) throw new RuleFault(neverAgain)
}

const plain = (date: string): Temporal.PlainDate => Temporal.PlainDate.from(date)

/** What comes after a task that is completed now, or skipped; null: it was the last. COUNT is less by what has gone by. */
export function nextOf(
  task: Repeating,
  now: Temporal.Instant,
  userZone: string | null,
): Promise<Next | null> {
  const rule = stored(task.recurrence)
  const zone = task.time_zone ?? userZone ?? 'UTC'
  const today = todayIn(zone, now)
  if (task.repeat_from === 'completion') return nextFromCompletion(rule, plain(today))

  const isTodayOver =
    task.due_time !== null &&
    Temporal.Instant.compare(momentOf(today, task.due_time, zone), now) <= 0
  const over = isTodayOver ? today : plain(today).subtract({ days: 1 }).toString()
  return nextFromDue(task, rule, over)
}

/** The day of the rule after those that the task is for and due on, and after what is over. */
async function nextFromDue(
  { occurrence, due_date }: Repeating,
  rule: Rule,
  over: string,
): Promise<Next | null> {
  const days = await daysOf(writeRule({ ...rule, count: null }), occurrence)
  const next = days(latest(occurrence, due_date, over))
  return nextOn(next, rule, leftOn(next, rule, occurrence, days))
}

/** What COUNT is on a day, without those of the rule that have gone by since another; null: it has none. */
function leftOn(day: string | null, rule: Rule, since: string, days: Days): number | null {
  let left = rule.count
  if (left === null || day === null) return null
  for (let at: string | null = since; at !== null && at < day && left > 0; at = days(at)) left -= 1
  return left
}

const latest = (...days: string[]): string =>
  days.reduce((one, other) => (one > other ? one : other))

/** So long after today. A rule that says on which days has the next of them, when all of the interval but one has gone by. */
async function nextFromCompletion(rule: Rule, today: Temporal.PlainDate): Promise<Next | null> {
  const left = rule.count === null ? null : rule.count - 1
  const after = (times: number) => within(today.add({ [units[rule.frequency]]: times }))
  const isPlain = rule.months.length + rule.monthDays.length + rule.days.length === 0
  if (isPlain) return nextOn(after(rule.interval), rule, left)

  const start = after(rule.interval - 1)
  if (start === null) return null
  const days = await daysOf(writeRule({ ...rule, interval: 1, count: null }), start)
  return nextOn(days(start), rule, left)
}

const units = { DAILY: 'days', WEEKLY: 'weeks', MONTHLY: 'months', YEARLY: 'years' } as const

function nextOn(day: string | null, rule: Rule, left: number | null): Next | null {
  if (day === null || left === 0 || (rule.until !== null && day > rule.until)) return null
  return { due_date: day, occurrence: day, recurrence: writeRule({ ...rule, count: left }) }
}

/** A task whose days are asked for. One that does not repeat has no recurrence, and no occurrence. */
export type Dated = { [K in keyof Due]: Due[K] | null } & {
  [K in 'recurrence' | 'occurrence']: string | null
} & { repeat_from: 'due' | 'completion' | null }

/** The days of a task from its own on, as far as they are known: that one alone, where the next depends on when it is completed. */
export async function occurrencesOf(
  task: Dated,
  limit: number,
  userZone: string | null,
): Promise<Occurrence[]> {
  const { due_time, time_zone } = task
  const zone = time_zone ?? userZone ?? 'UTC'
  const days = await knownDays(task, limit)
  return days.map((due_date) => ({
    due_date,
    due_time,
    time_zone,
    at: due_time === null ? null : writeMoment(momentOf(due_date, due_time, zone)),
  }))
}

async function knownDays(task: Dated, limit: number): Promise<string[]> {
  const { due_date, recurrence, repeat_from, occurrence } = task
  if (due_date === null) return []
  if (recurrence === null || occurrence === null || repeat_from !== 'due') return [due_date]

  const rule = stored(recurrence)
  const days = await daysOf(writeRule({ ...rule, count: null }), occurrence)
  const known = [due_date]
  let next = days(latest(occurrence, due_date))
  let left = leftOn(next, rule, occurrence, days)
  while (next !== null && left !== 0 && known.length < limit) {
    known.push(next)
    next = days(next)
    if (left !== null) left -= 1
  }
  return known
}
