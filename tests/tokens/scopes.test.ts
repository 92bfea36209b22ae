import { expect, test } from 'bun:test'
import { allows, grantable, isWithinLists, scopeOf } from '../../src/auth/scopes.ts'
import { app, send, signUp, type TestUser } from '../support/app.ts'

// What a token may do, on every route that there is: a new one is in these tests by being in the app.

const routes: { method: string; path: string }[] = app.routes.filter(
  ({ method, path, hooks }) =>
    path.startsWith('/api') &&
    method !== 'ALL' &&
    method !== 'OPTIONS' &&
    !hooks.detail?.['x-refused'],
)

test.each(routes.map(({ method, path }) => [method, path] as const))(
  '%s %s asks for a scope',
  (method, path) => {
    expect(scopeOf(method, path)).not.toBe(null)
  },
)

const tokenOf = async (user: TestUser, body: object): Promise<string> =>
  (await user.send('POST', '/api/me/tokens', { name: 'A', ...body })).body.token

const alice = await signUp()
const { body: home } = await alice.send('POST', '/api/lists', { name: 'Home' })
const { body: work } = await alice.send('POST', '/api/lists', { name: 'Work' })

test.each(grantable)(
  'a token for %s is good for what needs that, and for nothing else',
  async (scope) => {
    const authorization = `Bearer ${await tokenOf(alice, { scopes: [scope] })}`

    for (const { method, path } of routes) {
      const address = path
        .replace(':user_id', 'me')
        .replace(':id', crypto.randomUUID())
        .replace(':delivery_id', crypto.randomUUID())
      const { status, body, headers } = await send(method, address, { headers: { authorization } })
      const needed = scopeOf(method, path) ?? 'sign-in'
      const isRefused = status === 403 && body.code === 'insufficient_scope'
      expect([method, path, isRefused]).toEqual([method, path, !allows([scope], needed)])
      if (isRefused && needed !== 'sign-in') {
        expect(headers.get('www-authenticate')).toBe(
          `Bearer error="insufficient_scope", scope="${needed}"`,
        )
      }
    }
  },
)

test('is refused before its body is read', async () => {
  const authorization = `Bearer ${await tokenOf(alice, { scopes: ['tasks:read'] })}`

  const answer = await send('POST', '/api/tasks', {
    headers: { authorization, 'content-type': 'application/json' },
    raw: '{ no JSON',
  })

  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope'])
})

// For one of two lists, with a task in each, in the inbox, and of another user.

const scopes = [...grantable]
const limited = `Bearer ${await tokenOf(alice, { scopes, list_ids: [home.id.toUpperCase()] })}`
const as = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  send(method, path, { headers: { authorization: limited, ...headers }, body })

const mine = () => alice.create({ title: 'Within', list_id: home.id, tags: ['shared'] })
const beyond = {
  work: await alice.create({ title: 'Secret of work', list_id: work.id, tags: ['shared'] }),
  inbox: await alice.create({ title: 'Secret of the inbox', tags: ['shared'] }),
}
const below = await alice.create({ title: 'Secret below', parent_id: beyond.work.id })
const trashed = await alice.create({ title: 'Secret in the trash', list_id: work.id })
await alice.send('DELETE', `/api/tasks/${trashed.id}`)
const ofBob = await (await signUp()).create({ title: 'Of Bob' })
const secrets = [beyond.work, beyond.inbox, below, trashed]

/** All that is beyond the lists, as it is. */
const state = async () => [
  (await alice.send('GET', `/api/tasks?list=${work.id}&limit=200`)).body,
  (await alice.send('GET', '/api/tasks?list=none&limit=200')).body,
  (await alice.send('GET', '/api/tasks?deleted=true&limit=200')).body.filter(
    ({ list_id }: { list_id: string }) => list_id !== home.id,
  ),
  (await alice.send('GET', '/api/lists')).body,
]

