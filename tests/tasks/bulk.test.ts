import { expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { type Answer, signUp, type TestUser } from '../support/app.ts'
import { expectInvalid, list, newList, titles } from '../support/tasks.ts'

const bulk = (user: TestUser, body: object, headers?: Record<string, string>): Promise<Answer> =>
  user.send('POST', '/api/tasks/bulk', body, headers)

/** Tasks with these titles, of which the first ones have the tag. */
async function make(user: TestUser, count: number, tagged: number): Promise<Task[]> {
  const { body } = await user.send('POST', '/api/tasks/batch', {
    tasks: Array.from({ length: count }, (_, n) => ({
      title: `Task ${n}`,
      tags: n < tagged ? ['home'] : [],
    })),
  })
  return body
}

const get = async (user: TestUser, id: string | undefined): Promise<Task> =>
  (await user.send('GET', `/api/tasks/${id}`)).body

test('changes what a filter finds, and nothing else, and is undone by its request', async () => {
  const alice = await signUp()
  const tasks = await make(alice, 5, 3)

  const dry = await bulk(alice, { filter: '#home', set: { priority: 'high' }, dry_run: true })
  expect(dry.body).toEqual({ matched: 3, changed: 0, request_id: expect.any(String) })
  expect(await list(alice)).toEqual(tasks.toReversed())

  const { body } = await bulk(
    alice,
    { filter: '#home', set: { priority: 'high', due_date: '2026-12-24' } },
    { 'x-request-id': 'christmas' },
  )
  expect(body).toEqual({ matched: 3, changed: 3, request_id: 'christmas' })
  expect((await titles(alice, '?priority=high&due_after=2026-12-24')).length).toBe(3)

  const undone = await alice.send('POST', '/api/undo', { request_id: 'christmas' })
  expect(undone.body.length).toBe(3)
  expect(await titles(alice, '?priority=high')).toEqual([])
})

test.each([
  ['complete', '?status=completed'],
  ['delete', '?deleted=true'],
])('%s is done with each', async (action, query) => {
  const alice = await signUp()
  await make(alice, 4, 2)

  const { body } = await bulk(alice, { filter: 'tag:home', action })

  expect(body).toMatchObject({ matched: 2, changed: 2 })
  expect((await titles(alice, query)).toSorted()).toEqual(['Task 0', 'Task 1'])
})

test('brings back what a filter finds in the trash, and reopens what was completed', async () => {
  const alice = await signUp()
  await make(alice, 3, 2)
  await bulk(alice, { filter: 'tag:home', action: 'delete' })
  await bulk(alice, { filter: 'task', action: 'complete' })

  expect((await bulk(alice, { filter: 'tag:home', action: 'restore' })).body.changed).toBe(2)
  expect((await bulk(alice, { filter: 'is:completed', action: 'reopen' })).body.changed).toBe(1)
  expect((await titles(alice, '?status=pending')).length).toBe(3)
})

test('changes those that are named, all or none', async () => {
  const alice = await signUp()
  const [a, b, c] = await make(alice, 3, 0)
  const stranger = await (await signUp()).create()

  const gone = await bulk(alice, {
    ids: [a?.id, stranger.id, crypto.randomUUID()],
    set: { title: 'Changed' },
  })
  expect(gone.status).toBe(404)
  expect(gone.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    '/ids/1',
    '/ids/2',
  ])
  const stale = await bulk(alice, {
    ids: [a?.id, b?.id],
    versions: [1, 7],
    set: { title: 'Changed' },
  })
  expect(stale.status).toBe(412)
  expect(stale.body.errors).toEqual([{ pointer: '/ids/1', detail: 'has another version' }])
  expect(await titles(alice, '?q=changed')).toEqual([])

  const { body } = await bulk(alice, {
    ids: [a?.id.toUpperCase(), b?.id, b?.id],
    versions: [1, 1, 1],
    set: { title: 'Changed', tags: ['x', 'X'] },
  })
  expect(body).toMatchObject({ matched: 2, changed: 2 })
  expect(await get(alice, a?.id)).toMatchObject({ title: 'Changed', tags: ['x'], version: 2 })
  expect(await get(alice, c?.id)).toEqual(c as Task)
})

