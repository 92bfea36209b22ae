import { describe, expect, test } from 'bun:test'
import { send, signUp } from '../support/app.ts'
import { expectInvalid, fullTask, list, naughtyTags, naughtyTexts } from '../support/tasks.ts'

test('creates a task from a title alone', async () => {
  const alice = await signUp()

  const { status, body } = await alice.send('POST', '/api/tasks', { title: 'Water the plants' })

  expect(status).toBe(201)
  expect(body).toEqual({
    id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    user_id: alice.id,
    list_id: null,
    parent_id: null,
    position: 'i000000001',
    title: 'Water the plants',
    description: null,
    completed: false,
    completed_at: null,
    priority: 'none',
    tags: [],
    due_date: null,
    due_time: null,
    time_zone: null,
    recurrence: null,
    repeat_from: null,
    series_id: null,
    occurrence: null,
    reminders: [],
    version: 1,
    created_at: expect.any(String),
    updated_at: body.created_at,
    deleted_at: null,
  })
})

test('creates a task with every field', async () => {
  const alice = await signUp()

  const { status, body } = await alice.send('POST', '/api/tasks', fullTask)

  expect(status).toBe(201)
  expect(body).toMatchObject({ ...fullTask, completed_at: body.created_at })
})

test('takes null for what is not there', async () => {
  const alice = await signUp()
  const cleared = {
    description: null,
    due_date: null,
    due_time: null,
    time_zone: null,
  }

  const { status, body } = await alice.send('POST', '/api/tasks', {
    title: 'A task',
    ...cleared,
    priority: null,
    tags: null,
  })

  expect(status).toBe(201)
  expect(body).toMatchObject({ ...cleared, priority: 'none', tags: [] })
})

test('says where the task is and which version it has', async () => {
  const alice = await signUp()

  const { headers, body } = await alice.send('POST', '/api/tasks', { title: 'A task' })

  expect(headers.get('location')).toBe(`/api/tasks/${body.id}`)
  expect(headers.get('etag')).toBe('"1"')
})

test.each(['/api/tasks', '/api/tasks/', '/api/me/tasks', '/api/me/tasks/'])(
  'finds the task at the Location that POST %s gives',
  async (path) => {
    const alice = await signUp()
    const created = await alice.send('POST', path, { title: 'A task' })

    const found = await alice.send('GET', created.headers.get('location') ?? '')

    expect(found.body).toEqual(created.body)
    expect(found.headers.get('etag')).toBe(created.headers.get('etag'))
  },
)

test('creates twenty tasks of a new user at once', async () => {
  const alice = await signUp()

  await Promise.all(Array.from({ length: 20 }, () => alice.create()))

  expect(await list(alice)).toHaveLength(20)
})

describe('text comes back as it went in', () => {
  test.each(naughtyTexts)('%s', async (_name, text) => {
    const alice = await signUp()
    const task = { title: text, description: text, tags: [Array.from(text).slice(0, 25).join('')] }

    const created = await alice.create(task)

    expect(created).toMatchObject(task)
    expect((await alice.send('GET', `/api/tasks/${created.id}`)).body).toEqual(created)
    expect(await list(alice)).toEqual([created])
  })

  test('tags with commas, quotes, braces, backslashes, spaces and the word NULL', async () => {
    const alice = await signUp()

    const created = await alice.create({ tags: naughtyTags })

    expect(created.tags).toEqual(naughtyTags)
    expect(await list(alice)).toEqual([created])
  })

  test('every character of the Basic Multilingual Plane', async () => {
    const alice = await signUp()
    const units = Array.from({ length: 0xffff }, (_, index) => index + 1)
    const all = units.filter((unit) => unit < 0xd800 || unit > 0xdfff)
    const descriptions = [0, 1, 2, 3].map((part) =>
      String.fromCharCode(...all.slice(part * 16_000, (part + 1) * 16_000)),
    )

    const created = await Promise.all(
      descriptions.map((description) => alice.create({ description })),
    )

    expect(created.map(({ description }) => description)).toEqual(descriptions)
  })

  test.each([
    ['NUL', 'a\0b'],
    ['the first half of a surrogate pair', 'a\ud83d'],
    ['the second half of a surrogate pair', '\ude00b'],
    ['a surrogate pair the wrong way round', '\ude00\ud83d'],
  ])('or is refused: %s', async (_name, text) => {
    const alice = await signUp()

    const title = await alice.send('POST', '/api/tasks', { title: text })
    const description = await alice.send('POST', '/api/tasks', { title: 'A', description: text })
    const tags = await alice.send('POST', '/api/tasks', { title: 'A', tags: ['a', text] })

    expectInvalid(title, '/title')
    expectInvalid(description, '/description')
    expectInvalid(tags, '/tags/1')
    expect(await list(alice)).toEqual([])
  })
})

