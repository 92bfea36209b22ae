import { expect, test } from 'bun:test'
import { purge } from '../../src/history/trash.ts'
import { taskKind } from '../../src/tasks/writes.ts'
import { createTestApp, db, send, signUp, sql, type TestUser } from '../support/app.ts'
import { author, expectNotFound, list } from '../support/tasks.ts'
import { act, make, undo } from './support.ts'

/** Everything that the database has of a task. */
async function tracesOf({ id: userId }: TestUser, id: string) {
  const tasks = await sql`select id from docket.tasks where user_id = ${userId} and id = ${id}`
  const latest = await sql<{ seq: string }[]>`
    select seq from docket.latest where user_id = ${userId} and id = ${id}`
  const changes = await sql<{ action: string; before: string | null; seq: string }[]>`
    select action, before, seq from docket.changes where user_id = ${userId} and id = ${id} order by seq`
  return { tasks, latest, changes }
}

/** A task in the trash. */
async function discard(user: TestUser, task: Record<string, unknown> = {}) {
  const made = await make(user, task)
  await act(user, 'PATCH', `/api/tasks/${made.task.id}`, { title: 'Changed' })
  const { body } = await act(user, 'DELETE', `/api/tasks/${made.task.id}`)
  return { ...made, task: body }
}

test('deletes a task for good, with all that it ever was', async () => {
  const alice = await signUp()
  const { task } = await discard(alice, { description: 'Secret' })
  const other = await discard(alice)

  const { status, body } = await act(alice, 'DELETE', `/api/trash/${task.id}`)

  expect([status, body]).toEqual([200, { purged: 1, more: false }])
  const { tasks, latest, changes } = await tracesOf(alice, task.id)
  expect(tasks).toHaveLength(0)
  expect(changes.map(({ action, before }) => [action, before])).toEqual([['purged', null]])
  expect(latest.map(({ seq }) => seq)).toEqual([changes[0]?.seq ?? ''])
  expect(await list(alice, '?deleted=true')).toEqual([other.task])
  expect((await tracesOf(alice, other.task.id)).changes).toHaveLength(3)
  for (const [method, path] of [
    ['GET', `/api/tasks/${task.id}/history`],
    ['POST', `/api/tasks/${task.id}/restore`],
    ['DELETE', `/api/trash/${task.id}`],
  ] as const) {
    expect((await act(alice, method, path)).status).toBe(404)
  }
})

test('tells who follows that it is gone', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const { headers } = await alice.send('GET', '/api/changes')
  const since = /\d+/.exec(headers.get('etag') ?? '')?.[0]
  await act(alice, 'DELETE', `/api/trash/${task.id}`)

  const { body } = await alice.send('GET', `/api/changes?since=${since}`)

  expect(body).toEqual([{ seq: 4, type: 'task', id: task.id, purged: true }])
})

test('does not delete what is not in the trash', async () => {
  const alice = await signUp()
  const { task } = await make(alice)

  const { status, body } = await act(alice, 'DELETE', `/api/trash/${task.id}`)

  expect([status, body.detail]).toEqual([404, 'There is nothing with this id in your trash.'])
  expect(await list(alice)).toEqual([task])
})

test('is 404 for a task that the caller has not', async () => {
  const alice = await signUp()

  await expectNotFound((id) => alice.send('DELETE', `/api/trash/${id}`))
})

test('deletes only the version that If-Match names', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const remove = (tag: string) =>
    act(alice, 'DELETE', `/api/trash/${task.id}`, undefined, { 'if-match': tag })

  expect((await remove('"1"')).status).toBe(412)
  expect(await list(alice, '?deleted=true')).toEqual([task])
  expect((await remove('"3"')).status).toBe(200)
})

test('is answered as the first time by an Idempotency-Key', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const other = await discard(alice)
  const key = { 'idempotency-key': crypto.randomUUID() }
  const remove = (id: string) => act(alice, 'DELETE', `/api/trash/${id}`, undefined, key)

  const answers = await Promise.all([remove(task.id), remove(task.id), remove(task.id)])
  const late = await remove(task.id)

  for (const { status, body } of [...answers, late]) {
    expect([status, body]).toEqual([200, { purged: 1, more: false }])
  }
  expect(late.headers.get('idempotency-replayed')).toBe('true')
  expect((await remove(other.task.id)).body.code).toBe('idempotency_key_reused')
})

test('empties the trash, and leaves the rest', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  for (let times = 0; times < 70; times += 1) await discard(alice)

  const first = await act(alice, 'DELETE', '/api/trash')
  const again = await act(alice, 'DELETE', '/api/trash')

  expect([first.status, first.body]).toEqual([200, { purged: 70, more: false }])
  expect(again.body).toEqual({ purged: 0, more: false })
  expect(await list(alice)).toEqual([task])
  expect(await list(alice, '?deleted=true')).toEqual([])
})

test('empties the trash once where many do', async () => {
  const alice = await signUp()
  for (let times = 0; times < 20; times += 1) await discard(alice)

  const answers = await Promise.all(
    Array.from({ length: 5 }, () => act(alice, 'DELETE', '/api/trash')),
  )

  expect(answers.reduce((sum, { body }) => sum + body.purged, 0)).toBe(20)
  expect(await list(alice, '?deleted=true')).toEqual([])
})

