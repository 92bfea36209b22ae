import { expect, test } from 'bun:test'
import { Unavailable } from '../../../src/database/gate/faults.ts'
import { createGate, type GateOptions } from '../../../src/database/gate/gate.ts'
import type { Shared } from '../../../src/database/gate/share.ts'
import { sql } from '../../support/app.ts'
import { clock } from '../../support/clock.ts'

// Who goes first, and who goes together. The statements are functions that settle when they are told to; and as turns are a matter of
// milliseconds, which no machine promises, the tests put the clock forward, and stop it.

const { atOnce, putForward } = clock()

type Ask = { who: string; long?: boolean }
type Run = { asks: string[]; end: () => void }

/** A gate, a shared statement on it, and every run of it or of a statement of its own. */
function start(options: Partial<GateOptions> = {}) {
  const gate = createGate(sql, { permits: 1, deadline: 5000, ...options })
  const runs: Run[] = []
  const begin = <T>(asks: string[], value: T): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>()
    runs.push({ asks, end: () => resolve(value) })
    return promise
  }
  const shared: Shared<Ask, { who: string }> = {
    most: 8,
    isIdempotent: true,
    isLong: ({ long }) => long === true,
    statement: (_sql, asked) => {
      const asks: (Ask & { n: number })[] = JSON.parse(asked)
      return begin(
        asks.map(({ who }) => who),
        asks,
      )
    },
  }
  const of = (user: string) => gate.for(new Request('http://localhost/'), user)
  return {
    gate,
    runs,
    shared,
    read: (user: string, name = user) =>
      outcomeOf(of(user).read(() => begin([name], { who: name }))),
    share: (user: string, ask: Ask) => outcomeOf(of(user).share(shared, ask)),
  }
}

const outcomeOf = (promise: Promise<{ who: string } | undefined>): Promise<string> =>
  promise.then(
    (row) => row?.who ?? 'nothing',
    (error: unknown) => (error instanceof Unavailable ? error.message : String(error)),
  )

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1)
}

/** Ends every run as soon as it begins, and gives the order in which they began. */
async function drain(runs: Run[], count: number): Promise<string[][]> {
  for (let index = 0; index < count; index += 1) {
    await until(() => runs[index] !== undefined)
    runs[index]?.end()
  }
  return runs.map(({ asks }) => asks)
}

/** Has a user known as one whose asks take long. */
async function slow({ gate, read, runs }: ReturnType<typeof start>, user: string): Promise<void> {
  const before = runs.length
  await gate.read(async () => 'at once')
  const answered = read(user, 'slow')
  await until(() => runs.length > before)
  putForward(900)
  runs.at(-1)?.end()
  await answered
}

