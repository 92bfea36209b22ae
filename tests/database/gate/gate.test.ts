import { expect, test } from 'bun:test'
import type { Sql } from '../../../src/database/connect.ts'
import { ReadOnly, Unavailable } from '../../../src/database/gate/faults.ts'
import { createGate } from '../../../src/database/gate/gate.ts'
import type { Pool } from '../../../src/database/gate/pool.ts'
import { sql } from '../../support/app.ts'
import { clock } from '../../support/clock.ts'

// The statements are functions that settle when they are told to: the gate does not look into them.

const options = { permits: 2, deadline: 1000, room: 3 }
const { atOnce, putForward } = clock()

/** Statements that run until they are ended. */
function ledger() {
  const running: { end: (error?: Error) => void }[] = []
  const statement = () => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    running.push({ end: (error) => (error ? reject(error) : resolve('done')) })
    return promise
  }
  return { running, statement }
}

const failure = (code: string) => Object.assign(new Error(code), { code })
const tick = () => Bun.sleep(1)

/** Lets everything happen that can before the first timer. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n += 1) await Promise.resolve()
}

const reasonOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) =>
      error instanceof Unavailable ? `unavailable: ${error.message}` : String(error),
  )

/** Fails with each of the codes, one an attempt, then succeeds. */
function failing(...codes: string[]) {
  let attempts = 0
  return {
    attempts: () => attempts,
    statement: async () => {
      const code = codes[attempts++]
      if (code !== undefined) throw failure(code)
      return 'done'
    },
  }
}

test('runs as many statements as there are permits, and the others after them in order', async () => {
  const gate = createGate(sql, options)
  const { running, statement } = ledger()
  const ended: number[] = []

  const all = [0, 1, 2, 3].map(async (index) => {
    await gate.read(statement)
    ended.push(index)
  })
  await tick()
  expect(running.length).toBe(2)
  for (const index of [0, 1, 2, 3]) {
    running[index]?.end()
    await tick()
  }
  await Promise.all(all)

  expect(ended).toEqual([0, 1, 2, 3])
})

/** What an attempt gives that nothing has held up: a statement that has been under way for 25 ms is a slow one. */
async function undisturbed<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    const began = performance.now()
    const made = await attempt()
    if (performance.now() - began < 20) return made
  }
}

test('has few at a time in a database that is near, and more when they take long', async () => {
  const { first, next, running, all } = await undisturbed(async () => {
    const gate = createGate(sql, { ...options, permits: 8 })
    const { running: started, statement } = ledger()
    for (let n = 0; n < 10; n += 1) await gate.read(async () => 'at once')

    const settled = Promise.allSettled(Array.from({ length: 6 }, () => gate.read(statement)))
    await settle()
    const before = started.length
    started[0]?.end()
    await settle()
    return { first: before, next: started.length, running: started, all: settled }
  })
  expect([first, next]).toEqual([3, 4])

  while (running.length < 6) await tick()
  for (const { end } of running) end()
  await all
})

test('has as many at a time as there are permits in a database that is far', async () => {
  const gate = createGate(sql, { ...options, permits: 8 })
  const { running, statement } = ledger()
  const all = Array.from({ length: 8 }, () => gate.read(statement))
  await Bun.sleep(10)
  for (const { end } of running) end()
  await Promise.all(all)

  const more = Array.from({ length: 8 }, () => gate.read(statement))
  await settle()

  expect(running.length).toBe(16)
  for (const { end } of running) end()
  await Promise.all(more)
})

test('refuses at once when the room is full', async () => {
  const gate = createGate(sql, options)
  const { running, statement } = ledger()
  const inside = Array.from({ length: 5 }, () => gate.read(statement))

  expect(await reasonOf(gate.read(statement))).toBe('unavailable: too many statements wait')

  for (let index = 0; index < 5; index += 1) {
    await tick()
    running[index]?.end()
  }
  expect(await Promise.all(inside)).toEqual(Array(5).fill('done'))
})

test('answers at the deadline, waiting or running, and keeps the permit until the statement is over', async () => {
  const gate = createGate(sql, { ...options, permits: 1, deadline: 50 })
  const { running, statement } = ledger()

  const reasons = await Promise.all([
    reasonOf(gate.read(statement)),
    reasonOf(gate.read(statement)),
  ])
  expect(reasons).toEqual([
    'unavailable: the database took too long',
    'unavailable: no connection was free in time',
  ])

  const next = gate.read(statement)
  await tick()
  expect(running.length).toBe(1)
  running[0]?.end()
  await tick()
  running[1]?.end()
  expect(await next).toBe('done')
})

