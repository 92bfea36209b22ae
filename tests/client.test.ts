import { expect, test } from 'bun:test'
import { treaty } from '@elysiajs/eden'
import type { App, Problem, Task } from '../src/client.ts'
import { app, signUp } from './support/app.ts'

// What is proven here is proven by the compiler first: there is no cast, and every field is one of the contract.

const alice = await signUp()
const docket = treaty<App>(app, {
  headers: { authorization: alice.authorization },
  parseDate: false,
})

test('drives the API with types', async () => {
  const created = await docket.api.tasks.post({
    title: 'Water the plants',
    priority: 'high',
    tags: ['home'],
  })
  if (created.error) throw created.error
  const task: Task = created.data
  expect(task.created_at).toBeString()

  const changed = await docket.api.tasks({ id: task.id }).patch({ due_date: '2026-12-01' })
  expect(changed.data?.due_date).toBe('2026-12-01')

  const completed = await docket.api.tasks({ id: task.id }).complete.post({ completed: true })
  expect(completed.data?.completed).toBe(true)

  const page = await docket.api.tasks.get({
    query: { status: 'completed', tag: ['home'], limit: 10 },
  })
  expect(page.data?.map(({ id }) => id)).toEqual([task.id])

  const mine = await docket.api({ user_id: 'me' }).tasks({ id: task.id }).get()
  expect(mine.data?.title).toBe('Water the plants')

  const me = await docket.api.me.get()
  expect(me.data?.signed_in_by).toBe('token')
  const sessions = await docket.api.me.sessions.get()
  expect(sessions.data).toEqual([])

  const deleted = await docket.api.tasks({ id: task.id }).delete()
  expect(deleted.data?.deleted_at).toBeString()
})

test('types the problems', async () => {
  const { data, error } = await docket.api.tasks({ id: crypto.randomUUID() }).get()

  expect(data).toBeNull()
  if (error?.status !== 404) throw new Error('expected 404')
  const problem: Problem = error.value
  expect(problem.code).toBe('not_found')
})

test('refuses what is not of the contract', () => {
  // @ts-expect-error -- there is no such priority
  void (() => docket.api.tasks.post({ title: 'x', priority: 'urgent' }))
  // @ts-expect-error -- there is no such status
  void (() => docket.api.tasks.get({ query: { status: 'open' } }))
  // @ts-expect-error -- the title is required
  void (() => docket.api.tasks.post({}))
})

test('has lists with types', async () => {
  const made = await docket.api.lists.post({ name: 'Home', color: '#3366cc' })
  if (made.error) throw made.error
  const { id } = made.data

  const changed = await docket.api.lists({ id }).patch({ archived: true })
  expect(changed.data?.archived_at).toBeString()
  const all = await docket.api.lists.get({ query: { counts: true } })
  expect(all.data?.map(({ pending }) => pending)).toEqual([0])
  const tasks = await docket.api.lists({ id }).tasks.get({ query: { status: 'pending' } })
  expect(tasks.data?.map(({ title }) => title)).toEqual([])
  const gone = await docket.api.lists({ id }).delete()
  expect(gone.data?.deleted_at).toBeString()
  const undone = await docket.api.undo.post({ since: 0 })
  expect(undone.data?.some(({ type, list }) => type === 'list' && list?.id === id)).toBe(true)
})
