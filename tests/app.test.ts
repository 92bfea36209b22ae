import { expect, test } from 'bun:test'
import { app, send, sign, signUp } from './support/app.ts'

const routes = app.routes.filter(
  ({ method, hooks }) => method !== 'ALL' && method !== 'OPTIONS' && !hooks.detail?.['x-refused'],
)
const paths = [...new Set(routes.map(({ path }) => path))]

/** Everything that a stranger may see. */
const open = [
  '/health',
  '/ready',
  '/swagger',
  '/swagger/json',
  '/swagger/init.js',
  '/swagger/swagger-ui-bundle.js',
  '/swagger/swagger-ui.css',
  '/docs',
  '/docs/:name',
  // It leads to the next one, and knows nothing of anybody.
  '/account',
  '/sign-in',
  '/web/:file',
  '/consent',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/*',
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/*',
  // Who has the token has what it stands for.
  '/feeds/:token',
]

const address = (path: string): string =>
  path.replace(':user_id', 'me').replace(':id', crypto.randomUUID())

const closed = routes.filter(({ path }) => !open.includes(path))

test('has the routes of the contract, under /api and under /api/{user_id}', () => {
  const names = closed.map(({ method, path }) => `${method} ${path}`)

  for (const prefix of ['/api', '/api/:user_id']) {
    for (const route of [
      'GET /tasks',
      'POST /tasks',
      'GET /tasks/:id',
      'PATCH /tasks/:id',
      'PUT /tasks/:id',
      'DELETE /tasks/:id',
      'PATCH /tasks/:id/complete',
      'POST /tasks/:id/complete',
      'POST /tasks/:id/restore',
    ]) {
      expect(names).toContain(route.replace(' ', ` ${prefix}`))
    }
  }
})

const expired = await sign({ sub: 'alice' }, Math.floor(Date.now() / 1000) - 60)

test.each(closed.map(({ method, path }) => [method, path]))(
  '%s %s answers 401 to a stranger, whatever the body',
  async (method, path) => {
    const bodies =
      method === 'GET' ? [undefined] : [undefined, '{', '{"nonsense":1}', 'x'.repeat(100_000)]
    for (const authorization of [undefined, `Bearer ${expired}`]) {
      for (const raw of bodies) {
        const answer = await send(method, address(path), {
          headers: {
            'content-type': 'application/json',
            ...(authorization === undefined ? {} : { authorization }),
          },
          ...(raw === undefined ? {} : { raw }),
        })

        expect(answer.status).toBe(401)
        // At /mcp it says where to be let in.
        const challenge = answer.headers.get('www-authenticate') ?? ''
        expect(challenge.replace(path === '/mcp' ? / resource_metadata=.*/ : '', '')).toBe('Bearer')
        expect(answer.body.code).toBe('unauthorized')
      }
    }
  },
)

test('refuses a stranger without reading the body', async () => {
  let pulled = 0
  const body = new ReadableStream(
    {
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1024))
      },
    },
    { highWaterMark: 0 },
  )

  const response = await app.handle(
    new Request('http://localhost/api/tasks', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    }),
  )

  expect(response.status).toBe(401)
  expect(pulled).toBe(0)
})

test.each(paths.filter((path) => path.startsWith('/api')))(
  '%s answers 405 with Allow to every other method',
  async (path) => {
    const allowed = routes.filter((route) => route.path === path).map(({ method }) => method)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (allowed.includes(method)) continue

      const answer = await send(method, address(path))

      expect(answer.status).toBe(405)
      expect(answer.body.code).toBe('method_not_allowed')
      const allow = (answer.headers.get('allow') ?? '').split(', ')
      expect(allow.filter((name) => name !== 'HEAD').toSorted()).toEqual(allowed.toSorted())
      expect(allow.includes('HEAD')).toBe(allowed.includes('GET'))
    }
  },
)

test.each(['/', '/api', '/api/', '/nope', '/api/tasks/a/b/c', '/swagger/nope', '//api/tasks'])(
  '%s answers 404 as a problem',
  async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await send(method, path)

      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.body.code).toBe('not_found')
    }
  },
)

test('answers with and without a slash at the end, without a redirect', async () => {
  const alice = await signUp()
  const { id } = await alice.create()

  for (const path of [
    '/api/tasks',
    `/api/tasks/${id}`,
    `/api/${alice.id}/tasks`,
    `/api/me/tasks/${id}`,
    '/health',
  ]) {
    const plain = await alice.send('GET', path)
    const slashed = await alice.send('GET', `${path}/`)

    expect(slashed.status).toBe(200)
    expect(slashed.text).toBe(plain.text)
  }
  const { headers } = await alice.send('POST', '/api/tasks/', { title: 'A task' })
  expect(headers.get('location')).toMatch(/^\/api\/tasks\/[0-9a-f-]{36}$/)
})

test('tells another user from the one in the path, and takes me', async () => {
  const alice = await signUp(`auth0|${crypto.randomUUID()}/ü x`)
  const { id } = await alice.create()

  const own = await alice.send('GET', `/api/${encodeURIComponent(alice.id)}/tasks/${id}`)
  const me = await alice.send('GET', `/api/me/tasks/${id}`)
  const other = await alice.send('GET', `/api/bob/tasks/${id}`)

  expect(own.status).toBe(200)
  expect(me.status).toBe(200)
  expect(other.status).toBe(403)
  expect(other.body.code).toBe('forbidden')
})

test('asks nothing of the database for /health, and says when it is not ready', async () => {
  expect((await send('GET', '/health')).body).toEqual({ status: 'ok' })
  expect((await send('GET', '/ready')).body).toEqual({ status: 'ok' })
})

test.each(['a', 'db', 'api', 'x:1', 'localhost', '[::1]:8000'])(
  'serves under the host %s',
  async (host) => {
    const alice = await signUp()
    const call = (method: string, path: string, body?: string) =>
      app.handle(
        new Request(`http://${host}${path}`, {
          method,
          headers: { authorization: alice.authorization, 'content-type': 'application/json' },
          body: body ?? null,
        }),
      )

    const created = await call('POST', '/api/tasks', '{"title":"A task"}')
    const listed = await call('GET', '/api/me/tasks?limit=1')

    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toMatch(/^\/api\/tasks\/[0-9a-f-]{36}$/)
    expect(await listed.json()).toHaveLength(1)
  },
)
