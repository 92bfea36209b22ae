import { describe, expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, expectNotFound, fullTask, list } from '../support/tasks.ts'

const changes = {
  title: 'Water the ferns',
  description: '',
  completed: false,
  priority: 'low',
  tags: ['office'],
  due_date: '2027-01-31',
  due_time: '07:05:00',
  time_zone: 'UTC',
}

describe.each(['PATCH', 'PUT'])('%s', (method) => {
  test.each(Object.entries(changes))('changes %s and nothing else', async (field, value) => {
    const alice = await signUp()
    const task = await alice.create(fullTask)

    const { status, headers, body } = await alice.send(method, `/api/tasks/${task.id}`, {
      [field]: value,
    })

    expect(status).toBe(200)
    expect(body).toEqual({
      ...task,
      [field]: value,
      completed_at: field === 'completed' ? null : task.completed_at,
      version: 2,
      updated_at: expect.any(String),
    })
    // The clock of the embedded database counts milliseconds.
    expect(body.updated_at >= task.updated_at).toBe(true)
    expect(headers.get('etag')).toBe('"2"')
    expect((await alice.send('GET', `/api/tasks/${task.id}`)).body).toEqual(body)
  })

  test('changes everything at once', async () => {
    const alice = await signUp()
    const task = await alice.create(fullTask)

    const { body } = await alice.send(method, `/api/tasks/${task.id}`, changes)

    expect(body).toMatchObject({ ...changes, id: task.id, version: 2, created_at: task.created_at })
  })

  test.each([
    ['description', null],
    ['priority', 'none'],
    ['tags', []],
    ['time_zone', null],
  ])('clears %s with null', async (field, cleared) => {
    const alice = await signUp()
    const task = await alice.create(fullTask)

    const { status, body } = await alice.send(method, `/api/tasks/${task.id}`, { [field]: null })

    expect(status).toBe(200)
    expect(body).toEqual({ ...task, [field]: cleared, version: 2, updated_at: body.updated_at })
  })

  test('clears the due date with its time and zone, and with what is counted from it', async () => {
    const alice = await signUp()
    const { id } = await alice.create(fullTask)
    const cleared = { due_date: null, due_time: null, time_zone: null, reminders: [] }

    const { status, body } = await alice.send(method, `/api/tasks/${id}`, cleared)

    expect(status).toBe(200)
    expect(body).toMatchObject(cleared)
  })

  test.each([
    ['title', null],
    ['title', ''],
    ['completed', null],
    ['completed', 'true'],
    ['id', crypto.randomUUID()],
    ['user_id', 'bob'],
    ['version', 0],
    ['version', '1'],
    ['completed_at', 'yesterday'],
    ['created_at', null],
    ['deleted_at', true],
    ['nonsense', 1],
  ])('refuses %s = %j', async (field, value) => {
    const alice = await signUp()
    const task = await alice.create(fullTask)

    const answer = await alice.send(method, `/api/tasks/${task.id}`, {
      priority: 'low',
      [field]: value,
    })

    expectInvalid(answer, `/${field}`)
    expect(await list(alice)).toEqual([task])
  })

  test.each([[undefined], [{}], [[]], [null]])('refuses the body %j', async (body) => {
    const alice = await signUp()
    const task = await alice.create()

    const answer = await alice.send(method, `/api/tasks/${task.id}`, body)

    expectInvalid(answer, '')
    expect(await list(alice)).toEqual([task])
  })

  test('answers 404 for a task that the caller has not', async () => {
    const alice = await signUp()

    await expectNotFound((id) => alice.send(method, `/api/tasks/${id}`, { title: 'Changed' }))
  })

  test('finds the task with a slash at the end of its path', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const { status } = await alice.send(method, `/api/tasks/${id}/`, { title: 'Changed' })

    expect(status).toBe(200)
  })
})

