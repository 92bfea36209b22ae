import { describe, expect, test } from 'bun:test'
import { signUp, type TestUser } from '../support/app.ts'
import {
  expectInvalid,
  idsOf,
  insertEqualTasks,
  list,
  naughtyTags,
  titles,
} from '../support/tasks.ts'

/** A user with one task for each of these, created in this order. */
async function signUpWith(...tasks: Record<string, unknown>[]): Promise<TestUser> {
  const user = await signUp()
  for (const task of tasks) await user.create(task)
  return user
}

/** Titles in any order. */
const filtered = async (user: TestUser, query: string) => (await titles(user, query)).toSorted()

const tagged = (tags: string[]) =>
  `?${tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')}`

test.each(['/api/tasks', '/api/tasks/', '/api/tasks?', '/api/me/tasks'])(
  'answers a bare array at %s',
  async (path) => {
    const alice = await signUp()
    const task = await alice.create()

    const { status, headers, body } = await alice.send('GET', path)

    expect(status).toBe(200)
    expect(headers.get('content-type')).toStartWith('application/json')
    expect(body).toEqual([task])
  },
)

test('is empty for somebody who has never written', async () => {
  const alice = await signUp()

  const { status, text } = await alice.send('GET', '/api/tasks')

  expect(status).toBe(200)
  expect(text).toBe('[]')
})

test('never shows the tasks of somebody else', async () => {
  const alice = await signUpWith({ title: 'Of Alice', tags: ['home'], priority: 'high' })
  const bob = await signUpWith({ title: 'Of Bob', tags: ['home'], priority: 'high' })
  const trashed = await bob.create()
  await bob.send('DELETE', `/api/tasks/${trashed.id}`)

  for (const query of [
    '',
    '?tag=home',
    '?priority=high',
    '?q=Of',
    '?sort=title',
    '?status=pending',
  ]) {
    expect(await titles(alice, query)).toEqual(['Of Alice'])
  }
  expect(await list(alice, '?deleted=true')).toEqual([])
})

test('lists the trash with deleted=true, filtered and sorted like any list', async () => {
  const alice = await signUp()
  for (const [title, priority] of [
    ['B', 'low'],
    ['A', 'high'],
    ['C', 'high'],
  ]) {
    const { id } = await alice.create({ title, priority })
    await alice.send('DELETE', `/api/tasks/${id}`)
  }
  await alice.create({ title: 'Not in the trash', priority: 'high' })

  expect(await titles(alice, '?deleted=true&sort=title')).toEqual(['A', 'B', 'C'])
  expect(await titles(alice, '?deleted=true&sort=title&priority=high')).toEqual(['A', 'C'])
  expect(await titles(alice, '?deleted=true&sort=title&q=a')).toEqual(['A'])
})