const makeTags = (count: number, length = 50) =>
  Array.from({ length: count }, (_, index) => `${index}`.padStart(length, 'x'))

describe('limits', () => {
  test.each([
    ['a title of 1 character', { title: 'x' }],
    ['a title of 500 characters', { title: 'x'.repeat(500) }],
    ['an empty description', { description: '' }],
    ['a description of 1 character', { description: 'x' }],
    ['a description of 20,000 characters', { description: 'x'.repeat(20_000) }],
    ['no tag', { tags: [] }],
    ['a tag of 1 character', { tags: ['x'] }],
    ['20 tags of 50 characters', { tags: makeTags(20) }],
  ])('takes %s', async (_name, fields) => {
    const alice = await signUp()

    const { status, body } = await alice.send('POST', '/api/tasks', { title: 'A task', ...fields })

    expect(status).toBe(201)
    expect(body).toMatchObject(fields)
  })

  test.each([
    ['an empty title', { title: '' }, '/title'],
    ['a title of 501 characters', { title: 'x'.repeat(501) }, '/title'],
    ['a description of 20,001 characters', { description: 'x'.repeat(20_001) }, '/description'],
    ['21 tags', { tags: makeTags(21) }, '/tags'],
    ['an empty tag', { tags: ['home', ''] }, '/tags/1'],
    ['a tag of 51 characters', { tags: ['home', ...makeTags(1, 51)] }, '/tags/1'],
    ['the same tag twice', { tags: ['home', 'home'] }, '/tags'],
  ])('refuses %s', async (_name, fields, pointer) => {
    const alice = await signUp()

    const answer = await alice.send('POST', '/api/tasks', { title: 'A task', ...fields })

    expectInvalid(answer, pointer)
    expect(await list(alice)).toEqual([])
  })

  test('takes the largest task there is', async () => {
    const alice = await signUp()
    const largest = {
      ...fullTask,
      id: crypto.randomUUID(),
      title: '語'.repeat(500),
      description: '語'.repeat(20_000),
      tags: makeTags(20).map((tag) => tag.replaceAll('x', '語')),
      time_zone: 'America/Argentina/ComodRivadavia',
    }

    const created = await alice.create(largest)

    expect(created).toMatchObject(largest)
  })

  test.each([{}, { 'content-length': 'given' }])(
    'takes a body of 64 KiB and none that is larger, with the headers %j',
    async (given) => {
      const alice = await signUp()
      const post = (size: number) =>
        send('POST', '/api/tasks', {
          headers: {
            ...('content-length' in given ? { 'content-length': `${size}` } : {}),
            'content-type': 'application/json',
            authorization: alice.authorization,
          },
          raw: '{"title":"A task"}'.padEnd(size),
        })

      const largest = await post(64 * 1024)
      const tooLarge = await post(64 * 1024 + 1)

      expect(largest.status).toBe(201)
      expect(tooLarge.status).toBe(413)
      expect(await list(alice)).toHaveLength(1)
    },
  )
})

