import { expect, test } from 'bun:test'
import { Unavailable } from '../../src/database/faults.ts'
import { createGate } from '../../src/database/gate.ts'
import type { Shared } from '../../src/database/share.ts'
import { sql } from '../support/app.ts'

// The statements are functions that answer when they are told to: what they are asked is what the tests look at.

type Ask = { who: string; row?: string }
type Answer = { n: number; who: string }

const options = { permits: 8, deadline: 1000 }

/** A statement that answers each ask with its own name, and those of its runs that are under way. */
function statement(settings: Partial<Shared<Ask, Answer>> = {}) {
  const runs: { asks: string[]; end: () => void; fail: (code: string) => void }[] = []
  const shared: Shared<Ask, Answer> = {
    most: 4,
    isIdempotent: true,
    ...settings,
    statement: (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      const { promise, resolve, reject } = Promise.withResolvers<Answer[]>()
      runs.push({
        asks: asks.map(({ who }) => who),
        end: () => resolve(asks.map(({ n, who }) => ({ n, who }))),
        fail: (code) => reject(failure(code)),
      })
      return promise
    },
  }
  return { runs, shared }
}

const failure = (code: string) => Object.assign(new Error(code), { code })
const tick = () => Bun.sleep(1)

/** Until a statement is under way that was not before. */
async function next<T>(runs: T[], index: number): Promise<T> {
  for (;;) {
    const run = runs[index]
    if (run !== undefined) return run
    await tick()
  }
}

const outcomeOf = (promise: Promise<Answer[]>): Promise<string> =>
  promise.then(
    (rows) => rows.map(({ who }) => who).join(),
    (error: unknown) =>
      error instanceof Unavailable ? `unavailable: ${error.message}` : String(error),
  )

/** Two statements under way, and asks that gather behind them. */
async function behindTwo(
  shared: Shared<Ask, Answer>,
  asks: Ask[],
  gate = createGate(sql, options),
) {
  const first: Promise<string>[] = []
  for (const who of ['x', 'y']) {
    first.push(outcomeOf(gate.share(shared, { who, row: who })))
    await tick() // At the same moment they would share one.
  }
  const others = asks.map((ask) => outcomeOf(gate.share(shared, ask)))
  await tick()
  return { first, others }
}

const named = (...names: string[]): Ask[] => names.map((who) => ({ who }))

test('sends a lone ask at once, by itself', async () => {
  const { runs, shared } = statement()
  const answer = createGate(sql, options).share(shared, { who: 'a' })
  await Promise.resolve()

  expect(runs.map(({ asks }) => asks)).toEqual([['a']])
  runs[0]?.end()
  expect(await answer).toEqual([{ n: 0, who: 'a' }])
})

test('gathers asks behind two statements, and gives each its own rows', async () => {
  const { runs, shared } = statement()
  const { first, others } = await behindTwo(shared, named('a', 'b', 'c'))
  runs[0]?.end()

  const third = await next(runs, 2)
  expect(runs.map(({ asks }) => asks)).toEqual([['x'], ['y'], ['a', 'b', 'c']])
  runs[1]?.end()
  third.end()
  expect(await Promise.all([...first, ...others])).toEqual(['x', 'y', 'a', 'b', 'c'])
})

test('waits for neither of the two for long', async () => {
  const { runs, shared } = statement()
  const { others } = await behindTwo(shared, named('a'))

  const third = await next(runs, 2) // Though none of the others has ended.
  third.end()
  expect(await Promise.all(others)).toEqual(['a'])
})

