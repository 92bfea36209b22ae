import { describe, expect, test } from 'bun:test'
import { act } from '../history/support.ts'
import { signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, list, numberTasks } from '../support/tasks.ts'

const tagsOf = async (user: TestUser) => (await user.send('GET', '/api/tags')).body

/** By a request of its own. */
const rename = (user: TestUser, body: object) => act(user, 'POST', '/api/tags/rename', body)

/** Tasks with these tags, and what they have afterwards, in the same order. */
async function tagged(user: TestUser, ...all: string[][]) {
  const ids: string[] = []
  for (const tags of all) ids.push((await user.create({ tags })).id)
  return async (): Promise<string[][]> => {
    const tasks = await list(user, '?limit=200')
    return ids.map((id) => tasks.find((task) => task.id === id)?.tags ?? ['not there'])
  }
}

describe('a list of tags', () => {
  test('counts those of one spelling or another together, and none in the trash', async () => {
    const alice = await signUp()
    expect(await tagsOf(alice)).toEqual([])

    await tagged(
      alice,
      ['home', 'Café'],
      ['Home'],
      ['home', 'cafe\u0301'],
      ['HOME ', 'CAFÉ'],
      ['a'],
    )
    const { id } = await alice.create({ tags: ['home', 'work'], completed: true })
    const { id: trashed } = await alice.create({ tags: ['home', 'gone'] })
    await alice.send('DELETE', `/api/tasks/${trashed}`)
    await (await signUp()).create({ tags: ['home', 'foreign'] })

    expect(await tagsOf(alice)).toEqual([
      { tag: 'a', count: 1, pending: 1 },
      { tag: 'CAFÉ', count: 3, pending: 3 },
      { tag: 'home', count: 5, pending: 4 },
      { tag: 'work', count: 1, pending: 0 },
    ])
    await alice.send('DELETE', `/api/tasks/${id}`)
    expect(await tagsOf(alice)).toHaveLength(3)
  })

  test('is 304 for who has it, until something changes', async () => {
    const alice = await signUp()
    await tagged(alice, ['home'])
    const { headers } = await alice.send('GET', '/api/tags')
    const known = { 'if-none-match': headers.get('etag') ?? '' }

    const again = await alice.send('GET', '/api/tags', undefined, known)
    expect([again.status, again.text]).toEqual([304, ''])
    expect(headers.get('docket-epoch')).toBe(again.headers.get('docket-epoch'))

    await tagged(alice, ['work'])
    expect((await alice.send('GET', '/api/tags', undefined, known)).body).toHaveLength(2)
  })

  test('has that of a task whose id comes before any other', async () => {
    const alice = await signUp()
    await alice.create({ id: '00000000-0000-0000-0000-000000000000', tags: ['first'] })

    expect(await tagsOf(alice)).toEqual([{ tag: 'first', count: 1, pending: 1 }])
    const { body } = await rename(alice, { from: 'first', to: 'last' })
    expect([body.changed, await tagsOf(alice)]).toMatchObject([1, [{ tag: 'last' }]])
  })

  test('of very many tags has the first, and all of their tasks', async () => {
    const alice = await signUp()
    await sql`insert into docket.users (id) values (${alice.id})`
    await sql`
      insert into docket.tasks (user_id, id, title, tags)
      select ${alice.id}, lpad(n::text, 32, '0')::uuid, 'A', array['tag ' || n % 6000, 'all']
      from generate_series(1, 7000) n`
    await numberTasks(sql)

    const tags = await tagsOf(alice)

    expect(tags).toHaveLength(5000)
    expect(tags[0]).toEqual({ tag: 'all', count: 7000, pending: 7000 })
    expect(tags).toContainEqual({ tag: 'tag 1', count: 2, pending: 2 })
    expect(tags).not.toContainEqual({ tag: 'tag 5500', count: 1, pending: 1 })
  }, 60_000)

  test('has no parameters', async () => {
    expectInvalid(await (await signUp()).send('GET', '/api/tags?limit=1'), '/limit')
  })
})

