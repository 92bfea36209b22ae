import { expect, test } from 'bun:test'
import { Unavailable } from '../../../src/database/gate/faults.ts'
import { createGate } from '../../../src/database/gate/gate.ts'
import { type Group, type Shared, sender } from '../../../src/database/gate/share.ts'
import { sql } from '../../support/app.ts'

// The statements are functions that answer when they are told to: what they are asked is what the tests look at.

type Ask = { who: string; row?: string; user_id?: string }
type Numbered = Ask & { n: number }
type Answer = { n: number; who: string }

const options = { permits: 8, deadline: 1000 }

/** A statement that answers each ask with its own name, and those of its runs that are under way. */
function statement(settings: Partial<Shared<Ask, Answer>> = {}) {
  const runs: { asks: string[]; end: () => void; fail: (code: string) => void }[] = []
  const shared: Shared<Ask, Answer> = {
    most: 8,
    isIdempotent: true,
    ...settings,
    statement: (_sql, asked) => {
      const given: Group[] | Numbered[] = JSON.parse(asked)
      const asks = given.flatMap((one) => ('asks' in one ? one.asks : one)) as Numbered[]
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

const outcomeOf = (promise: Promise<Answer | undefined>): Promise<string> =>
  promise.then(
    (row) => row?.who ?? 'nothing',
    (error: unknown) =>
      error instanceof Unavailable ? `unavailable: ${error.message}` : String(error),
  )

/** A statement of one ask under way, and asks that gather behind it. */
async function behindOne(
  { shared, runs }: { shared: Shared<Ask, Answer>; runs: unknown[] },
  asks: Ask[],
  gate = createGate(sql, options),
) {
  const first = outcomeOf(gate.share(shared, { who: 'x', row: 'x' }))
  await next(runs, 0)
  const others = asks.map((ask) => outcomeOf(gate.share(shared, ask)))
  return { first, others }
}

const named = (...names: string[]): Ask[] => names.map((who) => ({ who }))

test('sends a lone ask in the same turn, by itself', async () => {
  const { runs, shared } = statement()
  const answer = createGate(sql, options).share(shared, { who: 'a' })
  await new Promise(setImmediate)

  expect(runs.map(({ asks }) => asks)).toEqual([['a']])
  runs[0]?.end()
  expect(await answer).toEqual({ n: 0, who: 'a' })
})

test('sends together who asks in the same turn', async () => {
  const { runs, shared } = statement()
  const gate = createGate(sql, options)
  const answers = named('a', 'b').map((ask) => outcomeOf(gate.share(shared, ask)))
  ;(await next(runs, 0)).end()

  expect(runs.map(({ asks }) => asks)).toEqual([['a', 'b']])
  expect(await Promise.all(answers)).toEqual(['a', 'b'])
})

test('gathers asks behind a statement, and gives each its own row', async () => {
  const pending = statement()
  const { runs } = pending
  const { first, others } = await behindOne(pending, named('a', 'b', 'c'))
  expect(runs.length).toBe(1)
  runs[0]?.end()

  ;(await next(runs, 1)).end()
  expect(runs.map(({ asks }) => asks)).toEqual([['x'], ['a', 'b', 'c']])
  expect(await Promise.all([first, ...others])).toEqual(['x', 'a', 'b', 'c'])
})

test('waits for the one before it not for long', async () => {
  const pending = statement()
  const { others } = await behindOne(pending, named('a'))

  const second = await next(pending.runs, 1) // Though the first has not ended.
  second.end()
  expect(await Promise.all(others)).toEqual(['a'])
})

test('sends what has waited, and what is full, though the statement before has not ended', async () => {
  const pending = statement()
  const { runs } = pending
  const gate = createGate(sql, options)
  const { others } = await behindOne(pending, named('a', 'b', 'c', 'd'), gate)
  await next(runs, 1)
  const more = named(...'e f g h i j k l'.split(' ')).map((ask) =>
    outcomeOf(gate.share(pending.shared, ask)),
  )
  await next(runs, 2)

  // None of them has ended yet.
  expect(runs.map(({ asks }) => asks.join(''))).toEqual(['x', 'abcd', 'efghijkl'])
  for (const run of runs) run.end()
  expect((await Promise.all([...others, ...more])).join('')).toBe('abcdefghijkl')
})

test('has fewer go together where they wait for each other for long', async () => {
  const sizes: number[] = []
  const slow: Shared<Ask, Answer> = {
    most: 8,
    isIdempotent: true,
    statement: async (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      sizes.push(asks.length)
      await Bun.sleep(40 * asks.length)
      return asks
    },
  }
  const gate = createGate(sql, options)
  const eight = () =>
    Promise.all(
      named(...'a b c d e f g h'.split(' ')).map((ask) => outcomeOf(gate.share(slow, ask))),
    )

  await gate.share(slow, { who: 'x' })
  await eight()
  expect(sizes).toEqual([1, 8])
  expect((await eight()).join('')).toBe('abcdefgh')
  expect(Math.max(...sizes.slice(2))).toBeLessThan(4)
})

test('runs what others rolled back again in halves, each ask until it is alone', async () => {
  const sizes: number[] = []
  let left = 3
  const clashing: Shared<Ask, Answer> = {
    most: 8,
    isIdempotent: false,
    claims: ({ who }) => [who],
    statement: async (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      sizes.push(asks.length)
      await tick()
      if (left-- > 0) throw failure('40001')
      return asks.map(({ n, who }) => ({ n, who }))
    },
  }
  const gate = createGate(sql, { ...options, permits: 1 })

  const answers = named('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h').map((ask) =>
    outcomeOf(gate.share(clashing, ask)),
  )

  expect((await Promise.all(answers)).join('')).toBe('abcdefgh')
  expect(sizes[0]).toBe(8)
  expect(Math.max(...sizes.slice(1))).toBeLessThanOrEqual(4)
})

test('gives no row to who has none', async () => {
  const gate = createGate(sql, options)
  const nothing: Shared<Ask, Answer> = {
    most: 4,
    isIdempotent: true,
    statement: async () => [{ n: 1, who: 'b' }],
  }

  expect(await gate.share(nothing, { who: 'a' })).toBeUndefined()
})

test('never has two asks in a statement that claim the same', async () => {
  const pending = statement({ claims: ({ row = '' }) => [row] })
  const { runs } = pending
  const { others } = await behindOne(pending, [
    { who: 'a', row: '1' },
    { who: 'b', row: '2' },
    { who: 'c', row: '1' },
    { who: 'd', row: '1' },
    { who: 'e', row: '2' },
  ])
  for (let index = 1; index < 4; index += 1) (await next(runs, index)).end()

  expect(runs.slice(1).map(({ asks }) => asks)).toEqual([['a', 'b'], ['c', 'e'], ['d']])
  expect(await Promise.all(others)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('never has two statements under way that write for one user', async () => {
  const { runs, shared } = statement({ writes: true, most: 2 })
  const gate = createGate(sql, options)
  const of = (user: string, who: string) =>
    outcomeOf(gate.for(null, user).share(shared, { who, user_id: user }))

  const first = of('alice', 'a')
  const run = await next(runs, 0)
  const others = [of('alice', 'b'), of('bob', 'c'), of('alice', 'd')]
  ;(await next(runs, 1)).end()
  expect(await others[1]).toBe('c')
  run.end()
  ;(await next(runs, 2)).end()

  expect(await Promise.all([first, ...others])).toEqual(['a', 'b', 'c', 'd'])
  expect(runs.map(({ asks }) => asks)).toEqual([['a'], ['c'], ['b', 'd']])
})

test('tells for whom something was written', async () => {
  const written: string[][] = []
  const onWrite = (users: ReadonlySet<string>) => written.push([...users])
  const gate = createGate(sql, { ...options, onWrite })
  const { runs, shared } = statement({ writes: true })
  const reading = statement()

  const asked = ['alice', 'bob'].map((user) =>
    gate.for(null, user).share(shared, { who: user, user_id: user }),
  )
  const read = gate.for(null, 'alice').share(reading.shared, { who: 'alice' })
  ;(await next(reading.runs, 0)).end()
  ;(await next(runs, 0)).end()
  await Promise.all([...asked, read])

  expect(written).toEqual([['alice', 'bob']])
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
  const gate = createGate(sql, options)
  const asks = named('a', 'b', 'c', 'bad', 'e', 'f', 'g', 'h')
  const answers = asks.map((ask) => outcomeOf(gate.share(picky, ask)))

  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'Error: 23514', 'e', 'f', 'g', 'h'])
  expect(sizes.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 4, 4, 8])
})

test('what one of them waits for too long keeps the others no longer: each runs alone', async () => {
  const sizes: number[] = []
  const locked: Shared<Ask, Answer> = {
    most: 8,
    isIdempotent: false,
    statement: async (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      sizes.push(asks.length)
      await tick()
      if (asks.some(({ who }) => who === 'locked')) throw failure('55P03')
      return asks.map(({ n, who }) => ({ n, who }))
    },
  }
  const gate = createGate(sql, options)
  const answers = named('a', 'b', 'locked', 'c').map((ask) => outcomeOf(gate.share(locked, ask)))

  expect(await Promise.all(answers)).toEqual(['a', 'b', 'unavailable: 55P03', 'c'])
  expect(sizes).toEqual([4, 1, 1, 1, 1])
})

test.each([
  ['CONNECTION_CLOSED', true, ['a', 'b']],
  ['CONNECTION_CLOSED', false, Array(2).fill('unavailable: CONNECTION_CLOSED')],
  ['ECONNREFUSED', false, ['a', 'b']],
  ['57014', true, Array(2).fill('unavailable: 57014')],
])('after %s, idempotent: %p, answers %p', async (code, isIdempotent, expected) => {
  const pending = statement({ isIdempotent })
  const { runs } = pending
  const { others } = await behindOne(pending, named('a', 'b'))
  ;(await next(runs, 1)).fail(code)
  if (expected[0] === 'a') (await next(runs, 2)).end()

  expect(await Promise.all(others)).toEqual(expected)
})

test('answers each at its own deadline, and does not run again what nobody waits for', async () => {
  const gate = createGate(sql, { permits: 8, deadline: 60 })
  const pending = statement()
  const { runs } = pending
  const { first, others } = await behindOne(pending, named('a'), gate)
  const second = await next(runs, 1)

  const late = 'unavailable: the database took too long'
  expect(await Promise.all([first, ...others])).toEqual([late, late])
  second.fail('CONNECTION_CLOSED')
  await Bun.sleep(100) // As long as a gate in doubt lets in the next attempt.

  expect(runs.length).toBe(2)
})

test('leaves nobody in a party who is late before there is a connection', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 60 })
  const { runs, shared } = statement({ claims: ({ row = '' }) => [row] })
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise).catch(() => undefined)
  const early = outcomeOf(gate.share(shared, { who: 'a', row: '1' }))
  expect(await early).toBe('unavailable: no connection was free in time')
  await blocked

  const later = outcomeOf(gate.share(shared, { who: 'b', row: '1' }))
  blocker.resolve()
  ;(await next(runs, 0)).end()

  expect(await later).toBe('b')
  expect(runs.map(({ asks }) => asks)).toEqual([['b']])
})

