import { expect, test } from 'bun:test'
import type { App } from '../../src/app.ts'
import type { Gate } from '../../src/database/gate/gate.ts'
import { type Shared, textOf } from '../../src/database/gate/share.ts'
import { app, createTestApp, db, signUp, sql } from '../support/app.ts'
import { nextOf } from '../support/tasks.ts'

// Requests of 200 users that are answered by one statement, whatever the gate's own measure of a statement is. Half of
// them want what they may not have, and nobody is to notice that he was not alone.

const count = 200
const users = await Promise.all(Array.from({ length: count }, () => signUp()))
const numbers = Array.from({ length: count }, (_, index) => index)

type Answer = { status: number; body: any; text: string; headers: Headers }

/** A gate that has everybody wait until `expected` have come, and then asks for all at once. */
function together(expected: number): { gate: Gate; statements: () => number } {
  const waiting: {
    asked: object
    resolve: (row: object | undefined) => void
    reject: (e: unknown) => void
  }[] = []
  let statements = 0

  async function run(shared: Shared<never, object>): Promise<void> {
    const parts = waiting.splice(0)
    statements += 1
    const asked = textOf(
      shared,
      parts.map(({ asked: one }) => one),
    )
    try {
      const rows = await db.read((client) => shared.statement(client, asked))
      // No more than one for each, as `share` expects it.
      expect(new Set(rows.map(({ n }) => n)).size).toBe(rows.length)
      for (const [n, { resolve }] of parts.entries()) resolve(rows.find((row) => row.n === n))
    } catch (error) {
      for (const { reject } of parts) reject(error)
    }
  }
  const share: Gate['share'] = (shared, wanted) =>
    new Promise((resolve, reject) => {
      waiting.push({ asked: wanted, resolve: resolve as (row: object | undefined) => void, reject })
      if (waiting.length === expected) void run(shared)
    })
  return { gate: { ...db, share, for: () => ({ ...db, share }) }, statements: () => statements }
}

async function ask(
  to: App,
  index: number,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await to.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        authorization: users[index]?.authorization ?? '',
        'x-request-id': 'test',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  )
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
}

/** One request of each user, in one statement. */
async function all(request: (to: App, index: number) => Promise<Answer>): Promise<Answer[]> {
  const { gate, statements } = together(count)
  const to = createTestApp({ db: gate })
  const answers = await Promise.all(numbers.map((index) => request(to, index)))
  expect(statements()).toBe(1)
  return answers
}

const makeTasks = () =>
  Promise.all(numbers.map((index) => users[index]!.create({ title: `Of ${index}` })))

const neighbour = (index: number): number => (index + 1) % count
const kind = (index: number): number => index % 4

test('reads one task each, and none of another user', async () => {
  const tasks = await makeTasks()

  const answers = await all((to, index) => {
    const whose = kind(index) < 2 ? index : neighbour(index)
    return ask(to, index, 'GET', `/api/tasks/${tasks[whose].id}`)
  })

  const absent = await ask(app, 0, 'GET', `/api/tasks/${crypto.randomUUID()}`)
  for (const index of numbers) {
    if (kind(index) < 2) expect(answers[index]!.body).toEqual(tasks[index])
    else expect([answers[index]!.status, answers[index]!.text]).toEqual([404, absent.text])
  }
})

test('lists the tasks of each user alone', async () => {
  await makeTasks()

  const answers = await all((to, index) => ask(to, index, 'GET', '/api/tasks?limit=1'))

  for (const index of numbers) {
    const { body, headers } = answers[index]!
    expect(body.map((task: { user_id: string }) => task.user_id)).toEqual([users[index]!.id])
    const next = nextOf({ headers })
    if (next === null) continue
    const { body: rest } = await ask(app, index, 'GET', next)
    expect(rest[0].id).not.toBe(body[0].id)
    expect(rest[0].user_id).toBe(users[index]!.id)
  }
})

