import { expect, spyOn, test } from 'bun:test'
import type { Db } from '../../../src/database/gate/gate.ts'
import {
  isDeep,
  learnFew,
  learnScope,
  learnWeight,
  scopeOf,
  weightOf,
} from '../../../src/tasks/pages/known.ts'
import { readPage } from '../../../src/tasks/pages/read.ts'
import type { Slice, SliceAsk } from '../../../src/tasks/pages/statements.ts'
import type { ListQuery } from '../../../src/tasks/rules.ts'

// How much a statement of a list looks at, and with whom, by what was seen of the user before.

const someone = () => crypto.randomUUID()

test('a page of long tasks is nobody else’s, nor is one while nobody knows', () => {
  const user = someone()

  expect(weightOf(user).isLong).toBe(false)
  expect(weightOf(user)).toEqual({ weight: 60_000, isLong: true })
  learnWeight(user, 300)
  expect(weightOf(user)).toEqual({ weight: 300, isLong: false })
  learnWeight(user, 30_000)
  expect(weightOf(user).isLong).toBe(true)
  // One short page, or an empty one, is not enough.
  learnWeight(user, 300)
  learnWeight(user, null)
  expect(weightOf(user).isLong).toBe(true)
  for (let page = 0; page < 4; page += 1) learnWeight(user, 300)
  expect(weightOf(user).isLong).toBe(false)
})

test('a statement looks at as much as it has time for, within bounds', () => {
  const user = someone()
  const first = scopeOf(user, false)

  expect(first).toEqual({ reach: 5000, depth: 16 })
  expect(learnScope(user, first, 0.02)).toEqual(first)
  expect(learnScope(user, first, 0.08)).toEqual({ reach: 1250, depth: 4 })
  expect(isDeep(scopeOf(user, false))).toBe(true)
  expect(learnScope(user, first, 60)).toEqual({ reach: 500, depth: 4 })
  expect(learnScope(user, first, 0)).toEqual({ reach: 40_000, depth: 64 })
  // The first of a list has to tell whether there are few.
  expect(scopeOf(user, false)).toEqual({ reach: 5000, depth: 64 })
})

test('who had few tasks a short while ago is looked through, in the trash or out of it', () => {
  const user = someone()
  const clock = spyOn(performance, 'now')
  clock.mockImplementation(() => 1000)
  learnFew(user, true)

  expect(scopeOf(user, true).reach).toBeNull()
  expect(scopeOf(user, false).reach).toBe(5000)
  clock.mockImplementation(() => 1000 + 30_000)
  expect(scopeOf(user, true).reach).toBe(5000)
  clock.mockRestore()
})

/** A database that has this to say, and what it was asked. */
function database(slice: Slice) {
  const asks: SliceAsk[] = []
  const statements = new Set<object>()
  const share = async (shared: object, ask: object) => {
    statements.add(shared)
    asks.push(ask as SliceAsk)
    return slice
  }
  return { db: { share } as unknown as Db, asks, statements }
}

const nothing: Slice = {
  count: 0,
  text: '',
  keys: null,
  key: null,
  id: null,
  took: 0.001,
  seq: null,
  archives: false,
}

test('having few tasks is found out again and again, as there may be many by now', async () => {
  const user = someone()
  const { db, asks } = database(nothing)
  const search = () => readPage(db, user, { q: 'word' }, null, 50)
  const clock = spyOn(performance, 'now')
  for (const time of [0, 20_000, 40_000, 60_000]) {
    clock.mockImplementation(() => 1e6 + time)
    await search()
  }
  clock.mockRestore()

  expect(asks.map(({ reach }) => reach)).toEqual([5000, null, 5000, null])
})

test('all lists there are need no more than some statements', async () => {
  const { db, asks, statements } = database(nothing)
  const choose = <T>(...values: T[]) => [undefined, ...values]
  const after = { key: 'low', id: crypto.randomUUID() }
  for (const sort of [
    'created_at',
    'updated_at',
    'due_date',
    'priority',
    'title',
    'position',
  ] as const) {
    for (const order of choose('asc' as const, 'desc' as const)) {
      for (const status of choose('all' as const, 'pending' as const)) {
        for (const priority of choose(['high' as const])) {
          for (const tag of choose(['home'])) {
            for (const due_after of choose('2026-01-01')) {
              for (const q of choose('a', 'a b c')) {
                for (const deleted of choose(false, true)) {
                  const query = { sort, order, status, priority, tag, due_after, q, deleted }
                  const given = Object.fromEntries(
                    Object.entries(query).filter(([, value]) => value !== undefined),
                  ) as ListQuery
                  await readPage(db, someone(), given, null, 50)
                  await readPage(db, someone(), given, after, 50)
                }
              }
            }
          }
        }
      }
    }
  }

  expect(asks.length).toBeGreaterThan(5000)
  expect(statements.size).toBeLessThanOrEqual(220)
})
