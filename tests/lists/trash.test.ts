import { expect, test } from 'bun:test'
import { createTestApp, send, signUp, sql, type TestUser } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { list as listTasks } from '../support/tasks.ts'
import { lists, makeList, names } from './support.ts'

const remove = (user: TestUser, id: string, headers = {}) =>
  user.send('DELETE', `/api/lists/${id}`, undefined, headers)
const restore = (user: TestUser, id: string, headers = {}) =>
  user.send('POST', `/api/lists/${id}/restore`, undefined, headers)

const idsOf = (things: { id: string }[]) => things.map(({ id }) => id).toSorted()

const healthy = async (user: TestUser) =>
  expect(faultsOf(await readLog(sql, [user.id]))).toEqual([])

test('a list takes its tasks along and brings them back, but for those that were there before', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice, { name: 'Home' })
  const other = await makeList(alice, { name: 'Other' })
  const parent = await alice.create({ list_id: id })
  const child = await alice.create({ list_id: id, parent_id: parent.id })
  const done = await alice.create({ list_id: id, completed: true })
  const before = await alice.create({ list_id: id })
  await alice.send('DELETE', `/api/tasks/${before.id}`)
  const elsewhere = await alice.create({ list_id: other.id })
  const inbox = await alice.create()

  const { status, body, headers } = await remove(alice, id)

  expect([status, headers.get('etag')]).toEqual([200, '"2"'])
  expect(body).toMatchObject({ id, name: 'Home', version: 2, deleted_at: body.updated_at })
  expect(await names(alice)).toEqual(['Other'])
  expect(await lists(alice, '?deleted=true')).toEqual([body])
  expect((await alice.send('GET', `/api/lists/${id}`)).status).toBe(404)
  expect(idsOf(await listTasks(alice))).toEqual(idsOf([elsewhere, inbox]))
  const trash = await listTasks(alice, '?deleted=true')
  expect(idsOf(trash)).toEqual(idsOf([parent, child, done, before]))
  for (const task of trash) {
    expect(task.deleted_at === body.deleted_at).toBe(task.id !== before.id)
    expect(task.list_id).toBe(id)
  }
  expect((await remove(alice, id)).status).toBe(404)
  expect((await alice.send('POST', '/api/tasks', { title: 'A', list_id: id })).status).toBe(404)

  const back = await restore(alice, id)

  expect(back.body).toMatchObject({ id, version: 3, deleted_at: null })
  expect(idsOf(await listTasks(alice, '?deleted=true'))).toEqual([before.id])
  expect((await alice.send('GET', `/api/tasks/${child.id}`)).body).toMatchObject({
    list_id: id,
    parent_id: parent.id,
    position: child.position,
    version: 3,
  })
  expect((await restore(alice, id)).body).toEqual(back.body)
  await healthy(alice)
})

test('it is one request to the log', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  for (let n = 0; n < 3; n += 1) await alice.create({ list_id: id })
  const request = { 'x-request-id': crypto.randomUUID() }

  await remove(alice, id, request)

  const rows = await sql`
    select type, action from docket.changes where request_id = ${request['x-request-id']} order by seq`
  expect(rows.map(({ type, action }) => `${type} ${action}`)).toEqual([
    'list deleted',
    ...Array(3).fill('task deleted'),
  ])
})

test('only while it has a version', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  await alice.create({ list_id: id })

  expect((await remove(alice, id, { 'if-match': '"2"' })).status).toBe(412)
  expect(await listTasks(alice)).toHaveLength(1)
  expect((await remove(alice, id, { 'if-match': '"1"' })).status).toBe(200)
  expect((await restore(alice, id, { 'if-match': '"1"' })).status).toBe(412)
  expect((await restore(alice, id, { 'if-match': '"2"' })).status).toBe(200)
})

