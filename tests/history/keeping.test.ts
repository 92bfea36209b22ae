import { expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { expectInvalid, list } from '../support/tasks.ts'
import { act, make, stateOf, undo } from './support.ts'

// POST /api/undo with `keep`: what somebody has made of it since stays, and is named; the rest is undone.

const path = (id: string, rest = '') => `/api/tasks/${id}${rest}`

test('undoes all but what somebody has changed since, which it names', async () => {
  const alice = await signUp()
  const tasks = [await make(alice), await make(alice), await make(alice)]
  const by = { 'x-request-id': crypto.randomUUID() }
  for (const { task } of tasks) {
    await act(alice, 'PATCH', path(task.id), { title: 'By the agent', priority: 'high' }, by)
  }
  const [first = '', second = '', third = ''] = tasks.map(({ task }) => task.id)
  await act(alice, 'PATCH', path(first), { title: 'Mine' })
  await act(alice, 'PATCH', path(second), { title: 'Mine too', priority: 'low' })

  const { status, body, request } = await undo(alice, {
    request_id: by['x-request-id'],
    keep: true,
  })

  expect(status).toBe(200)
  expect(body).toHaveLength(3)
  const of = (id: string) => body.find((one: { id: string }) => one.id === id)
  expect(of(first)).toMatchObject({ task: { title: 'Mine', priority: 'none' }, kept: ['title'] })
  expect(of(second)).toMatchObject({
    task: { title: 'Mine too', priority: 'low', version: 3 },
    kept: ['title', 'priority'],
  })
  expect(of(third)).toMatchObject({ task: { title: 'A', priority: 'none' } })
  expect(of(third)).not.toHaveProperty('kept')
  const shown = (await list(alice)).map(({ title, priority }) => `${title}, ${priority}`)
  expect(new Set(shown)).toEqual(new Set(['A, none', 'Mine too, low', 'Mine, none']))
  expect((await undo(alice, { request_id: request })).status).toBe(200)
})

test('keeps what was created where somebody has made something of it, and discards the rest', async () => {
  const alice = await signUp()
  const by = { 'x-request-id': crypto.randomUUID() }
  const { body: mine } = await act(alice, 'POST', '/api/tasks', { title: 'A' }, by)
  const { body: theirs } = await act(alice, 'POST', '/api/tasks', { title: 'B' }, by)
  await act(alice, 'PATCH', path(mine.id), { title: 'Mine' })

  const { body } = await undo(alice, { request_id: by['x-request-id'], keep: true })

  expect(await list(alice)).toMatchObject([{ id: mine.id, title: 'Mine', deleted_at: null }])
  expect(await list(alice, '?deleted=true')).toMatchObject([{ id: theirs.id }])
  expect(body.find(({ id }: { id: string }) => id === mine.id).kept).toEqual(['title'])
})

test('changes nothing where all of it was changed since', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), { title: 'B' })
  const { body: mine } = await act(alice, 'PATCH', path(task.id), { title: 'Mine' })

  const { status, body } = await undo(alice, { request_id: request, keep: true })

  expect(status).toBe(200)
  expect(body).toEqual([
    { seq: expect.any(Number), type: 'task', id: task.id, task: mine, kept: ['title'] },
  ])
  expect(await list(alice)).toEqual([mine])
})

test('keeps with a field what it needs', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), {
    due_date: '2026-12-01',
    due_time: '10:00',
    title: 'B',
  })
  await act(alice, 'PATCH', path(task.id), { time_zone: 'Europe/Berlin' })

  const { status, body } = await undo(alice, { request_id: request, keep: true })

  expect(status).toBe(200)
  expect(await list(alice)).toMatchObject([
    { title: 'A', due_date: '2026-12-01', due_time: '10:00:00', time_zone: 'Europe/Berlin' },
  ])
  expect(new Set(body[0].kept)).toEqual(new Set(['time_zone', 'due_time', 'due_date']))
})

test('undoes the rest where something was purged', async () => {
  const alice = await signUp()
  const [first, second] = [await make(alice), await make(alice)]
  const { body: before } = await alice.send('GET', '/api/history?limit=1')
  await act(alice, 'PATCH', path(second.task.id), { title: 'B' })
  await act(alice, 'DELETE', path(first.task.id))
  await act(alice, 'DELETE', `/api/trash/${first.task.id}`)
  const since = before[0].seq

  const refused = await undo(alice, { since })
  const kept = await undo(alice, { since, keep: true })

  expect([refused.status, kept.status]).toEqual([409, 200])
  expect(kept.body).toMatchObject([{ id: second.task.id, task: { title: 'A' } }])
})

test('is made once under one key, with what is kept in the answer', async () => {
  const alice = await signUp()
  const tasks = [await make(alice), await make(alice)]
  const by = { 'x-request-id': crypto.randomUUID() }
  for (const { task } of tasks) await act(alice, 'PATCH', path(task.id), { title: 'B' }, by)
  await act(alice, 'PATCH', path(tasks[0]?.task.id ?? ''), { title: 'Mine' })
  const key = { 'idempotency-key': crypto.randomUUID() }
  const asked = { request_id: by['x-request-id'], keep: true }

  const first = await undo(alice, asked, key)
  const state = await stateOf(alice)
  const again = await undo(alice, asked, key)

  expect(again.text).toBe(first.text)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await stateOf(alice)).toEqual(state)
})

test('is refused together with force', async () => {
  const alice = await signUp()

  expectInvalid(await undo(alice, { since: 0, keep: true, force: true }), '/keep')
})
