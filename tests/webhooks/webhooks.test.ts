import { afterEach, expect, test } from 'bun:test'
import { Webhook } from 'standardwebhooks'
import { eventually, type Received, type Receiver, startReceiver } from '../deliveries/support.ts'
import { delivering, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function receiver(...parameters: Parameters<typeof startReceiver>): Receiver {
  const made = startReceiver(...parameters)
  closing.push(made.stop)
  return made
}

const make = async (user: TestUser, body: object) => {
  const answer = await user.send('POST', '/api/webhooks', body)
  if (answer.status !== 201) throw new Error(answer.text)
  return answer.body
}

const read = async (user: TestUser, id: string) =>
  (await user.send('GET', `/api/webhooks/${id}`)).body
const deliveriesOf = async (user: TestUser, id: string) =>
  (await user.send('GET', `/api/webhooks/${id}/deliveries`)).body

/** What came, as the package of Standard Webhooks lets it through. */
const verified = (secret: string, { headers, body }: Received): any =>
  new Webhook(secret).verify(body, Object.fromEntries(headers))

const bodiesOf = ({ received }: Receiver): any[] =>
  received
    .map(({ body }) => JSON.parse(body))
    .toSorted((a, b) => (a.data.seq ?? 0) - (b.data.seq ?? 0))

test('is made, read, changed and deleted, and shows its secret once', async () => {
  const alice = await signUp()
  const created = await alice.send('POST', '/api/webhooks', {
    url: 'https://EXAMPLE.com:443/hook',
    events: ['task.completed'],
    filter: '#home',
  })

  const { secret, ...webhook } = created.body
  expect(created.status).toBe(201)
  expect(created.headers.get('location')).toBe(`/api/webhooks/${webhook.id}`)
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(webhook).toEqual({
    id: expect.any(String),
    user_id: alice.id,
    url: 'https://example.com/hook',
    events: ['task.completed'],
    filter: '#home',
    active: true,
    failing_since: null,
    created_at: expect.any(String),
    updated_at: webhook.created_at,
  })
  expect((await alice.send('GET', '/api/webhooks')).body).toEqual([webhook])
  expect(await read(alice, webhook.id)).toEqual(webhook)

  const path = `/api/webhooks/${webhook.id}`
  const { body: same } = await alice.send('PATCH', path, { active: true })
  expect(same).toEqual(webhook)
  const { body: changed } = await alice.send('PATCH', path, { filter: null, active: false })
  expect(changed).toEqual({
    ...webhook,
    filter: null,
    active: false,
    updated_at: expect.any(String),
  })
  expect(changed.updated_at).not.toBe(webhook.updated_at)

  expect((await alice.send('DELETE', path)).body).toEqual(changed)
  expect((await alice.send('DELETE', path)).status).toBe(404)
  expect((await alice.send('GET', '/api/webhooks')).body).toEqual([])
})

test('has all events by default, and is made once by the id of the client', async () => {
  const alice = await signUp()
  const id = crypto.randomUUID()
  const url = 'https://example.com/'

  const answers = await Promise.all(
    [1, 2, 3].map(() => alice.send('POST', '/api/webhooks', { id: id.toUpperCase(), url })),
  )

  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(answers[0]?.body.events).toContain('reminder.due')
  const other = await alice.send('POST', '/api/webhooks', { id, url: `${url}other` })
  expect([other.status, other.body.detail]).toEqual([409, 'You have another webhook with this id.'])
})

test('is of no more than twenty', async () => {
  const alice = await signUp()
  for (let n = 0; n < 20; n += 1) await make(alice, { url: `https://example.com/${n}` })

  const { status, body } = await alice.send('POST', '/api/webhooks', { url: 'https://a.example/' })

  expect([status, body.detail]).toEqual([422, 'You have 20 webhooks already: delete one first.'])
})

test.each([
  ['/url', { url: 'example.com/hook' }],
  ['/url', { url: 'ftp://example.com/hook' }],
  ['/url', { url: 'https://user:secret@example.com/' }],
  ['/url', { url: 'https://example.com/#part' }],
  ['/url', { url: 'https://example.com/a|b' }],
  ['/events/0', { url: 'https://example.com/', events: ['task.burnt'] }],
  ['/events', { url: 'https://example.com/', events: [] }],
  ['/events', { url: 'https://example.com/', events: ['task.created', 'task.created'] }],
  ['/filter', { url: 'https://example.com/', filter: '(' }],
  ['/filter', { url: 'https://example.com/', filter: '@kept' }],
  ['/secret', { url: 'https://example.com/', secret: 'whsec_mine' }],
])('refuses a wrong %s', async (pointer, body) => {
  const alice = await signUp()

  expectInvalid(await alice.send('POST', '/api/webhooks', body), pointer)
})

test('is told of every kind of change, signed, with the thing as it was after it', async () => {
  const alice = await signUp()
  const hook = receiver()
  const { secret } = await make(alice, { url: hook.url })

  const { body: home } = await alice.send('POST', '/api/lists', { name: 'Home' })
  const task = await alice.create({ title: 'First', list_id: home.id })
  const path = `/api/tasks/${task.id}`
  const answers = [
    await alice.send('PATCH', path, { title: 'Second' }),
    await alice.send('POST', `${path}/complete`),
    await alice.send('PATCH', `${path}/complete`, { completed: false }),
    await alice.send('POST', `${path}/move`, { list_id: null }),
    await alice.send('DELETE', path),
    await alice.send('POST', `${path}/restore`),
    // What comes next of one that repeats is told by itself.
  ].map(({ body: { next_task: _next, ...after } }) => after)
  const lists = [
    await alice.send('PATCH', `/api/lists/${home.id}`, { name: 'House' }),
    await alice.send('DELETE', `/api/lists/${home.id}`),
    await alice.send('POST', `/api/lists/${home.id}/restore`),
  ].map(({ body }) => body)
  await hook.until((received) => received.length === 11)

  const told = hook.received
    .map((one) => verified(secret, one))
    .toSorted((a, b) => a.data.seq - b.data.seq)
  expect(told.map(({ type }) => type)).toEqual([
    'list.created',
    'task.created',
    'task.updated',
    'task.completed',
    'task.reopened',
    'task.updated',
    'task.deleted',
    'task.restored',
    'list.updated',
    'list.deleted',
    'list.restored',
  ])
  expect(told.map(({ data }) => data.task ?? data.list)).toEqual([home, task, ...answers, ...lists])
  for (const { timestamp, data } of told) {
    expect(timestamp).toBe((data.task ?? data.list).updated_at)
    expect(data.by).toEqual({ kind: 'jwt', name: null })
    expect(data.request_id).toBe('test')
  }
  expect(new Set(hook.ids()).size).toBe(11)
  for (const id of hook.ids()) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/)
})

