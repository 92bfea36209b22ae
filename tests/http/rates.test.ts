import { expect, test } from 'bun:test'
import { countRequest } from '../../src/database/rates.ts'
import { memoryRates, type Rates, sharedRates } from '../../src/http/rates.ts'
import { createTestApp, db, sign, sql } from '../support/app.ts'

const unlimited = memoryRates(1_000_000)

async function ask(
  app: ReturnType<typeof createTestApp>,
  authorization: string,
  headers: Record<string, string> = {},
) {
  return app.handle(
    new Request('http://localhost/api/tasks', { headers: { authorization, ...headers } }),
  )
}

const tokenOf = async (id: string) => `Bearer ${await sign({ sub: id })}`

test('lets a minute of requests come at once, and then as many as the time allows', () => {
  let now = 0
  const rates = memoryRates(60, () => now)
  const take = () => {
    const quota = rates.count('alice')
    if (quota instanceof Promise) throw new Error('expected an answer at once')
    return quota
  }

  for (let left = 59; left >= 0; left -= 1) {
    expect(take()).toMatchObject({ allowed: true, remaining: left, retry: 0 })
  }
  expect(take()).toMatchObject({ allowed: false, remaining: 0, retry: 1, reset: 60 })
  now = 999
  expect(take()).toMatchObject({ allowed: false, retry: 1 })
  now = 1000
  expect(take()).toMatchObject({ allowed: true, remaining: 0 })
  now = 31_000
  expect(take()).toMatchObject({ allowed: true, remaining: 29 })
  expect(rates.count('bob')).toMatchObject({ allowed: true, remaining: 59 })
})

test('forgets who owes nothing before anybody who does', () => {
  let now = 0
  const rates = memoryRates(60, () => now)
  for (let times = 0; times < 60; times += 1) void rates.count('alice')
  for (let other = 0; other < 99_999; other += 1) void rates.count(`other ${other}`)
  now = 1000
  // There are as many as are remembered: one more makes room.
  void rates.count('bob')
  expect(rates.count('alice')).toMatchObject({ allowed: true, remaining: 0 })
  expect(rates.count('alice')).toMatchObject({ allowed: false })
})

test('remembers no more than it can, though all of them owe', () => {
  const rates = memoryRates(1, () => 0)
  for (let one = 0; one < 100_001; one += 1) void rates.count(`${one}`)
  // The oldest went, and the last did not.
  expect(rates.count('0')).toMatchObject({ allowed: true })
  expect(rates.count('100000')).toMatchObject({ allowed: false })
  expect(rates.count('50000')).toMatchObject({ allowed: false })
})

/** What an answer at once says. */
function takeOf(rates: Rates, key = 'alice') {
  const quota = rates.count(key)
  if (quota instanceof Promise) throw new Error('expected an answer at once')
  return quota
}

test('charges the time of the database that requests do not pay for', () => {
  const rates = memoryRates(60, () => 0)
  for (let times = 0; times < 20; times += 1) takeOf(rates)

  for (let times = 0; times < 20; times += 1) rates.charge('alice', 9.5)
  expect(takeOf(rates)).toMatchObject({ remaining: 39, reset: 21 })
  rates.charge('alice', 20)
  expect(takeOf(rates)).toMatchObject({ remaining: 38 })
  rates.charge('alice', 40)
  // 250 ms in all, for 22 requests and this one.
  expect(takeOf(rates)).toMatchObject({ remaining: 34, reset: 26 })
  expect(takeOf(rates, 'bob')).toMatchObject({ remaining: 59 })
})

test('lets a user have a fifth of the time of one connection, whatever the requests are', () => {
  let now = 0
  const rates = memoryRates(1200, () => now)
  for (const milliseconds of [15, 447, 4900]) {
    const user = `asks for ${milliseconds} ms`
    const began = now
    let used = 0
    while (now - began < 600_000) {
      if (takeOf(rates, user).allowed) {
        used += milliseconds
        rates.charge(user, milliseconds)
      }
      now += 50
    }

    // Ten minutes, what may come at once, and the last one.
    expect(used).toBeLessThanOrEqual(11 * 12_000 + milliseconds)
    expect(used).toBeGreaterThan(10 * 12_000)
  }
})

