import { expect, test } from 'bun:test'
import { kinds } from '../../src/app.ts'
import type { Change } from '../../src/history/schema.ts'
import { createSweep } from '../../src/history/sweep.ts'
import { act, undo } from '../history/support.ts'
import { db, signUp, sql, type TestUser } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { list as listTasks, nextOf } from '../support/tasks.ts'
import { lists, makeList } from './support.ts'

const feed = async (user: TestUser, since = 0) =>
  (await user.send('GET', `/api/changes?since=${since}`)).body

async function historyOf(user: TestUser, id: string): Promise<Change[]> {
  const { status, body } = await user.send('GET', `/api/lists/${id}/history`)
  expect(status).toBe(200)
  return body
}

test('lists are in the feed, in the trash too, and gone when they are purged', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const task = await alice.create({ list_id: id })
  const { body: list } = await alice.send('DELETE', `/api/lists/${id}`)

  const changes = await feed(alice)
  expect(changes).toMatchObject([
    { seq: 3, type: 'list', id },
    { seq: 4, type: 'task', id: task.id },
  ])
  expect(changes[0].list).toEqual(list)

  const { body } = await alice.send('DELETE', `/api/trash/${id}`)
  expect(body).toEqual({ purged: 1, more: false })
  expect(await feed(alice, 4)).toEqual([
    { seq: expect.any(Number), type: 'list', id, purged: true },
  ])
  // What was in it is in none, and so comes back into the inbox.
  expect(await listTasks(alice, '?deleted=true')).toMatchObject([{ id: task.id, list_id: null }])
  const back = await alice.send('POST', `/api/tasks/${task.id}/restore`)
  expect(back.body).toMatchObject({ list_id: null, deleted_at: null })
})

test('they have a history, page by page', async () => {
  const alice = await signUp()
  const list = await makeList(alice, { color: '#111111' })
  const other = await makeList(alice)
  const path = `/api/lists/${list.id}`
  await alice.send('PATCH', path, { name: 'House', color: null })
  await alice.send('PATCH', path, { archived: true })
  await alice.send('POST', `${path}/move`, { after: other.id })
  const { body: trashed } = await alice.send('DELETE', path)

  const history = await historyOf(alice, list.id)
  expect(history.map(({ action, fields }) => [action, Object.keys(fields)])).toEqual(
    [
      ['deleted', ['deleted_at']],
      ['moved', ['position']],
      ['updated', ['archived_at']],
      ['updated', ['name', 'color']],
      ['created', ['name', 'position', 'color']],
    ].map(([action, fields]) => [action, expect.arrayContaining(fields as string[])]),
  )
  expect(history[0]?.fields).toEqual({
    deleted_at: { before: null, after: trashed.deleted_at },
  })
  expect(history[3]?.fields).toEqual({
    name: { before: 'A list', after: 'House' },
    color: { before: '#111111', after: null },
  })
  const pages: Change[] = []
  for (let next: string | null = `${path}/history?limit=2`; next !== null; ) {
    const answer = await alice.send('GET', next)
    pages.push(...answer.body)
    next = nextOf(answer, `${path}/history`)
  }
  expect(pages).toEqual(history)
})