test('has what a thing was after each of many changes, the long text too', async () => {
  const alice = await signUp()
  const hook = receiver()
  const task = await alice.create({ title: '0', description: 'long '.repeat(900) })
  const { id } = await make(alice, { url: hook.url, active: false })
  const path = `/api/tasks/${task.id}`
  // Behind: as if the process had ended after the writes.
  const expected: any[] = []
  for (const change of [
    { title: '1' },
    { title: '2' },
    { description: 'short' },
    { title: '3' },
    { description: null },
  ]) {
    expected.push((await alice.send('PATCH', path, change)).body)
  }
  await sql`update docket.webhooks set active = true where user_id = ${alice.id} and id = ${id}`

  delivering.sending.follow(alice.id)
  await hook.until((received) => received.length === 5)

  expect(bodiesOf(hook).map(({ data }) => data.task)).toEqual(expected)
})

test('is told of what its filter and its events let through', async () => {
  const alice = await signUp()
  const [all, home, done] = [receiver(), receiver(), receiver()]
  await alice.send('POST', '/api/lists', { name: 'Work' })
  await make(alice, { url: all.url })
  await make(alice, { url: home.url, filter: '#home or list:Work' })
  await make(alice, { url: done.url, filter: 'priority:high', events: ['task.completed'] })
  const [{ id: work }] = (await alice.send('GET', '/api/lists')).body

  await alice.create({ title: 'a' })
  const b = await alice.create({ title: 'b', tags: ['Home'], priority: 'high' })
  await alice.create({ title: 'c', list_id: work })
  await alice.send('POST', `/api/tasks/${b.id}/complete`)
  // What a filter means is looked up behind the changes.
  await home.until((received) => received.length === 3)
  await alice.send('PATCH', `/api/lists/${work}`, { name: 'Office' })
  // Its list has another name now.
  await alice.create({ title: 'd', list_id: work })
  const last = await alice.create({ title: 'e', tags: ['home'] })
  await all.until((received) => received.length === 7)
  await home.until((received) => received.some(({ body }) => body.includes(last.id)))
  await eventually(() => done.received.length === 1)

  const told = (hook: Receiver) =>
    bodiesOf(hook).map(({ type, data }) => `${type} ${data.task?.title ?? data.list.name}`)
  expect(told(home)).toEqual([
    'task.created b',
    'task.created c',
    'task.completed b',
    'list.updated Office',
    'task.created e',
  ])
  expect(told(done)).toEqual(['task.completed b'])
})