test('changes what may be changed: foreign ids and stale versions among them', async () => {
  const tasks = await makeTasks()

  const answers = await all((to, index) => {
    const whose = kind(index) === 2 ? neighbour(index) : index
    const headers: Record<string, string> =
      kind(index) === 0 ? { 'if-match': '"1"' } : kind(index) === 1 ? { 'if-match': '"7"' } : {}
    const path = `/api/tasks/${tasks[whose].id}`
    return ask(to, index, 'PATCH', path, { title: `New ${index}` }, headers)
  })

  const expected = [200, 412, 404, 200]
  for (const index of numbers) {
    const { status, headers, body } = answers[index]!
    expect([index, status]).toEqual([index, expected[kind(index)]!])
    const { body: now } = await ask(app, index, 'GET', `/api/tasks/${tasks[index].id}`)
    if (status === 200) {
      expect(body).toEqual(now)
      expect(body).toMatchObject({ user_id: users[index]!.id, title: `New ${index}`, version: 2 })
      expect(headers.get('etag')).toBe('"2"')
    } else {
      expect(now).toEqual(tasks[index])
    }
  }
})

test('creates what is new: taken ids among them', async () => {
  const tasks = await makeTasks()
  const ids = numbers.map(() => crypto.randomUUID())

  const answers = await all((to, index) => {
    const id = [ids[index], tasks[index].id, tasks[index].id, tasks[neighbour(index)].id][
      kind(index)
    ]
    const title = kind(index) === 2 ? `Of ${index}` : `Another of ${index}`
    return ask(to, index, 'POST', '/api/tasks', { id, title })
  })

  // New; taken by another task; the same task once more; taken by somebody else, which is not taken.
  const expected = [201, 409, 201, 201]
  for (const index of numbers) {
    const { status, body, headers } = answers[index]!
    expect([index, status]).toEqual([index, expected[kind(index)]!])
    if (status !== 201) continue
    expect(body.user_id).toBe(users[index]!.id)
    expect(headers.get('location')).toBe(`/api/tasks/${body.id}`)
    if (kind(index) === 2) expect(body).toEqual(tasks[index])
  }
})

test('keeps keys apart: those of other users, of other requests, and of the same one', async () => {
  const tasks = await makeTasks()
  const key = { 'idempotency-key': crypto.randomUUID() } // The same for all, who do not share it.
  const patch = (to: App, index: number, title: string) =>
    ask(to, index, 'PATCH', `/api/tasks/${tasks[index].id}`, { title }, key)
  const before = await Promise.all(
    numbers.map((index) =>
      kind(index) < 2 ? patch(app, index, `First ${index}`) : Promise.resolve(null),
    ),
  )

  const answers = await all((to, index) =>
    patch(to, index, kind(index) === 1 ? 'Something else' : `First ${index}`),
  )

  for (const index of numbers) {
    const { status, body, text, headers } = answers[index]!
    const replayed = headers.get('idempotency-replayed')
    if (kind(index) === 0) {
      expect([status, text, replayed]).toEqual([200, before[index]!.text, 'true'])
    } else if (kind(index) === 1) {
      expect([status, body.code]).toEqual([422, 'idempotency_key_reused'])
    } else {
      expect([status, body.version, replayed]).toEqual([200, 2, null])
    }
  }
  const kept = await sql<{ user_id: string }[]>`
    select user_id from docket.idempotency_keys where key = ${key['idempotency-key']}`
  expect(kept.map(({ user_id }) => user_id).toSorted()).toEqual(
    users.map(({ id }) => id).toSorted(),
  )
})

test('one request that fails harms no other, under the gate itself', async () => {
  const tasks = await makeTasks()

  const answers = await Promise.all(
    numbers.map((index) => {
      // A time without a date: only the database sees that.
      const body = kind(index) === 0 ? { due_time: '18:30' } : { title: `New ${index}` }
      return ask(app, index, 'PATCH', `/api/tasks/${tasks[index].id}`, body)
    }),
  )

  for (const index of numbers) {
    const { status, body } = answers[index]!
    if (kind(index) === 0) {
      expect([status, body.errors]).toEqual([
        422,
        [{ pointer: '/due_time', detail: 'needs a due_date' }],
      ])
    } else {
      expect([status, body.title, body.version]).toEqual([200, `New ${index}`, 2])
    }
  }
})

test('two users who create their first tasks at the same moment, and one who creates many', async () => {
  const many = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const who = index % 2 === 0 ? await signUp(`many-${process.pid}`) : await signUp()
      return [who.id, await who.send('POST', '/api/tasks', { title: String(index) })] as const
    }),
  )

  for (const [index, [id, { status, body }]] of many.entries()) {
    expect([status, body.user_id, body.title]).toEqual([201, id, String(index)])
  }
})
