import { expect, test } from 'bun:test'
import { Unavailable } from '../../src/database/gate/faults.ts'
import type { Db } from '../../src/database/gate/gate.ts'
import { readPage } from '../../src/tasks/pages/read.ts'
import { createTestApp, db, send, signUp, sql, type TestUser } from '../support/app.ts'
import { numberTasks } from '../support/tasks.ts'

// A token for some lists, and tasks that have gone from these, or go meanwhile.

const tokenOf = async (user: TestUser, rights: object): Promise<string> =>
  (await user.send('POST', '/api/me/tokens', { name: 'A', scopes: ['tasks:write'], ...rights }))
    .body.token

const alice = await signUp()
const listOf = async (name: string) => (await alice.send('POST', '/api/lists', { name })).body
const [home, work] = [await listOf('Home'), await listOf('Work')]
const limited = `Bearer ${await tokenOf(alice, { list_ids: [home.id] })}`
const as = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  send(method, path, { headers: { authorization: limited, ...headers }, body })

const change = async (id: string, body: object) => {
  expect((await alice.send('PATCH', `/api/tasks/${id}`, body)).status).toBe(200)
}

/** A task of the list that is completed, and what came after that. */
async function repeated() {
  const task = await alice.create({
    title: 'Water',
    list_id: home.id,
    recurrence: 'daily',
    due_date: '2026-11-27',
  })
  const under = await alice.create({ title: 'Roses', parent_id: task.id })
  const { body } = await alice.send('POST', `/api/tasks/${task.id}/complete`, { completed: true })
  return { task, under, next: body.next_task }
}

test('is not told what comes after a task where that has gone elsewhere', async () => {
  const { task, next } = await repeated()
  await change(next.id, { title: 'Secret', list_id: work.id })

  for (const [method, path, body] of [
    ['POST', '/complete', { completed: true }],
    ['PATCH', '', { completed: true }],
  ] as const) {
    const answer = await as(method, `/api/tasks/${task.id}${path}`, body)
    expect([answer.status, answer.body.next_task]).toEqual([200, null])
  }
  const own = await alice.send('POST', `/api/tasks/${task.id}/complete`, { completed: true })
  expect(own.body.next_task.title).toBe('Secret')
})

test('leaves what is in the trash of another list where it is, also where the next task would be', async () => {
  const { task, next } = await repeated()
  await change(next.id, { title: 'Secret', list_id: work.id })
  await alice.send('DELETE', `/api/tasks/${next.id}`)
  const trash = async () => (await alice.send('GET', '/api/tasks?deleted=true')).body
  const before = await trash()

  for (const completed of [false, true]) {
    const answer = await as('POST', `/api/tasks/${task.id}/complete`, { completed })
    expect([answer.status, answer.body.completed]).toEqual([200, completed])
    if (completed) expect(answer.body.next_task).toMatchObject({ title: 'Water', list_id: home.id })
  }
  expect(await trash()).toEqual(before)
})

test('brings nothing back from the trash into the inbox, or another list', async () => {
  const gone = await listOf('Gone')
  const both = `Bearer ${await tokenOf(alice, { list_ids: [home.id, gone.id] })}`
  const ofGone = await alice.create({ title: 'Of a list that goes', list_id: gone.id })
  const parent = await alice.create({ title: 'Goes elsewhere', list_id: home.id })
  const below = await alice.create({ title: 'Below', parent_id: parent.id })
  await alice.send('DELETE', `/api/lists/${gone.id}`)
  await alice.send('DELETE', `/api/tasks/${below.id}`)
  await change(parent.id, { list_id: work.id })
  const before = (await alice.send('GET', '/api/tasks?deleted=true')).body

  for (const { id } of [ofGone, below]) {
    for (const [path, body] of [
      [`/api/tasks/${id}/restore`, undefined],
      ['/api/tasks/bulk', { ids: [id], action: 'restore' }],
    ] as const) {
      const answer = await send('POST', path, { headers: { authorization: both }, body })
      expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope'])
    }
  }
  expect((await alice.send('GET', '/api/tasks?deleted=true')).body).toEqual(before)
})