test('has nobody wait for longer than a minute, whatever was charged', () => {
  let now = 0
  const rates = memoryRates(600, () => now)
  for (let times = 0; times < 100; times += 1) rates.charge('alice', 30_000)

  expect(takeOf(rates)).toMatchObject({ allowed: false, remaining: 0, retry: 60 })
  now = 60_000
  expect(takeOf(rates)).toMatchObject({ allowed: true, remaining: 0 })
  now = 180_000
  expect(takeOf(rates)).toMatchObject({ allowed: true, remaining: 599 })
})

test('charges in the database with the next request, once, to all who share it', async () => {
  const make = () =>
    sharedRates(
      'user',
      60,
      (key, cost) => countRequest(db, key, cost),
      () => 0,
    )
  const [here, there] = [make(), make()]
  const key = crypto.randomUUID()
  await here.count(key)

  here.charge(key, 110)
  const together = await Promise.all(Array.from({ length: 5 }, async () => here.count(key)))
  const elsewhere = await there.count(key)

  // One, ten more that the first did not pay for, five, and one.
  expect(Math.min(...together.map(({ remaining }) => remaining))).toBe(44)
  expect(elsewhere).toMatchObject({ allowed: true, remaining: 43 })
})

test('keeps what is owed where a request was refused in the database', async () => {
  const rates = sharedRates(
    'user',
    60,
    (key, cost) => countRequest(db, key, cost),
    () => 0,
  )
  const key = crypto.randomUUID()
  for (let times = 0; times < 30; times += 1) await rates.count(key)

  rates.charge(key, 30 * 10 + 10 * 55)
  const refused = [await rates.count(key), await rates.count(key)]
  await sql`
    update docket.rate_limits
    set settled_at = settled_at - interval '26 seconds'
    where key = ${`user ${key}`}`

  for (const quota of refused) expect(quota).toMatchObject({ allowed: false, remaining: 0 })
  expect(refused.map(({ retry }) => retry)).toEqual([26, 26])
  expect(await rates.count(key)).toMatchObject({ allowed: true, remaining: 0 })
})

test('has each instance count for itself while the database cannot be written to', async () => {
  const raise = (code: string) => `do $$ begin raise exception using errcode = '${code}'; end $$`
  const full = () => db.write((pool) => pool.unsafe<never[]>(raise('53100')))
  const rates = sharedRates(
    'user',
    3,
    async () => (await full())[0],
    () => 0,
  )

  const counted = [1, 2, 3, 4].map(async () => rates.count('alice'))

  expect(
    (await Promise.all(counted)).map(({ allowed, remaining }) => [allowed, remaining]),
  ).toEqual([
    [true, 2],
    [true, 1],
    [true, 0],
    [false, 0],
  ])
  const broken = sharedRates('user', 3, () => Promise.reject(new Error('broken')))
  expect(broken.count('alice')).rejects.toThrow('broken')
})

const stores: [string, (limit: number) => Rates][] = [
  ['memory', (limit) => memoryRates(limit)],
  [
    'the database',
    (limit) => sharedRates('user', limit, (key, cost) => countRequest(db, key, cost)),
  ],
]

