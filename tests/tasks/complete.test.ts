import { describe, expect, test } from 'bun:test'
import { send, signUp } from '../support/app.ts'
import { expectInvalid, expectNotFound, list } from '../support/tasks.ts'

describe.each([
  ['PATCH', 'complete'],
  ['POST', 'complete'],
  ['PATCH', 'toggle'],
  ['POST', 'toggle'],
])('%s …/%s', (method, name) => {
  test.each([[undefined], [{}]])('turns one into the other with the body %j', async (payload) => {
    const alice = await signUp()
    const task = await alice.create()
    const toggle = () => alice.send(method, `/api/tasks/${task.id}/${name}`, payload)

    const completed = await toggle()
    const reopened = await toggle()

    expect(completed.status).toBe(200)
    expect(completed.headers.get('etag')).toBe('"2"')
    expect(completed.body).toEqual({
      ...task,
      completed: true,
      completed_at: completed.body.updated_at,
      version: 2,
      updated_at: expect.any(String),
      next_task: null,
    })
    expect(reopened.status).toBe(200)
    expect(reopened.headers.get('etag')).toBe('"3"')
    expect(reopened.body).toEqual({
      ...task,
      version: 3,
      updated_at: reopened.body.updated_at,
      next_task: null,
    })
  })

  test('completes with true, and keeps completed_at when sent again', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    const complete = () => alice.send(method, `/api/tasks/${id}/${name}`, { completed: true })

    const first = await complete()
    const second = await complete()

    expect(first.body).toMatchObject({ completed: true, completed_at: first.body.updated_at })
    expect(second.status).toBe(200)
    expect(second.body).toMatchObject({ completed: true, completed_at: first.body.completed_at })
  })

  test('reopens with false, and leaves a pending task pending', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ completed: true })
    const reopen = () => alice.send(method, `/api/tasks/${id}/${name}`, { completed: false })

    const first = await reopen()
    const second = await reopen()

    expect(first.body).toMatchObject({ completed: false, completed_at: null })
    expect(second.status).toBe(200)
    expect(second.body).toMatchObject({ completed: false, completed_at: null })
  })

  test('takes a content type without a body', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const { status, body } = await alice.send(method, `/api/tasks/${id}/${name}`, undefined, {
      'content-type': 'application/json',
    })

    expect(status).toBe(200)
    expect(body.completed).toBe(true)
  })

  test.each([
    [{ completed: null }, '/completed'],
    [{ completed: 'true' }, '/completed'],
    [{ completed: 1 }, '/completed'],
    [{ complete: true }, '/complete'],
    [{ completed: true, title: 'A' }, '/title'],
    [[], ''],
    [[true], ''],
    [true, ''],
    [null, ''],
  ])('refuses the body %j', async (payload, pointer) => {
    const alice = await signUp()
    const task = await alice.create()

    const answer = await alice.send(method, `/api/tasks/${task.id}/${name}`, payload)

    expectInvalid(answer, pointer)
    expect(await list(alice)).toEqual([task])
  })

  test('answers 400 to a body that is no JSON', async () => {
    const { authorization, create } = await signUp()
    const { id } = await create()

    const { status } = await send(method, `/api/tasks/${id}/${name}`, {
      headers: { authorization, 'content-type': 'application/json' },
      raw: 'completed',
    })

    expect(status).toBe(400)
  })

  test('answers 404 for a task that the caller has not', async () => {
    const alice = await signUp()

    await expectNotFound((id) => alice.send(method, `/api/tasks/${id}/${name}`))
  })

  test('changes only the version that If-Match names', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    const toggle = (tag: string) =>
      alice.send(method, `/api/tasks/${id}/${name}`, undefined, { 'if-match': tag })

    const matched = await toggle('"1"')
    const stale = await toggle('"1"')

    expect(matched.status).toBe(200)
    expect(stale.status).toBe(412)
    const { next_task: _, ...task } = matched.body
    expect(await list(alice)).toEqual([task])
  })

  test('toggles an even number of times at once and ends where it began', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => alice.send(method, `/api/tasks/${id}/${name}`)),
    )

    expect(answers.filter(({ body }) => body.completed)).toHaveLength(10)
    expect(await list(alice)).toMatchObject([{ completed: false, version: 21 }])
  })
})