test('refuses with everybody else when too many statements wait', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 1000, room: 1 })
  const { runs, shared } = statement()
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise)
  const first = outcomeOf(gate.share(shared, { who: 'a' }))

  expect(await outcomeOf(gate.share(shared, { who: 'b' }))).toBe(
    'unavailable: too many statements wait',
  )
  blocker.resolve()
  await blocked
  ;(await next(runs, 0)).end()
  expect(await first).toBe('a')
})

test('does not leave with its client when its statement is under way: what that did is known', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 1000 })
  const { runs, shared } = statement()
  const client = new AbortController()
  const first = outcomeOf(gate.for(client).share(shared, { who: 'a' }))
  const { end } = await next(runs, 0)
  const second = outcomeOf(gate.for(client).share(shared, { who: 'b' }))

  client.abort()
  expect(await second).toBe('unavailable: the client went away')
  end()
  expect(await first).toBe('a')
})

test('leaves with its client, and makes room for the next', async () => {
  const gate = createGate(sql, { permits: 1, deadline: 1000, room: 1 })
  const { runs, shared } = statement()
  const blocker = Promise.withResolvers<void>()
  const blocked = gate.read(() => blocker.promise)
  const client = new AbortController()
  const first = outcomeOf(gate.for(client).share(shared, { who: 'a' }))
  const second = outcomeOf(gate.share(shared, { who: 'b' }))

  expect(await second).toBe('unavailable: too many statements wait')
  client.abort()
  expect(await first).toBe('unavailable: the client went away')
  const third = outcomeOf(gate.share(shared, { who: 'c' }))
  blocker.resolve()
  await blocked
  ;(await next(runs, 0)).end()

  expect(await third).toBe('c')
  expect(runs.map(({ asks }) => asks)).toEqual([['c']])
})

test('has a statement put together once for each pool, but for one that is given more than what is asked', async () => {
  let made = 0
  const send = (word: string | null) =>
    sender<{ text: string }>((pool, asked) => {
      made += 1
      const more = word === null ? pool`'every time'` : pool`${word}::text`
      return pool`select 0 as n, ${asked}::text || ' ' || ${more} as text`
    })
  const alone = send(null)
  for (const asked of ['first', 'second', "it's"]) {
    expect([...(await alone(sql, asked))]).toEqual([{ n: 0, text: `${asked} every time` }])
  }
  expect(made).toBe(1)

  const together = send('word')
  for (const asked of ['first', 'second']) {
    expect([...(await together(sql, asked))]).toEqual([{ n: 0, text: `${asked} word` }])
  }
  expect(made).toBe(3)
})