test('shares one deadline among the statements of a request', async () => {
  const gate = createGate(sql, { ...options, deadline: 500 })
  const { running, statement } = ledger()
  const { db, second } = await atOnce(async () => {
    const way = gate.for(new Request('http://localhost/'))
    await way.read(async () => putForward(450))
    return { db: way, second: reasonOf(way.read(statement)) }
  })

  expect(await second).toContain('too long')
  expect(running.length).toBe(1)
  expect(await reasonOf(db.read(async () => 'done'))).toContain('the deadline has passed')
})

test('gives the place of a client that went away to the next one', async () => {
  const gate = createGate(sql, { ...options, permits: 1, room: 1 })
  const { running, statement } = ledger()
  const client = new AbortController()
  const first = gate.read(statement)
  const second = reasonOf(gate.for(client).read(statement))

  client.abort()
  expect(await second).toBe('unavailable: the client went away')
  const third = gate.read(statement)
  running[0]?.end()
  await tick()
  running[1]?.end()

  expect(await Promise.all([first, third])).toEqual(['done', 'done'])
  expect(await reasonOf(gate.for(client).read(async () => 'done'))).toBe('no error')
  expect(running.length).toBe(2)
})

test.each(['ECONNREFUSED', 'CONNECT_TIMEOUT', 'CONNECT_CLOSED', '57P03', '53300', 'ENOTFOUND'])(
  'runs anything again after %s: it did not run',
  async (code) => {
    for (const kind of ['read', 'write', 'idempotentWrite'] as const) {
      const { statement, attempts } = failing(code, code)

      expect(await createGate(sql, options)[kind](statement)).toBe('done')
      expect(attempts()).toBe(3)
    }
  },
)

