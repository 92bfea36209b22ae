import { expect, test } from 'bun:test'
import { createGate } from '../../src/database/gate.ts'
import { readiness } from '../../src/database/readiness.ts'
import { createTestApp, db } from '../support/app.ts'
import { connectTo } from '../support/database.ts'

const answerOf = (path: string, isReady: () => Promise<boolean>) =>
  createTestApp({ isReady }).handle(new Request(`http://localhost${path}`))

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

test('asks the database once for many questions, and not while other statements answer', async () => {
  let asked = 0
  let at = Number.NEGATIVE_INFINITY
  const counting = (reachable: boolean) =>
    readiness({
      ...db,
      read: (statement) => {
        asked += 1
        return db.read(statement)
      },
      seen: () => ({ reachable, at }),
    })

  const first = counting(false)
  expect(await Promise.all(Array.from({ length: 20 }, first))).toEqual(Array(20).fill(true))
  expect(asked).toBe(1)

  at = performance.now()
  expect(await counting(true)()).toBe(true)
  expect(await counting(false)()).toBe(false)
  expect(asked).toBe(1)
})

test('refuses a query parameter, as every route does', async () => {
  for (const path of ['/health?deep=1', '/ready?verbose']) {
    expect((await answerOf(path, async () => true)).status).toBe(422)
  }
})
