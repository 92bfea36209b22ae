import { describe, expect, test } from 'bun:test'
import { send, signUp, type TestUser } from '../support/app.ts'
import { expectInvalid, idsOf, list } from '../support/tasks.ts'

const kept = async (user: TestUser) => (await user.send('GET', '/api/filters')).body
const keep = (user: TestUser, body: object) => user.send('POST', '/api/filters', body)
const using = (filter: string) => `?filter=${encodeURIComponent(filter)}`

test('keeps a filter, and says where it is', async () => {
  const alice = await signUp()

  const { status, headers, body } = await keep(alice, {
    name: 'Next up',
    filter: 'p:high or #home',
  })

  expect(status).toBe(201)
  expect(headers.get('location')).toBe(`/api/filters/${body.id}`)
  expect(body).toEqual({
    id: expect.any(String),
    user_id: alice.id,
    name: 'Next up',
    filter: 'p:high or #home',
    created_at: expect.any(String),
    updated_at: body.created_at,
  })
  expect(await kept(alice)).toEqual([body])
  const mine = await alice.send('POST', '/api/me/filters/', { name: 'B', filter: '#b' })
  expect(mine.headers.get('location')).toBe(`/api/me/filters/${mine.body.id}`)
})

test('lists them by name', async () => {
  const alice = await signUp()
  for (const name of ['zebra', 'Éclair', 'apple']) await keep(alice, { name, filter: '#a' })

  expect((await kept(alice)).map(({ name }: { name: string }) => name)).toEqual([
    'apple',
    'Éclair',
    'zebra',
  ])
})

test('keeps it once, by the id of the client', async () => {
  const alice = await signUp()
  const id = crypto.randomUUID()
  const filter = { id: id.toUpperCase(), name: 'A', filter: '#a' }

  const answers = await Promise.all([1, 2, 3].map(() => keep(alice, filter)))

  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(await kept(alice)).toHaveLength(1)
  const other = await keep(alice, { ...filter, name: 'B' })
  expect([other.status, other.body.detail]).toEqual([409, 'You have another filter with this id.'])
})

test('has one of each name, as people read it', async () => {
  const alice = await signUp()
  await keep(alice, { name: 'Café', filter: '#a' })
  const { body: other } = await keep(alice, { name: 'Other', filter: '#b' })

  for (const name of ['Café', 'CAFE', ' café ']) {
    expect((await keep(alice, { name, filter: '#a' })).status).toBe(409)
    expect((await alice.send('PATCH', `/api/filters/${other.id}`, { name })).status).toBe(409)
  }
  expect((await alice.send('PATCH', `/api/filters/${other.id}`, { name: 'OTHER' })).status).toBe(
    200,
  )
  expect(await kept(alice)).toHaveLength(2)
})

test('has one of each name, whoever comes at the same moment', async () => {
  const alice = await signUp()

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => keep(alice, { name: 'One', filter: '#a' })),
  )

  const statuses = answers.map(({ status }) => status)
  expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array(7).fill(409)])
  const { body: other } = await keep(alice, { name: 'Two', filter: '#a' })
  const renamed = await Promise.all(
    [1, 2].map(() => alice.send('PATCH', `/api/filters/${other.id}`, { name: 'One' })),
  )
  expect(renamed.map(({ status }) => status)).toEqual([409, 409])
  expect(await kept(alice)).toHaveLength(2)
})

test('goes with everything else of who leaves', async () => {
  const alice = await signUp()
  await keep(alice, { name: 'One', filter: '#a' })
  await alice.send('PATCH', '/api/me', { time_zone: 'Asia/Tokyo' })

  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect(await kept(alice)).toEqual([])
  expect((await alice.send('GET', '/api/me')).body.time_zone).toBeNull()
})

test('keeps no more than 200', async () => {
  const alice = await signUp()
  for (let n = 0; n < 200; n += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, m) => keep(alice, { name: `${n + m}`, filter: '#a' })),
    )
  }
  const [first] = await kept(alice)

  const { status, body } = await keep(alice, { name: 'one more', filter: '#a' })
  expect([status, body.detail]).toEqual([422, 'You have 200 filters already: delete one first.'])
  // That is there already.
  const { id, name, filter } = first
  expect((await keep(alice, { id, name, filter })).status).toBe(201)
  await alice.send('DELETE', `/api/filters/${id}`)
  expect((await keep(alice, { name: 'one more', filter: '#a' })).status).toBe(201)
})