test('one for some lists is refused where it would see or change more', async () => {
  const before = await state()

  for (const { method, path } of routes) {
    const { status, body } = await as(
      method,
      path.replace(':user_id', 'me').replace(/:(delivery_)?id/g, beyond.work.id),
    )
    const isRefused = status === 403 && body.code === 'insufficient_scope'
    const isFor = isWithinLists(method, path) && allows(scopes, scopeOf(method, path) ?? 'sign-in')
    expect([method, path, isRefused]).toEqual([method, path, !isFor])
  }
  expect(await state()).toEqual(before)
})

const ofTask = routes.filter(
  ({ method, path }) => path.startsWith('/api/tasks/:id') && isWithinLists(method, path),
)
const bodies: Record<string, unknown> = {
  PATCH: { title: 'Changed' },
  PUT: { title: 'Changed' },
}

test.each(ofTask.map(({ method, path }) => [method, path] as const))(
  '%s %s knows no task beyond the lists, whatever is sent with it',
  async (method, path) => {
    const before = await state()
    const body = /complete|toggle|restore|move|skip/.test(path) ? {} : bodies[method]
    const call = (id: string, headers: Record<string, string>) =>
      as(method, path.replace(':id', id), body, headers)

    const none = await call(crypto.randomUUID(), {})
    expect(none.status).toBe(404)
    for (const { id, version } of [...secrets, ofBob]) {
      for (const headers of [{}, { 'if-match': `"${version}"` }, { 'idempotency-key': id }]) {
        const { status, text } = await call(id, headers)
        expect([status, text]).toEqual([404, none.text])
      }
      expect((await call(id.toUpperCase(), {})).text).toBe(none.text)
    }
    expect(await state()).toEqual(before)

    const own = await call((await mine()).id, {})
    // What does not repeat has no day to skip.
    expect(own.status).toBe(path.endsWith('/skip') ? 409 : 200)
  },
)

test.each([
  '',
  '?limit=200',
  '?list=none',
  `?list=${work.id}`,
  `?parent=${beyond.work.id}`,
  '?deleted=true',
  '?archived=true',
  '?include=subtasks',
  '?q=secret',
  '?tag=shared',
  '?filter=secret',
  `?filter=${encodeURIComponent('not #nothing')}`,
  `?filter=${encodeURIComponent('#shared or secret or list:home')}`,
  `?filter=${encodeURIComponent('-list:home')}`,
  '?sort=updated_at',
  '?sort=position',
  '?sort=due_date&order=desc',
  '?status=all&offset=0',
])('sees of the tasks of GET /api/tasks%s only those of the lists', async (query) => {
  await mine()
  const { status, text } = await as('GET', `/api/tasks${query}`)
  const counted = await as(
    'GET',
    `/api/tasks/count${query.replace(/&?(limit|sort|order|include|offset)=[^&]*/g, '').replace('?&', '?')}`,
  )

  expect(status).toBe(200)
  expect(text).not.toMatch(/secret/i)
  expect(counted.status).toBe(200)
  const all = await alice.send('GET', '/api/tasks/count')
  expect(counted.body.count).toBeLessThan(all.body.count)
})

test('learns nothing of other lists by a filter, nor of filters that are kept', async () => {
  await alice.send('POST', '/api/filters', { name: 'Kept', filter: `list:"Work" secret` })

  for (const [filter, unknown] of [
    ['list:work', 'list:walk'],
    ['list:wrk', 'list:walk'],
    [`list:${work.id}`, `list:${crypto.randomUUID()}`],
    ['@kept', '@none'],
  ] as const) {
    const known = await as('GET', `/api/tasks?filter=${encodeURIComponent(filter)}`)
    const none = await as('GET', `/api/tasks?filter=${encodeURIComponent(unknown)}`)
    expect(known.status).toBe(422)
    expect(known.body.errors[0].detail).toBe(none.body.errors[0].detail)
  }
})

