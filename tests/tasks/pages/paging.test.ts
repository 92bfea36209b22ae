import { describe, expect, test } from 'bun:test'
import { signUp, sql, type TestUser } from '../../support/app.ts'
import {
  expectInvalid,
  idsOf,
  insertEqualTasks,
  list,
  nextOf,
  readPages,
} from '../../support/tasks.ts'

const sorts = ['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position']
const orders = sorts.flatMap((sort) => [
  [sort, 'asc'],
  [sort, 'desc'],
])

const base64 = (text: string) => Buffer.from(text).toString('base64url')

const cursorOf = (path: string | null): string =>
  new URL(path ?? '', 'http://localhost').searchParams.get('cursor') ?? ''

/** A cursor that the server gave for a list. */
async function takeCursor(user: TestUser, query: string): Promise<string> {
  const cursor = cursorOf(nextOf(await user.send('GET', `/api/tasks${query}&limit=1`)))
  expect(cursor).not.toBe('')
  return cursor
}

/** A cursor of the same list that says it goes on elsewhere. */
function forge(genuine: string, changes: { key?: unknown; id?: unknown }): string {
  const [print, key, id] = JSON.parse(Buffer.from(genuine, 'base64url').toString())
  const position = { key, id, ...changes }
  return base64(JSON.stringify([print, position.key, position.id]))
}

const remove = (user: TestUser, ids: string[]) =>
  sql`delete from docket.tasks where user_id = ${user.id} and id = any(${ids}::text[]::uuid[])`

const trash = (user: TestUser, ids: string[]) =>
  sql`update docket.tasks set deleted_at = now() where user_id = ${user.id} and id = any(${ids}::text[]::uuid[])`

test.each(['q=what?', 'q=what%3F', 'q=a?+what&tag=50%25%26', 'tag=50%25%26&q=%3D'])(
  'the next page is of the same list: %s',
  async (query) => {
    const alice = await signUp()
    for (const title of ['a? what? =', '= a? what?', 'what? a? =']) {
      await alice.create({ title, tags: ['50%&'] })
    }

    const pages = await readPages(alice, `/api/tasks?limit=1&${query}`)

    expect(pages.map((page) => page.length)).toEqual([1, 1, 1])
  },
)

describe('pages through tasks that come and go', () => {
  test.each(orders)('all equal, by %s %s', async (sort, order) => {
    const alice = await signUp()
    const constant = await insertEqualTasks(alice, 1000)
    const passing = await insertEqualTasks(alice, 200)

    const pages = await readPages(
      alice,
      `/api/tasks?sort=${sort}&order=${order}&limit=100`,
      async () => {
        passing.push(...(await insertEqualTasks(alice, 10)))
        await remove(alice, passing.splice(0, 10))
        await trash(alice, passing.splice(0, 5))
      },
    )

    const seen = idsOf(pages.flat())
    expect(new Set(seen).size).toBe(seen.length)
    const there = new Set(constant)
    expect(seen.filter((id) => there.has(id))).toHaveLength(1000)
  })

  test.each(orders)('some equal, by %s %s', async (sort, order) => {
    const alice = await signUp()
    await insertEqualTasks(alice, 60)
    await sql`
      update docket.tasks
      set
        title = (array['B', 'a', 'Ä', 'The same', ''' or %'])[1 + get_byte(uuid_send(id), 0) % 5],
        priority = (array['none', 'low', 'medium', 'high'])[1 + get_byte(uuid_send(id), 1) % 4]::docket.task_priority,
        due_date = (array['2026-12-01', '2026-12-02', '0001-01-01', '9999-12-31', null])
          [1 + get_byte(uuid_send(id), 2) % 5]::date,
        created_at = created_at + get_byte(uuid_send(id), 3) % 5 * interval '1 microsecond',
        updated_at = updated_at - get_byte(uuid_send(id), 4) % 5 * interval '1 microsecond'
      where user_id = ${alice.id}`
    const query = `sort=${sort}&order=${order}`

    const pages = await readPages(alice, `/api/tasks?${query}&limit=7`)

    expect(pages.flat()).toEqual(await list(alice, `?${query}&limit=200`))
    expect(pages.map((page) => page.length)).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 4])
  })

  test.each(sorts)('of the trash, by %s', async (sort) => {
    const alice = await signUp()
    const ids = await insertEqualTasks(alice, 10)
    await trash(alice, ids)

    const pages = await readPages(alice, `/api/tasks?deleted=true&sort=${sort}&limit=4`)

    expect(idsOf(pages.flat()).toSorted()).toEqual(ids.toSorted())
  })

  test('goes on where the page ended when its last task is gone', async () => {
    const alice = await signUp()
    const ids = (await insertEqualTasks(alice, 6)).toSorted()

    const pages = await readPages(alice, '/api/tasks?order=asc&limit=2', async (page) => {
      await remove(alice, idsOf(page).slice(1))
    })

    expect(pages.map(idsOf)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  })
})

