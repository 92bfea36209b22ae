import { expect, test } from 'bun:test'
import { SignJWT } from 'jose'
import { app, secret, send, sign, signUp, sql, type TestUser } from './support/app.ts'
import { list, nextOf, readPages, titles } from './support/tasks.ts'

// One user never sees another. The matrix is made from the routes of the app: a route that is not in it fails the suite.

type Made = { method: string; path: string }
const routes: Made[] = app.routes.filter(
  ({ method, path, hooks }) =>
    path.startsWith('/api') &&
    method !== 'ALL' &&
    method !== 'OPTIONS' &&
    !hooks.detail?.['x-refused'],
)

/** How each route is called so that it succeeds on a task of one's own. Every route under /api has to have its line. */
const bodies: Record<string, unknown> = {
  'GET /tasks': undefined,
  'POST /tasks': { title: 'Mine' },
  'POST /tasks/batch': { tasks: [{ title: 'Mine' }] },
  // tests/tasks/bulk.test.ts has those of others.
  'POST /tasks/bulk': { filter: 'nowhere', action: 'complete' },
  'GET /tasks/:id': undefined,
  'GET /tasks/count': undefined,
  'PATCH /tasks/:id': { title: 'Changed' },
  'PUT /tasks/:id': { title: 'Changed' },
  'DELETE /tasks/:id': undefined,
  'PATCH /tasks/:id/complete': { completed: true },
  'PATCH /tasks/:id/toggle': { completed: true },
  'POST /tasks/:id/complete': undefined,
  'POST /tasks/:id/toggle': undefined,
  'POST /tasks/:id/restore': undefined,
  'POST /tasks/:id/move': {},
  // tests/tasks/recurrence-states.test.ts has one that repeats.
  'POST /tasks/:id/skip': undefined,
  'GET /tasks/:id/occurrences': undefined,
  'GET /lists': undefined,
  'POST /lists': { name: 'Mine' },
  'GET /lists/:id': undefined,
  'PATCH /lists/:id': { name: 'Changed' },
  'PUT /lists/:id': { name: 'Changed' },
  'DELETE /lists/:id': undefined,
  'POST /lists/:id/restore': undefined,
  'POST /lists/:id/move': {},
  'GET /lists/:id/history': undefined,
  'GET /lists/:id/tasks': undefined,
  'GET /tags': undefined,
  // Nobody has it: tests/tasks/tags.test.ts has those of others.
  'POST /tags/rename': { from: 'nowhere', to: 'home' },
  'GET /changes': undefined,
  // tests/changes has what others hear.
  'GET /events': undefined,
  'GET /tasks/:id/history': undefined,
  // tests/history/activity.test.ts has what others did.
  'GET /history': undefined,
  // The request that every test has made: tests/history has those of others.
  'POST /undo': { request_id: 'test' },
  'DELETE /trash': undefined,
  'DELETE /trash/:id': undefined,
  'GET /filters': undefined,
  'POST /filters': { name: 'Mine', filter: '#home' },
  // tests/filters has those of others.
  'PATCH /filters/:id': { name: 'Changed' },
  'DELETE /filters/:id': undefined,
  'GET /webhooks': undefined,
  'POST /webhooks': { url: 'https://hooks.example/' },
  // tests/webhooks has those of others.
  'GET /webhooks/:id': undefined,
  'PATCH /webhooks/:id': { active: false },
  'DELETE /webhooks/:id': undefined,
  'POST /webhooks/:id/rotate': undefined,
  'POST /webhooks/:id/test': undefined,
  'GET /webhooks/:id/deliveries': undefined,
  'POST /webhooks/:id/deliveries/:delivery_id/retry': undefined,
  'GET /feeds': undefined,
  'POST /feeds': { name: 'Mine' },
  // tests/feeds has those of others.
  'PATCH /feeds/:id': { name: 'Changed' },
  'DELETE /feeds/:id': undefined,
  'POST /feeds/:id/rotate': undefined,
  'GET /me': undefined,
  'PATCH /me': { time_zone: 'Europe/Berlin' },
  'DELETE /me': { confirm: 'me' },
  'GET /me/push': undefined,
  'POST /me/push': {
    endpoint: 'https://push.example/isolation',
    keys: {
      p256dh:
        'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
  },
  // tests/push has those of others.
  'DELETE /me/push/:id': undefined,
  'POST /me/adopt': { token: 'of a guest' },
  // tests/exports and tests/imports have those of others.
  'GET /me/export': undefined,
  'POST /me/import': { items: [] },
  // tests/tokens has those of others.
  'GET /me/tokens': undefined,
  'POST /me/tokens': { name: 'Mine', scopes: ['tasks:read'] },
  'DELETE /me/tokens/:id': undefined,
  'POST /me/tokens/:id/rotate': undefined,
  // tests/auth/oauth-programs.test.ts has those of others.
  'GET /me/programs': undefined,
  'DELETE /me/programs/:id': undefined,
  'GET /me/sessions': undefined,
  // A session is not a task: tests/me has the sessions of others.
  'DELETE /me/sessions/:id': undefined,
}

const lineOf = ({ method, path }: Made): string =>
  `${method} ${path.replace(/^\/api(\/:user_id)?/, '')}`

const owner = await signUp()
const stranger = await signUp()
const expired = `Bearer ${await sign({ sub: owner.id }, Math.floor(Date.now() / 1000) - 60)}`

const rowsOf = async ({ id }: TestUser) => [
  await sql`select * from docket.tasks where user_id = ${id} order by id`,
  await sql`select * from docket.lists where user_id = ${id} order by id`,
]

/** What an answer says, in whole. */
const whole = ({ status, headers, text }: Awaited<ReturnType<typeof send>>) => ({
  status,
  headers: Object.fromEntries([...headers].filter(([name]) => name !== 'date')),
  text,
})

test('has a line for every route', () => {
  const lines = new Set(routes.map(lineOf))

  expect([...lines].toSorted()).toEqual(Object.keys(bodies).toSorted())
})

const withThing = routes.filter(({ path }) => /\/(tasks|lists|trash)\/:id/.test(path))

test.each(withThing.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s knows nothing of what is not there for who asks',
  async (_name, route) => {
    const things = route.path.includes('/lists/') ? 'lists' : 'tasks'
    const make = async () => {
      const thing = things === 'lists' ? { name: 'A list' } : { title: 'A task' }
      return (await owner.send('POST', `/api/${things}`, thing)).body
    }
    const foreign = await make()
    const { body: trashed } = await owner.send('DELETE', `/api/${things}/${(await make()).id}`)
    const before = await rowsOf(owner)
    const call = (id: string, user: string, headers: Record<string, string>) =>
      send(route.method, route.path.replace(':user_id', user).replace(':id', id), {
        headers,
        body: bodies[lineOf(route)],
      })
    const asStranger = { authorization: stranger.authorization }

    const answers = []
    for (const id of [
      crypto.randomUUID(),
      foreign.id,
      trashed.id,
      foreign.id.toUpperCase(),
      'not-a-uuid',
    ]) {
      for (const headers of [
        {},
        { 'if-match': '"1"' },
        { 'if-none-match': '"1"' },
        { 'idempotency-key': id },
      ]) {
        answers.push(whole(await call(id, 'me', { ...asStranger, ...headers })))
      }
    }
    const [random] = answers
    expect(random?.status).toBe(404)
    for (const answer of answers) expect(answer).toEqual(random as typeof answer)

    for (const headers of [{}, { authorization: expired }, { authorization: 'Bearer x.y.z' }]) {
      const [there, other] = [
        whole(await call(foreign.id, 'me', headers)),
        whole(await call(crypto.randomUUID(), 'me', headers)),
      ]
      expect(there.status).toBe(401)
      expect(there).toEqual(other)
    }
    if (route.path.includes(':user_id')) {
      const [named, nobody] = [
        whole(await call(foreign.id, owner.id, asStranger)),
        whole(await call(foreign.id, crypto.randomUUID(), asStranger)),
      ]
      expect(named.status).toBe(403)
      expect(named).toEqual(nobody)
    }
    expect(await rowsOf(owner)).toEqual(before)

    const mine = route.path.includes('/trash/') ? trashed : foreign
    const own = await call(mine.id, 'me', { authorization: owner.authorization })
    // What does not repeat has no day to skip, which is told to its own user alone.
    expect(own.status).toBe(route.path.endsWith('/skip') ? 409 : 200)
  },
)

const withoutTask = routes.filter(({ path }) => !path.includes(':id'))

test.each(withoutTask.map((route) => [`${route.method} ${route.path}`, route] as const))(
  '%s is closed to who is nobody, and to who names another',
  async (_name, route) => {
    const before = await rowsOf(owner)
    const call = (user: string, headers: Record<string, string>) =>
      send(route.method, route.path.replace(':user_id', user), {
        headers,
        body: bodies[lineOf(route)],
      })

    expect((await call('me', {})).status).toBe(401)
    expect((await call('me', { authorization: expired })).status).toBe(401)
    if (route.path.includes(':user_id')) {
      const asStranger = { authorization: stranger.authorization }
      expect((await call(owner.id, asStranger)).status).toBe(403)
    }
    expect(await rowsOf(owner)).toEqual(before)
  },
)

test('lists, searches and pages through what is one’s own only', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  for (const title of ['Alpha one', 'Alpha two', 'Alpha three']) {
    await alice.create({ title, tags: ['shared'], due_date: '2026-12-01' })
    await bob.create({ title: `${title} of Bob`, tags: ['shared'], due_date: '2026-12-01' })
  }

  for (const query of ['', '?q=alpha', '?tag=shared', '?sort=title', '?due_before=2026-12-31']) {
    for (const title of await titles(alice, query)) expect(title).not.toContain('Bob')
    expect(await titles(alice, query)).toHaveLength(3)
  }
  expect(await titles(alice, '?q=Bob')).toEqual([])
  const pages = await readPages(alice, '/api/tasks?limit=1&sort=title')
  expect(pages.flat().map(({ user_id }) => user_id)).toEqual([alice.id, alice.id, alice.id])
})