describe('a rename', () => {
  test.each([
    ['a tag', 'home', 'house', [['a', 'home', 'b'], ['x']], [['a', 'house', 'b'], ['x']]],
    ['a tag in another case', 'HOME', 'house', [['home']], [['house']]],
    ['a composed one', 'cafe\u0301', 'bar', [['Café'], ['CAFE']], [['bar'], ['bar']]],
    [
      'into another one',
      'home',
      'House',
      [['home', 'x'], ['house', 'home'], ['house']],
      [['House', 'x'], ['house'], ['house']],
    ],
    [
      'its spelling',
      'home',
      'HOME',
      [['home', 'x'], ['HOME'], ['Home']],
      [['HOME', 'x'], ['HOME'], ['HOME']],
    ],
    [
      'a part of no other',
      'home',
      'x',
      [['homely', 'at home'], ['home']],
      [['homely', 'at home'], ['x']],
    ],
    ['to what SQL means something by', 'home', `'"\\{},NULL`, [['home']], [[`'"\\{},NULL`]]],
  ])('of %s', async (_what, from, to, before, after) => {
    const alice = await signUp()
    const [mine, bobs] = [await tagged(alice, ...before), await tagged(await signUp(), ...before)]
    const matched = before.filter((tags, index) => !Bun.deepEquals(tags, after[index])).length

    const dry = await rename(alice, { from, to, dry_run: true })
    expect(dry.body).toMatchObject({ matched, changed: 0 })
    expect(await mine()).toEqual(before)

    const { status, body, headers } = await rename(alice, { from, to })
    expect([status, body]).toEqual([
      200,
      { matched, changed: matched, request_id: headers.get('x-request-id') },
    ])
    expect([await mine(), await bobs()]).toEqual([after, before])
    expect((await list(alice, `?tag=${encodeURIComponent(to)}`)).length).toBeGreaterThan(0)
    expect((await rename(alice, { from, to })).body).toMatchObject({ matched: 0, changed: 0 })

    const undone = await alice.send('POST', '/api/undo', { request_id: body.request_id })
    expect([undone.body.length, await mine()]).toEqual([matched, before])
  })

  test('leaves the trash as it is, and is in the history of each task', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ tags: ['home'] })
    const { id: trashed } = await alice.create({ tags: ['home'] })
    await alice.send('DELETE', `/api/tasks/${trashed}`)

    const { body } = await rename(alice, { from: 'home', to: 'house' })

    const [change] = (await alice.send('GET', `/api/tasks/${id}/history`)).body
    expect(change).toMatchObject({
      action: 'updated',
      request_id: body.request_id,
      fields: { tags: { before: ['home'], after: ['house'] } },
    })
    expect(await list(alice, '?deleted=true')).toMatchObject([{ tags: ['home'], version: 2 }])
  })

  test.each([
    [{}, '/from', '/to'],
    [{ from: 'home' }, '/to'],
    [{ from: 'home', to: ' \u2003' }, '/to'],
    [{ from: '\u200B', to: 'x' }, '/from'],
    [{ from: 'home', to: 'x'.repeat(51) }, '/to'],
    [{ from: 'home', to: ['x'] }, '/to'],
    [{ from: 'home', to: null }, '/to'],
    [{ from: 'home', to: 'x', dry_run: 'maybe' }, '/dry_run'],
    [{ from: 'home', to: 'x', filter: 'all' }, '/filter'],
  ] as [object, ...string[]][])('of %j is refused', async (body, ...pointers) => {
    const alice = await signUp()
    const tags = await tagged(alice, ['home'])

    expectInvalid(await rename(alice, body), ...pointers)
    expect(await tags()).toEqual([['home']])
  })

  test('loses nothing of what is changed at the same moment', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ tags: ['home'], title: '0' })
    await tagged(alice, ...Array.from({ length: 20 }, () => ['home']))

    const answers = await Promise.all([
      ...['a', 'b', 'c'].map((to) => rename(alice, { from: 'home', to })),
      ...Array.from({ length: 10 }, (_, n) =>
        alice.send('PATCH', `/api/tasks/${id}`, { title: `${n}`, description: `${n}` }),
      ),
    ])

    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([])
    const made = answers.slice(0, 3).filter(({ body }) => body.changed > 0)
    const tags = await tagsOf(alice)
    expect([made.length, tags.length]).toEqual([1, 1])
    const task = (await alice.send('GET', `/api/tasks/${id}`)).body
    expect([task.version, task.title]).toEqual([12, task.description])
  })
})

test('of more tasks than go into a statement', async () => {
  const alice = await signUp()
  const total = 11_000
  await sql`insert into docket.users (id) values (${alice.id})`
  await sql`
    insert into docket.tasks (user_id, id, title, tags, completed_at)
    select ${alice.id}, gen_random_uuid(), n::text, array['all', case when n % 10 = 0 then 'some' else 'most' end],
      case when n % 2 = 0 then now() end
    from generate_series(1, ${total}::integer) n`
  await numberTasks(sql)

  expect(await tagsOf(alice)).toEqual([
    { tag: 'all', count: total, pending: total / 2 },
    { tag: 'most', count: 9900, pending: 5500 },
    { tag: 'some', count: 1100, pending: 0 },
  ])
  const renames = []
  while (renames.length < 3) {
    renames.push((await rename(alice, { from: 'some', to: 'few' })).body)
  }
  expect(renames).toMatchObject([
    { matched: 1100, changed: 1000 },
    { matched: 100, changed: 100 },
    { matched: 0, changed: 0 },
  ])
  expect(await tagsOf(alice)).toContainEqual({ tag: 'few', count: 1100, pending: 0 })

  const undone = await alice.send('POST', '/api/undo', { request_id: renames[0]?.request_id })
  expect([undone.status, undone.body.length]).toEqual([200, 1000])
}, 60_000)