describe('completed', () => {
  test('sets completed_at when it becomes true', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const { body } = await alice.send('PATCH', `/api/tasks/${id}`, { completed: true })

    expect(body).toMatchObject({ completed: true, completed_at: body.updated_at })
  })

  test('keeps completed_at when it is true already', async () => {
    const alice = await signUp()
    const { id, completed_at } = await alice.create({ completed: true })

    const { body } = await alice.send('PATCH', `/api/tasks/${id}`, { completed: true })

    expect(body).toMatchObject({ completed: true, completed_at })
  })

  test('clears completed_at when it becomes false', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ completed: true })

    const { body } = await alice.send('PATCH', `/api/tasks/${id}`, { completed: false })

    expect(body).toMatchObject({ completed: false, completed_at: null })
  })
})

const patch = (user: TestUser, id: string, tag: string, title = 'Changed') =>
  user.send('PATCH', `/api/tasks/${id}`, { title }, { 'if-match': tag })

describe('If-Match', () => {
  test.each(['"2"', '"1", "2"', '"1","2"', '"x" , "2" , W/"7"', '*', ' * '])(
    'changes version 2 with %j',
    async (tag) => {
      const alice = await signUp()
      const { id } = await alice.create()
      await patch(alice, id, '"1"')

      const { status, body } = await patch(alice, id, tag, 'Changed again')

      expect(status).toBe(200)
      expect(body).toMatchObject({ title: 'Changed again', version: 3 })
    },
  )

  test('changes a task that was imported in a high version', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    await sql`update docket.tasks set version = 2147483640 where user_id = ${alice.id} and id = ${id}`

    expect((await patch(alice, id, '"2147483641"')).status).toBe(412)
    expect((await patch(alice, id, '"2147483648", "9999999999"')).status).toBe(412)
    expect((await patch(alice, id, '"2147483640"')).status).toBe(200)
  })

  test.each([
    '"1"',
    '"3"',
    '"1", "3"',
    'W/"1"',
    'W/"1", W/"3"',
    '2',
    '"02"',
    '""',
    '"22"',
    '"x2"',
    '"2',
    'garbage',
    '"99999999999999999999"',
    '"-2"',
    '"2.0"',
    ',',
  ])('answers 412 to %j and leaves version 2 as it is', async (tag) => {
    const alice = await signUp()
    const { id } = await alice.create()
    const { body: task } = await patch(alice, id, '"1"')

    const { status, body } = await patch(alice, id, tag, 'Changed again')

    expect(status).toBe(412)
    expect(body.code).toBe('precondition_failed')
    expect(await list(alice)).toEqual([task])
  })

  test.each(['*', '"1"', 'garbage'])('answers 404 to %j without a task', async (tag) => {
    const alice = await signUp()

    await expectNotFound((id) => patch(alice, id, tag))
  })

  test('loses none of twenty changes made at once', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ title: '0' })
    const increment = async (): Promise<void> => {
      const { headers, body } = await alice.send('GET', `/api/tasks/${id}`)
      const tag = headers.get('etag') ?? ''
      const { status } = await patch(alice, id, tag, String(Number(body.title) + 1))
      if (status === 412) return increment()
      expect(status).toBe(200)
    }

    await Promise.all(Array.from({ length: 20 }, increment))

    expect(await list(alice)).toMatchObject([{ title: '20', version: 21 }])
  })
})

test('makes every change without If-Match, however many come at once', async () => {
  const alice = await signUp()
  const { id } = await alice.create()

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      alice.send('PATCH', `/api/tasks/${id}`, { title: `Change ${index}` }),
    ),
  )

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(await list(alice)).toMatchObject([{ version: 21 }])
})

test('gives no later version an earlier updated_at, however many come at once', async () => {
  const alice = await signUp()
  const { id } = await alice.create()

  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      alice.send('PATCH', `/api/tasks/${id}`, { title: `Change ${index}` }),
    ),
  )

  const tasks: Task[] = answers.map(({ body }) => body).toSorted((a, b) => a.version - b.version)
  const times = tasks.map(({ updated_at }) => updated_at)
  expect(times).toEqual(times.toSorted())
})
