import { expect, test } from 'bun:test'
import { createGate } from '../../src/database/gate.ts'
import { type Readiness, readiness } from '../../src/database/readiness.ts'
import { createTestApp, db, send } from '../support/app.ts'
import { connectTo } from '../support/database.ts'

const answerOf = (path: string, ask: () => Promise<Readiness>) =>
  createTestApp({ readiness: ask }).handle(new Request(`http://localhost${path}`))

test('is ready while the database answers', async () => {
  expect((await answerOf('/ready', readiness(db))).status).toBe(200)
})

test('is not ready, and alive, while the database cannot be reached', async () => {
  const sql = connectTo('postgres://127.0.0.1:1/none')
  const nowhere = createGate(sql, { permits: 1, deadline: 1000 })

  const ready = await answerOf('/ready', readiness(nowhere))
  const health = await answerOf('/health', readiness(nowhere))
  await sql.end({ timeout: 0 })

  expect(ready.status).toBe(503)
  expect(ready.headers.get('retry-after')).toBe('1')
  expect(await ready.json()).toMatchObject({ code: 'unavailable' })
  expect(health.status).toBe(200)
})

test('is ready to be read while the database takes no writes', async () => {
  const answer = await send('GET', '/ready', {
    app: createTestApp({ readiness: async () => 'read_only' }),
  })

  expect([answer.status, answer.body]).toEqual([200, { status: 'read_only' }])
})

test('asks the database once for many questions, and not while other statements answer', async () => {
  let asked = 0
  let at = Number.NEGATIVE_INFINITY
  let writesAt = Number.NEGATIVE_INFINITY
  const counting = (reachable: boolean, readOnly = false) =>
    readiness({
      ...db,
      read: (statement) => {
        asked += 1
        return db.read(statement)
      },
      seen: () => ({ reachable, at, readOnly, writesAt }),
    })

  const first = counting(false)
  expect(await Promise.all(Array.from({ length: 20 }, first))).toEqual(Array(20).fill('ok'))
  expect(asked).toBe(1)

  at = performance.now()
  expect(await counting(false)()).toBe('unavailable')
  expect(asked).toBe(1)

  // Who only reads does not learn whether writes are taken.
  expect(await counting(true)()).toBe('ok')
  expect(asked).toBe(2)

  writesAt = performance.now()
  expect(await counting(true)()).toBe('ok')
  expect(await counting(true, true)()).toBe('read_only')
  expect(asked).toBe(2)
})

test('refuses a query parameter, as every route does', async () => {
  for (const path of ['/health?deep=1', '/ready?verbose']) {
    expect((await answerOf(path, async () => 'ok')).status).toBe(422)
  }
})
