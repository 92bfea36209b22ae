import { expect, test } from 'bun:test'
import { connect } from '../../src/database/connect.ts'
import { readiness } from '../../src/database/readiness.ts'
import { createTestApp, sql } from '../support/app.ts'

const answerOf = (path: string, isReady: () => Promise<boolean>) =>
  createTestApp({ isReady }).handle(new Request(`http://localhost${path}`))

test('is ready while the database answers', async () => {
  expect((await answerOf('/ready', readiness(sql))).status).toBe(200)
})

test('is not ready, and alive, while the database cannot be reached', async () => {
  const nowhere = connect('postgres://127.0.0.1:1/none', true)

  const ready = await answerOf('/ready', readiness(nowhere))
  const health = await answerOf('/health', readiness(nowhere))
  await nowhere.end({ timeout: 0 })

  expect(ready.status).toBe(503)
  expect(ready.headers.get('retry-after')).toBe('1')
  expect(await ready.json()).toMatchObject({ code: 'unavailable' })
  expect(health.status).toBe(200)
})

test('asks the database once for many questions', async () => {
  let asked = 0
  // Only the call is of interest: the answer is that of the real database.
  const counting = new Proxy(sql, {
    apply(target, self, parameters) {
      asked += 1
      return Reflect.apply(target, self, parameters)
    },
  })
  const isReady = readiness(counting)

  const answers = await Promise.all(Array.from({ length: 20 }, isReady))

  expect(answers).toEqual(Array(20).fill(true))
  expect(asked).toBe(1)
})

test('refuses a query parameter, as every route does', async () => {
  for (const path of ['/health?deep=1', '/ready?verbose']) {
    expect((await answerOf(path, async () => true)).status).toBe(422)
  }
})
