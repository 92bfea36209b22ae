import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'

test('reads a task as it was created', async () => {
  const alice = await signUp()
  const task = await alice.create({ tags: ['home'], due_date: '2026-12-01' })

  const { status, headers, body } = await alice.send('GET', `/api/tasks/${task.id}`)

  expect(status).toBe(200)
  expect(headers.get('content-type')).toStartWith('application/json')
  expect(headers.get('etag')).toBe('"1"')
  expect(body).toEqual(task)
})

test.each(['/', '?', '/?'])('reads a task at a path that ends in %j', async (end) => {
  const alice = await signUp()
  const task = await alice.create()

  const { status, body } = await alice.send('GET', `/api/tasks/${task.id}${end}`)

  expect(status).toBe(200)
  expect(body).toEqual(task)
})

test('reads a task by its id in capital letters', async () => {
  const alice = await signUp()
  const task = await alice.create()

  const { body } = await alice.send('GET', `/api/tasks/${task.id.toUpperCase()}`)

  expect(body).toEqual(task)
})

test('refuses a query parameter, by its name', async () => {
  const alice = await signUp()
  const task = await alice.create()

  const { status, body } = await alice.send('GET', `/api/tasks/${task.id}?fields=title`)

  expect(status).toBe(422)
  expect(body.errors[0].pointer).toBe('/fields')
})

test('answers the same 404 for a task that is absent, foreign, in the trash or no UUID', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const foreign = await bob.create()
  const trashed = await alice.create()
  await alice.send('DELETE', `/api/tasks/${trashed.id}`)
  const ids = [
    crypto.randomUUID(),
    foreign.id,
    trashed.id,
    'not-a-uuid',
    '1',
    '%00',
    'a%2Fb',
    '%F0',
  ]

  const answers = await Promise.all(ids.map((id) => alice.send('GET', `/api/tasks/${id}`)))

  expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 404))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(new Set(answers.map(({ headers }) => JSON.stringify([...headers]))).size).toBe(1)
})

describe('If-None-Match', () => {
  test.each(['"1"', 'W/"1"', '"7", "1"', '"7","1"', '"x", W/"1" , "y"', '*'])(
    'answers 304 without a body for %j',
    async (tag) => {
      const alice = await signUp()
      const { id } = await alice.create()

      const { status, headers, text } = await alice.send('GET', `/api/tasks/${id}`, undefined, {
        'if-none-match': tag,
      })

      expect(status).toBe(304)
      expect(text).toBe('')
      expect(headers.get('etag')).toBe('"1"')
    },
  )

  test.each(['"2"', 'W/"2"', '"0", "2"', '1', '"11"', '"01"', '""', 'garbage'])(
    'answers the task for %j',
    async (tag) => {
      const alice = await signUp()
      const task = await alice.create()

      const { status, body } = await alice.send('GET', `/api/tasks/${task.id}`, undefined, {
        'if-none-match': tag,
      })

      expect(status).toBe(200)
      expect(body).toEqual(task)
    },
  )

  test('answers the task once it has changed', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    const { body: changed } = await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' })

    const { status, headers, body } = await alice.send('GET', `/api/tasks/${id}`, undefined, {
      'if-none-match': '"1"',
    })

    expect(status).toBe(200)
    expect(headers.get('etag')).toBe('"2"')
    expect(body).toEqual(changed)
  })

  test.each(['*', '"1"'])('answers 404 for %s and a task that is not there', async (tag) => {
    const alice = await signUp()

    const { status } = await alice.send('GET', `/api/tasks/${crypto.randomUUID()}`, undefined, {
      'if-none-match': tag,
    })

    expect(status).toBe(404)
  })
})

describe('HEAD', () => {
  test('answers the headers of GET without a body', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const paths = [`/api/tasks/${id}`, '/api/tasks', `/api/tasks/${crypto.randomUUID()}`]
    for (const path of paths) {
      const got = await alice.send('GET', path)
      const head = await alice.send('HEAD', path)

      expect(head.text).toBe('')
      expect(head.status).toBe(got.status)
      head.headers.delete('content-length')
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(got.headers))
    }
  })

  test('answers 304 to an If-None-Match', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    const { status, text } = await alice.send('HEAD', `/api/tasks/${id}`, undefined, {
      'if-none-match': '"1"',
    })

    expect(status).toBe(304)
    expect(text).toBe('')
  })
})