test('counts only what has become different', async () => {
  const alice = await signUp()
  const [first] = await make(alice, 3, 3)
  await alice.send('PATCH', `/api/tasks/${first?.id}`, { priority: 'low' })

  const { body } = await bulk(alice, { filter: '#home', set: { priority: 'low' } })

  expect(body).toMatchObject({ matched: 3, changed: 2 })
  expect((await get(alice, first?.id)).version).toBe(2)
})

test('takes what is under a task along, once', async () => {
  const alice = await signUp()
  const home = await newList(alice)
  const root = await alice.create({ title: 'Root', tags: ['x'] })
  const middle = await alice.create({ title: 'Middle', parent_id: root.id, tags: ['x'] })
  const leaf = await alice.create({ title: 'Leaf', parent_id: middle.id })

  const moved = await bulk(alice, { filter: '#x', set: { list_id: home } })
  expect(moved.body).toMatchObject({ matched: 2, changed: 3 })
  expect(await get(alice, middle.id)).toMatchObject({ list_id: home, parent_id: root.id })
  expect(await get(alice, leaf.id)).toMatchObject({ list_id: home, parent_id: middle.id })

  const done = await bulk(alice, { ids: [leaf.id, root.id], action: 'complete' })
  expect(done.body).toMatchObject({ matched: 2, changed: 3 })

  await bulk(alice, { ids: [leaf.id, root.id], action: 'delete' })
  expect(await list(alice)).toEqual([])
  const back = await bulk(alice, { ids: [root.id, middle.id, leaf.id], action: 'restore' })
  expect(back.body).toMatchObject({ matched: 3, changed: 3 })
  expect(await get(alice, leaf.id)).toMatchObject({ list_id: home, parent_id: middle.id })
})

test('is made once by a key, and answered the same', async () => {
  const alice = await signUp()
  await make(alice, 3, 3)
  const key = { 'idempotency-key': crypto.randomUUID() }
  const body = { filter: 'is:pending', action: 'complete' }

  const answers = await Promise.all([1, 2, 3, 4].map(() => bulk(alice, body, key)))
  const later = await bulk(alice, body, key)

  expect(new Set([...answers, later].map(({ text }) => text)).size).toBe(1)
  expect(later.body).toMatchObject({ matched: 3, changed: 3 })
  expect(later.headers.get('idempotency-replayed')).toBe('true')
  const other = await bulk(alice, { ...body, action: 'reopen' }, key)
  expect(other.status).toBe(422)
})

test('changes a thousand at once, and of more none', async () => {
  const alice = await signUp()
  for (let made = 0; made < 1000; made += 100) await make(alice, 100, 100)

  expect((await bulk(alice, { filter: '#home', action: 'complete' })).body).toMatchObject({
    matched: 1000,
    changed: 1000,
  })
  await alice.create({ tags: ['home'] })
  const answer = await bulk(alice, { filter: '#home', action: 'reopen' })
  expectInvalid(answer, '/filter')
  expect(answer.body.detail).toContain('1001')
  expect((await alice.send('GET', '/api/tasks/count?status=completed')).body.count).toBe(1000)
}, 30_000)

