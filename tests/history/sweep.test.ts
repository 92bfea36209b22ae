import { expect, test } from 'bun:test'
import { createGate } from '../../src/database/gate/gate.ts'
import { createSweep, type SweepOptions } from '../../src/history/sweep.ts'
import { taskKind } from '../../src/tasks/writes.ts'
import { createTestApp, db, send, signUp, sql, type TestUser } from '../support/app.ts'
import { list } from '../support/tasks.ts'
import { act, historyOf, make } from './support.ts'

const sweepOf = (options: Partial<SweepOptions> = {}) =>
  createSweep({
    db,
    kinds: [taskKind],
    trashDays: 30,
    historyDays: 90,
    onFailure: (error) => {
      throw error
    },
    pause: 0,
    ...options,
  })

async function sweep(options: Partial<SweepOptions> = {}): Promise<void> {
  const one = sweepOf(options)
  one.wake()
  await one.settled()
}

/** Has what a user did happen so many days ago. */
async function age({ id }: TestUser, days: number): Promise<void> {
  await sql`
    update docket.changes
    set at = at - make_interval(days => ${days}::integer), day = day - ${days}::integer
    where user_id = ${id}`
  await sql`
    update docket.tasks
    set deleted_at = deleted_at - make_interval(days => ${days}::integer)
    where user_id = ${id} and deleted_at is not null`
}

const countOf = async (table: 'changes' | 'latest', { id }: TestUser): Promise<number> => {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from ${sql(`docket.${table}`)} where user_id = ${id}`
  return row?.count ?? -1
}

test('forgets changes after HISTORY_DAYS, and no others, but never the last number of a thing', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await act(alice, 'POST', `/api/tasks/${task.id}/complete`)
  await age(alice, 90)
  await sweep()
  expect(await countOf('changes', alice)).toBe(2)

  await age(alice, 1)
  await act(alice, 'PATCH', `/api/tasks/${task.id}`, { title: 'B' })
  await sweep()

  expect((await historyOf(alice, task.id)).map(({ action }) => action)).toEqual(['updated'])
  expect(await countOf('latest', alice)).toBe(1)
  expect(await list(alice)).toMatchObject([{ title: 'B', completed: true }])
})

test('purges the trash of anybody after TRASH_DAYS, and nothing else', async () => {
  const [alice, bob, carol] = [await signUp(), await signUp(), await signUp()]
  for (const user of [alice, bob, carol]) {
    for (let times = 0; times < 40; times += 1) {
      const { task } = await make(user)
      await act(user, 'DELETE', `/api/tasks/${task.id}`)
    }
    await make(user)
  }
  await age(alice, 31)
  await age(bob, 31)
  await age(carol, 29)

  await sweep()

  for (const [user, left] of [
    [alice, 0],
    [bob, 0],
    [carol, 40],
  ] as const) {
    expect(await list(user, '?deleted=true&limit=200')).toHaveLength(left)
    expect(await list(user)).toHaveLength(1)
    expect(await countOf('latest', user)).toBe(41)
  }
})

test('keeps everything for good where it is told to', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await act(alice, 'DELETE', `/api/tasks/${task.id}`)
  await age(alice, 10_000)

  await sweep({ trashDays: null, historyDays: null })

  expect(await list(alice, '?deleted=true')).toHaveLength(1)
  expect(await countOf('changes', alice)).toBe(2)
})

test('removes the answers to Idempotency-Keys after a day', async () => {
  const alice = await signUp()
  for (const key of ['old', 'new']) {
    await alice.send('POST', '/api/tasks', { title: 'A' }, { 'idempotency-key': key })
  }
  await sql`
    update docket.idempotency_keys set created_at = now() - interval '25 hours'
    where user_id = ${alice.id} and key = 'old'`

  await sweep()

  const keys = await sql`select key from docket.idempotency_keys where user_id = ${alice.id}`
  expect([...keys]).toEqual([{ key: 'new' }])
})

test('goes on where there is more than a batch', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, previous, before, at, day)
    select ${alice.id}, n, 'task', ${task.id}, 'updated', n - 1, '{}', now(), '2000-01-01'
    from generate_series(2, 2600) n`

  await sweep()

  expect(await countOf('changes', alice)).toBe(1)
})

test('several at once remove the same things once, and none fails', async () => {
  const alice = await signUp()
  for (let times = 0; times < 30; times += 1) {
    const { task } = await make(alice)
    await act(alice, 'DELETE', `/api/tasks/${task.id}`)
  }
  await age(alice, 100)

  await Promise.all(Array.from({ length: 4 }, () => sweep()))

  expect(await list(alice, '?deleted=true')).toEqual([])
  expect(await countOf('changes', alice)).toBe(30)
  expect(await countOf('latest', alice)).toBe(30)
})

test('comes once in its pause, and fails nobody', async () => {
  const failures: unknown[] = []
  let asked = 0
  const broken = {
    ...db,
    idempotentWrite: () => {
      asked += 1
      return Promise.reject(new Error('no database'))
    },
  }
  const options = { db: broken, onFailure: (error: unknown) => void failures.push(error) }
  const [often, seldom] = [sweepOf(options), sweepOf({ ...options, pause: 60_000 })]

  for (const one of [often, seldom]) {
    for (let times = 0; times < 3; times += 1) {
      one.wake()
      one.wake()
      await one.settled()
    }
  }

  expect([asked, failures.length]).toEqual([4, 4])
})

test('is woken by what is written, and by nothing that is read', async () => {
  const woken: string[] = []
  const gate = createGate(sql, {
    permits: sql.options.max,
    deadline: 60_000,
    onWrite: (users) => void woken.push(...users),
  })
  const app = createTestApp({ db: gate })
  const alice = await signUp()
  const call = (method: string, path: string, body?: unknown) =>
    send(method, path, { app, headers: { authorization: alice.authorization }, body })

  const { body } = await call('POST', '/api/tasks', { title: 'A' })
  for (const path of ['/api/tasks', `/api/tasks/${body.id}`, `/api/tasks/${body.id}/history`]) {
    await call('GET', path)
  }
  expect(woken).toEqual([alice.id])
  await call('DELETE', `/api/tasks/${body.id}`)
  await call('POST', '/api/undo', { since: 1 })
  await call('DELETE', `/api/tasks/${body.id}`)
  await call('DELETE', '/api/trash')

  expect(woken).toEqual(Array.from({ length: 5 }, () => alice.id))
})