describe('filters', () => {
  test.each([
    ['', ['Done', 'Open']],
    ['?status=all', ['Done', 'Open']],
    ['?status=pending', ['Open']],
    ['?status=completed', ['Done']],
  ])('by status: %s', async (query, expected) => {
    const alice = await signUpWith({ title: 'Open' }, { title: 'Done', completed: true })

    expect(await filtered(alice, query)).toEqual(expected)
  })

  test.each([
    ['?priority=high', ['high']],
    ['?priority=high,medium', ['high', 'medium']],
    ['?priority=high&priority=medium', ['high', 'medium']],
    ['?priority=high,low&priority=none', ['high', 'low', 'none']],
    ['?priority=high%2Clow', ['high', 'low']],
    ['?priority=low,low', ['low']],
  ])('by priority: %s', async (query, expected) => {
    const alice = await signUpWith(
      ...['none', 'low', 'medium', 'high'].map((priority) => ({ title: priority, priority })),
    )

    expect(await filtered(alice, query)).toEqual(expected)
  })

  test.each([
    ['?tag=home', ['Both', 'Home']],
    ['?tag=home&tag=garden', ['Both']],
    ['?tag=home,garden', ['Comma']],
    ['?tag=home%2Cgarden', ['Comma']],
    ['?tag=Home', ['Both', 'Home']],
    ['?tag=%20HOME&tag=G%C3%A4rden%20', ['Both']],
    ['?tag=hom', []],
    ['?tag=office', []],
  ])('by tag: %s', async (query, expected) => {
    const alice = await signUpWith(
      { title: 'None' },
      { title: 'Home', tags: ['home'] },
      { title: 'Both', tags: ['garden', 'home'] },
      { title: 'Comma', tags: ['home,garden'] },
    )

    expect(await filtered(alice, query)).toEqual(expected)
  })

  test('by a tag of any characters', async () => {
    const alice = await signUpWith({ title: 'Other', tags: ['other'] })
    const task = await alice.create({ tags: naughtyTags })

    for (const tag of naughtyTags) expect(await list(alice, tagged([tag]))).toEqual([task])
    expect(await list(alice, tagged(naughtyTags))).toEqual([task])
  })

  test.each([
    ['?due_after=2026-12-02', ['2026-12-02', '2026-12-03']],
    ['?due_before=2026-12-02', ['2026-12-01', '2026-12-02']],
    ['?due_after=2026-12-02&due_before=2026-12-02', ['2026-12-02']],
    ['?due_after=2026-12-03&due_before=2026-12-01', []],
    ['?due_after=0001-01-01&due_before=9999-12-31', ['2026-12-01', '2026-12-02', '2026-12-03']],
  ])('by due date: %s', async (query, expected) => {
    const alice = await signUpWith(
      { title: 'Never' },
      ...['2026-12-01', '2026-12-02', '2026-12-03'].map((day) => ({ title: day, due_date: day })),
    )

    expect(await filtered(alice, query)).toEqual(expected)
    // In this order they are where the index is read from and to: those without a date are at its end.
    expect(await titles(alice, `${query}&sort=due_date`)).toEqual(expected)
    expect(await titles(alice, `${query}&sort=due_date&order=desc`)).toEqual(expected.toReversed())
  })

  test('by all of it at once', async () => {
    const wanted = { priority: 'high', tags: ['home', 'garden'], due_date: '2026-12-02' }
    const alice = await signUpWith(
      { title: 'Water the ferns', ...wanted },
      { title: 'Water the ferns: done', ...wanted, completed: true },
      { title: 'Water the ferns: low', ...wanted, priority: 'low' },
      { title: 'Water the ferns: one tag', ...wanted, tags: ['home'] },
      { title: 'Water the ferns: late', ...wanted, due_date: '2026-12-04' },
      { title: 'Water the ferns: early', ...wanted, due_date: '2026-11-30' },
      { title: 'Buy ferns', ...wanted },
    )
    const query =
      '?status=pending&priority=high,medium&tag=home&tag=garden&due_after=2026-12-01&due_before=2026-12-03' +
      '&q=water+fern&sort=title&order=desc&limit=10'

    expect(await titles(alice, query)).toEqual(['Water the ferns'])
  })
})

describe('limit', () => {
  test.each([
    ['', 50],
    ['?limit=1', 1],
    ['?limit=51', 51],
    ['?limit=200', 200],
    ['?limit=201', 200],
    ['?limit=100000', 200],
  ])('%s makes a page of %i', async (query, expected) => {
    const alice = await signUp()
    await insertEqualTasks(alice, 201)

    expect(await list(alice, query)).toHaveLength(expected)
  })

  test.each(['0', '-1', 'abc', '1.5', '0x10', '1e2', '%201', 'Infinity', 'null', '١'])(
    'is not %j',
    async (limit) => {
      const alice = await signUp()

      expectInvalid(await alice.send('GET', `/api/tasks?limit=${limit}`), '/limit')
    },
  )
})

