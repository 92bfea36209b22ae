import { describe, expect, test } from 'bun:test'
import {
  type AskedRule,
  nextOf,
  occurrencesOf,
  type Repeating,
  RuleFault,
  readRule,
  writtenRule,
} from '../../../src/tasks/recurrence/recurrence.ts'

// What other implementations of RFC 5545 and a literal search agree on: see `kind` for what a line says.
const lines = (await Bun.file(`${import.meta.dir}/cases.jsonl`).text()).trimEnd()
const cases: any[] = lines.split('\n').map((line) => JSON.parse(line))

const dayAfter = (date: string) =>
  Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime('UTC').toInstant()

/** A task that begins to repeat. */
async function begun(asked: AskedRule, due_date: string, time?: string, zone?: string) {
  const due = { due_date, due_time: time ?? null, time_zone: zone ?? null }
  const read = await readRule(asked, due, '2026-11-27')
  const { recurrence } = read ?? expect.unreachable('no rule')
  return { ...due, recurrence, repeat_from: 'due', occurrence: due_date } satisfies Repeating
}

/** The days of a task that is completed on each of them. */
async function completedOn(task: Repeating, limit: number): Promise<string[]> {
  const days = [task.due_date]
  for (let at = task; days.length < limit; ) {
    const now = Temporal.PlainDate.from(at.due_date).toZonedDateTime('UTC').toInstant()
    const next = await nextOf(at, now.subtract({ hours: 48 }), null)
    if (next === null) break
    days.push(next.due_date)
    at = { ...at, ...next }
  }
  return days
}

const textOf = ({ rule, rule_repeats }: any): string =>
  rule_repeats === undefined
    ? String(rule)
    : rule_repeats[0] + rule_repeats[1].repeat(rule_repeats[2]) + rule_repeats[3]

const asserts: Record<string, (line: any) => Promise<void>> = {
  async days({ rule, start, limit, days, ends }) {
    const task = await begun(rule, start)
    const most = ends ? limit + 1 : limit
    const listed = await occurrencesOf(task, most, null)
    expect(listed.map(({ due_date }) => due_date)).toEqual(days)
    expect(await completedOn(task, most)).toEqual(days)
  },

  async instants({ rule, start, limit, time, zone, days, instants, ends }) {
    const task = await begun(rule, start, time, zone)
    const listed = await occurrencesOf(task, ends ? limit + 1 : limit, null)
    expect(listed.map(({ due_date }) => due_date)).toEqual(days)
    expect(listed.map(({ at }) => at)).toEqual(instants)
  },

  async next({ rule, start, after, next }) {
    const found = await nextOf(await begun(rule, start), dayAfter(after), null)
    expect(found?.due_date ?? null).toBe(next)
  },

  async complete({ rule, zone, now, next, ...task }) {
    const repeating = { ...task, time_zone: zone, recurrence: rule }
    const found = await nextOf(repeating, Temporal.Instant.from(now), null)
    expect(found && { due_date: found.due_date, rule: found.recurrence }).toEqual(next)
  },

  async refuse({ why, ...line }) {
    const [part = ''] = /\b[A-Z][A-Z-]{2,}\b/.exec(why) ?? []
    const written = () => writtenRule(textOf(line), { due_date: '2026-01-01' }, '2026-01-01')
    expect(written).toThrow(RuleFault)
    expect(written).toThrow(part)
  },

  async never({ rule, start }) {
    const read = readRule(rule, { due_date: start }, start)
    expect(await read.catch((error: unknown) => error)).toBeInstanceOf(RuleFault)
  },

  async written({ input, rule }) {
    expect(writtenRule(input, {}, '2026-11-27')).toBe(rule)
  },

  async until({ input, time, zone, rule }) {
    expect(writtenRule(input, { due_time: time, time_zone: zone }, '2026-11-27')).toBe(rule)
  },

  async friendly({ input, due_date, repeat_from, rule, days }) {
    expect(writtenRule(input, { due_date, repeat_from }, '2026-11-27')).toBe(rule)
    if (days === undefined) return
    const listed = await occurrencesOf(await begun(input, due_date), days.length, null)
    expect(listed.map((one) => one.due_date)).toEqual(days)
  },
}

test('there are 647 cases', () => {
  expect(cases).toHaveLength(647)
})

describe.each(Object.entries(asserts))('%s', (kind, assert) => {
  const known = cases.filter((line) => line.kind === kind)
  test.each(known.map((line) => [line.id, textOf(line).slice(0, 80), line] as const))(
    '%s: %j',
    async (_id, _rule, line) => {
      await assert(line)
    },
  )
})
