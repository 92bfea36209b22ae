import { describe, expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import type { Answered } from '../../src/http/exchange.ts'
import { app, createTestApp, origin, signUp } from '../support/app.ts'
import { nextOf } from '../support/tasks.ts'
import { appFor, frontend } from './support.ts'

describe.each([
  ['prefix=/api/v1', '/api/v1', 'tasks'],
  ['prefix=/backend/todo-app/', '/backend/todo-app', 'tasks'],
  ['resource=todos', '/api', 'todos'],
  ['resource=items', '/api', 'items'],
  ['prefix=/v2 resource=todos', '/v2', 'todos'],
])('%s', (compat, prefix, resource) => {
  test('has every route there, and where it was', async () => {
    const alice = await signUp()
    const call = frontend(alice, compat)

    for (const base of [
      `${prefix}/${resource}`,
      `${prefix}/me/${resource}`,
      `${prefix}/${alice.id}/${resource}`,
      '/api/tasks',
      '/api/me/tasks',
    ]) {
      const made = await call('POST', `${base}/`, { title: 'A task' })
      const path = `${base}/${made.body.id}`
      expect([made.status, made.headers.get('location')]).toEqual([201, path])
      expect((await call('GET', path)).body).toEqual(made.body)
      expect((await call('GET', `${base}?limit=200`)).body[0]).toEqual(made.body)
      expect((await call('PUT', `${path}/`, { title: 'Changed' })).body.title).toBe('Changed')
      expect((await call('PATCH', `${path}/toggle`)).body.completed).toBe(true)
      expect((await call('POST', `${path}/complete/`)).body.completed).toBe(false)
      expect((await call('DELETE', path)).body.version).toBe(5)
      expect((await call('POST', `${path}/restore`)).body.deleted_at).toBe(null)
      expect((await call('HEAD', path)).status).toBe(200)
    }
    expect((await call('GET', `${prefix}/${resource}/count`)).body).toEqual({ count: 5 })
    expect((await call('GET', `${prefix}/me`)).body.id).toBe(alice.id)
  })

  test('answers what is wrong as ever', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    const call = frontend(alice, compat)
    const stranger = frontend({ ...alice, authorization: 'Bearer x' }, compat)
    const { id } = await bob.create()
    const base = `${prefix}/${resource}`

    const other = await call('PUT', base, {})
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect((await call('GET', `${base}/${id}`)).status).toBe(404)
    expect((await call('GET', `${prefix}/${bob.id}/${resource}`)).status).toBe(403)
    expect((await call('GET', `${prefix}/nothing`)).status).toBe(404)
    expect((await call('GET', `${base}x`)).status).toBe(404)
    expect((await stranger('POST', base, { title: 'x' })).status).toBe(401)
    expect((await call('GET', `${base}?color=red`)).body.errors[0].pointer).toBe('/color')
    const preflight = await appFor(compat).handle(
      new Request(`http://localhost${base}`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    )
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
  })

  test('a page says where the next one is', async () => {
    const call = frontend(await signUp(), compat)
    for (const title of ['a', 'b', 'c']) await call('POST', `${prefix}/${resource}`, { title })

    const seen: string[] = []
    for (let next: string | null = `${prefix}/${resource}?sort=title&limit=1`; next !== null; ) {
      const answer = await call('GET', next)
      seen.push(...answer.body.map((task: { title: string }) => task.title))
      next = nextOf(answer, next)
    }

    expect(seen).toEqual(['a', 'b', 'c'])
  })
})

test('a user whose id is the name of the resource is where he was', async () => {
  const todos = await signUp('todos')
  const call = frontend(todos, 'resource=todos')
  const title = crypto.randomUUID()

  const made = await call('POST', '/api/todos/tasks', { title })

  expect(made.headers.get('location')).toBe(`/api/todos/tasks/${made.body.id}`)
  expect((await call('GET', `/api/todos?q=${title}`)).body).toEqual([made.body])
})

test('a path of before means what it meant without it', async () => {
  const alice = await signUp()

  expect((await alice.send('GET', '/api/todos')).status).toBe(404)
  expect((await alice.send('GET', '/api/v1/tasks')).status).toBe(403)
  expect(app.routes.length).toBe(appFor('prefix=/api/v1 unknown=keep').routes.length)
})

test('behind a proxy Location has what it cuts off, too', async () => {
  const alice = await signUp()
  const behind = createTestApp({
    basePath: '/todo',
    compat: readConfig({ COMPAT: 'prefix=/api/v1 resource=todos' }).compat,
  })

  const answer = await behind.handle(
    new Request('http://localhost/api/v1/todos', {
      method: 'POST',
      headers: { authorization: alice.authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'A task' }),
    }),
  )
  const { id } = (await answer.json()) as { id: string }

  expect(answer.headers.get('location')).toBe(`/todo/api/v1/todos/${id}`)
})

const everything =
  'unknown=keep list=data.tasks task=data names=is_completed,status:todo/done,camelCase,message dates=datetime prefix=/api/v1 resource=todos'

describe('a request', () => {
  test('of a stranger is refused before its body is read', async () => {
    let pulled = 0
    const body = new ReadableStream({
      pull: (controller) => {
        pulled += 1
        controller.enqueue(new Uint8Array(1024))
      },
    })
    const request = new Request('http://localhost/api/v1/todos', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })

    expect((await appFor(everything).handle(request)).status).toBe(401)
    expect(pulled).toBeLessThan(3)
    expect(request.bodyUsed).toBe(false)
  })

  test.each([
    ['not JSON', '{', 400, 'malformed'],
    ['the same name twice', '{"title":"x","a":1,"a":2}', 400, 'malformed'],
    ['a tower', `{"title":"x","a":${'['.repeat(9)}${']'.repeat(9)}}`, 400, 'malformed'],
    ['more than a body may have', `{"title":"x","a":"${'x'.repeat(65_536)}"}`, 413, 'too_large'],
    ['an array', '[]', 422, 'invalid'],
    ['nothing', '', 422, 'invalid'],
  ])('with %s is refused as ever', async (_name, body, status, code) => {
    const { authorization } = await signUp()
    const answer = await appFor(everything).handle(
      new Request('http://localhost/api/v1/todos', {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
      }),
    )

    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ code, message: expect.any(String) })
  })

  test('with an address that is too long is refused, whatever of it means nothing', async () => {
    const call = frontend(await signUp(), everything)

    expect((await call('GET', `/api/v1/todos?_t=${'1'.repeat(14_000)}`)).status).toBe(431)
  })

  test('is counted and logged by its connection and its route', async () => {
    const counted: unknown[] = []
    const metrics = {
      count: ({ route, status, exchange }: Answered) =>
        counted.push({ route, status, user: exchange.userId, address: exchange.address() }),
    }
    const counting = createTestApp({
      compat: readConfig({ COMPAT: everything }).compat,
      trustProxy: 0,
      metrics: metrics as never,
    })
    counting.listen({ port: 0, hostname: '127.0.0.1' })
    const { authorization, id } = await signUp()
    try {
      await fetch(`http://127.0.0.1:${counting.server?.port}/api/v1/todos?status=todo`, {
        headers: { authorization },
      })
    } finally {
      await counting.stop(true)
    }

    expect(counted).toEqual([{ route: '/api/tasks', status: 200, user: id, address: '127.0.0.1' }])
  })
})