test('makes room within the quota, to the byte', async () => {
  const alice = await signUp()
  const app = createTestApp({ quota: { tasks: 2, bytes: null } })
  const call = (method: string, path: string, body?: unknown) =>
    send(method, path, { app, headers: { authorization: alice.authorization }, body })
  const create = () => call('POST', '/api/tasks', { title: 'A' })
  const [one, two] = [await create(), await create()]
  expect((await create()).status).toBe(422)

  await call('DELETE', `/api/tasks/${one.body.id}`)
  await call('DELETE', `/api/trash/${one.body.id}`)
  const { usage } = (await call('GET', '/api/me')).body

  expect(usage).toEqual({ tasks: 1, bytes: Buffer.byteLength(two.text) })
  expect([(await create()).status, (await create()).status]).toEqual([201, 422])
  await call('DELETE', `/api/tasks/${two.body.id}`)
  await call('DELETE', '/api/trash')
  expect([(await create()).status, (await create()).status]).toEqual([201, 422])
})

test('takes a task that is made anew with the id for a new one', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  await act(alice, 'DELETE', `/api/trash/${task.id}`)

  const { body, request } = await act(alice, 'POST', '/api/tasks', { id: task.id, title: 'New' })
  const { body: history } = await alice.send('GET', `/api/tasks/${task.id}/history`)
  const undone = await undo(alice, { request_id: request })

  expect(body).toMatchObject({ id: task.id, version: 1 })
  expect(history).toMatchObject([{ action: 'created' }])
  expect(undone.body).toMatchObject([{ id: task.id }])
})

test('cannot be undone, and the rest only by force', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const { task: kept } = await make(alice)
  const since = 4
  await act(alice, 'PATCH', `/api/tasks/${kept.id}`, { title: 'B' })
  const { request } = await act(alice, 'DELETE', `/api/trash/${task.id}`)

  const one = await undo(alice, { request_id: request, force: true })
  const all = await undo(alice, { since })
  const rest = await undo(alice, { since, force: true })

  expect([one.status, one.body.code]).toEqual([409, 'conflict'])
  expect(all.status).toBe(409)
  expect(all.body.errors).toEqual([
    { pointer: `/tasks/${task.id}`, detail: 'was purged, and is gone' },
  ])
  expect(rest.body).toMatchObject([{ id: kept.id, task: { title: 'A' } }])
})

test('does not come back by an undo where it was made anew', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const { request } = await act(alice, 'DELETE', `/api/trash/${task.id}`)
  await act(alice, 'POST', '/api/tasks', { id: task.id, title: 'New' })
  await act(alice, 'PATCH', `/api/tasks/${task.id}`, { title: 'Newer' })

  const one = await undo(alice, { request_id: request, force: true })
  const all = await undo(alice, { since: 3 })
  const rest = await undo(alice, { since: 3, force: true })

  expect([one.status, all.status, all.body.code]).toEqual([409, 409, 'conflict'])
  expect(rest.body).toMatchObject([{ id: task.id, task: { title: 'New', version: 3 } }])
  expect(await list(alice)).toEqual([])
})

test('deletes what has a very long history, and all of that', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, previous, before, at, day)
    select ${alice.id}, n, 'task', ${task.id}, 'updated', n - 1, '{}', now(), now()::date
    from generate_series(4, 3500) n`
  await sql`update docket.latest set seq = 3500 where user_id = ${alice.id}`
  await sql`update docket.tasks set seq = 3500 where user_id = ${alice.id}`
  await sql`update docket.users set seq = 3500 where id = ${alice.id}`

  const { status } = await act(alice, 'DELETE', `/api/trash/${task.id}`)

  expect(status).toBe(200)
  expect((await tracesOf(alice, task.id)).changes).toMatchObject([{ action: 'purged' }])
})

test('leaves what has not been in the trash for so long', async () => {
  const alice = await signUp()
  const { task } = await discard(alice)
  const ask = { ...author(alice.id), id: task.id }

  const early = await purge(db, taskKind, {
    ...ask,
    until: task.updated_at.replace(/^\d{4}/, '2020'),
  })
  const due = await purge(db, taskKind, { ...ask, until: task.deleted_at })

  expect([early.outcome, due.outcome]).toEqual(['not_found', 'changed'])
})

test('is right while the tasks are restored and deleted at the same moment', async () => {
  const alice = await signUp()
  const tasks = await Promise.all(Array.from({ length: 12 }, () => discard(alice)))

  await Promise.all(
    tasks.flatMap(({ task }) => [
      act(alice, 'POST', `/api/tasks/${task.id}/restore`),
      act(alice, 'DELETE', `/api/trash/${task.id}`),
      act(alice, 'DELETE', `/api/tasks/${task.id}`),
      act(alice, 'DELETE', `/api/trash/${task.id}`),
    ]),
  )

  for (const { task } of tasks) {
    const { tasks: rows, latest, changes } = await tracesOf(alice, task.id)
    expect(latest).toHaveLength(1)
    expect(changes.at(-1)?.seq).toBe(latest[0]?.seq ?? '')
    if (rows.length === 0) expect(changes.map(({ action }) => action)).toEqual(['purged'])
    else expect(changes.length).toBeGreaterThan(2)
  }
})
