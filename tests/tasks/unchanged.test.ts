import { describe, expect, test } from 'bun:test'
import { signUp, type TestUser } from '../support/app.ts'
import { fullTask, list } from '../support/tasks.ts'

const bare = { title: 'Buy milk' }

/** What the task of the first argument is already, said in the second. */
const same: [task: Record<string, unknown>, fields: object][] = [
  [bare, { title: 'Buy milk' }],
  [bare, { description: null, due_date: null, due_time: null, time_zone: null }],
  [bare, { priority: null, tags: null, completed: false }],
  [bare, { priority: 'none', tags: [] }],
  [fullTask, fullTask],
  [fullTask, { completed: true }],
  [fullTask, { due_time: '18:30', time_zone: 'europe/berlin' }],
  [fullTask, { tags: ['home', 'garden', 'HOME'] }],
  [
    { title: 'Naïve', description: '', tags: ['e\u0301'] },
    { description: '', tags: ['e\u0301'] },
  ],
]

describe.each(['PATCH', 'PUT'])('%s', (method) => {
  test.each(same)('of %j with %j changes nothing', async (task, fields) => {
    const alice = await signUp()
    const before = await alice.create(task)

    for (const headers of [{}, { 'if-match': '"1"' }, { 'idempotency-key': crypto.randomUUID() }]) {
      const answer = await alice.send(method, `/api/tasks/${before.id}`, fields, headers)

      expect(answer.status).toBe(200)
      expect(answer.headers.get('etag')).toBe('"1"')
      const { next_task = null, ...own } = answer.body
      expect([own, next_task]).toEqual([before, null])
    }
    expect(await list(alice)).toEqual([before])
  })

  test.each([
    [bare, { title: 'Buy Milk' }],
    [bare, { description: '' }],
    [fullTask, { tags: ['garden', 'home'] }],
    [fullTask, { tags: ['Home', 'garden'] }],
    [fullTask, { time_zone: null }],
    [fullTask, { due_time: '18:30:01' }],
    [{ title: 'Caf\u00e9' }, { title: 'Cafe\u0301' }],
  ])('of %j with %j changes it', async (task, fields) => {
    const alice = await signUp()
    const before = await alice.create(task)

    const { body } = await alice.send(method, `/api/tasks/${before.id}`, fields)

    expect(body).toMatchObject({ ...fields, version: 2 })
  })

  test('of a version that it has no more is 412 all the same', async () => {
    const alice = await signUp()
    const { id } = await alice.create(bare)

    for (const tag of ['"2"', '"7"', 'garbage']) {
      const { status } = await alice.send(method, `/api/tasks/${id}`, bare, { 'if-match': tag })
      expect(status).toBe(412)
    }
  })

  test('of what a change before it left is as that left it', async () => {
    const alice = await signUp()
    const { id } = await alice.create(bare)

    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        alice.send(method, `/api/tasks/${id}`, { title: 'Buy oat milk' }),
      ),
    )

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await list(alice)).toEqual([answers[0]?.body])
    expect(answers[0]?.body).toMatchObject({ title: 'Buy oat milk', version: 2 })
  })
})

const complete = (completed: boolean) => (user: TestUser, id: string) =>
  user.send('POST', `/api/tasks/${id}/complete`, { completed })

test.each([
  ['to complete what is completed', { ...bare, completed: true }, complete(true)],
  ['to reopen what is pending', bare, complete(false)],
  [
    'to restore what is not in the trash',
    bare,
    (user: TestUser, id: string) => user.send('POST', `/api/tasks/${id}/restore`),
  ],
])('%s changes nothing', async (_name, task, send) => {
  const alice = await signUp()
  const before = await alice.create(task)

  for (const { status, body } of [await send(alice, before.id), await send(alice, before.id)]) {
    const { next_task = null, ...own } = body
    expect([status, own, next_task]).toEqual([200, before, null])
  }
  expect(await list(alice)).toEqual([before])
})

test('an answer that changed nothing is that of its key, whatever came after', async () => {
  const alice = await signUp()
  const before = await alice.create(bare)
  const key = { 'idempotency-key': crypto.randomUUID() }
  const send = () => alice.send('PATCH', `/api/tasks/${before.id}`, bare, key)

  const first = await send()
  await alice.send('PATCH', `/api/tasks/${before.id}`, { title: 'Buy oat milk' })
  const again = await send()

  expect(again.text).toBe(first.text)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await list(alice)).toMatchObject([{ title: 'Buy oat milk', version: 2 }])
})

test('shares a statement with changes that do', async () => {
  const alice = await signUp()
  const tasks = await Promise.all(Array.from({ length: 24 }, () => alice.create(bare)))

  const answers = await Promise.all(
    tasks.map(({ id }, index) =>
      alice.send('PATCH', `/api/tasks/${id}`, { title: index % 2 ? 'Buy milk' : 'Buy bread' }),
    ),
  )

  expect(answers.map(({ body }) => body.version)).toEqual(tasks.map((_, index) => 2 - (index % 2)))
  expect(await list(alice, '?q=bread')).toHaveLength(12)
})