test('with an id that a task has too, each is what it is', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  await alice.create({ id, list_id: id })

  expect((await remove(alice, id.toUpperCase())).body).toMatchObject({ id, name: 'A list' })
  expect((await restore(alice, id)).body).toMatchObject({ id, name: 'A list' })
  expect(await listTasks(alice)).toMatchObject([{ id, list_id: id, version: 3 }])
})

test('a task that comes back alone is in the inbox, and stays there', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const task = await alice.create({ list_id: id })
  await remove(alice, id)

  await alice.send('POST', `/api/tasks/${task.id}/restore`)
  await restore(alice, id)

  expect(await listTasks(alice)).toMatchObject([{ id: task.id, list_id: null }])
})

test('a subtask whose parent is gone for good comes back under none', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const parent = await alice.create({ list_id: id })
  const child = await alice.create({ list_id: id, parent_id: parent.id })
  await remove(alice, id)
  await alice.send('DELETE', `/api/trash/${parent.id}`)

  await restore(alice, id)

  expect(await listTasks(alice)).toMatchObject([{ id: child.id, list_id: id, parent_id: null }])
})

test('a subtask whose parent went there at another time comes back under none', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const parent = await alice.create({ list_id: id })
  const child = await alice.create({ list_id: id, parent_id: parent.id })
  await remove(alice, id)
  // As a file can have it.
  await sql`update docket.tasks set deleted_at = '2026-01-01' where user_id = ${alice.id} and id = ${parent.id}`

  expect((await restore(alice, id)).status).toBe(200)

  expect(await listTasks(alice)).toMatchObject([{ id: child.id, list_id: id, parent_id: null }])
})

