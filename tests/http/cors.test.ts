import { expect, test } from 'bun:test'
import { createTestApp, origin, send } from '../support/app.ts'

const preflight = (from: string) =>
  send('OPTIONS', '/api/tasks', {
    headers: {
      origin: from,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,content-type,if-match',
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
