import { expect, test } from 'bun:test'
import { createTestApp, origin, send } from '../support/app.ts'

const preflight = (from: string, names = 'authorization,content-type,if-match') =>
  send('OPTIONS', '/api/tasks', {
    headers: {
      origin: from,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': names,
    },
  })

const corsHeaders = ({ headers }: { headers: Headers }): string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control'))

test('answers a preflight of an allowed origin, for hours', async () => {
  const { status, headers } = await preflight(origin)

  expect(status).toBe(204)
  expect(headers.get('access-control-allow-origin')).toBe(origin)
  expect(headers.get('access-control-allow-credentials')).toBe('true')
  expect(headers.get('access-control-allow-methods')).toContain('PATCH')
  expect(headers.get('access-control-allow-headers')?.toLowerCase()).toContain('if-match')
  expect(Number(headers.get('access-control-max-age'))).toBeGreaterThanOrEqual(3600)
  expect(headers.get('vary')).toBe('Origin')
})

test.each([
  'https://evil.example',
  'null',
  'http://app.example',
  'https://app.example.evil.example',
  'https://app.example:444',
  'https://APP.example',
  'app.example',
  '*',
])('allows %p nothing', async (from) => {
  for (const answer of [
    await preflight(from),
    await send('GET', '/health', { headers: { origin: from } }),
  ]) {
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    expect(answer.headers.get('vary')).toBe('Origin')
  }
})

test.each([
  'tracestate, traceparent, baggage',
  'sentry-trace,baggage',
  'x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority',
  'newrelic',
  'b3, x-b3-traceid',
  'X-Requested-With, x-csrf-token, ngrok-skip-browser-warning',
  'x-client-info,apikey',
  'elastic-apm-traceparent',
  'cache-control, pragma',
])('lets a page of an allowed origin add %p', async (names) => {
  const { status, headers } = await preflight(origin, names)

  const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ') ?? []
  expect(status).toBe(204)
  for (const name of names.split(',')) expect(allowed).toContain(name.trim().toLowerCase())
  expect(allowed).toContain('authorization')
  expect(new Set(allowed).size).toBe(allowed.length)
  expect(
    (await preflight('https://evil.example', names)).headers.get('access-control-allow-headers'),
  ).not.toContain(names.split(',').at(-1)?.trim().toLowerCase())
})

test.each([
  'X-Forwarded-For',
  'x-forwarded-prefix',
  'forwarded',
  'X-Real-IP',
  'x-docket-client-address',
  '*',
  'x y',
  'x\u00e4',
  `x${'y'.repeat(200)}`,
])('lets no page add %p', async (name) => {
  const { headers } = await preflight(origin, `x-fine, ${name}`)

  const allowed = headers.get('access-control-allow-headers')?.toLowerCase().split(', ') ?? []
  expect(allowed).toContain('x-fine')
  expect(allowed).not.toContain(name.toLowerCase())
})

test('shows a browser the headers that it needs, on errors too', async () => {
  for (const path of ['/health', '/api/tasks', '/nope']) {
    const { headers } = await send('GET', path, { headers: { origin } })

    expect(headers.get('access-control-allow-origin')).toBe(origin)
    expect(headers.get('access-control-allow-credentials')).toBe('true')
    expect(headers.get('vary')).toBe('Origin')
    for (const name of ['ETag', 'Link', 'Location', 'Retry-After']) {
      expect(headers.get('access-control-expose-headers')).toContain(name)
    }
  }
})

test.each([{}, { origin: 'https://evil.example' }])(
  'tells %p of CORS only that it would depend on the origin',
  async (headers) => {
    for (const path of ['/health', '/api/tasks', '/nope']) {
      const answer = await send('GET', path, { headers })

      expect(corsHeaders(answer)).toEqual([])
      expect(answer.headers.get('vary')).toBe('Origin')
    }
  },
)

test('has no CORS at all where no origin is allowed', async () => {
  const closed = createTestApp({ corsOrigins: [] })

  const response = await closed.handle(
    new Request('http://localhost/health', { headers: { origin } }),
  )

  expect(corsHeaders(response)).toEqual([])
})