test('sees its lists alone', async () => {
  expect((await as('GET', '/api/lists')).body.map(({ id }: { id: string }) => id)).toEqual([
    home.id,
  ])
  expect((await as('GET', '/api/lists?counts=true')).text).not.toContain(work.id)
  expect((await as('GET', `/api/lists/${home.id}`)).status).toBe(200)
  expect((await as('GET', `/api/lists/${home.id}/tasks`)).status).toBe(200)
  for (const path of [`/api/lists/${work.id}`, `/api/lists/${work.id}/tasks`]) {
    const none = await as('GET', path.replace(work.id, crypto.randomUUID()))
    const { status, text } = await as('GET', path)
    expect([status, text]).toEqual([404, none.text])
  }
})

test('puts nothing anywhere else', async () => {
  const before = await state()
  const own = await mine()
  const places = [
    { list_id: work.id },
    { list_id: null },
    { parent_id: beyond.work.id },
    { parent_id: beyond.inbox.id },
    { parent_id: crypto.randomUUID() },
    { list_id: home.id, parent_id: beyond.work.id },
  ]

  for (const place of places) {
    const answers = [
      await as('POST', '/api/tasks', { title: 'Elsewhere', ...place }),
      await as('POST', '/api/tasks/batch', {
        tasks: [
          { title: 'Here', list_id: home.id },
          { title: 'Elsewhere', ...place },
        ],
      }),
      await as('PATCH', `/api/tasks/${own.id}`, place),
      await as('PUT', `/api/tasks/${own.id}`, place),
      await as('POST', `/api/tasks/${own.id}/move`, place),
      await as('POST', '/api/tasks/bulk', { ids: [own.id], set: place }),
    ]
    expect([place, answers.map(({ status }) => status)]).toEqual([place, answers.map(() => 404)])
  }
  for (const beside of [{ before: beyond.work.id }, { after: beyond.inbox.id }]) {
    expect((await as('POST', `/api/tasks/${own.id}/move`, beside)).status).toBe(404)
  }
  // Nowhere is the inbox.
  expect((await as('POST', '/api/tasks', { title: 'Elsewhere' })).status).toBe(404)
  expect(await state()).toEqual(before)

  expect((await as('POST', '/api/tasks', { title: 'Below', parent_id: own.id })).status).toBe(201)
  const parent = crypto.randomUUID()
  const tree = [
    { id: parent, title: 'Above', list_id: home.id },
    { title: 'Below', parent_id: parent },
  ]
  const { status, body } = await as('POST', '/api/tasks/batch', { tasks: tree })
  expect(status).toBe(201)
  expect(body.map(({ list_id }: { list_id: string }) => list_id)).toEqual([home.id, home.id])
})

test('changes none of the others in bulk', async () => {
  const before = await state()
  const own = await mine()

  for (const { id } of secrets) {
    const ids = [own.id, id]
    expect((await as('POST', '/api/tasks/bulk', { ids, action: 'delete' })).status).toBe(404)
  }
  for (const filter of ['secret', '#shared', 'not #nothing']) {
    for (const change of [{ action: 'complete' }, { set: { priority: 'high' } }]) {
      expect((await as('POST', '/api/tasks/bulk', { filter, ...change })).status).toBe(200)
    }
  }
  expect(await state()).toEqual(before)
  expect((await alice.send('GET', `/api/tasks/${own.id}`)).body.priority).toBe('high')
})

test('is sent again with its key, once', async () => {
  const own = await mine()
  const key = { 'idempotency-key': crypto.randomUUID() }
  const path = `/api/tasks/${own.id}`

  const first = await as('PATCH', path, { title: 'Once' }, key)
  const again = await as('PATCH', path, { title: 'Once' }, key)
  const stale = await as('PATCH', path, { title: 'Twice' }, { 'if-match': '"1"' })

  expect(first.status).toBe(200)
  expect(again.text).toBe(first.text)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(stale.status).toBe(412)
})
