import { expect, test } from 'bun:test'
import { type Answer, signUp, sql, type TestUser } from '../support/app.ts'
import { fullTask, list } from '../support/tasks.ts'

const newKey = (): Record<string, string> => ({ 'idempotency-key': crypto.randomUUID() })

/** Every write, each on a task that it can be made to, with another body that it takes. */
const writes: [
  name: string,
  method: string,
  path: (id: string) => string,
  body: object | undefined,
  other: object | undefined,
][] = [
  ['create', 'POST', () => '/api/tasks', fullTask, { title: 'Another' }],
  ['update', 'PATCH', (id) => `/api/tasks/${id}`, { title: 'Changed' }, { title: 'Otherwise' }],
  ['put', 'PUT', (id) => `/api/tasks/${id}`, { priority: 'low' }, { priority: 'high' }],
  ['toggle', 'PATCH', (id) => `/api/tasks/${id}/complete`, undefined, { completed: false }],
  [
    'complete',
    'POST',
    (id) => `/api/tasks/${id}/complete`,
    { completed: true },
    { completed: false },
  ],
  ['delete', 'DELETE', (id) => `/api/tasks/${id}`, undefined, undefined],
  ['restore', 'POST', (id) => `/api/tasks/${id}/restore`, undefined, undefined],
]

const snapshot = (user: TestUser) =>
  sql`select id, version, title, deleted_at from docket.tasks where user_id = ${user.id} order by id`

test.each(writes)(
  '%s with the same key has one effect and one answer',
  async (_name, method, path, body) => {
    const alice = await signUp()
    const key = newKey()
    const { id } = await alice.create()

    const first = await alice.send(method, path(id), body, key)
    const after = await snapshot(alice)
    const again = await alice.send(method, path(id), body, key)
    const third = await alice.send(method, path(id).replace('/api/', '/api/me/'), body, key)

    expect(first.status).toBe(method === 'POST' && path(id) === '/api/tasks' ? 201 : 200)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    for (const answer of [again, third]) {
      expect(answer.status).toBe(first.status)
      expect(answer.text).toBe(first.text)
      expect(answer.headers.get('etag')).toBe(first.headers.get('etag'))
      expect(answer.headers.get('idempotency-replayed')).toBe('true')
    }
    expect(await snapshot(alice)).toEqual(after)
  },
)

test.each(writes)(
  '%s with the same key at the same time has one effect',
  async (_name, method, path, body) => {
    const alice = await signUp()
    const { id } = await alice.create()
    const before = await snapshot(alice)
    const key = { ...newKey(), ...(path(id) === '/api/tasks' ? {} : { 'if-match': '"1"' }) }

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => alice.send(method, path(id), body, key)),
    )

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.filter(({ headers }) => !headers.has('idempotency-replayed')).length).toBe(1)
    const after = await snapshot(alice)
    expect(after.length).toBe(before.length + (path(id) === '/api/tasks' ? 1 : 0))
    expect(after.find((row) => row['id'] === id)?.['version']).toBe(
      // Of a task that is not in the trash there is nothing to bring back.
      path(id) === '/api/tasks' || path(id).endsWith('/restore') ? 1 : 2,
    )
  },
)

test('answers a create with a key as one without', async () => {
  const alice = await signUp()
  const { body: plain, headers } = await alice.send('POST', '/api/tasks', fullTask)
  const keyed = await alice.send('POST', '/api/tasks', fullTask, newKey())

  expect(Object.keys(keyed.body)).toEqual(Object.keys(plain))
  const {
    id: _a,
    created_at: _b,
    updated_at: _c,
    completed_at: _d,
    position: _e,
    ...rest
  } = keyed.body
  expect(plain).toMatchObject(rest)
  expect(keyed.headers.get('location')).toBe(`/api/tasks/${keyed.body.id}`)
  expect(keyed.headers.get('etag')).toBe(headers.get('etag'))
  expect((await alice.send('GET', `/api/tasks/${keyed.body.id}`)).text).toBe(keyed.text)
})

test.each(writes)(
  '%s with the key of another request is 422',
  async (_name, method, path, body, other) => {
    const alice = await signUp()
    const key = newKey()
    const { id } = await alice.create()
    const { id: another } = await alice.create()
    await alice.send(method, path(id), body, key)
    const after = await snapshot(alice)

    const different =
      other === undefined
        ? await alice.send(method, path(another), body, key)
        : await alice.send(method, path(id), other, key)
    const elsewhere = await alice.send('PATCH', `/api/tasks/${another}`, { title: 'x' }, key)
    const conditional = await alice.send(method, path(id), body, { ...key, 'if-match': '"7"' })

    for (const answer of [different, elsewhere, conditional]) {
      expect(answer.status).toBe(422)
      expect(answer.body.code).toBe('idempotency_key_reused')
    }
    expect(await snapshot(alice)).toEqual(after)
  },
)

