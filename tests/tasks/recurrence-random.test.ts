import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import {
  nextOf,
  occurrencesOf,
  type Repeating,
  RuleFault,
  readRule,
  writtenRule,
} from '../../src/tasks/recurrence.ts'
import { bruteDays, horizon } from './recurrence-brute.ts'

// Any rule that a task takes has the days that a search through the calendar finds.

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)
const several = <T>(values: T[], most: number) =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: most })

const upTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1)
const bothWays = (most: number) => upTo(most).flatMap((number) => [number, -number])
const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const nthWeekdays = bothWays(5).flatMap((nth) => weekdays.map((weekday) => `${nth}${weekday}`))

const date = (first: string, days: number) =>
  fc.nat(days).map((later) => Temporal.PlainDate.from(first).add({ days: later }).toString())

const list = (values: (string | number)[] | null) => values?.join() ?? null
const asText = (parts: Record<string, string | number | null>) =>
  Object.entries(parts)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 2 })

/** Parts in any order, lists too, and what is in them more than once. */
const rules = fc
  .record({
    frequency: oneOf('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    interval: maybe(oneOf(1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 52, 60, 100, 365, 999)),
    months: maybe(several(upTo(12), 4)),
    monthDays: maybe(several(bothWays(31), 6)),
    days: maybe(several(weekdays, 6)),
    nthDays: maybe(several([...nthWeekdays, ...weekdays], 4)),
    positions: maybe(several([...bothWays(5), 6, 7, 10, -10, 31, -31], 2)),
    weekStart: maybe(oneOf(...weekdays)),
    end: oneOf('none', 'none', 'COUNT', 'UNTIL'),
    count: fc.integer({ min: 1, max: 40 }),
    until: date('2000-01-01', 30_000),
  })
  .chain(({ frequency, months, monthDays, days, nthDays, positions, end, ...more }) => {
    const isOfMonths = frequency === 'MONTHLY' || (frequency === 'YEARLY' && months !== null)
    const byDay = isOfMonths ? (nthDays ?? days) : days
    const byMonthDay = isOfMonths ? monthDays : null
    const isOfSets =
      /MONTHLY|YEARLY/.test(frequency) && (byDay?.length ?? 0) + (byMonthDay?.length ?? 0) > 0
    const parts = asText({
      FREQ: frequency,
      INTERVAL: more.interval,
      BYMONTH: list(months),
      BYMONTHDAY: list(byMonthDay),
      BYDAY: list(byDay),
      BYSETPOS: isOfSets ? list(positions) : null,
      WKST: more.weekStart,
      COUNT: end === 'COUNT' ? more.count : null,
      UNTIL: end === 'UNTIL' ? more.until.replaceAll('-', '') : null,
    })
    return fc.shuffledSubarray(parts, { minLength: parts.length }).map((some) => some.join(';'))
  })

const dueDates = date('1995-01-01', 22_000)

const daysAfter = (days: string, later: number) =>
  Temporal.PlainDate.from(days).add({ days: later }).toString()

const countOf = (rule: string): number =>
  Number(/COUNT=(\d+)/.exec(rule)?.[1] ?? Number.POSITIVE_INFINITY)

const withCount = (rule: string, count: number) => rule.replace(/COUNT=\d+/, `COUNT=${count}`)

const withoutEnd = (rule: string) => rule.replace(/;?(COUNT|UNTIL)=\d+/, '').replace(/^;/, '')

/** The first day of a rule after one, and how many it has before that, the start among them in any case. */
function searched(
  rule: string,
  start: string,
  after: string,
): { day: string | null; gone: number } {
  let gone = 1
  for (const day of bruteDays(rule, start)) {
    if (day > after) return { day, gone }
    if (day > start) gone += 1
  }
  return { day: null, gone }
}

async function holds(
  text: string,
  start: string,
  moved: number,
  late: number,
): Promise<'never' | 'again'> {
  const due = { due_date: start, due_time: null, time_zone: null }
  const again = searched(withoutEnd(text), start, start).day
  const century = `${Number(start.slice(0, 4)) + 100}${start.slice(4)}`
  const read = await readRule(text, due, start).catch((error: unknown) => error)
  if (again === null || again > century) {
    expect(read).toBeInstanceOf(RuleFault)
    return 'never'
  }
  const { recurrence } = read as { recurrence: string }
  expect(read).toEqual({ recurrence: expect.any(String), due_date: start })
  expect(writtenRule(recurrence, due, start)).toBe(recurrence)

  const task: Repeating = { ...due, recurrence, repeat_from: 'due', occurrence: start }
  const expected = [start]
  for (const day of bruteDays(text, start)) {
    if (expected.length === Math.min(8, countOf(text)) || day > horizon) break
    if (day > start) expected.push(day)
  }
  const listed = (await occurrencesOf(task, 8, null)).map(({ due_date }) => due_date)
  expect(listed.filter((day) => day <= horizon)).toEqual(expected)

  // Moved away from its day, and completed late.
  const due_date = daysAfter(start, moved)
  const today = daysAfter(start, late)
  const now = Temporal.PlainDate.from(today).toZonedDateTime('UTC').toInstant().add({ hours: 12 })
  const floor = [start, due_date, daysAfter(today, -1)].toSorted().at(-1) ?? start
  const { day, gone } = searched(text, start, floor)
  const left = countOf(text) - gone
  const next = await nextOf({ ...task, due_date }, now, null)
  if ((next?.due_date ?? '') <= horizon) {
    expect(next).toEqual(
      day === null || left <= 0
        ? null
        : { due_date: day, occurrence: day, recurrence: withCount(recurrence, left) },
    )
  }

  // The series goes on the same from any of its days.
  const { length } = listed
  const from = listed[Math.floor(length / 2)] ?? start
  const rest = await occurrencesOf(
    {
      ...task,
      due_date: from,
      occurrence: from,
      recurrence: withCount(recurrence, countOf(text) - Math.floor(length / 2)),
    },
    8 - Math.floor(length / 2),
    null,
  )
  expect(rest.map((one) => one.due_date)).toEqual(listed.slice(Math.floor(length / 2)))
  return 'again'
}

test('2,000 rules have the days that a search through the calendar finds', async () => {
  const outcomes = { never: 0, again: 0 }
  await fc.assert(
    fc.asyncProperty(rules, dueDates, fc.nat(40), fc.nat(4000), async (...given) => {
      outcomes[await holds(...given)] += 1
    }),
    { seed: 20_261_127, numRuns: 2500 },
  )
  console.log(outcomes)
  expect(outcomes.again).toBeGreaterThan(2000)
})
