import { describe, expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { signUp, type TestUser } from '../support/app.ts'
import { expectInvalid, fullTask, list } from '../support/tasks.ts'

const readOnly = [
  'id',
  'user_id',
  'version',
  'completed_at',
  'created_at',
  'updated_at',
  'deleted_at',
] as const

const pick = (task: Task, ...names: (keyof Task)[]) =>
  Object.fromEntries(names.map((name) => [name, task[name]]))

/** A task, and the same after a change. */
async function makeChanged(user: TestUser, fields: Record<string, unknown> = fullTask) {
  const before = await user.create(fields)
  const { body } = await user.send('PATCH', `/api/tasks/${before.id}`, { title: 'Changed' })
  return { before, now: body as Task }
}

describe.each(['PATCH', 'PUT'])('%s', (method) => {
  test.each(readOnly)('takes %s as it is', async (name) => {
    for (const fields of [{ title: 'A task' }, { title: 'A task', completed: true }, fullTask]) {
      const alice = await signUp()
      const { now } = await makeChanged(alice, fields)
      const path = `/api/tasks/${now.id}`

      const same = await alice.send(method, path, pick(now, name))
      const { status, body } = await alice.send(method, path, {
        ...pick(now, name),
        priority: 'low',
      })

      expect([same.status, same.body]).toEqual([200, now])
      expect(status).toBe(200)
      expect(body).toEqual({ ...now, priority: 'low', version: 3, updated_at: body.updated_at })
    }
  })

  test('takes a task whole, as a form sends it', async () => {
    const alice = await signUp()
    const { now } = await makeChanged(alice)

    const key = { 'idempotency-key': crypto.randomUUID(), 'if-match': '"2"' }
    const send = () => alice.send(method, `/api/tasks/${now.id}`, { ...now, tags: [] }, key)

    const { status, body } = await send()
    const again = await send()

    expect(status).toBe(200)
    expect(body).toMatchObject({ title: 'Changed', tags: [], version: 3 })
    expect(again.body).toEqual(body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test('takes an id in capitals, and the id of the path for it', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ title: 'A task' })

    for (const [path, own] of [
      [id, id.toUpperCase()],
      [id.toUpperCase(), id],
      [id.toUpperCase(), id.toUpperCase()],
    ]) {
      expect((await alice.send(method, `/api/tasks/${path}`, { id: own })).status).toBe(200)
    }
  })

  test.each([
    ['id', crypto.randomUUID()],
    ['user_id', 'bob'],
    ['user_id', ''],
    ['user_id', 'me'],
  ])('refuses %s = %j, which is another', async (name, value) => {
    const alice = await signUp()
    const { now } = await makeChanged(alice)

    const answer = await alice.send(method, `/api/tasks/${now.id}`, { [name]: value, title: 'x' })

    expectInvalid(answer, `/${name}`)
    expect(await list(alice)).toEqual([now])
  })
})

const stale: [fields: Partial<Task>, names: string[]][] = [
  [{ version: 1 }, ['version']],
  [{ version: 3 }, ['version']],
  [{ completed_at: null }, ['completed_at']],
  [{ created_at: '2026-11-20T22:36:42.123456+00:00' }, ['created_at']],
  [{ updated_at: '2026-11-20T22:36:42Z', version: 2 }, ['updated_at']],
  [
    { deleted_at: '2026-11-20T22:36:42.1+00:00', version: 1, completed_at: null },
    ['deleted_at', 'version', 'completed_at'],
  ],
]

describe('of before', () => {
  test.each(stale)('%j is refused in PATCH', async (fields, names) => {
    const alice = await signUp()
    const { now } = await makeChanged(alice)
    const key = { 'idempotency-key': crypto.randomUUID() }

    for (const headers of [{}, { 'if-match': '"2"' }, key]) {
      const sent = { ...fields, priority: 'low' }
      const answer = await alice.send('PATCH', `/api/tasks/${now.id}`, sent, headers)
      expectInvalid(answer, ...names.map((name) => `/${name}`))
    }
    expect(await list(alice)).toEqual([now])
  })

  test.each(stale)('%j means nothing in PUT', async (fields) => {
    const alice = await signUp()
    const { now } = await makeChanged(alice)

    const { status, body } = await alice.send('PUT', `/api/tasks/${now.id}`, {
      ...fields,
      priority: 'low',
    })

    expect(status).toBe(200)
    expect(body).toEqual({ ...now, priority: 'low', version: 3, updated_at: body.updated_at })
  })

  test('a task that was read before is put, and is stale by If-Match alone', async () => {
    const alice = await signUp()
    const { before, now } = await makeChanged(alice)
    const put = (tag: string) =>
      alice.send('PUT', `/api/tasks/${now.id}`, before, { 'if-match': tag })

    expect((await put('"1"')).status).toBe(412)
    expect((await put('"2"')).body).toMatchObject({ title: before.title, version: 3 })
    const patched = await alice.send('PATCH', `/api/tasks/${now.id}`, now, { 'if-match': '"2"' })
    expect(patched.status).toBe(412)
  })

  test('says nothing of the task of somebody else', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { now } = await makeChanged(bob)

    for (const fields of [{ version: 1 }, { version: 2 }, { completed_at: null }]) {
      const { status } = await alice.send('PATCH', `/api/tasks/${now.id}`, fields)
      expect(status).toBe(404)
    }
  })
})

describe('POST', () => {
  test.each([
    () => crypto.randomUUID(),
    () => `auth0|${crypto.randomUUID()}/b c`,
    () => `${crypto.randomUUID()} ü 🙂`,
  ])('takes the own user_id', async (makeId) => {
    const alice = await signUp(makeId())

    const task = await alice.create({ title: 'A task', user_id: alice.id })

    expect(await list(alice)).toEqual([task])
  })

  test.each(['bob', '', 'me', null, 1])('refuses the user_id %j', async (user_id) => {
    const alice = await signUp()

    expectInvalid(await alice.send('POST', '/api/tasks', { title: 'x', user_id }), '/user_id')
    expect(await list(alice)).toEqual([])
  })
})