test('is told of nothing from before it was made, or while it was not active', async () => {
  const alice = await signUp()
  const hook = receiver()
  await alice.create({ title: 'before' })
  const { id } = await make(alice, { url: hook.url })
  await alice.create({ title: 'first' })
  await hook.until((received) => received.length === 1)
  await alice.send('PATCH', `/api/webhooks/${id}`, { active: false })
  await alice.create({ title: 'meanwhile' })
  await alice.send('PATCH', `/api/webhooks/${id}`, { active: true })
  await alice.create({ title: 'second' })
  await hook.until((received) => received.length === 2)

  expect(bodiesOf(hook).map(({ data }) => data.task.title)).toEqual(['first', 'second'])
})

test('is told of nothing that is purged, and of what was made in one request each', async () => {
  const alice = await signUp()
  const hook = receiver()
  const task = await alice.create()
  await alice.send('DELETE', `/api/tasks/${task.id}`)
  const { id } = await make(alice, { url: hook.url })

  await alice.send('DELETE', `/api/trash/${task.id}`)
  await alice.send('POST', '/api/tasks/batch', {
    tasks: ['a', 'b', 'c'].map((title) => ({ title })),
  })
  await hook.until((received) => received.length === 3)

  expect(bodiesOf(hook).map(({ type, data }) => [type, data.task.title])).toEqual([
    ['task.created', 'a'],
    ['task.created', 'b'],
    ['task.created', 'c'],
  ])
  await eventually(async () =>
    (await deliveriesOf(alice, id)).every(({ status }: any) => status === 'delivered'),
  )
})

test('tries again, shows what became of it, and since when it fails', async () => {
  const alice = await signUp()
  let status = 503
  const hook = receiver(() => new Response('no', { status }))
  const { id } = await make(alice, { url: hook.url })
  await alice.create()
  await hook.until((received) => received.length >= 2)

  await eventually(async () => (await read(alice, id)).failing_since !== null)
  status = 204
  await eventually(async () => (await deliveriesOf(alice, id))[0].status === 'delivered')

  const [delivery] = await deliveriesOf(alice, id)
  expect(delivery).toMatchObject({ type: 'task.created', code: 204, reason: null, next_at: null })
  expect(delivery.tries).toBe(hook.received.length)
  expect(new Set(hook.ids())).toEqual(new Set([delivery.id]))
  expect(await read(alice, id)).toMatchObject({ active: true, failing_since: null })
})

test('gives up, and sends it again when it is asked to', async () => {
  const alice = await signUp()
  let status = 500
  const hook = receiver(() => new Response('no', { status }))
  const { id } = await make(alice, { url: hook.url })
  await alice.create()
  await eventually(async () => (await deliveriesOf(alice, id))[0]?.status === 'failed')
  const [failed] = await deliveriesOf(alice, id)
  expect(failed).toMatchObject({ tries: 4, code: 500 })

  status = 200
  const path = `/api/webhooks/${id}/deliveries/${failed.id}/retry`
  const again = await alice.send('POST', path)

  expect([again.status, again.body]).toMatchObject([202, { id: failed.id, status: 'pending' }])
  await eventually(async () => (await deliveriesOf(alice, id))[0].status === 'delivered')
  expect(new Set(hook.ids())).toEqual(new Set([failed.id]))
  for (const other of [crypto.randomUUID(), 'none']) {
    const { status: unknown } = await alice.send('POST', path.replace(failed.id, other))
    expect(unknown).toBe(404)
  }
})