test('takes a cursor of another user for a place in one’s own list', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  for (const title of ['b', 'd']) await alice.create({ title })
  for (const title of ['a', 'c', 'e']) await bob.create({ title })
  const { headers } = await bob.send('GET', '/api/tasks?sort=title&limit=2')
  const next = nextOf({ headers }) ?? ''

  const { body } = await alice.send('GET', next)

  expect(body.map(({ title }: { title: string }) => title)).toEqual(['d'])
})

test('says nothing of an id that another user has chosen', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const id = crypto.randomUUID()
  const { body: first } = await alice.send('POST', '/api/tasks', { id, title: 'Of Alice' })

  const second = await bob.send('POST', '/api/tasks', { id, title: 'Of Bob' })
  await bob.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' })
  await bob.send('DELETE', `/api/tasks/${id}`)

  expect(second.status).toBe(201)
  expect(await list(alice)).toEqual([first])
  expect(await list(alice, '?deleted=true')).toEqual([])
})

test('shows a trash of one’s own', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { id } = await alice.create()
  await alice.send('DELETE', `/api/tasks/${id}`)

  expect(await list(bob, '?deleted=true')).toEqual([])
  expect((await bob.send('POST', `/api/tasks/${id}/restore`)).status).toBe(404)
  expect(await list(alice, '?deleted=true')).toHaveLength(1)
})