describe('the Link to the next page', () => {
  test('is relative and keeps the filters', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 3)
    await alice.create({ priority: 'high', due_date: '2026-12-01' })
    const query =
      'priority=low&priority=none,medium&due_before=2026-12-01&q=the+same&sort=title&limit=1'

    const next = nextOf(await alice.send('GET', `/api/tasks?${query}`))
    const pages = await readPages(alice, next ?? '')

    expect(next).toStartWith('/api/tasks?')
    const given = [...new URLSearchParams(query)]
    const kept = [...new URLSearchParams(next?.split('?')[1])].filter(([name]) => name !== 'cursor')
    expect(kept).toEqual(given)
    expect(pages.flat().map(({ title }) => title)).toEqual(['The same', 'The same'])
  })

  test('keeps tags and words of any characters', async () => {
    const alice = await signUp()
    for (const title of ['1', '2', '3']) {
      await alice.create({ title, description: '50% & é+ö <#>', tags: ['a,b', 'ü&"\\ >'] })
    }
    const query = new URLSearchParams([
      ['tag', 'a,b'],
      ['tag', 'ü&"\\ >'],
      ['q', '50% & é+ö <#>'],
      ['limit', '1'],
    ])

    const pages = await readPages(alice, `/api/tasks?${query.toString()}`)

    expect(pages.map((page) => page.map(({ title }) => title))).toEqual([['3'], ['2'], ['1']])
  })

  test.each(['me', 'the own id'])('stays under /api/{user_id} with %s', async (name) => {
    const alice = await signUp(`auth0|${crypto.randomUUID()}/a b`)
    await insertEqualTasks(alice, 3)
    const base = `/api/${name === 'me' ? 'me' : encodeURIComponent(alice.id)}/tasks`

    const next = nextOf(await alice.send('GET', `${base}?limit=2`), base)
    const pages = await readPages(alice, next ?? '')

    expect(next).toStartWith(`${base}?`)
    expect(pages.map((page) => page.length)).toEqual([1])
  })

  test.each([
    [0, [0]],
    [1, [1]],
    [9, [9]],
    [10, [10]],
    [11, [10, 1]],
    [20, [10, 10]],
    [21, [10, 10, 1]],
  ])('leads %i tasks at 10 a page to pages of %j', async (count, expected) => {
    const alice = await signUp()
    await insertEqualTasks(alice, count)

    const pages = await readPages(alice, '/api/tasks?limit=10')

    expect(pages.map((page) => page.length)).toEqual(expected)
  })

  test('is there at the largest page', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 401)

    const pages = await readPages(alice, '/api/tasks?limit=1000')

    expect(pages.map((page) => page.length)).toEqual([200, 200, 1])
  })
})