describe('order', () => {
  test('by created_at: the newest first', async () => {
    const alice = await signUpWith({ title: '1' }, { title: '2' }, { title: '3' })

    expect(await titles(alice)).toEqual(['3', '2', '1'])
    expect(await titles(alice, '?sort=created_at')).toEqual(['3', '2', '1'])
    expect(await titles(alice, '?order=desc')).toEqual(['3', '2', '1'])
    expect(await titles(alice, '?order=asc')).toEqual(['1', '2', '3'])
  })

  test('by updated_at: what changed last first', async () => {
    const alice = await signUpWith({ title: '1' }, { title: '2' }, { title: '3' })
    const [, second] = await list(alice)
    await Bun.sleep(2) // The clock of the embedded database counts milliseconds.
    await alice.send('PATCH', `/api/tasks/${second?.id}/complete`)

    expect(await titles(alice, '?sort=updated_at')).toEqual(['2', '3', '1'])
    expect(await titles(alice, '?sort=updated_at&order=asc')).toEqual(['1', '3', '2'])
  })

  test('by due_date: the soonest first, and without a date last either way', async () => {
    const alice = await signUpWith(
      { title: 'never' },
      { title: '9999', due_date: '9999-12-31' },
      { title: '2026', due_date: '2026-12-01' },
      { title: '1', due_date: '0001-01-01' },
    )

    expect(await titles(alice, '?sort=due_date')).toEqual(['1', '2026', '9999', 'never'])
    expect(await titles(alice, '?sort=due_date&order=desc')).toEqual(['9999', '2026', '1', 'never'])
  })

  test('by priority: the highest first', async () => {
    const alice = await signUpWith(
      ...['medium', 'none', 'high', 'low'].map((priority) => ({ title: priority, priority })),
    )

    expect(await titles(alice, '?sort=priority')).toEqual(['high', 'medium', 'low', 'none'])
    expect(await titles(alice, '?sort=priority&order=asc')).toEqual([
      'none',
      'low',
      'medium',
      'high',
    ])
  })

  test('by title: A first, whatever the case', async () => {
    const alice = await signUpWith({ title: 'banana' }, { title: 'Cherry' }, { title: 'Apple' })

    expect(await titles(alice, '?sort=title')).toEqual(['Apple', 'banana', 'Cherry'])
    expect(await titles(alice, '?sort=title&order=desc')).toEqual(['Cherry', 'banana', 'Apple'])
  })

  test.each(['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position'])(
    'by id where %s is the same',
    async (sort) => {
      const alice = await signUp()
      const ids = (await insertEqualTasks(alice, 20)).toSorted()

      expect(idsOf(await list(alice, `?sort=${sort}&order=asc`))).toEqual(ids)
      expect(idsOf(await list(alice, `?sort=${sort}&order=desc`))).toEqual(ids.toReversed())
    },
  )
})

describe('refuses', () => {
  test.each([
    ['status=done', '/status'],
    ['priority=urgent', '/priority/0'],
    ['priority=high,urgent', '/priority/1'],
    [`tag=${'x'.repeat(51)}`, '/tag/0'],
    ['tag=a%00b', '/tag/0'],
    ['due_before=tomorrow', '/due_before'],
    ['due_after=2026-02-31', '/due_after'],
    ['deleted=1', '/deleted'],
    ['sort=id', '/sort'],
    ['sort=user_id', '/sort'],
    ['order=up', '/order'],
    ['sort_order=up', '/sort_order'],
    ['sort_by=id', '/sort_by'],
    ['search=a%00b', '/search'],
    ['priority=,', '/priority'],
    ['page=', '/page'],
    ['q=a%00b', '/q'],
    ['page=2', '/page'],
    ['Status=all', '/Status'],
    ['status[]=all', '/status[]'],
    ['user_id=bob', '/user_id'],
    ['__proto__=a', '/__proto__'],
    ['constructor=a', '/constructor'],
  ])('?%s', async (query, pointer) => {
    const alice = await signUp()

    expectInvalid(await alice.send('GET', `/api/tasks?${query}`), pointer)
  })

  test.each([
    'status=all',
    'due_before=2026-12-01',
    'due_after=2026-12-01',
    'q=a',
    'deleted=true',
    'sort=title',
    'order=asc',
    'limit=5',
  ])('?%s twice', async (parameter) => {
    const alice = await signUp()
    const [name] = parameter.split('=')

    expectInvalid(await alice.send('GET', `/api/tasks?${parameter}&${parameter}`), `/${name}`)
  })

  test('several faults, all at once', async () => {
    const alice = await signUp()

    const answer = await alice.send('GET', '/api/tasks?limit=0&sort=id&page=2')

    expect(answer.status).toBe(422)
    for (const name of ['limit', 'sort', 'page']) expect(answer.body.detail).toContain(name)
    expect(answer.body.errors).toHaveLength(3)
  })
})