test('undoes and purges nothing of anybody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { id } = await alice.create()
  const { body: trashed } = await alice.send('DELETE', `/api/tasks/${(await alice.create()).id}`)
  const before = await rowsOf(alice)
  const [{ seq } = { seq: 0 }] = await sql<{ seq: number }[]>`
    select seq::integer as seq from docket.users where id = ${alice.id}`

  for (const body of [{ request_id: 'test' }, { seq }, { seq: 1 }, { since: 0 }]) {
    expect((await bob.send('POST', '/api/undo', { ...body, force: true })).status).toBe(404)
  }
  expect((await bob.send('DELETE', `/api/trash/${trashed.id}`)).status).toBe(404)
  expect((await bob.send('DELETE', '/api/trash')).body).toEqual({ purged: 0, more: false })
  expect((await bob.send('GET', `/api/tasks/${id}/history`)).status).toBe(404)
  expect(await rowsOf(alice)).toEqual(before)
})

test('takes the cursor of a history of another user for none', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const [hers, his] = [await alice.create({ title: 'Of Alice' }), await bob.create()]
  await alice.send('PATCH', `/api/tasks/${hers.id}`, { title: 'Secret' })
  await bob.send('POST', `/api/tasks/${his.id}/complete`)
  const page = `/api/tasks/${hers.id}/history`
  const next = nextOf(await alice.send('GET', `${page}?limit=1`), page) ?? ''

  const { text } = await bob.send('GET', next.replace(hers.id, his.id))

  expect(text).not.toMatch(/Alice|Secret/)
})

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const now = Math.floor(Date.now() / 1000)
const claims = { sub: owner.id, exp: now + 300 }
const valid = await sign({ sub: owner.id })
const [head = '', payload = '', signature = ''] = valid.split('.')

const signed = (header: object, body: object, key = secret): Promise<string> =>
  new SignJWT(body as Record<string, never>)
    .setProtectedHeader(header as { alg: string })
    .sign(new TextEncoder().encode(key))

/** As jose would not: whatever header and payload, with a true HMAC over them. */
function forged(header: unknown, body: unknown): string {
  const text = `${base64url(header)}.${base64url(body)}`
  return `${text}.${new Bun.CryptoHasher('sha256', secret).update(text).digest('base64url')}`
}

