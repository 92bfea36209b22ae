import { expect, test } from 'bun:test'
import { importTasks } from '../../../src/tasks/transfer.ts'
import { createTestApp, db, signUp, sql, type TestUser } from '../../support/app.ts'

type Limits = { tasks?: number; bytes?: number }

/** An instance with these quotas. Any: the test asserts the shape. */
function instance({ tasks, bytes }: Limits) {
  const app = createTestApp({ quota: { tasks: tasks ?? null, bytes: bytes ?? null } })
  return async (
    { authorization }: TestUser,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; headers: Headers; body: any; text: string }> => {
    const answer = await app.handle(
      new Request(`http://localhost/api${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    )
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: JSON.parse(text), text }
  }
}

/** What the database has of a user. */
async function stored({ id }: TestUser): Promise<{ tasks: number; bytes: number }> {
  const [row] = await sql<[{ tasks: number; bytes: number }]>`
    select count(*)::integer as tasks, coalesce(sum(octet_length(json)), 0)::float8 as bytes
    from docket.tasks
    where user_id = ${id}`
  return row
}

const count = (statuses: number[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(statuses)].map((one) => [one, statuses.filter((other) => other === one).length]),
  )

test.each([1, 3, 30, 200])(
  'makes as many tasks as %p allow, however many are sent at one moment',
  async (tasks) => {
    const alice = await signUp()
    const call = instance({ tasks })

    const answers = await Promise.all(
      Array.from({ length: tasks + 40 }, (_, index) =>
        call(alice, 'POST', '/tasks', { title: `Task ${index}` }),
      ),
    )

    expect(count(answers.map(({ status }) => status))).toEqual({ 201: tasks, 422: 40 })
    expect((await stored(alice)).tasks).toBe(tasks)
    expect((await call(alice, 'POST', '/tasks', { title: 'One more' })).body).toMatchObject({
      status: 422,
      code: 'quota_exceeded',
      detail: expect.stringContaining(`${tasks} tasks`),
    })
  },
)

test('counts what was there before, the trash included, and nothing of anybody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  for (let index = 0; index < 3; index += 1) await alice.create()
  await alice.send('DELETE', `/api/tasks/${(await alice.create()).id}`)
  const call = instance({ tasks: 5 })
  const make = async (user: TestUser) =>
    (await call(user, 'POST', '/tasks', { title: 'New' })).status

  expect([await make(alice), await make(alice), await make(bob)]).toEqual([201, 422, 201])
})

test('measures a user with more tasks than are looked at at a time', async () => {
  const alice = await signUp()
  await sql`
    with owner as (
      insert into docket.users (id)
      values (${alice.id})
    )
    insert into docket.tasks (user_id, id, title)
    select ${alice.id}::text, gen_random_uuid(), 'Task ' || n
    from generate_series(1, 4500) as n`
  const call = instance({ tasks: 4501, bytes: 100_000_000 })

  const { body: me } = await call(alice, 'GET', '/me')
  const statuses = []
  for (let times = 0; times < 3; times += 1) {
    statuses.push((await call(alice, 'POST', '/tasks', { title: 'New' })).status)
  }

  expect(me.usage).toEqual({ tasks: 4500, bytes: expect.any(Number) })
  expect(me.quota).toEqual({ tasks: 4501, bytes: 100_000_000 })
  expect(statuses).toEqual([201, 422, 422])
})

test('says in /api/me what there is, to the byte, and what is allowed', async () => {
  const alice = await signUp()
  const call = instance({ tasks: 50 })

  expect((await call(alice, 'GET', '/me')).body).toMatchObject({
    quota: { tasks: 50, bytes: null },
    usage: { tasks: 0, bytes: 0 },
  })
  const { body: task, text } = await call(alice, 'POST', '/tasks', { title: 'Zähle ☃ "das"\n' })
  const bytes = Buffer.byteLength(text)
  expect((await call(alice, 'GET', '/me')).body.usage).toEqual({ tasks: 1, bytes })

  await call(alice, 'PATCH', `/tasks/${task.id}`, { description: '\u0001\\€😀'.repeat(50) })
  for (const [method, path, change] of [
    ['POST', '/complete'],
    ['PATCH', '', { priority: 'high' }],
    ['DELETE', ''],
    ['PATCH', '', { title: 'Not there any more' }],
    ['POST', '/restore'],
  ] as const) {
    await call(alice, method, `/tasks/${task.id}${path}`, change)
    const { usage } = (await call(alice, 'GET', '/me')).body
    expect(usage.tasks).toBe(1)
    expect(usage).toEqual(await stored(alice))
  }
  expect((await alice.send('GET', '/api/me')).body.quota).toEqual({ tasks: null, bytes: null })
})

test.each(['x', '€', '"', '\u0001', '😀'])('bounds the bytes of texts of %j', async (character) => {
  const alice = await signUp()
  const call = instance({ bytes: 100_000 })
  const make = () =>
    call(alice, 'POST', '/tasks', { title: 'Long', description: character.repeat(2000) })

  let made = 0
  let answer = await make()
  for (; answer.status === 201; answer = await make()) made += 1
  const { bytes } = await stored(alice)

  expect(answer.body).toMatchObject({
    code: 'quota_exceeded',
    detail: expect.stringContaining('100,000 bytes'),
  })
  expect(bytes).toBeLessThanOrEqual(100_000)
  // One more would not have fitted.
  expect(bytes + bytes / made + 100).toBeGreaterThan(100_000)
})

test('bounds the bytes of creations and changes at one moment', async () => {
  const alice = await signUp()
  const call = instance({ bytes: 60_000 })
  const tasks = await Promise.all(Array.from({ length: 10 }, () => alice.create()))

  const answers = await Promise.all([
    ...tasks.map(({ id }) =>
      call(alice, 'PATCH', `/tasks/${id}`, { description: 'x'.repeat(9000) }),
    ),
    ...tasks.map(() => call(alice, 'POST', '/tasks', { title: 'x'.repeat(500) })),
  ])

  const statuses = count(answers.map(({ status }) => status))
  expect(statuses[422]).toBeGreaterThan(0)
  const { bytes } = await stored(alice)
  expect(bytes).toBeLessThanOrEqual(60_000)
  expect(bytes).toBeGreaterThan(50_000)
})

test('lets a full user make room, and use it', async () => {
  const alice = await signUp()
  const task = await alice.create({ description: 'x'.repeat(9000), tags: ['one', 'two'] })
  const other = await alice.create({ description: 'x'.repeat(9000) })
  const { bytes } = await stored(alice)
  const call = instance({ bytes: bytes + 40, tasks: 2 })
  const patch = async ({ id }: { id: string }, body: object, method = 'PATCH') =>
    (await call(alice, method, `/tasks/${id}`, body)).status

  expect(await patch(task, { description: 'x'.repeat(9100) })).toBe(422)
  expect(await patch(task, { tags: ['one', 'two', 'x'.repeat(50)] }, 'PUT')).toBe(422)
  // As long as it is, in other words, and shorter in one field by what is longer in another.
  expect(await patch(task, { description: 'y'.repeat(9000) })).toBe(200)
  expect(await patch(task, { description: 'y'.repeat(8500), title: 'z'.repeat(500) })).toBe(200)
  expect(await patch(task, { priority: 'high', completed: true })).toBe(200)
  expect((await call(alice, 'POST', `/tasks/${other.id}/complete`)).status).toBe(200)
  expect((await call(alice, 'DELETE', `/tasks/${other.id}`)).status).toBe(200)
  expect((await call(alice, 'POST', `/tasks/${other.id}/restore`)).status).toBe(200)
  expect(await patch(other, { description: 'x'.repeat(9200) })).toBe(422)
  expect(await patch(task, { description: null })).toBe(200)
  expect(await patch(other, { description: 'x'.repeat(12_000) })).toBe(200)
  expect(await patch(other, { description: 'x'.repeat(18_000) })).toBe(422)
})

test('does not take what was replaced for what was added', async () => {
  const alice = await signUp()
  const call = instance({ bytes: 25_000 })
  const { body: task } = await call(alice, 'POST', '/tasks', { title: 'A task' })

  for (let length = 100; length < 20_000; length += 900) {
    const { status } = await call(alice, 'PATCH', `/tasks/${task.id}`, {
      description: 'x'.repeat(length),
    })
    expect(status).toBe(200)
  }
  expect((await call(alice, 'GET', '/me')).body.usage).toEqual(await stored(alice))
})

test('gives back what was not made', async () => {
  const alice = await signUp()
  const call = instance({ tasks: 3 })
  const { body: task } = await call(alice, 'POST', '/tasks', { title: 'The first' })
  const unknown = crypto.randomUUID()

  const failures = [
    await call(alice, 'POST', '/tasks', { title: '' }),
    await call(alice, 'POST', '/tasks', { title: 'No date', due_time: '10:00' }),
    await call(alice, 'POST', '/tasks', { id: task.id, title: 'Another' }),
    await call(alice, 'PATCH', `/tasks/${unknown}`, { title: 'x'.repeat(500) }),
    await call(alice, 'PATCH', `/tasks/${task.id}`, { title: 'Old' }, { 'if-match': '"7"' }),
  ]
  const made = []
  for (let times = 0; times < 3; times += 1) {
    made.push((await call(alice, 'POST', '/tasks', { title: 'Another' })).status)
  }

  expect(failures.map(({ status }) => status)).toEqual([422, 422, 409, 404, 412])
  expect(made).toEqual([201, 201, 422])
})

test('answers what was made already as the first time, also to a full user', async () => {
  const alice = await signUp()
  const call = instance({ tasks: 2 })
  const key = { 'idempotency-key': crypto.randomUUID() }
  const id = crypto.randomUUID()
  const keyed = () => call(alice, 'POST', '/tasks', { title: 'By a key' }, key)
  const chosen = () => call(alice, 'POST', '/tasks', { title: 'By an id', id })

  const first = await Promise.all([keyed(), keyed(), keyed(), chosen(), chosen(), chosen()])
  const again = [await keyed(), await chosen()]
  const others = [
    await call(alice, 'POST', '/tasks', { title: 'Another' }, key),
    await call(alice, 'POST', '/tasks', { title: 'Another', id }),
    await call(alice, 'POST', '/tasks', { title: 'Another' }),
  ]

  expect(count(first.map(({ status }) => status))).toEqual({ 201: 6 })
  expect(again.map(({ status }) => status)).toEqual([201, 201])
  expect(again[0]?.headers.get('idempotency-replayed')).toBe('true')
  expect(others.map(({ status, body }) => [status, body.code])).toEqual([
    [422, 'idempotency_key_reused'],
    [409, 'conflict'],
    [422, 'quota_exceeded'],
  ])
  expect((await stored(alice)).tasks).toBe(2)
})

test('begins anew with who deleted everything', async () => {
  const alice = await signUp()
  const call = instance({ tasks: 2 })
  const make = async () => (await call(alice, 'POST', '/tasks', { title: 'A task' })).status

  expect([await make(), await make(), await make()]).toEqual([201, 201, 422])
  expect((await call(alice, 'DELETE', '/me', { confirm: alice.id })).status).toBe(200)
  expect([await make(), await make(), await make()]).toEqual([201, 201, 422])
})

test('counts what was imported, and limits it not', async () => {
  const alice = await signUp()
  const task = await alice.create()
  const call = instance({ tasks: 3 })
  expect((await call(alice, 'GET', '/me')).body.usage.tasks).toBe(1)

  const moved = Array.from({ length: 5 }, () => ({ task: { ...task, id: crypto.randomUUID() } }))
  expect(await importTasks(db, moved, 'test')).toBe(5)

  expect((await instance({ tasks: 3 })(alice, 'GET', '/me')).body.usage.tasks).toBe(6)
  expect((await instance({ tasks: 3 })(alice, 'POST', '/tasks', { title: 'New' })).status).toBe(422)
})

test('lets a user who was not measured add no more than a hundredth', async () => {
  const alice = await signUp()
  await sql`
    with owner as (
      insert into docket.users (id)
      values (${alice.id})
    )
    insert into docket.tasks (user_id, id, title)
    select ${alice.id}::text, gen_random_uuid(), 'Task'
    from generate_series(1, 1000)`
  const [call, elsewhere] = [instance({ tasks: 1000 }), instance({ tasks: 1000 })]
  const make = async (one: typeof call) =>
    count(
      await Promise.all(
        Array.from(
          { length: 25 },
          async () => (await one(alice, 'POST', '/tasks', { title: 'New' })).status,
        ),
      ),
    )

  expect(await make(call)).toEqual({ 201: 10, 422: 15 })
  expect(await make(elsewhere)).toEqual({ 201: 10, 422: 15 })
  expect(await make(call)).toEqual({ 422: 25 })
})