test('is forgotten where nothing was done', async () => {
  const alice = await signUp()
  const key = newKey()
  const { id } = await alice.create()

  const stale = await alice.send(
    'PATCH',
    `/api/tasks/${id}`,
    { title: 'x' },
    { ...key, 'if-match': '"7"' },
  )
  const invalid = await alice.send('PATCH', `/api/tasks/${id}`, { title: '' }, key)
  const absent = await alice.send('DELETE', `/api/tasks/${crypto.randomUUID()}`, undefined, key)
  const taken = await alice.send('POST', '/api/tasks', { id, title: 'Another' }, key)
  const done = await alice.send('PATCH', `/api/tasks/${id}`, { title: 'x' }, key)

  expect([stale.status, invalid.status, absent.status, taken.status]).toEqual([412, 422, 404, 409])
  expect(done.status).toBe(200)
  expect(done.headers.get('idempotency-replayed')).toBeNull()
})

test('belongs to its user', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const key = newKey()

  const mine = await alice.send('POST', '/api/tasks', { title: 'A task' }, key)
  const yours = await bob.send('POST', '/api/tasks', { title: 'Another task' }, key)

  expect(yours.status).toBe(201)
  expect(yours.headers.get('idempotency-replayed')).toBeNull()
  expect(yours.body.id).not.toBe(mine.body.id)
  expect(await list(alice)).toEqual([mine.body])
})

test('lives for a day, and is swept by whoever writes next', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const key = newKey()
  const first = await alice.send('POST', '/api/tasks', { title: 'A task' }, key)
  const age = (interval: string) =>
    sql`update docket.idempotency_keys set created_at = now() - ${interval}::interval where user_id = ${alice.id}`

  await age('23 hours 59 minutes')
  const replayed = await alice.send('POST', '/api/tasks', { title: 'A task' }, key)
  await age('24 hours 1 minute')
  const second = await alice.send('POST', '/api/tasks', { title: 'A task' }, key)
  await age('24 hours 1 minute')
  await bob.send('POST', '/api/tasks', { title: 'A task' }, newKey())

  expect(replayed.body.id).toBe(first.body.id)
  expect(second.status).toBe(201)
  expect(second.body.id).not.toBe(first.body.id)
  expect(await list(alice)).toHaveLength(2)
  expect(
    await sql`select key from docket.idempotency_keys where user_id = ${alice.id}`,
  ).toHaveLength(0)
})

test.each(['', ' ', 'a'.repeat(256), 'a\tb', 'ü'])('answers 400 to %j as a key', async (key) => {
  const alice = await signUp()

  const answer = await alice.send(
    'POST',
    '/api/tasks',
    { title: 'A task' },
    { 'idempotency-key': key },
  )

  expect(answer.status).toBe(400)
  expect(await list(alice)).toEqual([])
})

test.each(['a', 'a'.repeat(255), `!"#$%&'()*+,-./:;<=>?@[\\]^_{|}~`, 'with spaces'])(
  'takes %j as a key',
  async (key) => {
    const alice = await signUp()
    const headers = { 'idempotency-key': key }

    const first = await alice.send('POST', '/api/tasks', { title: 'A task' }, headers)
    const again = await alice.send('POST', '/api/tasks', { title: 'A task' }, headers)

    expect(first.status).toBe(201)
    expect(again.text).toBe(first.text)
  },
)

test('makes 60 tasks of 60 keys that are each sent six times at once', async () => {
  const alice = await signUp()
  const keys = Array.from({ length: 60 }, newKey)

  const answers: Answer[] = []
  // Ten keys at a time: more would wait for the database longer than it lets them.
  for (let start = 0; start < keys.length; start += 10) {
    const some = keys
      .slice(start, start + 10)
      .flatMap((key) =>
        Array.from({ length: 6 }, () => alice.send('POST', '/api/tasks', { title: 'A task' }, key)),
      )
    answers.push(...(await Promise.all(some)))
  }

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(60)
  expect(await list(alice, '?limit=200')).toHaveLength(60)
})

test('loses none of what 20 writers change with If-Match, ten times each', async () => {
  const alice = await signUp()
  const { id } = await alice.create({ title: '0' })
  let conflicts = 0

  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let done = 0; done < 10; ) {
        const { body, headers } = await alice.send('GET', `/api/tasks/${id}`)
        const { status } = await alice.send(
          'PATCH',
          `/api/tasks/${id}`,
          { title: String(Number(body.title) + 1) },
          { 'if-match': headers.get('etag') ?? '' },
        )
        if (status === 200) done += 1
        else conflicts += 1
      }
    }),
  )

  const { body } = await alice.send('GET', `/api/tasks/${id}`)
  expect(body.title).toBe('200')
  expect(body.version).toBe(201)
  expect(conflicts).toBeGreaterThan(0)
}, 60_000)
