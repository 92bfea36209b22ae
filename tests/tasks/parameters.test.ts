import { describe, expect, test } from 'bun:test'
import { signUp, type TestUser } from '../support/app.ts'
import { expectInvalid, list, nextOf, titles } from '../support/tasks.ts'

async function signUpWithThree(): Promise<TestUser> {
  const user = await signUp()
  await user.create({ title: 'Buy milk', priority: 'high', tags: ['home'], due_date: '2026-12-01' })
  await user.create({ title: 'Ask Anna', priority: 'low', completed: true })
  await user.create({ title: 'Call home', priority: 'high' })
  return user
}

test.each([
  ['search=milk', 'q=milk'],
  ['search=home&sort_by=title', 'q=home&sort=title'],
  ['sort_by=priority&sort_order=asc', 'sort=priority&order=asc'],
  ['sort_order=asc', 'order=asc'],
  ['sort=created&order=asc', 'sort=created_at&order=asc'],
  ['sort_by=updated', 'sort=updated_at'],
  ['sort_by=Created', 'sort=created_at'],
  ['status=PENDING', 'status=pending'],
  ['status=Completed', 'status=completed'],
  ['status=All', 'status=all'],
  ['priority=HIGH,Low', 'priority=high,low'],
  ['priority=High&priority=high', 'priority=high'],
  ['sort=TITLE&order=DESC', 'sort=title&order=desc'],
  ['deleted=False', 'deleted=false'],
  ['deleted=TRUE', 'deleted=true'],
  ['q=milk&search=milk', 'q=milk'],
  ['sort=created&sort_by=created_at', 'sort=created_at'],
  ['order=asc&sort_order=ASC', 'order=asc'],
  ['search=&q=milk', 'q=milk'],
])('?%s is ?%s', async (query, plain) => {
  const alice = await signUpWithThree()

  expect(await titles(alice, `?${query}`)).toEqual(await titles(alice, `?${plain}`))
})

test.each([
  'status=',
  'priority=',
  'tag=',
  'due_after=',
  'due_before=',
  'q=',
  'deleted=',
  'sort=',
  'order=',
  'limit=',
  'cursor=',
  'status=&priority=&tag=&q=&sort=&order=&limit=&cursor=&due_after=&due_before=&search=&sort_by=&sort_order=',
  'tag=&tag=',
])('?%s is as if it was not there', async (query) => {
  const alice = await signUpWithThree()

  expect(await titles(alice, `?${query}`)).toEqual(['Call home', 'Ask Anna', 'Buy milk'])
})

test.each([
  ['tag=&tag=home', ['Buy milk']],
  ['status=&status=completed', ['Ask Anna']],
  ['priority=low,', ['Ask Anna']],
  ['priority=,low', ['Ask Anna']],
])('?%s is what of it is not empty', async (query, expected) => {
  expect(await titles(await signUpWithThree(), `?${query}`)).toEqual(expected)
})

test.each([
  ['q=milk&search=bread', '/search'],
  ['search=bread&q=milk', '/q'],
  ['sort=title&sort_by=priority', '/sort_by'],
  ['sort_order=asc&order=desc', '/order'],
  ['search=milk&search=milk', '/search'],
])('?%s says two things', async (query, pointer) => {
  const alice = await signUp()

  expectInvalid(await alice.send('GET', `/api/tasks?${query}`), pointer)
})

test.each([
  ['search=a&sort_by=title&limit=1', 'q=a&sort=title&order=asc'],
  ['sort=Created&order=ASC&limit=2&q=', 'order=asc'],
  ['sort_by=priority&status=&limit=1', 'sort=priority'],
])('pages of ?%s go on by their links, and by those of ?%s', async (query, plain) => {
  const alice = await signUpWithThree()
  const whole = await list(alice, `?${plain}`)

  const first = await alice.send('GET', `/api/tasks?${query}`)
  const next = nextOf(first) ?? ''
  const cursor = new URL(next, 'http://x').searchParams.get('cursor')

  const rest = whole.slice(first.body.length)
  const limit = /limit=\d/.exec(query)?.[0]
  expect((await alice.send('GET', next)).body).toEqual(rest.slice(0, first.body.length))
  expect(await list(alice, `?${plain}&cursor=${cursor}&${limit}`)).toEqual(
    rest.slice(0, first.body.length),
  )
})

describe('a priority in any case', () => {
  test.each(['HIGH', 'High', 'hIGH'])('%s is high in a body', async (priority) => {
    const alice = await signUp()

    const task = await alice.create({ title: 'A task', priority })
    expect(task.priority).toBe('high')

    for (const method of ['PATCH', 'PUT']) {
      await alice.send(method, `/api/tasks/${task.id}`, { priority: 'Low' })
      const { body } = await alice.send(method, `/api/tasks/${task.id}`, { priority })
      expect(body.priority).toBe('high')
    }
  })

  test.each(['', 'urgent', 'hıgh', ' high', 3, true])('%j is none', async (priority) => {
    const alice = await signUp()

    expectInvalid(await alice.send('POST', '/api/tasks', { title: 'x', priority }), '/priority')
  })
})