test('sends a full statement at once, and no fuller one', async () => {
  const { runs, shared } = statement()
  const { others } = await behindTwo(shared, named('a', 'b', 'c', 'd', 'e'))

  for (const run of [await next(runs, 2), await next(runs, 3)]) run.end()
  expect(runs.slice(2).map(({ asks }) => asks)).toEqual([['a', 'b', 'c', 'd'], ['e']])
  expect(await Promise.all(others)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('gives no rows to who has none', async () => {
  const gate = createGate(sql, options)
  const nothing: Shared<Ask, Answer> = {
    most: 4,
    isIdempotent: true,
    statement: async () => [{ n: 1, who: 'b' }],
  }

  expect(await gate.share(nothing, { who: 'a' })).toEqual([])
})

test('never has two asks in a statement that claim the same', async () => {
  const { runs, shared } = statement({ claims: ({ row = '' }) => [row] })
  const { others } = await behindTwo(shared, [
    { who: 'a', row: '1' },
    { who: 'b', row: '2' },
    { who: 'c', row: '1' },
    { who: 'd', row: '1' },
    { who: 'e', row: '2' },
  ])
  for (let index = 2; index < 5; index += 1) (await next(runs, index)).end()

  expect(runs.slice(2).map(({ asks }) => asks)).toEqual([['a', 'b'], ['c', 'e'], ['d']])
  expect(await Promise.all(others)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('has the asks of a statement in the order of what they claim', async () => {
  const { runs, shared } = statement({ claims: ({ row = '' }) => [row] })
  await behindTwo(shared, [
    { who: 'a', row: '3' },
    { who: 'b', row: '1' },
    { who: 'c', row: '2' },
  ])

  expect((await next(runs, 2)).asks).toEqual(['b', 'c', 'a'])
})

test('runs a statement that fails again in halves, so that one bad ask harms no other', async () => {
  const sizes: number[] = []
  const picky: Shared<Ask, Answer> = {
    most: 8,
    isIdempotent: false,
    statement: async (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      sizes.push(asks.length)
      await tick()
      if (asks.some(({ who }) => who === 'bad')) throw failure('23514')
      return asks.map(({ n, who }) => ({ n, who }))
    },
  }
  const { others } = await behindTwo(picky, named('a', 'b', 'c', 'bad', 'e', 'f', 'g', 'h'))

  expect(await Promise.all(others)).toEqual(['a', 'b', 'c', 'Error: 23514', 'e', 'f', 'g', 'h'])
  expect(sizes.toSorted((a, b) => a - b)).toEqual([1, 1, 1, 1, 2, 2, 4, 4, 8])
})

test.each([
  ['CONNECTION_CLOSED', true, ['a', 'b']],
  ['CONNECTION_CLOSED', false, Array(2).fill('unavailable: CONNECTION_CLOSED')],
  ['ECONNREFUSED', false, ['a', 'b']],
  ['57014', true, Array(2).fill('unavailable: 57014')],
])('after %s, idempotent: %p, answers %p', async (code, isIdempotent, expected) => {
  const { runs, shared } = statement({ isIdempotent })
  const { others } = await behindTwo(shared, named('a', 'b'))
  ;(await next(runs, 2)).fail(code)
  if (expected[0] === 'a') (await next(runs, 3)).end()

  expect(await Promise.all(others)).toEqual(expected)
})

test('answers each at its own deadline, and does not run again what nobody waits for', async () => {
  const gate = createGate(sql, { permits: 8, deadline: 60 })
  const { runs, shared } = statement()
  const { first, others } = await behindTwo(shared, named('a'), gate)
  const third = await next(runs, 2)

  const late = 'unavailable: the database took too long'
  expect(await Promise.all([...first, ...others])).toEqual([late, late, late])
  third.fail('CONNECTION_CLOSED')
  await Bun.sleep(100) // As long as a gate in doubt lets in the next attempt.

  expect(runs.length).toBe(3)
})

test('leaves nobody in a party who is late before there is a connection', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 60 })
  const { runs, shared } = statement({ claims: ({ row = '' }) => [row] })
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise)
  const early = outcomeOf(gate.share(shared, { who: 'a', row: '1' }))
  expect(await early).toBe('unavailable: the database took too long')
  await blocked.catch(() => undefined)

  const later = outcomeOf(gate.share(shared, { who: 'b', row: '1' }))
  blocker.resolve()
  ;(await next(runs, 0)).end()

  expect(await later).toBe('b')
  expect(runs.map(({ asks }) => asks)).toEqual([['b']])
})

test('refuses with everybody else when too many statements wait', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 1000, room: 0 })
  const { shared } = statement()
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise)

  expect(await outcomeOf(gate.share(shared, { who: 'a' }))).toBe(
    'unavailable: too many statements wait',
  )
  blocker.resolve()
  await blocked
})

test('leaves with its client, and makes room for the next', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 1000, room: 1 })
  const { runs, shared } = statement()
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise)
  const client = new AbortController()
  const first = outcomeOf(gate.for(client).share(shared, { who: 'a' }))
  const second = outcomeOf(gate.share(shared, { who: 'b' }))

  client.abort()
  const third = outcomeOf(gate.share(shared, { who: 'c' }))
  blocker.resolve()
  await blocked
  ;(await next(runs, 0)).end()

  expect(await Promise.all([first, second, third])).toEqual([
    'unavailable: the client went away',
    'unavailable: too many statements wait',
    'c',
  ])
  expect(runs.map(({ asks }) => asks)).toEqual([['c']])
})
