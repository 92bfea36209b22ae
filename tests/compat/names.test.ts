import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { expectInvalid, fullTask } from '../support/tasks.ts'
import { frontend } from './support.ts'

describe.each([
  ['is_completed', 'is_completed', false, true],
  ['is_completed,camelCase', 'isCompleted', false, true],
  ['status:pending/completed', 'status', 'pending', 'completed'],
  ['status:todo/done', 'status', 'todo', 'done'],
  ['state:open/closed', 'state', 'open', 'closed'],
  ['camelCase', 'completed', false, true],
])('names=%s', (names, name, no, yes) => {
  const begin = async () => frontend(await signUp(), `names=${names}`)

  test('names what is completed, both ways', async () => {
    const call = await begin()
    const { body: made } = await call('POST', '/api/tasks', { title: 'A task', [name]: no })
    const { body: done } = await call('POST', '/api/tasks', { title: 'A task', [name]: yes })
    const path = `/api/tasks/${made.id}`

    expect([made[name], done[name]]).toEqual([no, yes])
    if (name !== 'completed') expect(made).not.toHaveProperty('completed')
    expect((await call('PUT', path, { ...made, [name]: yes })).body[name]).toBe(yes)
    expect((await call('PATCH', path, { [name]: no })).body[name]).toBe(no)
    expect((await call('PATCH', `${path}/toggle`)).body[name]).toBe(yes)
    expect((await call('POST', `${path}/complete`, { [name]: no })).body[name]).toBe(no)
    // Its own name goes on being taken.
    expect((await call('PATCH', path, { completed: true })).body[name]).toBe(yes)
    const whole = (await call('GET', path)).body
    expect((await call('PUT', path, whole)).body).toEqual(whole)
  })

  test('lists by it', async () => {
    const call = await begin()
    for (const value of [no, yes, no])
      await call('POST', '/api/tasks', { title: String(value), [name]: value })
    const count = async (query: string) => (await call('GET', `/api/tasks?${query}`)).body.length

    expect([
      await count(`${name}=${no}`),
      await count(`${name}=${yes}`),
      await count(`${name}=`),
    ]).toEqual([2, 1, 3])
    expect([
      await count('status=pending'),
      await count('completed=true'),
      await count('status=all'),
    ]).toEqual([2, 1, 3])
    expect(
      (await call('GET', `/api/tasks/count?${name}=${String(no).toUpperCase()}`)).body,
    ).toEqual({ count: 2 })
  })

  test('says what is wrong with it by its name', async () => {
    const call = await begin()
    const { body: made } = await call('POST', '/api/tasks', { title: 'A task' })

    for (const [method, path, body] of [
      ['PATCH', `/api/tasks/${made.id}`, { [name]: 'maybe' }],
      ['POST', '/api/tasks', { title: 'x', [name]: 1 }],
      ['POST', `/api/tasks/${made.id}/complete`, { [name]: null }],
    ] as const) {
      const answer = await call(method, path, body)
      expectInvalid(answer, `/${name}`)
      expect(answer.body.errors[0].detail).toBe(
        typeof no === 'string' ? `must be ${no} or ${yes}` : 'must be true or false',
      )
    }
    const answer = await call('GET', `/api/tasks?${name}=maybe`)
    expectInvalid(answer, `/${name}`)
    expect(answer.body.errors[0].detail).toBe(
      typeof no === 'string' ? `must be one of all, ${no}, ${yes}` : 'must be true or false',
    )
  })
})

test('two names that say different things are refused', async () => {
  const call = frontend(await signUp(), 'names=is_completed,status:todo/done,camelCase')
  const { body: made } = await call('POST', '/api/tasks', {
    title: 'A task',
    isCompleted: true,
    status: 'DONE',
  })
  const path = `/api/tasks/${made.id}`

  expect(made).toMatchObject({ isCompleted: true, status: 'done' })
  expectInvalid(await call('PATCH', path, { isCompleted: true, status: 'todo' }), '/status')
  expectInvalid(await call('PATCH', path, { dueDate: null, due_date: '2026-12-01' }), '/due_date')
  expectInvalid(await call('PATCH', path, { completed: false, isCompleted: true }), '/isCompleted')
  expect((await call('PATCH', path, { dueDate: null, due_date: null })).body).toEqual(made)
})