describe('a cursor', () => {
  test('goes on with pages of another size', async () => {
    const alice = await signUp()
    const ids = (await insertEqualTasks(alice, 10)).toSorted()
    const cursor = await takeCursor(alice, '?order=asc')

    expect(idsOf(await list(alice, `?order=asc&limit=5&cursor=${cursor}`))).toEqual(ids.slice(1, 6))
    expect(idsOf(await list(alice, `?order=asc&cursor=${cursor}`))).toEqual(ids.slice(1))
  })

  test('is good for the same list said otherwise', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 3)
    const cursor = await takeCursor(alice, '?priority=low')

    expect(
      await list(alice, `?sort=created_at&order=desc&priority=low&cursor=${cursor}`),
    ).toHaveLength(2)
  })

  test('shows nothing of the user it was made for', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    await insertEqualTasks(bob, 5)
    const cursor = await takeCursor(bob, '?order=asc')

    const { body } = await alice.send('GET', `/api/tasks?order=asc&cursor=${cursor}`)

    expect(body).toEqual([])
  })

  test.each([
    'sort=updated_at',
    'order=asc',
    'sort=due_date&order=desc',
    'status=pending',
    'priority=low',
    'tag=a',
    'due_before=2026-12-01',
    'due_after=2026-12-01',
    'q=same',
    'deleted=true',
  ])('of another list is refused: %s', async (other) => {
    const alice = await signUp()
    await insertEqualTasks(alice, 3)
    const cursor = await takeCursor(alice, '?sort=created_at')

    expectInvalid(await alice.send('GET', `/api/tasks?${other}&cursor=${cursor}`), '/cursor')
  })

  test.each([
    'garbage',
    '%00',
    '%F0%9F%98%80',
    '....',
    'x'.repeat(5000),
    ...[
      'null',
      '5',
      '"a"',
      '{}',
      '[]',
      '[null,null,null]',
      '[[]]',
      '{"0":1}',
      '["","",""]',
      '[',
    ].map(base64),
  ])('that no list gave is refused: %j', async (cursor) => {
    const alice = await signUp()

    expectInvalid(await alice.send('GET', `/api/tasks?cursor=${cursor}`), '/cursor')
  })

  const forgedKeys: [sort: string, keys: unknown[]][] = [
    [
      'created_at',
      [
        null,
        5,
        '',
        'now',
        'infinity',
        '2026-11-20',
        '2026-02-30T00:00:00+00:00',
        '2026-02-31T00:00:00.5+00:00',
        '2026-13-01T00:00:00+00:00',
        '2026-11-20T25:00:00+00:00',
        '2026-11-20T23:60:00+00:00',
        '0000-01-01T00:00:00+00:00',
        '999999-01-01T00:00:00+00:00',
        '2026-11-20T00:00:00+00:00\n',
        '2026-11-20T00:00:00+00:00\0',
        ['2026-11-20T00:00:00+00:00'],
      ],
    ],
    [
      'updated_at',
      [null, 5, '', '0', '-1', '1.5', '1e3', '2026-11-20T00:00:00+00:00', '9'.repeat(17), {}],
    ],
    [
      'due_date',
      [
        null,
        20261201,
        '',
        '-infinity',
        'epoch',
        'today',
        '2026-02-31',
        '2026-02-29',
        '2026-13-01',
        '0000-01-01',
        '2026-12-01\0',
      ],
    ],
    ['priority', [null, 1, '', 'urgent', 'HIGH', ['high']]],
    ['title', [null, 5, 'a\0b', '\ud800', 'x'.repeat(501), ['a']]],
  ]
  const forgeries = forgedKeys.flatMap(([sort, keys]) => keys.map((key) => [sort, key] as const))

  test.each(forgeries)('with a forged position is refused: %s at %j', async (sort, key) => {
    const alice = await signUp()
    await insertEqualTasks(alice, 2)
    const genuine = await takeCursor(alice, `?sort=${sort}`)
    const forged = forge(genuine, { key })

    expectInvalid(await alice.send('GET', `/api/tasks?sort=${sort}&cursor=${forged}`), '/cursor')
  })

  test.each([
    null,
    5,
    '',
    'a',
    '\0',
    {},
    [['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31']],
    '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c3g',
  ])('with a forged id is refused: %j', async (id) => {
    const alice = await signUp()
    await insertEqualTasks(alice, 2)
    const genuine = await takeCursor(alice, '?sort=title')
    const forged = forge(genuine, { id })

    expectInvalid(await alice.send('GET', `/api/tasks?sort=title&cursor=${forged}`), '/cursor')
  })

  test('given twice is refused', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 2)
    const cursor = await takeCursor(alice, '?sort=title')

    const answer = await alice.send(
      'GET',
      `/api/tasks?sort=title&cursor=${cursor}&cursor=${cursor}`,
    )

    expectInvalid(answer, '/cursor')
  })
})