describe('refuses what is no task', () => {
  const wrong: [field: string, values: unknown[]][] = [
    ['title', [undefined, null, 5, true, [], {}, ['A task']]],
    ['description', [5, false, [], {}]],
    ['completed', [null, 'true', 'false', '', '5', 0, 1, [], {}]],
    ['priority', ['urgent', '', 5, true, ['high'], {}]],
    ['tags', ['home', 'home,garden', 5, {}, [5], [null], [['home']], { 0: 'home' }]],
    ['due_date', ['tomorrow', '', 5, 20261201, ['2026-12-01'], {}]],
    ['due_time', ['noon', '', 5, 1830, [], {}]],
    ['time_zone', ['home', '', 5, 2, [], {}]],
    [
      'id',
      [
        null,
        'a',
        '',
        5,
        [],
        '019d2f6e7a3c7b549c1e0d5f2a8b6c31',
        '{019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31}',
      ],
    ],
  ]
  const cases = wrong.flatMap(([field, values]) => values.map((value) => [field, value] as const))

  test.each(cases)('%s = %j', async (field, value) => {
    const alice = await signUp()
    const task = { ...fullTask, [field]: value }

    const { status, body } = await alice.send('POST', '/api/tasks', task)

    expect(status).toBe(422)
    expect(body.errors).toHaveLength(1)
    expect(body.errors[0].pointer).toStartWith(`/${field}`)
    expect(body.detail).toContain(field)
    expect(await list(alice)).toEqual([])
  })

  test.each(['[]', '[{"title":"A"}]', '"A task"', 'null', '5', 'true', ''])(
    'the body %j',
    async (raw) => {
      const { authorization } = await signUp()

      const answer = await send('POST', '/api/tasks', {
        headers: { authorization, 'content-type': 'application/json' },
        raw,
      })

      expectInvalid(answer, '')
    },
  )

  test('a field that is not known, by its name', async () => {
    const alice = await signUp()

    const answer = await alice.send('POST', '/api/tasks', {
      ...fullTask,
      titel: 'A',
      owner: 'bob',
    })

    expectInvalid(answer, '/titel', '/owner')
    expect(await list(alice)).toEqual([])
  })

  test.each(['__proto__', 'constructor', 'toString', '', 'a b', 'TITLE'])(
    'the field %j',
    async (field) => {
      const { authorization } = await signUp()

      const answer = await send('POST', '/api/tasks', {
        headers: { authorization, 'content-type': 'application/json' },
        raw: `{"title":"A task",${JSON.stringify(field)}:1}`,
      })

      expectInvalid(answer, `/${field}`)
    },
  )

  test('a field whose name a JSON Pointer has to escape', async () => {
    const alice = await signUp()

    const { status, body } = await alice.send('POST', '/api/tasks', { title: 'A', 'a/b~c': 1 })

    expect(status).toBe(422)
    expect(body.errors[0].pointer).toBe('/a~1b~0c')
  })

  test('32,000 arrays in each other, within a second', async () => {
    const { authorization } = await signUp()

    const { status } = await send('POST', '/api/tasks', {
      headers: { authorization, 'content-type': 'application/json' },
      raw: `{"title":"A task","tags":${'['.repeat(32_000)}${']'.repeat(32_000)}}`,
    })

    expect(status).toBe(400)
  }, 1000)

  test('several faults, all at once', async () => {
    const alice = await signUp()

    const answer = await alice.send('POST', '/api/tasks', { completed: 1, due_date: 'soon' })

    expectInvalid(answer, '/title', '/completed', '/due_date')
  })
})

describe('an id that the client chose', () => {
  test('is the id of the task', async () => {
    const alice = await signUp()
    const id = crypto.randomUUID()

    const { status, headers, body } = await alice.send('POST', '/api/tasks', { ...fullTask, id })

    expect(status).toBe(201)
    expect(body.id).toBe(id)
    expect(headers.get('location')).toBe(`/api/tasks/${id}`)
  })

  test('creates the same task once, however often it is sent', async () => {
    const alice = await signUp()
    const task = { ...fullTask, id: crypto.randomUUID() }
    const first = await alice.send('POST', '/api/tasks', task)

    const second = await alice.send('POST', '/api/tasks', task)

    expect(second.status).toBe(201)
    expect(second.text).toBe(first.text)
    expect(second.headers.get('etag')).toBe('"1"')
    expect(await list(alice)).toEqual([first.body])
  })

  test('creates the same task once, sent twenty times at once', async () => {
    const alice = await signUp()
    const task = { ...fullTask, id: crypto.randomUUID() }

    const created = await Promise.all(Array.from({ length: 20 }, () => alice.create(task)))

    expect(new Set(created.map((each) => JSON.stringify(each))).size).toBe(1)
    expect(await list(alice)).toEqual([created[0]])
  })

  test('is the same in capital letters', async () => {
    const alice = await signUp()
    const id = crypto.randomUUID()
    const created = await alice.create({ id })

    const again = await alice.create({ id: id.toUpperCase() })

    expect(again).toEqual(created)
  })

  test.each([
    { title: 'Another' },
    { description: null },
    { completed: false },
    { priority: 'low' },
    { tags: ['garden', 'home'] },
    { due_date: '2026-12-02' },
    { due_time: '18:31' },
    { time_zone: null },
  ])('is refused for another task: %j', async (difference) => {
    const alice = await signUp()
    const created = await alice.create({ ...fullTask, id: crypto.randomUUID() })

    const { status } = await alice.send('POST', '/api/tasks', {
      ...fullTask,
      id: created.id,
      ...difference,
    })

    expect(status).toBe(409)
    expect(await list(alice)).toEqual([created])
  })

  test('is refused while the trash has it', async () => {
    const alice = await signUp()
    const task = { ...fullTask, id: crypto.randomUUID() }
    await alice.create(task)
    await alice.send('DELETE', `/api/tasks/${task.id}`)

    const { status } = await alice.send('POST', '/api/tasks', task)

    expect(status).toBe(409)
    expect(await list(alice)).toEqual([])
  })

  test('may be the id of a task of somebody else', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    const hers = await alice.create({ title: 'Of Alice' })

    const his = await bob.create({ title: 'Of Bob', id: hers.id })

    expect(his).toMatchObject({ id: hers.id, user_id: bob.id, title: 'Of Bob' })
    expect(await list(alice)).toEqual([hers])
    expect(await list(bob)).toEqual([his])
  })
})