test('is not active any more when the receiver is gone', async () => {
  const alice = await signUp()
  const hook = receiver(() => new Response('gone', { status: 410 }))
  const { id } = await make(alice, { url: hook.url })
  await alice.create()
  await eventually(async () => !(await read(alice, id)).active)
  await alice.create()

  expect(await read(alice, id)).toMatchObject({ failing_since: expect.any(String) })
  expect(await deliveriesOf(alice, id)).toMatchObject([{ status: 'failed', code: 410, tries: 1 }])
})

test('is not active any more after five days of failures, and without them again', async () => {
  const alice = await signUp()
  const hook = receiver(() => new Response('no', { status: 500 }))
  const { id } = await make(alice, { url: hook.url })
  await sql`
    update docket.webhooks set failing_since = now() - interval '6 days' where user_id = ${alice.id}`

  await alice.create()
  await eventually(async () => !(await read(alice, id)).active)

  const { body } = await alice.send('PATCH', `/api/webhooks/${id}`, { active: true })
  expect(body).toMatchObject({ active: true, failing_since: null })
})

test('follows no redirect', async () => {
  const alice = await signUp()
  const other = receiver()
  const hook = receiver(() => new Response(null, { status: 302, headers: { location: other.url } }))
  const { id } = await make(alice, { url: hook.url })
  await alice.send('POST', `/api/webhooks/${id}/test`)
  await eventually(async () => (await deliveriesOf(alice, id))[0].status === 'failed')

  expect(await deliveriesOf(alice, id)).toMatchObject([{ code: 302 }])
  expect(other.received).toEqual([])
})

test('is tried, also while it is not active, ten times a minute', async () => {
  const alice = await signUp()
  const hook = receiver()
  const { id, secret } = await make(alice, { url: hook.url, active: false })
  const path = `/api/webhooks/${id}/test`

  const { status, body } = await alice.send('POST', path)
  await hook.until((received) => received.length === 1)

  const [first] = hook.received
  expect([status, body]).toMatchObject([202, { type: 'webhook.test', status: 'pending', tries: 0 }])
  expect(first && verified(secret, first)).toEqual({
    type: 'webhook.test',
    timestamp: body.at,
    data: {},
  })
  expect(hook.ids()).toEqual([body.id])
  for (let n = 1; n < 10; n += 1) expect((await alice.send('POST', path)).status).toBe(202)
  const refused = await alice.send('POST', path)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
})

test('has two signatures while its secret is rotated', async () => {
  const alice = await signUp()
  const hook = receiver()
  const { id, secret: before } = await make(alice, { url: hook.url })

  const { body } = await alice.send('POST', `/api/webhooks/${id}/rotate`)
  await alice.create()
  await hook.until((received) => received.length === 1)
  // A day later.
  await sql`update docket.webhooks set old_until = now() where user_id = ${alice.id}`
  await alice.create()
  await hook.until((received) => received.length === 2)

  const { secret: after, ...webhook } = body
  expect(webhook).toEqual(await read(alice, id))
  expect(after).not.toBe(before)
  const [first, second] = hook.received
  if (first === undefined || second === undefined) throw new Error('expected two')
  expect(verified(before, first).type).toBe('task.created')
  expect(verified(after, first).type).toBe('task.created')
  expect(verified(after, second).type).toBe('task.created')
  expect(() => verified(before, second)).toThrow('No matching signature found')
  expect(() => verified(after, { ...second, body: second.body.replace('A task', 'B') })).toThrow()
})