test.each(['CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '08006', '08P01'])(
  'runs what is idempotent again after %s, and nothing else',
  async (code) => {
    for (const kind of ['read', 'idempotentWrite'] as const) {
      expect(await createGate(sql, options)[kind](failing(code).statement)).toBe('done')
    }
    const { statement, attempts } = failing(code)

    expect(await reasonOf(createGate(sql, options).write(statement))).toBe(`unavailable: ${code}`)
    expect(attempts()).toBe(1)
  },
)

test.each(['57014', 'QUERY_TIMEOUT', '53100', '53200', '53400', '55P03', '58030'])(
  'runs nothing again after %s: it would fare no better',
  async (code) => {
    for (const kind of ['read', 'write', 'idempotentWrite'] as const) {
      const { statement, attempts } = failing(code)

      expect(await reasonOf(createGate(sql, options)[kind](statement))).toBe(`unavailable: ${code}`)
      expect(attempts()).toBe(1)
    }
  },
)

test.each(['40001', '40P01', '26000', '42P05', '72000'])(
  'runs anything again a moment after %s: it was rolled back',
  async (code) => {
    for (const kind of ['read', 'write', 'idempotentWrite'] as const) {
      const { statement, attempts } = failing(code, code, code)

      expect(await createGate(sql, options)[kind](statement)).toBe('done')
      expect(attempts()).toBe(4)
    }
  },
)

test('gives up at the deadline what others roll back all the time, with what it was', async () => {
  const gate = createGate(sql, { ...options, deadline: 200 })
  let attempts = 0
  const statement = async () => {
    attempts += 1
    throw failure('40001')
  }

  const error = await gate.write(statement).catch((thrown: unknown) => thrown)

  expect(error).toBeInstanceOf(Unavailable)
  expect(error).toMatchObject({ cause: { code: '40001' } })
  // In pauses that grow: not as fast as it can.
  expect(attempts).toBeGreaterThan(2)
  expect(attempts).toBeLessThan(40)
})

test('says so too when it runs once more at that moment, but not of what can no longer be why', async () => {
  const causeAfter = async (code: string) => {
    const gate = createGate(sql, { ...options, deadline: 300 })
    const { running, statement } = ledger()
    const error = gate.idempotentWrite(statement).catch((thrown: unknown) => thrown)
    running[0]?.end(failure(code))
    const thrown = await error
    expect(running.length).toBe(2)
    expect(thrown).toMatchObject({ message: 'the database took too long' })
    return (thrown as Unavailable).cause
  }

  expect(await causeAfter('40001')).toMatchObject({ code: '40001' })
  expect(await causeAfter('57P01')).toBeUndefined()
})

test.each(['23505', '42P01', 'UNDEFINED_VALUE'])(
  'hands %s on as it is: the connection is not at fault',
  async (code) => {
    const { statement, attempts } = failing(code)

    expect(await reasonOf(createGate(sql, options).read(statement))).toBe(`Error: ${code}`)
    expect(attempts()).toBe(1)
  },
)

test('gives the permit back when a statement cannot even be made', async () => {
  const gate = createGate(sql, { ...options, permits: 1 })
  const broken = () => {
    throw new Error('broken')
  }

  expect(await reasonOf(gate.read(broken))).toBe('Error: broken')
  expect(await gate.read(async () => 'done')).toBe('done')
})

test('asks a database that is down now and then, however many wait for it', async () => {
  const gate = createGate(sql, { permits: 8, deadline: 1500, room: 64 })
  let attempts = 0
  const statement = async () => {
    attempts += 1
    throw failure('ECONNREFUSED')
  }

  const reasons = await Promise.all(
    Array.from({ length: 32 }, () => reasonOf(gate.read(statement))),
  )

  expect(new Set(reasons)).toEqual(new Set(['unavailable: no connection was free in time']))
  // Eight at once, one after 10 to 20 ms, 30 to 60, 90 to 180, and then one each 250 to 500.
  expect(attempts).toBeGreaterThanOrEqual(8 + 4)
  expect(attempts).toBeLessThanOrEqual(8 + 9)
})

test('lets everybody in as soon as the database is back', async () => {
  const gate = createGate(sql, { permits: 2, deadline: 5000 })
  let down = true
  const statement = async () => {
    if (down) throw failure('ECONNREFUSED')
    return performance.now()
  }

  const waiting = Array.from({ length: 20 }, () => gate.read(statement))
  await Bun.sleep(500)
  expect(gate.seen().reachable).toBe(false)
  down = false
  const back = performance.now()
  const ended = await Promise.all(waiting)

  expect(Math.max(...ended) - back).toBeLessThan(1000)
  expect(gate.seen().reachable).toBe(true)
})

/** A pool whose server takes no writes until it is said to, and what was looked for. */
function readOnlyPool() {
  const state = { isReadOnly: true, looks: 0, writes: 0 }
  const servers = [sql, Object.assign(() => {}, sql)] as const
  let at: 0 | 1 = 0
  const pool: Pool = {
    sql: () => servers[at],
    look: async () => {
      state.looks += 1
      await tick()
      if (state.isReadOnly) return 'read_only'
      at = 1
      return 'writable'
    },
    hasOthers: false,
  }
  const write = async (on: Sql) => {
    state.writes += 1
    if (on === servers[0]) throw failure('25006')
    return 'written'
  }
  return { pool, state, write }
}

test('has a write that a server refuses go where one takes it, at once', async () => {
  const { pool, state, write } = readOnlyPool()
  const gate = createGate(pool, options)
  state.isReadOnly = false

  expect(await gate.write(write)).toBe('written')

  expect(state).toMatchObject({ looks: 1, writes: 2 })
  expect(gate.seen()).toMatchObject({ reachable: true, readOnly: false })
})

test('refuses writes at once while no server takes them, and has reads go on', async () => {
  const { pool, state, write } = readOnlyPool()
  const gate = createGate(pool, options)

  const first = await gate.write(write).catch((error: unknown) => error)
  expect(first).toBeInstanceOf(Unavailable)
  expect(first).toMatchObject({ cause: { code: '25006' } })
  for (const kind of ['write', 'idempotentWrite'] as const) {
    expect(await gate[kind](write).catch((error: unknown) => error)).toBeInstanceOf(ReadOnly)
  }
  expect(await gate.read(async () => 'read')).toBe('read')

  expect(state).toMatchObject({ looks: 1, writes: 1 })
  expect(gate.seen()).toMatchObject({ reachable: true, readOnly: true })
})

test('looks again where writes are taken before long, once for all who ask', async () => {
  const { pool, state, write } = readOnlyPool()
  const gate = createGate(pool, { ...options, room: 64 })
  await gate.write(write).catch(() => {})
  state.isReadOnly = false

  while ((await gate.write(write).catch(() => 'refused')) === 'refused') await tick()
  const all = await Promise.all(Array.from({ length: 8 }, () => gate.write(write)))

  expect(all).toEqual(Array(8).fill('written'))
  expect(state).toMatchObject({ looks: 2, writes: 1 + 9 })
})

test('learns from whoever asks the server, and looks by itself where only reads are wanted', async () => {
  const { pool, state } = readOnlyPool()
  const gate = createGate(pool, options)

  expect(await gate.learn(false)).toBe(false)
  expect(gate.seen().readOnly).toBe(true)
  state.isReadOnly = false
  while (gate.seen().readOnly) {
    expect(await gate.read(async () => 'read')).toBe('read')
    await tick()
  }

  expect(state.looks).toBe(2)
})

test('does not go on for ever where a server takes writes, and refuses them', async () => {
  const { pool, state } = readOnlyPool()
  state.isReadOnly = false
  const { statement, attempts } = failing('25006', '25006', '25006')

  expect(await reasonOf(createGate(pool, options).write(statement))).toBe(
    'unavailable: the database takes no writes',
  )
  expect(attempts()).toBe(2)
})