/** Tasks of a list, many of which are under others, five deep. */
async function fill(user: TestUser, listId: string, count: number): Promise<void> {
  await sql`
    insert into docket.tasks (user_id, id, title, list_id, parent_id, seq, position, has_subtasks)
    select ${user.id}, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Task ' || n, ${listId},
      case when n % 5 > 0 then ('00000000-0000-4000-8000-' || lpad(to_hex(n - 1), 12, '0'))::uuid end,
      100 + n, docket.position_at_end(100 + n), n % 5 < 4
    from generate_series(1, ${count}::integer) n
    where n >= 5`
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, at, day)
    select user_id, seq, 'task', id, 'created', created_at, current_date from docket.tasks where user_id = ${user.id} and seq > 100`
  await sql`
    insert into docket.latest (user_id, seq, type, id)
    select user_id, seq, 'task', id from docket.tasks where user_id = ${user.id} and seq > 100`
  await sql`update docket.users set seq = 200 + ${count} where id = ${user.id}`
}

const placesOf = ({ id }: TestUser) => sql`
  select id, list_id, parent_id, position, deleted_at from docket.tasks where user_id = ${id} order by id`

test('more tasks than go in one statement go and come back together, trees whole', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  await fill(alice, id, 2504)
  const before = await placesOf(alice)
  expect(before).toHaveLength(2500)
  const request = { 'x-request-id': crypto.randomUUID() }

  const gone = await remove(alice, id, { ...request, 'idempotency-key': 'a key' })
  const again = await remove(alice, id, { 'idempotency-key': 'a key' })

  expect(gone.status).toBe(200)
  expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([gone.text, 'true'])
  const instants = await sql`
    select deleted_at, count(*)::integer as many from (
      select deleted_at from docket.tasks where user_id = ${alice.id}
      union all select deleted_at from docket.lists where user_id = ${alice.id}) t group by 1`
  expect([...instants]).toEqual([{ deleted_at: gone.body.deleted_at, many: 2501 }])
  const [logged] = await sql`
    select count(*)::integer as many from docket.changes where request_id = ${request['x-request-id']}`
  expect(logged).toEqual({ many: 2501 })

  const back = await restore(alice, id, { 'idempotency-key': 'another' })
  const twice = await restore(alice, id, { 'idempotency-key': 'another' })

  expect(back.body).toMatchObject({ id, deleted_at: null, version: 3 })
  expect([twice.text, twice.headers.get('idempotency-replayed')]).toEqual([back.text, 'true'])
  expect([...(await placesOf(alice))]).toEqual([...before])
  await healthy(alice)
}, 60_000)

test('what comes into it meanwhile goes along, or comes too late', async () => {
  for (let round = 0; round < 5; round += 1) {
    const alice = await signUp()
    const { id } = await makeList(alice)
    for (let n = 0; n < 3; n += 1) await alice.create({ list_id: id })

    const [gone, ...made] = await Promise.all([
      remove(alice, id),
      ...Array.from({ length: 12 }, () =>
        alice.send('POST', '/api/tasks', { title: 'A', list_id: id }),
      ),
      ...Array.from({ length: 3 }, () =>
        alice.send('PATCH', `/api/lists/${id}`, { archived: true }),
      ),
    ])

    expect([200, 503]).toContain(gone?.status ?? 0)
    for (const { status } of made) expect([200, 201, 404]).toContain(status)
    const live = await listTasks(alice, '?limit=200')
    expect(live.length > 0).toBe(gone?.status === 503)
    await healthy(alice)
  }
}, 60_000)

test('two at once are one', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  for (let n = 0; n < 5; n += 1) await alice.create({ list_id: id })

  const gone = await Promise.all([1, 2, 3].map(() => remove(alice, id)))
  expect(gone.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404])
  const back = await Promise.all([1, 2, 3].map(() => restore(alice, id)))
  expect(back.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(new Set(back.map(({ text }) => text)).size).toBe(1)
  expect(await listTasks(alice)).toHaveLength(5)
  await healthy(alice)
})

test('who has no room can put a list into the trash, and lists count for nothing', async () => {
  const app = createTestApp({ quota: { tasks: 2, bytes: 100_000 } })
  const alice = await signUp()
  const call = async (method: string, path: string, body?: unknown) =>
    send(method, path, { headers: { authorization: alice.authorization }, body, app })
  const { body: list } = await call('POST', '/api/lists', { name: 'Home' })
  for (const title of ['A', 'B']) {
    expect((await call('POST', '/api/tasks', { title, list_id: list.id })).status).toBe(201)
  }
  expect((await call('POST', '/api/tasks', { title: 'C' })).status).toBe(422)

  expect((await call('DELETE', `/api/lists/${list.id}`)).status).toBe(200)
  expect((await call('GET', '/api/me')).body.usage.tasks).toBe(2)
  expect((await call('DELETE', `/api/trash/${list.id}`)).body).toEqual({ purged: 1, more: false })
  expect((await call('GET', '/api/me')).body.usage.tasks).toBe(2)
  expect((await call('DELETE', '/api/trash')).body).toEqual({ purged: 2, more: false })
  expect((await call('GET', '/api/me')).body.usage).toEqual({ tasks: 0, bytes: 0 })
})

test('who adds to a list, changes its tasks or renames a tag keeps nobody else from it', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const task = await alice.create({ list_id: id, tags: ['home'] })
  const state = { isDone: false }
  const busy = async (call: () => Promise<unknown>) => {
    while (!state.isDone) await call()
  }
  const others = [
    busy(() => alice.send('POST', '/api/tasks', { title: 'A', list_id: id, tags: ['home'] })),
    busy(() => alice.send('POST', `/api/tasks/${task.id}/toggle`)),
  ]

  const renamed = await alice.send('POST', '/api/tags/rename', { from: 'home', to: 'house' })
  const deleted = await remove(alice, id, { 'x-request-id': 'gone' })
  const undone = await alice.send('POST', '/api/undo', { request_id: 'gone' })
  state.isDone = true
  await Promise.all(others)

  expect([renamed.status, deleted.status, undone.status]).toEqual([200, 200, 200])
  await healthy(alice)
})