test.each(stores)(
  'answers 429 with RateLimit and Retry-After, counted in %s',
  async (_where, make) => {
    const app = createTestApp({
      rates: { users: make(5), failures: unlimited, calendars: unlimited },
    })
    const [alice, bob] = [await tokenOf(crypto.randomUUID()), await tokenOf(crypto.randomUUID())]

    const answers = []
    for (let index = 0; index < 7; index += 1) answers.push(await ask(app, alice))
    const [first, , , , , sixth] = answers

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429])
    expect(first?.headers.get('ratelimit-policy')).toBe('"user";q=5;w=60')
    expect(first?.headers.get('ratelimit')).toBe('"user";r=4;t=12')
    expect(sixth?.headers.get('ratelimit')).toMatch(/^"user";r=0;t=\d+$/)
    expect(sixth?.headers.get('content-type')).toBe('application/problem+json')
    const seconds = Number(sixth?.headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(12)
    expect(await sixth?.json()).toMatchObject({ status: 429, code: 'rate_limited' })
    expect((await ask(app, bob)).status).toBe(200)
  },
)

test.each(stores)(
  'lets through no more than the limit of what comes at once, in %s',
  async (_where, make) => {
    const rates = make(20)
    const key = crypto.randomUUID()
    await rates.count(key)

    const quotas = await Promise.all(Array.from({ length: 60 }, async () => rates.count(key)))

    expect(quotas.filter(({ allowed }) => allowed).length).toBe(19)
  },
)

test.each(['2 minutes', '1 hour', '30 days'])(
  'a clock of the database that goes back by %s keeps nobody out',
  async (jump) => {
    const id = crypto.randomUUID()
    const rates = sharedRates('user', 5, (key, cost) => countRequest(db, key, cost))
    const app = createTestApp({
      rates: { users: rates, failures: unlimited, calendars: unlimited },
    })
    const alice = await tokenOf(id)
    for (let index = 0; index < 6; index += 1) await ask(app, alice)
    // What it looks like then: all that was written is in the future.
    await sql`update docket.rate_limits set settled_at = settled_at + ${jump}::interval where key = ${`user ${id}`}`

    const answers = []
    for (let index = 0; index < 6; index += 1) answers.push(await ask(app, alice))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429])
    expect(Number(answers[5]?.headers.get('retry-after'))).toBeLessThanOrEqual(12)
  },
)

test('removes who owes nothing from the database, a few at a time', async () => {
  await sql`
    insert into docket.rate_limits (key, settled_at)
    select 'user old ' || n, now() - interval '1 hour'
    from generate_series(1, 6) as n`

  for (let index = 0; index < 2; index += 1)
    await countRequest(db, `user ${crypto.randomUUID()}`, 1)

  const left = await sql<
    { key: string }[]
  >`select key from docket.rate_limits where key like 'user old %'`
  expect(left.length).toBe(0)
})

test('counts failed sign-ins by address, and keeps out nobody who has a token', async () => {
  const app = createTestApp({
    rates: { users: unlimited, failures: memoryRates(3), calendars: unlimited },
    trustProxy: 1,
  })
  const alice = await tokenOf(crypto.randomUUID())
  const here = { 'x-forwarded-for': '203.0.113.7' }

  const statuses = []
  for (let index = 0; index < 5; index += 1) {
    statuses.push((await ask(app, 'Bearer x.y.z', here)).status)
  }

  expect(statuses).toEqual([401, 401, 401, 429, 429])
  expect((await ask(app, alice, here)).status).toBe(200)
  expect((await ask(app, 'Bearer x.y.z', { 'x-forwarded-for': '203.0.113.8' })).status).toBe(401)
})

test('is not deceived by an X-Forwarded-For that the client wrote', async () => {
  for (const [trustProxy, forge] of [
    [0, (index: number) => `198.51.100.${index}`],
    [1, (index: number) => `198.51.100.${index}, 203.0.113.7`],
    [2, (index: number) => `198.51.100.${index}, 203.0.113.7, 10.0.0.1`],
  ] as const) {
    const app = createTestApp({
      rates: { users: unlimited, failures: memoryRates(3), calendars: unlimited },
      trustProxy,
    })

    const statuses = []
    for (let index = 0; index < 5; index += 1) {
      statuses.push((await ask(app, 'Bearer x.y.z', { 'x-forwarded-for': forge(index) })).status)
    }

    expect(statuses).toEqual([401, 401, 401, 429, 429])
  }
})
