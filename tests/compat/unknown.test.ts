import { describe, expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { createTestApp, signUp } from '../support/app.ts'
import { expectInvalid, fullTask } from '../support/tasks.ts'
import { frontend } from './support.ts'

const begin = async () => {
  const alice = await signUp()
  return { alice, call: frontend(alice, 'unknown=keep') }
}

const kept: Record<string, unknown>[] = [
  { category: 'home' },
  { assignee: { name: 'Bob', id: 7 }, order: 0, isFavorite: false },
  {
    subtasks: [{ title: 'a', done: false, note: null }, { title: 'b' }],
    color: '#f00',
    emoji: '🌱',
  },
  JSON.parse(
    '{"__proto__": {"polluted": true}, "constructor": 1, "toString": "x", "": "nameless", "a.b/c~d": []}',
  ),
  { extra: { extra: 1 }, due_at: '2026-12-01', ID: 1 },
]

test.each(kept)('%j is kept, and given back in every answer', async (fields) => {
  const { call } = await begin()
  const given = { title: 'A task', ...fields }

  const { status, body: made } = await call('POST', '/api/tasks', given)
  const path = `/api/tasks/${made.id}`
  const answers = [
    made,
    (await call('GET', path)).body,
    (await call('GET', '/api/tasks')).body[0],
    (await call('PATCH', path, { title: 'Changed' })).body,
    (await call('PUT', path, { priority: 'low' })).body,
    (await call('POST', `${path}/complete`)).body,
    (await call('PATCH', `${path}/toggle`)).body,
    (await call('DELETE', path)).body,
    (await call('GET', '/api/tasks?deleted=true')).body[0],
    (await call('POST', `${path}/restore`)).body,
  ]

  expect(status).toBe(201)
  for (const answer of answers) {
    for (const [name, value] of Object.entries(fields)) {
      expect(Object.getOwnPropertyDescriptor(answer, name)?.value).toEqual(value)
    }
  }
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

describe.each(['PATCH', 'PUT'])('%s', (method) => {
  test.each<[given: object, left: object]>([
    [{ order: 2 }, { category: 'home', order: 2 }],
    [{ category: null }, { order: 1 }],
    [{ category: null, order: null, never: null }, {}],
    [
      { title: 'Changed', tag: ['x'] },
      { category: 'home', order: 1, tag: ['x'] },
    ],
  ])('%j merges', async (given, left) => {
    const { call } = await begin()
    const { body: made } = await call('POST', '/api/tasks', {
      title: 'A task',
      category: 'home',
      order: 1,
    })

    const { status, body } = await call(method, `/api/tasks/${made.id}`, given)

    const { category: _category, order: _order, ...rest } = made
    const { title } = { title: made.title, ...given }
    expect(status).toBe(200)
    expect(body).toEqual({ ...rest, ...left, title, version: 2, updated_at: body.updated_at })
  })

  test('of a task as it was answered changes nothing', async () => {
    const { call } = await begin()
    const { body: made } = await call('POST', '/api/tasks', {
      ...fullTask,
      category: 'home',
      order: [1],
    })

    expect((await call(method, `/api/tasks/${made.id}`, made)).body).toEqual(made)
    expect((await call(method, `/api/tasks/${made.id}`, { order: [1] })).body).toEqual(made)
  })

  test('passes over what only the server decides', async () => {
    const { call } = await begin()
    const { body: made } = await call('POST', '/api/tasks', { title: 'A task' })
    const stale = {
      version: 7,
      created_at: 1,
      updated_at: new Date(),
      completed_at: 'now',
      deleted_at: false,
    }

    const { status, body } = await call(method, `/api/tasks/${made.id}`, {
      ...stale,
      priority: 'low',
    })

    expect(status).toBe(200)
    expect(body).toEqual({ ...made, priority: 'low', version: 2, updated_at: body.updated_at })
  })
})

test.each([1_732_700_000_000, 'temp-1', '', null])(
  'a new task gets an id in place of %j',
  async (id) => {
    const { call } = await begin()

    const { status, body } = await call('POST', '/api/tasks', {
      id,
      title: 'A task',
      createdAt: 'x',
      created_at: 'x',
    })

    expect(status).toBe(201)
    expect(body).toMatchObject({ createdAt: 'x', created_at: body.updated_at })
    expect(body.id).toMatch(/^[0-9a-f-]{36}$/)
  },
)

test('an id of its own choice is taken, and the same task is made once', async () => {
  const { call } = await begin()
  const task = { id: crypto.randomUUID(), title: 'A task', category: 'home' }

  const first = await call('POST', '/api/tasks', task)
  const again = await call('POST', '/api/tasks', task)
  const other = await call('POST', '/api/tasks', { ...task, category: 'work' })

  expect([first.status, again.status, other.status]).toEqual([201, 201, 409])
  expect(again.body).toEqual(first.body)
})

test('what is known is refused as ever, and nobody else has it', async () => {
  const { call } = await begin()

  expectInvalid(
    await call('POST', '/api/tasks', { title: 1, tags: 'x', category: 'home' }),
    '/title',
    '/tags',
  )
  expectInvalid(await call('POST', '/api/tasks', { category: 'home' }), '/title')
  expectInvalid(await call('POST', '/api/tasks', { title: 'x', user_id: 'bob' }), '/user_id')
  expect((await call('GET', '/api/tasks')).body).toEqual([])
})

test.each<[string, object]>([
  ['note', { note: 'a\0b' }],
  ['list', { list: [{ deep: '\ud800' }] }],
  ['map', { map: { 'a\0': 1 } }],
])('%s with what cannot be stored is refused', async (name, fields) => {
  const { call } = await begin()

  expectInvalid(await call('POST', '/api/tasks', { title: 'x', ...fields }), `/${name}`)
})

test('8 KiB are kept in all, and what is too much is named', async () => {
  const { call } = await begin()
  const most = { note: 'é'.repeat(4090) }
  const { body: made } = await call('POST', '/api/tasks', { title: 'x', ...most })

  expect(Buffer.byteLength(JSON.stringify(most))).toBe(8191)
  expect(made.note).toBe(most.note)
  for (const [method, path] of [
    ['PATCH', `/${made.id}`],
    ['PUT', `/${made.id}`],
  ] as const) {
    expectInvalid(await call(method, `/api/tasks${path}`, { a: 1, more: 'x' }), '/more')
  }
  expectInvalid(await call('POST', '/api/tasks', { title: 'x', ...most, b: 1 }), '/note')
  expect((await call('PATCH', `/api/tasks/${made.id}`, { note: null, more: 'x' })).body.more).toBe(
    'x',
  )
})

test.each([
  '?_t=1732700000000',
  '?userId=7&category=home&status=pending',
  '?__proto__=1&limit=10&q=',
])('%s lists as if what is not known was not there', async (query) => {
  const { call } = await begin()
  const { body: made } = await call('POST', '/api/tasks', { title: 'A task' })

  const { status, body } = await call('GET', `/api/tasks${query}`)

  expect(status).toBe(200)
  expect(body).toEqual([made])
  expect(
    (await call('GET', `/api/tasks/${made.id}${query.replace(/[?&](status|limit|q)=[^&]*/g, '')}`))
      .body,
  ).toEqual(made)
})

test('what is known of a query is refused as ever', async () => {
  const { call } = await begin()

  expectInvalid(await call('GET', '/api/tasks?limit=0&_t=1'), '/limit')
  expectInvalid(await call('GET', '/api/tasks?sort=order&page=2'), '/sort')
  expectInvalid(await call('GET', '/api/tasks?page=2000'), '/page')
})

test('pages by their numbers', async () => {
  const { call } = await begin()
  for (const title of ['a', 'b', 'c', 'd', 'e']) await call('POST', '/api/tasks', { title })
  const titles = async (query: string) =>
    (await call('GET', `/api/tasks?sort=title&${query}`)).body.map(
      (task: { title: string }) => task.title,
    )

  expect(await titles('page=1&limit=2')).toEqual(['a', 'b'])
  expect(await titles('page=2&limit=2')).toEqual(['c', 'd'])
  expect(await titles('limit=2&page=3')).toEqual(['e'])
  expect(await titles('page=x')).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a toggle takes a task whole, and of it what is completed', async () => {
  const { call } = await begin()
  const { body: made } = await call('POST', '/api/tasks', { title: 'A task', category: 'home' })

  const { body } = await call('PATCH', `/api/tasks/${made.id}/complete`, {
    ...made,
    title: 'x',
    category: 'work',
    completed: true,
  })

  expect(body).toMatchObject({ title: 'A task', category: 'home', completed: true })
})

test('a key names one request, whatever is kept of it', async () => {
  const { call } = await begin()
  const key = { 'idempotency-key': crypto.randomUUID() }
  const task = { title: 'A task', category: 'home' }

  const first = await call('POST', '/api/tasks', task, key)
  const again = await call('POST', '/api/tasks', task, key)
  const other = await call('POST', '/api/tasks', { ...task, category: 'work' }, key)

  expect(again.body).toEqual(first.body)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused'])
})

test.each<[before: object, change: object]>([
  [{}, { category: 'home' }],
  [
    { category: 'home', order: 1 },
    { category: null, title: 'Changed' },
  ],
  [{ category: 'home' }, { category: null, color: 'red', order: [1] }],
])('a change of %j by %j is undone, and done again', async (before, change) => {
  const { call } = await begin()
  const { body: made } = await call('POST', '/api/tasks', { title: 'A task', ...before })
  const path = `/api/tasks/${made.id}`
  const changed = await call('PATCH', path, change)
  const fieldsOf = ({
    version: _version,
    updated_at: _updated,
    ...fields
  }: Record<string, unknown>) => fields
  const undo = async (request: string | null) => {
    const { status, body } = await call(
      'POST',
      '/api/undo',
      { request_id: request },
      { 'x-request-id': crypto.randomUUID() },
    )
    expect([status, body.length]).toEqual([200, 1])
    return (await call('GET', path)).body
  }

  expect(fieldsOf(await undo(changed.headers.get('x-request-id')))).toEqual(fieldsOf(made))
  const [last] = (await call('GET', `${path}/history`)).body
  expect(fieldsOf(await undo(last.request_id))).toEqual(fieldsOf(changed.body))
  expect((await call('GET', '/api/changes')).body[0].task.extra ?? {}).toEqual(
    Object.fromEntries(
      Object.entries({ ...before, ...change }).filter(
        ([name, value]) => name !== 'title' && value !== null,
      ),
    ),
  )
})

test('what is kept counts for the quota', async () => {
  const alice = await signUp()
  const { compat } = readConfig({ COMPAT: 'unknown=keep' })
  const small = createTestApp({ compat, quota: { tasks: null, bytes: 3000 } })
  const create = async (note: string) =>
    small.handle(
      new Request('http://localhost/api/tasks', {
        method: 'POST',
        headers: { authorization: alice.authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'x', note }),
      }),
    )

  expect((await create('x'.repeat(1000))).status).toBe(201)
  const refused = await create('x'.repeat(2000))
  expect([refused.status, await refused.json()]).toMatchObject([422, { code: 'quota_exceeded' }])
  expect((await create('')).status).toBe(201)
})

test('without it, what was kept is not shown, and is still there', async () => {
  const { alice, call } = await begin()
  const { body: made } = await call('POST', '/api/tasks', { title: 'A task', category: 'home' })
  const other = frontend(alice, 'dates=datetime')

  expect((await other('GET', `/api/tasks/${made.id}`)).body).not.toHaveProperty('category')
  expectInvalid(await other('PATCH', `/api/tasks/${made.id}`, { category: 'work' }), '/category')
  expect((await call('GET', '/api/tasks')).body).toEqual([made])
})