const hs256 = { alg: 'HS256' }
const credentials: [string, string][] = [
  ...['none', 'None', 'NONE', 'nOnE', ''].map((alg): [string, string] => [
    `alg ${alg}`,
    `${base64url({ alg })}.${payload}.`,
  ]),
  ['alg none with a signature', `${base64url({ alg: 'none' })}.${payload}.${signature}`],
  ['alg RS256 with an HMAC', forged({ alg: 'RS256' }, claims)],
  ['alg HS384', await signed({ alg: 'HS384' }, claims)],
  ['alg HS512', await signed({ alg: 'HS512' }, claims)],
  ['no alg', forged({}, claims)],
  ['a list of algs', forged({ alg: ['HS256'] }, claims)],
  ['an unknown crit', forged({ alg: 'HS256', crit: ['x'], x: 1 }, claims)],
  ['an empty crit', forged({ alg: 'HS256', crit: [] }, claims)],
  ['b64 false', forged({ alg: 'HS256', b64: false, crit: ['b64'] }, claims)],
  ['another key', await signed(hs256, claims, 'x'.repeat(40))],
  [
    'an empty key',
    `${head}.${payload}.${new Bun.CryptoHasher('sha256', '').update(`${head}.${payload}`).digest('base64url')}`,
  ],
  ['no signature', `${head}.${payload}.`],
  ['half a signature', `${head}.${payload}.${signature.slice(0, 20)}`],
  ['another payload', `${head}.${base64url({ ...claims, sub: 'bob' })}.${signature}`],
  ['two parts', `${head}.${payload}`],
  ['four parts', `${valid}.x`],
  ['five parts', `${head}.a.b.c.d`],
  ['nothing', ''],
  ['dots', '..'],
  ['no base64', `${head}.${payload}.!!!`],
  ['padding', `${valid}=`],
  ['white space', `${head}. ${payload}.${signature}`],
  ['15 kB', forged(hs256, { ...claims, more: 'x'.repeat(11_000) })],
  ['no JSON as header', forged('x', claims)],
  ['no JSON as payload', forged(hs256, 'x')],
  ['a list as payload', forged(hs256, [claims])],
  ['null as payload', forged(hs256, 'null')],
  ['no exp', forged(hs256, { sub: owner.id })],
  ['exp as text', forged(hs256, { ...claims, exp: String(now + 300) })],
  ['exp null', forged(hs256, { ...claims, exp: null })],
  ['exp an hour ago', forged(hs256, { ...claims, exp: now - 3600 })],
  ['exp zero', forged(hs256, { ...claims, exp: 0 })],
  ['exp below zero', forged(hs256, { ...claims, exp: -1 })],
  ['nbf in an hour', forged(hs256, { ...claims, nbf: now + 3600 })],
  ['nbf as text', forged(hs256, { ...claims, nbf: 'now' })],
  ['no sub', forged(hs256, { exp: claims.exp })],
  ...[null, '', 1, true, [], ['alice'], {}, { id: 'alice' }, 'a'.repeat(256), 'a\0b'].map(
    (sub): [string, string] => [
      `sub ${JSON.stringify(sub).slice(0, 20)}`,
      forged(hs256, { ...claims, sub }),
    ],
  ),
  ['half a surrogate in sub', forged(hs256, `{"sub":"\\ud800","exp":${claims.exp}}`)],
  [
    'a link of Better Auth',
    forged(hs256, { email: 'alice@example.com', updateTo: 'x', exp: claims.exp }),
  ],
]

test('answers every attack on the credential with the same 401', async () => {
  const spellings = [
    ...credentials.map(([, token]) => `Bearer ${token}`),
    'Bearer',
    'Basic YWxpY2U6YWxpY2U=',
    `Token ${valid}`,
    `Bearer ${valid}, Bearer ${valid}`,
    `Bearer ${valid} ${valid}`,
    `Bearer:${valid}`,
    `"Bearer ${valid}"`,
    valid,
    'Bearer null',
    'Bearer undefined',
    'Bearer [object Object]',
    `Bearer ${'a'.repeat(15_000)}`,
  ]
  const leaks: string[] = []
  const seen = new Set<string>()
  for (const authorization of spellings) {
    for (const [method, path] of [
      ['GET', '/api/tasks'],
      ['POST', '/api/me/tasks'],
    ] as const) {
      const { status, headers, text } = await send(method, path, {
        headers: { authorization },
        ...(method === 'POST' ? { body: { title: 'A task' } } : {}),
      })
      if (status !== 401) leaks.push(`${status} to ${authorization.slice(0, 100)}`)
      if (headers.get('www-authenticate') !== 'Bearer')
        leaks.push(`no challenge to ${authorization}`)
      seen.add(text)
    }
  }

  console.log(
    `| credential attacks | tried ${spellings.length * 2} · not 401 ${leaks.length} · bodies ${seen.size} |`,
  )
  expect(leaks).toEqual([])
  expect(seen.size).toBe(1)
  expect(
    (await send('GET', '/api/tasks', { headers: { authorization: `Bearer ${valid}` } })).status,
  ).toBe(200)
})