test('a newcomer goes before what somebody else has waiting', async () => {
  const { read, runs } = start()
  const { many, one } = await atOnce(() => ({
    many: Array.from({ length: 6 }, (_, index) => read('mallory', `m${index}`)),
    one: read('alice', 'a'),
  }))

  const order = (await drain(runs, 7)).flat()

  expect(order.indexOf('a')).toBeLessThanOrEqual(3)
  expect(await Promise.all([one, ...many])).toEqual(['a', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5'])
})

test('who has had much waits behind those who have had less, also when he came first', async () => {
  const all = start()
  const { read, runs } = all
  await slow(all, 'mallory')
  const before = runs.length
  const [blocker, ...answers] = await atOnce(() => [
    read('carol', 'c'),
    read('mallory', 'm'),
    read('alice', 'a'),
    read('bob', 'b'),
  ])

  const order = (await drain(runs, before + 4)).flat().slice(before)

  expect(order).toEqual(['c', 'a', 'b', 'm'])
  await Promise.all([blocker, ...answers])
})

test('who is alone does not wait, however much he has had', async () => {
  const all = start()
  await slow(all, 'mallory')
  const again = all.read('mallory', 'again')
  await until(() => all.runs.length === 2)
  all.runs[1]?.end()

  expect(await again).toBe('again')
})

test.each([
  [1, 1],
  [3, 2],
  [8, 5],
])('of %d statements at a time a user has %d at most', async (permits, share) => {
  const { read, runs } = start({ permits })
  const his = Array.from({ length: 9 }, () => read('mallory'))
  const others = Array.from({ length: permits }, (_, index) => read(`other ${index}`))
  await until(() => runs.length >= permits)

  expect(runs.filter(({ asks }) => asks.includes('mallory')).length).toBe(share)
  expect(runs.length).toBe(permits)
  await drain(runs, 9 + permits)
  await Promise.all([...his, ...others])
})

test('nor is he in more of them by sharing', async () => {
  const { share, read, runs, shared } = start({ permits: 3 })
  const first = [read('mallory', 'x'), read('mallory', 'y')]
  const later = [share('mallory', { who: 'm' }), share('alice', { who: 'a' })]
  await until(() => runs.length === 3)

  expect(runs[2]?.asks).toEqual(['a'])
  expect(shared.most).toBe(8)
  await drain(runs, 4)
  await Promise.all([...first, ...later])
})

test('when too many wait, it is the one with the most who is refused', async () => {
  const { read, runs } = start({ room: 4 })
  const { blocker, his, fifth, one } = await atOnce(() => ({
    blocker: read('carol'),
    his: Array.from({ length: 4 }, (_, index) => read('mallory', `m${index}`)),
    fifth: read('mallory', 'm4'),
    one: read('alice', 'a'),
  }))
  await drain(runs, 5)

  expect(await fifth).toBe('too many statements wait')
  expect(await Promise.all(his)).toEqual(['m0', 'm1', 'm2', 'too many statements wait'])
  expect(await Promise.all([one, blocker])).toEqual(['a', 'carol'])
})

test('an ask that may take long is in a statement of its own', async () => {
  const { share, runs } = start({ permits: 8 })
  const answers = ['a', 'b', 'c', 'd'].map((who) =>
    share(who, { who, ...(who === 'b' ? { long: true } : {}) }),
  )
  await until(() => runs.flatMap(({ asks }) => asks).length === 4)

  expect(runs.map(({ asks }) => asks.join('')).toSorted()).toEqual(['acd', 'b'])
  await drain(runs, 2)
  expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd'])
})

test('nothing more that takes long is begun for a client that is gone', async () => {
  const { gate, runs, shared } = start()
  const client = new AbortController()
  const ask = (who: string, long: boolean) =>
    outcomeOf(gate.for(client, 'mallory').share(shared, { who, ...(long ? { long } : {}) }))
  client.abort()

  expect(await ask('slice', true)).toBe('the client went away')
  expect(runs).toEqual([])
  // Another one is not worth the look.
  const other = ask('a', false)
  await drain(runs, 1)
  expect(await other).toBe('a')
})

test('no more than half of the statements take long, however many want one', async () => {
  const { share, runs } = start({ permits: 4 })
  const long = ['a', 'b', 'c', 'd'].map((who) => share(who, { who, long: true }))
  await until(() => runs.length === 2)
  const quick = share('e', { who: 'e' })
  await until(() => runs.length === 3)

  expect(runs.map(({ asks }) => asks.join(''))).toEqual(['a', 'b', 'e'])
  await drain(runs, 5)
  expect(await Promise.all([...long, quick])).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('who took long of late is not in a statement with others', async () => {
  const all = start({ permits: 1 })
  const { share, runs } = all
  await slow(all, 'mallory')
  const before = runs.length
  const answers = await atOnce(() => ['mallory', 'alice', 'bob'].map((who) => share(who, { who })))

  const order = (await drain(runs, before + 2)).slice(before)

  expect(order).toEqual([['alice', 'bob'], ['mallory']])
  await Promise.all(answers)
})

test('tells what each user has had: of a shared statement by the length of the answers', async () => {
  const costs = new Map<string, number>()
  const onCost = (user: string, ms: number) => costs.set(user, (costs.get(user) ?? 0) + ms)
  const gate = createGate(sql, { permits: 1, deadline: 5000, onCost })
  const shared: Shared<{ size: number }, { text: string }> = {
    most: 8,
    isIdempotent: true,
    statement: async (_sql, asked) => {
      await Bun.sleep(100)
      const asks: { n: number; size: number }[] = JSON.parse(asked)
      return asks.map(({ n, size }) => ({ n, text: 'x'.repeat(size) }))
    },
  }
  await gate.read(async () => 'at once')

  await Promise.all([
    gate.for(new Request('http://localhost/'), 'alice').share(shared, { size: 9000 }),
    gate.for(new Request('http://localhost/'), 'mallory').share(shared, { size: 89_000 }),
  ])

  const [alice = 0, mallory = 0] = ['alice', 'mallory'].map((user) => costs.get(user))
  expect(mallory / alice).toBeCloseTo(9, 1)
  expect(alice + mallory).toBeGreaterThan(90)
})

test('what ran out of time has cost its time', async () => {
  let cost = 0
  const gate = createGate(sql, {
    permits: 1,
    deadline: 5000,
    onCost: (_user, ms) => {
      cost += ms
    },
  })
  await gate.read(async () => 'at once')

  const late = gate.for(new Request('http://localhost/'), 'mallory').read(async () => {
    await Bun.sleep(50)
    throw Object.assign(new Error('canceled'), { code: '57014' })
  })

  expect(await outcomeOf(late)).toBe('57014')
  expect(cost).toBeGreaterThan(40)
})
