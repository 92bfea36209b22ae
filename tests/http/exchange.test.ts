import { expect, test } from 'bun:test'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { observe } from '../../src/database/gate/observe.ts'
import { createLoad } from '../../src/http/load.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { app, createTestApp, db, origin, send, signUp, sql } from '../support/app.ts'

const alice = await signUp()

const security = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

test.each([
  ['GET', '/health'],
  ['GET', '/swagger'],
  ['GET', '/swagger/json'],
  ['GET', '/swagger/swagger-ui.css'],
  ['GET', '/nope'],
  ['GET', '/api/tasks'],
  ['PUT', '/api/tasks'],
  ['POST', '/api/tasks'],
  ['HEAD', '/api/tasks'],
  ['OPTIONS', '/api/tasks'],
])('answers %s %s with the headers of every answer', async (method, path) => {
  for (const headers of [{}, { authorization: alice.authorization }, { origin }]) {
    const answer = await send(method, path, { headers })

    expect(Object.fromEntries(answer.headers)).toMatchObject(security)
    expect(answer.headers.get('x-request-id')).toBe('test')
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    expect(answer.headers.get('cache-control')).toBe(
      path.endsWith('.css') || path === '/swagger' ? 'max-age=3600' : 'no-store',
    )
  }
})

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'

test.each([
  [{ traceparent: `00-${trace}-00f067aa0ba902b7-01` }, trace],
  [{ traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-request-id': 'mine' }, trace],
  [{ 'x-request-id': 'a.b:c_d-1' }, 'a.b:c_d-1'],
  [{ 'x-request-id': '' }, null],
  [{ 'x-request-id': 'a b' }, null],
  [{ 'x-request-id': '"}' }, null],
  [{ 'x-request-id': 'a'.repeat(129) }, null],
  [{ 'x-request-id': '', traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }, null],
  [{ 'x-request-id': '', traceparent: `ff-${trace}-00f067aa0ba902b7-01` }, null],
  [{ 'x-request-id': '', traceparent: `00-${trace.toUpperCase()}-00f067aa0ba902b7-01` }, null],
])('calls a request with %p %p', async (headers, expected) => {
  const answer = await send('GET', '/api/tasks', { headers })

  const id = answer.headers.get('x-request-id') ?? ''
  if (expected === null) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  else expect(id).toBe(expected)
  expect(answer.body.request_id).toBe(id)
})

test('does not count a request while its body is on the way', async () => {
  const load = createLoad(1, 0)
  const busy = createTestApp({ load })
  let controller: ReadableStreamDefaultController | undefined
  const body = new ReadableStream({
    start: (started) => {
      controller = started
    },
  })
  const headers = { authorization: alice.authorization, 'content-type': 'application/json' }

  const slow = busy.handle(
    new Request('http://localhost/api/tasks', { method: 'POST', headers, body }),
  )
  await Bun.sleep(20)
  const other = await busy.handle(new Request('http://localhost/api/tasks', { headers }))
  controller?.enqueue(new TextEncoder().encode('{"title":"A task"}'))
  controller?.close()

  expect(other.status).toBe(200)
  expect((await slow).status).toBe(201)
  expect(load.inFlight).toBe(0)
})

test('tells connections to end while it stops', async () => {
  const stopping = createTestApp({ isStopping: () => true })

  const answer = await stopping.handle(new Request('http://localhost/health'))

  expect(answer.headers.get('connection')).toBe('close')
})

test('hangs up on a stranger with a large body', async () => {
  const answer = await app.handle(
    new Request('http://localhost/api/tasks', {
      method: 'POST',
      body: '{}',
      headers: { 'content-length': '100000000' },
    }),
  )

  expect(answer.status).toBe(401)
  expect(answer.headers.get('connection')).toBe('close')
})

test('logs a line for each request, and nothing of what users wrote', async () => {
  const lines: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk) => lines.push(String(chunk)))
  const logged = createTestApp({ log: pino({ level: 'info' }, stream) })
  const call = (method: string, path: string, body: string | null = null) =>
    logged.handle(
      new Request(`http://localhost${path}`, {
        method,
        body,
        headers: {
          authorization: alice.authorization,
          'content-type': 'application/json',
          cookie: 'secret-cookie=1',
          'x-request-id': 'mine',
        },
      }),
    )

  await call('POST', '/api/tasks', '{"title":"secret-title"}')
  await call('GET', `/api/${alice.id}/tasks?q=secret-query`)
  await call('PATCH', '/api/tasks/secret-id', '{"title":"secret-title"')
  await call('GET', '/secret-path')
  await call('PUT', '/api/tasks')
  await Bun.sleep(10)

  const records = lines.map((line) => JSON.parse(line))
  expect(records.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
    'POST /api/tasks 201',
    'GET /api/:user_id/tasks 200',
    'PATCH /api/tasks/:id 400',
    'GET  404',
    'PUT /api/tasks 405',
  ])
  expect(records[0].request_id).toBe('mine')
  expect(records[0].ms).toBeNumber()
  expect(records[0].user).toMatch(/^[0-9a-f]{16}$/)
  expect(records[1].user).toBe(records[0].user)
  expect(lines.join('')).not.toMatch(/secret/)
  expect(lines.join('')).not.toContain(alice.id)
  expect(lines.join('')).not.toContain(alice.authorization.slice(10))
})

test('logs the SQLSTATE of a statement that failed', async () => {
  const lines: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk) => lines.push(String(chunk)))
  const failing = {
    ...db,
    for: () => ({ ...db, share: async () => sql.unsafe('select 1/0 as secret') as never }),
  }
  const logged = createTestApp({ db: failing, log: pino({ level: 'info' }, stream) })

  const answer = await logged.handle(
    new Request('http://localhost/api/tasks', { headers: { authorization: alice.authorization } }),
  )
  await Bun.sleep(10)

  expect(answer.status).toBe(500)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ status: 500, sqlstate: '22012' })
  expect(await answer.json()).toMatchObject({
    code: 'internal',
    request_id: answer.headers.get('x-request-id'),
  })
})

test('shows metrics on a port of their own', async () => {
  const load = createLoad(1, 0)
  const metrics = createMetrics(load)
  const measured = createTestApp({ load, metrics, db: observe(db, metrics.statement) })
  const { port, stop } = metrics.listen('127.0.0.1', 0)
  const ask = (method: string, path: string) =>
    measured.handle(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization: alice.authorization },
      }),
    )
  await ask('GET', '/api/tasks')
  await ask('GET', `/api/tasks/${crypto.randomUUID()}`)
  await ask('GET', '/nowhere')

  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  const text = await answer.text()
  const elsewhere = await fetch(`http://127.0.0.1:${port}/`)
  stop()

  expect(answer.headers.get('content-type')).toContain('text/plain')
  expect(text).toContain('docket_requests_total{method="GET",route="/api/tasks",status="200"} 1')
  expect(text).toContain(
    'docket_requests_total{method="GET",route="/api/tasks/:id",status="404"} 1',
  )
  expect(text).toContain('method="GET",route="none",status="404"')
  expect(text).toContain('docket_request_seconds_bucket')
  expect(text).toContain('docket_statement_seconds_count{way="share",outcome="done"} 2')
  expect(text).toContain('docket_statements_in_progress 0')
  expect(text).toContain('docket_requests_in_flight 0')
  expect(text).toContain('nodejs_eventloop_lag')
  expect(text).toContain('process_resident_memory_bytes')
  expect(elsewhere.status).toBe(404)
  expect((await ask('GET', '/metrics')).status).toBe(404)
})