test('puts nothing anywhere else while what it is put under goes there', async () => {
  for (let round = 0; round < 15; round += 1) {
    const parent = await alice.create({ title: 'Goes', list_id: home.id })
    const own = await Promise.all(
      ['a', 'b', 'c', 'd'].map((title) => alice.create({ title, list_id: home.id })),
    )
    const [a, b, c, d] = own.map(({ id }) => `/api/tasks/${id}`)
    const under = { parent_id: parent.id }
    const calls = [
      () => as('POST', '/api/tasks', { title: 'x', ...under }),
      () => as('POST', '/api/tasks/batch', { tasks: [{ title: 'x', ...under }] }),
      () => as('PATCH', a ?? '', under),
      () => as('POST', `${b}/move`, under),
      () => as('POST', `${c}/move`, { after: parent.id }),
      () => as('POST', '/api/tasks/bulk', { ids: [d?.slice(-36)], set: under }),
    ]
    // Among them, each time elsewhere.
    const at = round % calls.length
    const goes = () => alice.send('PATCH', `/api/tasks/${parent.id}`, { list_id: work.id })
    const all = await Promise.all(calls.toSpliced(at, 0, goes).map((call) => call()))
    const answers = all.toSpliced(at, 1)
    expect(all[at]?.status).toBe(200)
    for (const { status, body, text } of answers) {
      expect([200, 201, 403, 404, 422]).toContain(status)
      // What was there before goes along, as it may.
      if (status < 300 && !('matched' in body)) expect(text).toContain(home.id)
      expect(text).not.toContain(work.id)
    }
  }
  const { body } = await alice.send('GET', `/api/tasks?list=${work.id}&limit=200`)
  const loose = body.filter((task: { title: string; parent_id: string | null }) =>
    task.parent_id === null ? /^[abcdx]$/.test(task.title) : false,
  )
  expect(loose).toEqual([])
}, 60_000)

test('makes many changes of one task that come at once, each of them', async () => {
  const { id } = await alice.create({ title: 'Busy', list_id: home.id })

  // Of those that look at the same moment one at least is made.
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => as('PATCH', `/api/tasks/${id}`, { title: `Busy ${n}` })),
  )

  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect((await alice.send('GET', `/api/tasks/${id}`)).body.version).toBe(13)
})

test('is not answered what somebody else was, by the same key', async () => {
  const task = await alice.create({ title: 'Secret', list_id: work.id, description: 'Secret' })
  const path = `/api/tasks/${task.id}`
  const asked = [
    ['PATCH', path, { title: 'Plain' }],
    ['POST', '/api/tasks/bulk', { filter: 'is:pending', set: { priority: 'low' } }],
    ['POST', '/api/tasks', { title: 'New', list_id: home.id }],
  ] as const
  const keys = asked.map(() => ({ 'idempotency-key': crypto.randomUUID() }))
  for (const [index, [method, at, body]] of asked.entries()) {
    expect((await alice.send(method, at, body, keys[index])).status).toBeLessThan(300)
  }
  await change(task.id, { description: null, list_id: home.id })

  for (const [index, [method, at, body]] of asked.entries()) {
    const answer = await as(method, at, body, keys[index])
    expect([answer.status, answer.body.code]).toEqual([422, 'idempotency_key_reused'])
    expect(answer.text).not.toContain('Secret')
  }
})

test('is given no cursor that is after a task which it may not see', async () => {
  const bob = await signUp()
  const { body: own } = await bob.send('POST', '/api/lists', { name: 'Own' })
  const first = await bob.create({ title: 'A first one', list_id: own.id })
  await sql`
    insert into docket.tasks (user_id, id, title, title_key, words)
    select ${bob.id}, gen_random_uuid(), 'Secret ' || n, 'secret ' || n, 'secret ' || n
    from generate_series(1, 12000) n`
  await numberTasks(sql)
  const query = { sort: 'title', filter: { is: 'within', lists: [own.id] } } as const
  /** A database that has time for so many statements. */
  const tired = (left: number): Db => ({
    ...db,
    read: async (statement) => {
      if (left-- <= 0) throw new Unavailable('test')
      return db.read(statement)
    },
  })

  const { text, next } = await readPage(tired(1), bob.id, query, null, 50)

  expect(JSON.parse(text)).toHaveLength(1)
  expect(next).toMatchObject({ id: first.id })
  const refusal = await readPage(tired(1), bob.id, query, next, 50).catch((error) => error)
  expect([refusal.status, refusal.code]).toEqual([503, 'overloaded'])
  const skipping = { ...query, offset: 5 }
  const other = await readPage(tired(1), bob.id, skipping, null, 50).catch((error) => error)
  expect([other.status, other.code]).toEqual([503, 'overloaded'])
  expect(await readPage(db, bob.id, query, next, 50)).toMatchObject({ text: '[]', next: null })
})

test('does not see how much there is besides', async () => {
  expect((await as('GET', '/api/me')).body.usage).toBe(null)
  expect((await alice.send('GET', '/api/me')).body.usage.tasks).toBeGreaterThan(0)
})

test('a token that many use at once for the first time is marked once', async () => {
  let marks = 0
  const app = createTestApp({
    db: {
      ...db,
      for: (request, owner) => {
        if (request === null) marks += 1
        return db.for(request, owner)
      },
    },
  })
  const authorization = `Bearer ${await tokenOf(alice, {})}`

  const answers = await Promise.all(
    Array.from({ length: 60 }, () =>
      send('GET', '/api/tasks?limit=1', { app, headers: { authorization } }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(marks).toBeGreaterThan(0)
  expect(marks).toBeLessThan(10)
})