test('is told where the log has forgotten something, and goes on', async () => {
  const alice = await signUp()
  const hook = receiver()
  const { id } = await make(alice, { url: hook.url, active: false })
  await alice.create({ title: 'forgotten' })
  await alice.create({ title: 'known' })
  await sql`delete from docket.changes where user_id = ${alice.id} and seq = 1`
  await sql`update docket.webhooks set active = true where user_id = ${alice.id}`

  delivering.sending.follow(alice.id)
  await hook.until((received) => received.length === 2)
  await alice.create({ title: 'new' })
  await hook.until((received) => received.length === 3)

  const told = bodiesOf(hook)
  expect(told.map(({ type }) => type)).toEqual(['resync', 'task.created', 'task.created'])
  expect(told[0].data).toEqual({ since: 0 })
  expect((await deliveriesOf(alice, id)).map(({ type }: any) => type)).toContain('resync')
})

test('has no more before it than it can be told, and is told of the rest in the end', async () => {
  const alice = await signUp()
  const released = Promise.withResolvers<Response>()
  const slow = receiver(() => released.promise.then(() => new Response('ok')))
  const quick = receiver()
  for (const { url } of [slow, quick]) await make(alice, { url })
  for (let n = 0; n < 6; n += 1) {
    const tasks = Array.from({ length: 100 }, (_, nth) => ({ title: `${n} ${nth}` }))
    await alice.send('POST', '/api/tasks/batch', { tasks })
  }
  await quick.until(({ length }) => length === 600)

  const [{ pending } = { pending: 0 }] = await sql<{ pending: number }[]>`
    select count(*)::integer as pending from docket.deliveries where user_id = ${alice.id} and next_at is not null`
  expect(pending).toBeLessThan(500)
  released.resolve(new Response())
  await slow.until(() => new Set(slow.ids()).size === 600)
})

test('is nothing to anybody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const hook = receiver()
  const { id } = await make(alice, { url: hook.url })
  await alice.create()
  await hook.until((received) => received.length === 1)
  const [delivery] = await deliveriesOf(alice, id)
  const before = await read(alice, id)

  for (const [method, path, body] of [
    ['GET', ''],
    ['PATCH', '', { active: false }],
    ['DELETE', ''],
    ['POST', '/rotate'],
    ['POST', '/test'],
    ['GET', '/deliveries'],
    ['POST', `/deliveries/${delivery.id}/retry`],
  ] as const) {
    const [foreign, none, odd] = await Promise.all(
      [id, crypto.randomUUID(), 'odd'].map((one) =>
        bob.send(method, `/api/webhooks/${one}${path}`, body),
      ),
    )
    expect(foreign?.status).toBe(404)
    expect(foreign?.text).toBe(none?.text as string)
    expect(foreign?.text).toBe(odd?.text as string)
    expect((await send(method, `/api/webhooks/${id}${path}`, { body })).status).toBe(401)
  }
  // The same id is that of another webhook to somebody else.
  await make(bob, { id, url: 'https://example.com/' })
  expect((await bob.send('GET', `/api/webhooks/${id}/deliveries`)).body).toEqual([])
  expect(await read(alice, id)).toEqual(before)
  await bob.create()
  await alice.create()
  await hook.until((received) => received.length === 2)
  expect(bodiesOf(hook).map(({ data }) => data.task.user_id)).toEqual([alice.id, alice.id])
})

test('goes with its user, and with all that was on its way', async () => {
  const alice = await signUp()
  const hook = receiver(() => new Response('no', { status: 500 }))
  await make(alice, { url: hook.url })
  await alice.create()
  await hook.until((received) => received.length === 1)

  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  const left = await sql`
    select id from docket.webhooks where user_id = ${alice.id}
    union all select id from docket.deliveries where user_id = ${alice.id}`
  expect(left).toHaveLength(0)
})

test('deletes what was on its way to it', async () => {
  const alice = await signUp()
  const hook = receiver(() => new Response('no', { status: 500 }))
  const { id } = await make(alice, { url: hook.url })
  await alice.create()
  await hook.until((received) => received.length === 1)

  await alice.send('DELETE', `/api/webhooks/${id}`)

  expect(await sql`select id from docket.deliveries where user_id = ${alice.id}`).toHaveLength(0)
  expect((await alice.send('GET', `/api/webhooks/${id}/deliveries`)).status).toBe(404)
})