test('refuses what is no filter, and a name that nobody sees', async () => {
  const alice = await signUp()
  const { body: one } = await keep(alice, { name: 'One', filter: '#a' })

  for (const filter of ['stauts:done', 'a (', ' ', '@One', 'a or (b @One)']) {
    expectInvalid(await keep(alice, { name: 'A', filter }), '/filter')
    expectInvalid(await alice.send('PATCH', `/api/filters/${one.id}`, { filter }), '/filter')
  }
  const { body } = await keep(alice, { name: 'A', filter: 'a stauts:done' })
  expect(body.errors).toEqual([expect.objectContaining({ at: 2, length: 6 })])
  for (const name of ['', ' ', '\u200b', 'x'.repeat(101)]) {
    expectInvalid(await keep(alice, { name, filter: '#a' }), '/name')
  }
  expectInvalid(await alice.send('PATCH', `/api/filters/${one.id}`, { name: null }), '/name')
  expect((await alice.send('PATCH', `/api/filters/${one.id}`, {})).status).toBe(422)
  expect(await kept(alice)).toEqual([one])
})

test('changes what is given, and nothing else', async () => {
  const alice = await signUp()
  const { body: before } = await keep(alice, { name: 'A', filter: '#a' })
  const path = `/api/filters/${before.id}`

  const same = await alice.send('PATCH', path, { name: 'A', filter: '#a' })
  const renamed = await alice.send('PATCH', path, { name: 'B' })
  const changed = await alice.send('PATCH', path, { filter: '#b' })

  expect(same.body).toEqual(before)
  expect(renamed.body).toEqual({ ...before, name: 'B', updated_at: expect.any(String) })
  expect(renamed.body.updated_at > before.updated_at).toBe(true)
  expect(changed.body).toEqual({ ...renamed.body, filter: '#b', updated_at: expect.any(String) })
  expect((await alice.send('DELETE', path)).body).toEqual(changed.body)
  expect((await alice.send('DELETE', path)).status).toBe(404)
  expect((await alice.send('PATCH', path, { name: 'C' })).status).toBe(404)
})

test('knows nothing of the filters of others', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  await alice.create({ tags: ['a'] })
  const { body: hers } = await keep(alice, { name: 'Mine', filter: '#a' })

  const answers = []
  for (const id of [crypto.randomUUID(), hers.id, hers.id.toUpperCase(), 'not-a-uuid']) {
    for (const method of ['PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? { name: 'His' } : undefined
      answers.push((await bob.send(method, `/api/filters/${id}`, body)).text)
    }
    expect((await send('DELETE', `/api/filters/${id}`)).status).toBe(401)
    const named = await bob.send('DELETE', `/api/${alice.id}/filters/${id}`)
    expect(named.status).toBe(403)
  }
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('You have no filter with this id.')
  expectInvalid(await bob.send('GET', `/api/tasks${using('@mine')}`), '/filter')
  // The same name, and the same id, are his own.
  expect((await keep(bob, { id: hers.id, name: 'Mine', filter: '#b' })).status).toBe(201)
  expect(await kept(alice)).toEqual([hers])
  expect(await list(alice, using('@mine'))).toHaveLength(1)
})

describe('by its name', () => {
  test('is used alone, and within another one', async () => {
    const alice = await signUp()
    const both = await alice.create({ tags: ['home'], priority: 'high' })
    const home = await alice.create({ tags: ['home'] })
    const high = await alice.create({ priority: 'high' })
    await keep(alice, { name: 'At Home', filter: '#home or #garden' })
    await keep(alice, { name: 'late', filter: 'is:overdue' })

    expect(idsOf(await list(alice, using('@"at home"')))).toEqual([home.id, both.id])
    expect(idsOf(await list(alice, using('p:high -@"AT HOME"')))).toEqual([high.id])
    expect(idsOf(await list(alice, using('p:high @"at home"')))).toEqual([both.id])
    expect(await list(alice, using('@late'))).toEqual([])
    const { body } = await alice.send('GET', `/api/tasks/count${using('@"at home"')}`)
    expect(body).toEqual({ count: 2 })
  })

  test('means what it says now, to a cursor and an ETag too', async () => {
    const alice = await signUp()
    for (const title of ['a', 'b']) await alice.create({ title, tags: ['x'] })
    const { body: filter } = await keep(alice, { name: 'F', filter: '#x' })
    const first = await alice.send('GET', `/api/tasks${using('@f')}&limit=1`)
    const next = /<(.*)>/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    const etag = first.headers.get('etag') ?? ''
    expect((await alice.send('GET', `/api/tasks${next}`)).status).toBe(200)

    await alice.send('PATCH', `/api/filters/${filter.id}`, { filter: '#x or #y' })

    expectInvalid(await alice.send('GET', `/api/tasks${next}`), '/cursor')
    const again = await alice.send('GET', `/api/tasks${using('@f')}&limit=1`, undefined, {
      'if-none-match': etag,
    })
    expect(again.status).toBe(200)
  })

  test('says where the name is of one that is not there', async () => {
    const alice = await signUp()

    const { body } = await alice.send('GET', `/api/tasks${using('#a @none')}`)

    expect(body.errors).toEqual([
      { pointer: '/filter', detail: 'You have no filter of this name.', at: 3, length: 5 },
    ])
  })
})