test('refuses what says too little, or too much', async () => {
  const alice = await signUp()
  const { id } = await alice.create()

  for (const body of [
    {},
    { filter: 'a' },
    { ids: [id] },
    { action: 'complete' },
    { filter: ' ', action: 'complete' },
    { filter: '', action: 'complete' },
    { filter: 'stauts:done', action: 'complete' },
    { filter: 'a', ids: [id], action: 'complete' },
    { filter: 'a', action: 'complete', set: { title: 'B' } },
    { ids: [], action: 'complete' },
    { ids: ['x'], action: 'complete' },
    { ids: Array.from({ length: 1001 }, () => id), action: 'complete' },
    { ids: [id], versions: [1, 2], action: 'complete' },
    { filter: 'a', versions: [1], action: 'complete' },
    { ids: [id], action: 'purge' },
    { ids: [id], set: {} },
    { ids: [id], set: { title: '' } },
    { ids: [id], set: { version: 7 } },
    { ids: [id], set: { due_time: '10:00' } },
  ]) {
    const { status } = await bulk(alice, body)
    expect([body, status]).toEqual([body, 422])
  }
  expect((await get(alice, id)).version).toBe(1)
})

test('finds nothing, and changes nothing', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const task = await bob.create({ tags: ['home'] })

  const { body } = await bulk(alice, { filter: '#home', action: 'delete' })

  expect(body).toMatchObject({ matched: 0, changed: 0 })
  expect(await get(bob, task.id)).toEqual(task)
})

test('is right while others change the same tasks', async () => {
  const alice = await signUp()
  const tasks = await make(alice, 20, 20)

  const [{ status }, ...others] = await Promise.all([
    bulk(alice, { filter: '#home', set: { priority: 'high' } }),
    ...tasks.map(({ id }) => alice.send('PATCH', `/api/tasks/${id}`, { description: 'x' })),
  ])

  expect([200, 503]).toContain(status)
  expect(others.every((answer) => answer.status === 200)).toBe(true)
  const found = await list(alice)
  expect(found.filter(({ priority }) => priority === 'high').length).toBe(status === 200 ? 20 : 0)
  expect(found.every(({ description }) => description === 'x')).toBe(true)
})

test('brings back parent and child that went one after the other', async () => {
  const alice = await signUp()
  const [home, other] = [await newList(alice), await newList(alice)]
  const grand = await alice.create({ list_id: home })
  const parent = await alice.create({ parent_id: grand.id })
  const child = await alice.create({ parent_id: parent.id })
  for (const { id } of [child, parent]) await alice.send('DELETE', `/api/tasks/${id}`)
  await alice.send('POST', `/api/tasks/${grand.id}/move`, { list_id: other })

  const { status, body } = await bulk(alice, { ids: [child.id, parent.id], action: 'restore' })

  expect([status, body.changed]).toEqual([200, 2])
  expect(await get(alice, parent.id)).toMatchObject({ list_id: other, parent_id: grand.id })
  expect(await get(alice, child.id)).toMatchObject({ list_id: other, parent_id: parent.id })

  await alice.send('DELETE', `/api/tasks/${child.id}`)
  await alice.send('POST', `/api/tasks/${grand.id}/move`, { list_id: home })
  expect((await bulk(alice, { ids: [parent.id, child.id], action: 'restore' })).status).toBe(200)
  expect((await get(alice, child.id)).list_id).toBe(home)
})

test('is answered by its key as the first time, whatever the filter finds by now', async () => {
  const alice = await signUp()
  const [task] = await make(alice, 1, 1)
  const key = () => ({ 'idempotency-key': crypto.randomUUID() })
  const [done, none] = [key(), key()]
  await alice.send('POST', '/api/filters', { name: 'Mine', filter: '#home' })
  const first = await bulk(alice, { filter: '@mine', action: 'complete' }, done)
  const nothing = await bulk(alice, { filter: '#home is:completed', action: 'complete' }, none)
  expect([first.body.changed, nothing.body.changed]).toEqual([1, 0])

  const [{ id }] = (await alice.send('GET', '/api/filters')).body
  await alice.send('DELETE', `/api/filters/${id}`)
  await alice.send('POST', `/api/tasks/${task?.id}/toggle`)
  await alice.send('POST', `/api/tasks/${task?.id}/toggle`)

  expect((await bulk(alice, { filter: '@mine', action: 'complete' }, done)).text).toBe(first.text)
  expect((await bulk(alice, { filter: '#home is:completed', action: 'complete' }, none)).text).toBe(
    nothing.text,
  )
})
