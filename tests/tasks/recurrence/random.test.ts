import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import {
  nextOf,
  occurrencesOf,
  type Repeating,
  RuleFault,
  readRule,
  writtenRule,
} from '../../../src/tasks/recurrence/recurrence.ts'
import { bruteDays, horizon } from './brute.ts'

// Any rule that a task takes has the days that a search through the calendar finds.

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)
const several = <T>(values: T[], most: number) =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: most })

const upTo = (most: number) => Array.from({ length: most }, (_, index) => index + 1)
const bothWays = (most: number) => upTo(most).flatMap((number) => [number, -number])
const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const nthWeekdays = bothWays(5).flatMap((nth) => weekdays.map((weekday) => `${nth}${weekday}`))

const dates = (first: string, days: number) =>
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
    until: dates('2000-01-01', 30_000),
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

const dueDates = dates('1995-01-01', 22_000)

const daysAfter = (day: string, later: number) =>
  Temporal.PlainDate.from(day).add({ days: later }).toString()

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

/** A day so many units of a rule later, a month's last one where it has no such. */
function laterBy(rule: string, day: string, times: number): string {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const months = /MONTHLY/.test(rule) ? times : /YEARLY/.test(rule) ? 12 * times : null
  if (months === null) return daysAfter(day, /WEEKLY/.test(rule) ? 7 * times : times)
  const length = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  const later = Date.UTC(year, month - 1 + months, Math.min(date, length))
  return new Date(later).toISOString().slice(0, 10)
}

function notAfterEnd(rule: string, day: string): string | null {
  const until = /UNTIL=(\d+)/.exec(rule)?.[1] ?? '99991231'
  return day.replaceAll('-', '') > until ? null : day
}

const allDay = { due_time: null, time_zone: null }

const noonOf = (day: string) => Temporal.Instant.from(`${day}T12:00:00Z`)

async function holds(
  text: string,
  start: string,
  moved: number,
  late: number,
): Promise<'never' | 'again'> {
  const due = { ...allDay, due_date: start }
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
  const floor = [start, due_date, daysAfter(today, -1)].toSorted().at(-1) ?? start
  const { day, gone } = searched(text, start, floor)
  const left = countOf(text) - gone
  const next = await nextOf({ ...task, due_date }, noonOf(today), null)
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

test.each([1, 2, 3, 4])(
  'any rule has the days that a search through the calendar finds (%d)',
  async (seed) => {
    const outcomes = { never: 0, again: 0 }
    await fc.assert(
      fc.asyncProperty(rules, dueDates, fc.nat(40), fc.nat(4000), async (...given) => {
        outcomes[await holds(...given)] += 1
      }),
      { seed, numRuns: 600 },
    )
    expect(outcomes.again).toBeGreaterThan(500)
  },
)

test('from completion, it is the first day after all of the interval but one', async () => {
  await fc.assert(
    fc.asyncProperty(rules, dueDates, fc.nat(4000), async (text, start, late) => {
      const today = daysAfter(start, late)
      const rule = writtenRule(text, {}, start) ?? ''
      const interval = Number(/INTERVAL=(\d+)/.exec(rule)?.[1] ?? 1)
      const hasDays = /BY(MONTH|DAY)/.test(rule)
      const from = laterBy(rule, today, hasDays ? interval - 1 : interval)
      fc.pre(from < '2060')

      const each = rule.replace(/INTERVAL=\d+/, 'INTERVAL=1')
      const day = hasDays ? searched(each, from, from).day : notAfterEnd(rule, from)
      const left = countOf(rule) - 1
      const task = { ...allDay, due_date: start, occurrence: start, recurrence: rule }
      const next = await nextOf({ ...task, repeat_from: 'completion' }, noonOf(today), null)
      expect(next).toEqual(
        day === null || left === 0
          ? null
          : { due_date: day, occurrence: day, recurrence: withCount(rule, left) },
      )
    }),
    { seed: 5, numRuns: 1000 },
  )
})

const signs = 'ABDEFIKLMNOQRSTUWY0123456789=;,+-: \n\tſı１²'.split('')
const mutated = fc
  .tuple(rules, fc.array(fc.tuple(fc.nat(80), fc.nat(2), oneOf('', ...signs)), { maxLength: 3 }))
  .map(([rule, changes]) =>
    changes.reduce(
      (text, [at, gone, sign]) => text.slice(0, at) + sign + text.slice(at + gone),
      rule,
    ),
  )

test('any text is a rule with one written form, or a fault that says so', async () => {
  const texts = fc.oneof(mutated, fc.string({ unit: 'binary' }))
  const outcomes = { rule: 0, fault: 0 }
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      try {
        const rule = writtenRule(text, allDay, '2026-11-27')
        expect(rule).toMatch(/^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,-]+)*$/)
        expect(writtenRule(rule, allDay, '2026-11-27')).toBe(rule)
        outcomes.rule += 1
        await readRule(text, allDay, '2026-11-27')
      } catch (error) {
        if (!(error instanceof RuleFault)) throw error
        expect(error.message).toMatch(/^(must|may|has) [ -~]+$/)
        outcomes.fault += 1
      }
    }),
    { seed: 6, numRuns: 2000 },
  )
  expect(Math.min(outcomes.rule, outcomes.fault)).toBeGreaterThan(200)
})