test('what was done to a list can be undone, and that too', async () => {
  const alice = await signUp()
  const { body: list, request: made } = await act(alice, 'POST', '/api/lists', {
    name: 'Home',
    color: '#222222',
  })
  const path = `/api/lists/${list.id}`
  const { request: changed } = await act(alice, 'PATCH', path, {
    name: 'House',
    color: null,
    archived: true,
  })

  const undone = await undo(alice, { request_id: changed })
  expect(undone.body).toMatchObject([{ type: 'list', id: list.id, list: { name: 'Home' } }])
  expect((await alice.send('GET', path)).body).toEqual({
    ...list,
    version: 3,
    updated_at: undone.body[0].list.updated_at,
  })
  await undo(alice, { request_id: undone.request })
  expect((await alice.send('GET', path)).body).toMatchObject({ name: 'House', color: null })

  const { request: moved } = await act(alice, 'POST', `${path}/move`, {})
  expect((await undo(alice, { request_id: moved })).body[0].list.position).toBe(list.position)
  // Somebody has changed the name since.
  await alice.send('PATCH', path, { name: 'Third' })
  const refused = await undo(alice, { request_id: changed })
  expect(refused.status).toBe(409)
  expect(refused.body.errors).toEqual([
    { pointer: `/lists/${list.id}/name`, detail: 'was changed since' },
  ])
  const gone = await undo(alice, { request_id: made, force: true })
  expect(gone.body[0].list.deleted_at).toBe(gone.body[0].list.updated_at)
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('the undo of a list that went to the trash brings back its tasks in one call, and takes them there again', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const parent = await alice.create({ list_id: id })
  const child = await alice.create({ list_id: id, parent_id: parent.id })
  const before = await alice.create({ list_id: id })
  await alice.send('DELETE', `/api/tasks/${before.id}`)
  const state = async () => [
    await lists(alice),
    await listTasks(alice, '?sort=title'),
    await listTasks(alice, '?deleted=true'),
  ]
  const strip = (all: object[][]) =>
    all.map((things) =>
      things
        .map((thing) => ({ ...thing, version: 0, updated_at: '' }))
        .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    )
  const there = await state()
  const { request } = await act(alice, 'DELETE', `/api/lists/${id}`)
  const gone = await state()

  const undone = await undo(alice, { request_id: request })

  expect(undone.status).toBe(200)
  expect(undone.body.map(({ type }: { type: string }) => type).toSorted()).toEqual([
    'list',
    'task',
    'task',
  ])
  expect(strip(await state())).toEqual(strip(there))
  const redone = await undo(alice, { request_id: undone.request })
  expect(redone.body).toHaveLength(3)
  expect(strip(await state())).toEqual(strip(gone))
  // They have the instant of their list again.
  await alice.send('POST', `/api/lists/${id}/restore`)
  expect((await alice.send('GET', `/api/tasks/${child.id}`)).body.parent_id).toBe(parent.id)
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('as many as go together are undone together', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  for (let n = 0; n < 10; n += 1) {
    await alice.send('POST', '/api/tasks/batch', {
      tasks: Array.from({ length: n === 9 ? 99 : 100 }, () => ({ title: 'A', list_id: id })),
    })
  }
  const { request } = await act(alice, 'DELETE', `/api/lists/${id}`)
  expect(await listTasks(alice)).toEqual([])

  const undone = await undo(alice, { request_id: request })

  expect(undone.body).toHaveLength(1000)
  expect((await alice.send('GET', '/api/tasks/count')).body).toEqual({ count: 999 })
}, 60_000)

test('a list with tasks that came since is not unmade', async () => {
  const alice = await signUp()
  const { body: list, request } = await act(alice, 'POST', '/api/lists', { name: 'Home' })
  const { id } = await alice.create({ list_id: list.id })

  const refused = await undo(alice, { request_id: request })
  expect(refused.status).toBe(409)
  await alice.send('DELETE', `/api/tasks/${id}`)
  expect((await undo(alice, { request_id: request })).status).toBe(200)
})

test('a list and what was made in it since are unmade together', async () => {
  const alice = await signUp()
  await alice.create()
  const { id } = await makeList(alice)
  const parent = await alice.create({ list_id: id })
  await alice.create({ list_id: id, parent_id: parent.id })

  const undone = await undo(alice, { since: 1 })

  expect(undone.body).toHaveLength(3)
  expect(await listTasks(alice)).toHaveLength(1)
  expect((await alice.send('POST', `/api/lists/${id}/restore`)).status).toBe(200)
  expect(await listTasks(alice)).toHaveLength(3)
})

test('what is purged of the two kinds', async () => {
  const alice = await signUp()
  const [one, two] = [await makeList(alice), await makeList(alice)]
  await alice.create({ list_id: one.id })
  for (const { id } of [one, two]) await alice.send('DELETE', `/api/lists/${id}`)
  const path = `/api/trash/${two.id}`

  expect((await alice.send('DELETE', path, undefined, { 'if-match': '"1"' })).status).toBe(412)
  const key = { 'idempotency-key': 'a key' }
  expect((await alice.send('DELETE', path, undefined, { ...key, 'if-match': '"2"' })).status).toBe(
    200,
  )
  const again = await alice.send('DELETE', path, undefined, { ...key, 'if-match': '"2"' })
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect((await alice.send('DELETE', path)).status).toBe(404)

  expect((await alice.send('DELETE', '/api/trash')).body).toEqual({ purged: 2, more: false })
  expect(await lists(alice, '?deleted=true')).toEqual([])
  expect((await alice.send('POST', `/api/lists/${one.id}/restore`)).status).toBe(404)
  // Nothing of them is left.
  const left = await sql`
    select type, action, before from docket.changes where user_id = ${alice.id} order by seq`
  expect([...left]).toEqual([
    { type: 'list', action: 'purged', before: null },
    { type: 'task', action: 'purged', before: null },
    { type: 'list', action: 'purged', before: null },
  ])
})

test('the sweep takes lists that have been in the trash for long', async () => {
  const alice = await signUp()
  const [old, recent] = [await makeList(alice), await makeList(alice)]
  await alice.create({ list_id: old.id })
  for (const { id } of [old, recent]) await alice.send('DELETE', `/api/lists/${id}`)
  await sql`
    update docket.lists set deleted_at = now() - interval '31 days' where user_id = ${alice.id} and id = ${old.id}`
  const failures: unknown[] = []
  const sweep = createSweep({
    db,
    kinds,
    trashDays: 30,
    historyDays: null,
    onFailure: (error) => failures.push(error),
  })

  sweep.wake()
  await sweep.settled()

  expect(failures).toEqual([])
  expect(await lists(alice, '?deleted=true')).toMatchObject([{ id: recent.id }])
  expect(await listTasks(alice, '?deleted=true')).toMatchObject([{ list_id: null }])
})