describe('names=camelCase', () => {
  const begin = async () => frontend(await signUp(), 'names=camelCase unknown=keep')

  test('names every field of a task, and leaves what is kept', async () => {
    const call = await begin()
    const { due_date: dueDate, due_time: dueTime, time_zone: timeZone, ...rest } = fullTask

    const { body } = await call('POST', '/api/tasks', {
      ...rest,
      dueDate,
      dueTime,
      timeZone,
      my_field: 1,
      myField: 2,
    })

    expect(body).toMatchObject({ ...rest, dueDate, dueTime, timeZone, my_field: 1, myField: 2 })
    const own = Object.keys(body).filter((name) => name.includes('_'))
    expect(own).toEqual(['my_field'])
    expect(Object.keys(body)).toContain('userId')
    expect((await call('PUT', `/api/tasks/${body.id}`, body)).body).toEqual(body)
  })

  test('names parameters, and what a list is sorted by', async () => {
    const call = await begin()
    for (const day of ['2026-12-03', '2026-12-01', '2026-12-02'])
      await call('POST', '/api/tasks', { title: day, dueDate: day })
    const titles = async (query: string) =>
      (await call('GET', `/api/tasks?${query}`)).body.map((task: { title: string }) =>
        task.title.slice(-1),
      )

    expect(await titles('sortBy=dueDate&sortOrder=desc')).toEqual(['3', '2', '1'])
    expect(await titles('sort=dueDate&dueAfter=2026-12-02')).toEqual(['2', '3'])
    expect(await titles('sort_by=due_date&due_before=2026-12-02')).toEqual(['1', '2'])
    expect(await titles('sortBy=updatedAt&order=ASC&limit=1')).toEqual(['3'])
    expectInvalid(await call('GET', '/api/tasks?dueAfter=soon&sortBy=size'), '/dueAfter', '/sortBy')
  })

  test('says what is wrong by these names', async () => {
    const call = frontend(await signUp(), 'names=camelCase')

    for (const [body, pointer, detail] of [
      [{ dueDate: 'soon' }, '/dueDate', 'dueDate must be a day'],
      [{ dueTime: '18:00' }, '/dueTime', 'dueTime needs a dueDate.'],
      [{ dueDate: '2026-12-01', timeZone: 'UTC' }, '/timeZone', 'timeZone needs a dueTime.'],
      [
        { dueDate: '2026-12-01', dueTime: '12:00', timeZone: 'CET' },
        '/timeZone',
        'timeZone must be',
      ],
      [{ createdAt: 'now' }, '/createdAt', 'createdAt is not known here.'],
    ] as const) {
      const answer = await call('POST', '/api/tasks', { title: 'x', ...body })
      expectInvalid(answer, pointer)
      expect(answer.body.detail).toStartWith(detail)
    }
  })
})

describe('names=message', () => {
  test('says the detail of an error where others look for it', async () => {
    const call = frontend(await signUp(), 'names=message')
    const stranger = frontend({ ...(await signUp()), authorization: 'Bearer x' }, 'names=message')

    for (const answer of [
      await call('GET', `/api/tasks/${crypto.randomUUID()}`),
      await call('POST', '/api/tasks', { title: '' }),
      await call('GET', '/nowhere'),
      await call('DELETE', '/api/tasks'),
      await call('GET', '/api/bob/tasks'),
      await stranger('GET', '/api/tasks'),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.body.message).toBe(answer.body.detail)
      expect(answer.body.error).toBe(answer.body.detail)
      expect(answer.body.detail).toBeString()
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    }
  })

  test('a task has none', async () => {
    const call = frontend(await signUp(), 'names=message')
    expect((await call('POST', '/api/tasks', { title: 'x' })).body).not.toHaveProperty('message')
  })
})
