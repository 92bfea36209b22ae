import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { createGate } from '../../src/database/gate/gate.ts'
import { type Readiness, readiness } from '../../src/database/readiness.ts'
import { createTestApp, db, send, signUp } from '../support/app.ts'
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

test.each([
  '/health?deep=1',
  '/ready?verbose',
  '/health/?a=1&a=2',
  '/ready?__proto__=1&%zz',
  '/health?',
  '/ready?t=1764191889&source=uptime%20robot',
])('ignores the query of %s', async (path) => {
  expect((await answerOf(path, async () => 'ok')).status).toBe(200)
})

test.each([['https://app.example'], []])(
  'answers HTTP/1.0 without a Host, and OPTIONS, for browsers from %p',
  async (...corsOrigins) => {
    const server = createTestApp({ corsOrigins }).listen({ hostname: '127.0.0.1', port: 0 })
    const port = server.server?.port ?? 0

    const heard = await Promise.all(
      [
        'GET /health HTTP/1.0\r\n\r\n',
        'HEAD /ready?from=haproxy HTTP/1.0\r\nUser-Agent: check\r\n\r\n',
        'OPTIONS / HTTP/1.0\r\n\r\n',
        'OPTIONS /api/tasks HTTP/1.0\r\n\r\n',
        'GET /health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n',
        'GET /api/tasks HTTP/1.0\r\nConnection: close\r\n\r\n',
        'GET //health HTTP/1.0\r\n\r\n',
        'POST /api/tasks HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
      ].map((bytes) => exchange(port, bytes)),
    )
    await server.stop()

    expect(heard.map((text) => text.slice(9, 12))).toEqual([
      '200',
      '200',
      '204',
      '204',
      '200',
      '401',
      '404',
      '401',
    ])
  },
)

test('makes a task by HTTP/1.0 without a Host', async () => {
  const alice = await signUp()
  const server = createTestApp().listen({ hostname: '127.0.0.1', port: 0 })
  const body = '{"title":"Once"}'

  const heard = await exchange(
    server.server?.port ?? 0,
    `POST /api/tasks HTTP/1.0\r\nAuthorization: ${alice.authorization}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  await server.stop()

  expect(heard).toStartWith('HTTP/1.1 201')
  expect(heard).toContain('"title":"Once"')
})

/** All that is answered to these bytes until the connection ends. */
function exchange(port: number, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
  socket.on('data', (data) => {
    text += data.toString('latin1')
  })
  socket.on('close', () => resolve(text))
  return promise
}
