import { describe, expect, test } from 'bun:test'
import { act, historyOf, undo } from '../history/support.ts'
import { send, signUp, type TestUser } from '../support/app.ts'
import { expectInvalid, fullTask, list, titles } from '../support/tasks.ts'

const create = (user: TestUser, tasks: unknown, headers: Record<string, string> = {}) =>
  act(user, 'POST', '/api/tasks/batch', { tasks }, headers)

describe('a batch', () => {
  test('makes tasks in the order given, as they would be made alone, and can be undone as one', async () => {
    const alice = await signUp()
    const id = crypto.randomUUID().toUpperCase()
    const alone = await alice.create({ ...fullTask })

    const { status, body, headers, request } = await create(alice, [
      { title: 'One' },
      fullTask,
      { title: 'Three', id, priority: 'HIGH', tags: ['Home', 'home'] },
    ])

    expect(status).toBe(201)
    expect(body).toMatchObject([
      { title: 'One', version: 1, user_id: alice.id },
      fullTask,
      { id: id.toLowerCase(), priority: 'high', tags: ['Home'] },
    ])
    expect(Object.keys(body[1])).toEqual(Object.keys(alone))
    expect(await titles(alice, '?order=asc')).toEqual([alone.title, 'One', fullTask.title, 'Three'])
    expect(await list(alice, '?tag=home')).toHaveLength(3)
    expect(await list(alice, '?q=fern')).toHaveLength(2)
    expect(headers.get('x-request-id')).toBe(request)
    for (const task of body) {
      expect(await historyOf(alice, task.id)).toMatchObject([
        { action: 'created', request_id: request },
      ])
    }
    const changes = (await alice.send('GET', '/api/changes')).body
    expect(changes.slice(1).map((change: { task: object }) => change.task)).toEqual(body)

    expect((await undo(alice, { request_id: request })).body).toHaveLength(3)
    expect(await list(alice)).toEqual([alone])
  })

  test('has up to 100 tasks', async () => {
    const alice = await signUp()
    const many = Array.from({ length: 101 }, (_, n) => ({ title: `Task ${n}` }))

    expectInvalid(await create(alice, many), '/tasks')
    expect(await list(alice)).toEqual([])
    const { body } = await create(alice, many.slice(1))
    expect(body.map(({ title }: { title: string }) => title)).toEqual(
      many.slice(1).map(({ title }) => title),
    )
    expect(await list(alice, '?limit=200')).toHaveLength(100)
  })

  test.each([
    [[], '/tasks'],
    ['x', '/tasks'],
    [null, '/tasks'],
    [[null], '/tasks/0'],
    [[{ title: 'A' }, {}], '/tasks/1/title'],
    [
      [{ title: 'A' }, { title: ' ' }, { title: 'B', colour: 'red' }],
      '/tasks/2/colour',
      '/tasks/1/title',
    ],
    [[{ title: 'A' }, { title: 'B', due_time: '10:00' }], '/tasks/1/due_time'],
    [[{ title: 'A', due_date: '2026-12-01', time_zone: 'UTC' }], '/tasks/0/time_zone'],
    [[{ title: 'A', due_date: null, due_time: '10:00' }], '/tasks/0/due_time'],
    [[{ title: 'A' }, { title: 'B', user_id: 'somebody' }], '/tasks/1/user_id'],
    [[{ title: 'A', tags: ['\u200B'] }], '/tasks/0/tags/0'],
  ] as [unknown, ...string[]][])(
    'of %j is refused, and makes nothing',
    async (tasks, ...pointers) => {
      const alice = await signUp()

      const answer = await create(alice, tasks)

      expect(answer.status).toBe(422)
      const found = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      expect(found.toSorted()).toEqual(pointers.toSorted())
      expect(await list(alice)).toEqual([])
    },
  )

  test('has each id once, in whatever case', async () => {
    const alice = await signUp()
    const id = 'aaaaaaaa-0000-4000-8000-000000000001'

    const answer = await create(alice, [
      { title: 'A', id },
      { title: 'B' },
      { title: 'C', id: id.toUpperCase() },
    ])

    expectInvalid(answer, '/tasks/2/id')
    expect(await list(alice)).toEqual([])
  })

  test('makes nothing where another task has one of the ids, in the trash too', async () => {
    const alice = await signUp()
    const [known, trashed] = [await alice.create(), await alice.create()]
    await alice.send('DELETE', `/api/tasks/${trashed.id}`)

    for (const { id } of [known, trashed]) {
      for (const headers of [{}, { 'idempotency-key': crypto.randomUUID() }]) {
        const tasks = [{ title: 'New' }, { title: 'Other', id }]
        const { status, body } = await create(alice, tasks, headers)
        expect([status, body.errors[0].pointer]).toEqual([409, '/tasks/1/id'])
      }
    }
    expect(await list(alice)).toEqual([known])
    expect((await alice.send('GET', '/api/changes')).body).toHaveLength(2)
  })

  test('sent again by its ids makes nothing more', async () => {
    const alice = await signUp()
    const tasks = ['A', 'B'].map((title) => ({ title, id: crypto.randomUUID() }))

    const first = await create(alice, tasks)
    const again = await create(alice, [...tasks, { title: 'C' }])

    expect(again.body.slice(0, 2)).toEqual(first.body)
    expect(await titles(alice, '?order=asc')).toEqual(['A', 'B', 'C'])
    expect((await alice.send('GET', '/api/changes')).body).toHaveLength(3)
  })

  test('sent at the same moment with the same key is made once', async () => {
    const alice = await signUp()
    const key = { 'idempotency-key': crypto.randomUUID() }
    const tasks = Array.from({ length: 10 }, (_, n) => ({ title: `Task ${n}` }))

    const answers = await Promise.all(Array.from({ length: 5 }, () => create(alice, tasks, key)))

    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    const replayed = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')
    expect(replayed).toHaveLength(4)
    expect(await list(alice)).toHaveLength(10)
    expect((await create(alice, [{ title: 'Another' }], key)).status).toBe(422)
  })

  test('of two with the same id at the same moment makes one whole', async () => {
    const alice = await signUp()
    const id = crypto.randomUUID()
    const batch = (name: string) => [
      { title: `${name} 1` },
      { title: `${name} 2`, id },
      { title: `${name} 3` },
    ]

    const answers = await Promise.all(['a', 'b', 'c'].map((name) => create(alice, batch(name))))

    expect(answers.map(({ status }) => `${status}`).toSorted()).toEqual(['201', '409', '409'])
    const made = answers.find(({ status }) => status === 201)
    expect((await list(alice, '?order=asc')).map((task) => task.id)).toEqual(
      made?.body.map((task: { id: string }) => task.id),
    )
  })

  test('may be larger than a task, and is not endless', async () => {
    const alice = await signUp()
    const tasks = Array.from({ length: 40 }, () => ({
      title: 'A',
      description: 'x'.repeat(20_000),
    }))

    expect((await create(alice, tasks)).status).toBe(201)
    expect((await create(alice, [...tasks, ...tasks])).status).toBe(413)
    expect(await list(alice)).toHaveLength(40)
  })

  test('is of who is signed in', async () => {
    const alice = await signUp()
    expect(
      (await send('POST', '/api/tasks/batch', { body: { tasks: [{ title: 'A' }] } })).status,
    ).toBe(401)
    const other = await signUp()
    const { status } = await alice.send('POST', `/api/${other.id}/tasks/batch`, {
      tasks: [{ title: 'A' }],
    })
    expect([status, await list(other)]).toEqual([403, []])
  })
})
