import { expect, test } from 'bun:test'
import { createTestApp, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, newList } from '../support/tasks.ts'
import { makeFeed, nameOf, read, titlesIn } from './support.ts'

const feeds = async (user: TestUser) => (await user.send('GET', '/api/feeds')).body

const token = /^http:\/\/localhost\/feeds\/[\w-]{43}\.ics$/

test('makes a feed, and says its address this once', async () => {
  const alice = await signUp()
  const list_id = await newList(alice)

  const { status, headers, body } = await makeFeed(alice, { list_id, filter: 'p:high' })

  expect(status).toBe(201)
  expect(headers.get('location')).toBe(`/api/feeds/${body.id}`)
  const { url, ...feed } = body
  expect(url).toMatch(token)
  expect(feed).toEqual({
    id: expect.any(String),
    user_id: alice.id,
    name: 'Home',
    list_id,
    filter: 'p:high',
    created_at: expect.any(String),
    updated_at: feed.created_at,
    last_used_on: null,
  })
  expect(await feeds(alice)).toEqual([feed])
  const mine = await alice.send('POST', '/api/me/feeds/', { name: 'B' })
  expect(mine.headers.get('location')).toBe(`/api/me/feeds/${mine.body.id}`)
  expect((await read(new URL(url).pathname)).status).toBe(200)
})

test('keeps no address, nor what one could be made of', async () => {
  const alice = await signUp()
  const { body } = await makeFeed(alice)
  const secret = body.url.slice(-47, -4)

  const [row] = await sql`select * from docket.feeds where user_id = ${alice.id}`

  expect(JSON.stringify(row)).not.toContain(secret)
  expect(row?.['token_hash']).toBe(new Bun.CryptoHasher('sha256').update(secret).digest('hex'))
})

test('says an address as the client has it', async () => {
  const alice = await signUp()
  const make = async (app: ReturnType<typeof createTestApp>, headers = {}) => {
    const { authorization } = alice
    const options = { app, headers: { authorization, ...headers }, body: { name: 'A' } }
    const { body } = await send('POST', '/api/feeds', options)
    await alice.send('DELETE', `/api/feeds/${body.id}`)
    return body.url.replace(/[\w-]{43}\.ics$/, '')
  }
  const forwarded = { host: 'todo.example', 'x-forwarded-proto': 'https' }
  const prefixed = { ...forwarded, 'x-forwarded-prefix': '/todo' }

  expect(await make(createTestApp(), prefixed)).toBe('https://todo.example/todo/feeds/')
  expect(await make(createTestApp({ trustProxy: 0 }), prefixed)).toBe('http://todo.example/feeds/')
  expect(await make(createTestApp({ trustProxy: 2 }), { 'x-forwarded-proto': 'x, https, http' }))
    // Two proxies, the outer of which the client has spoken to.
    .toBe('https://localhost/feeds/')
  expect(await make(createTestApp({ basePath: '/base' }), forwarded)).toBe(
    'https://todo.example/base/feeds/',
  )
  const url = 'https://public.example/x'
  expect(await make(createTestApp({ url, basePath: '/x' }), forwarded)).toBe(
    'https://public.example/x/feeds/',
  )
})

test('makes it once, by the id of the client', async () => {
  const alice = await signUp()
  const id = crypto.randomUUID()

  const first = await makeFeed(alice, { id: id.toUpperCase() })
  const second = await makeFeed(alice, { id })

  expect([first.status, first.body.id]).toEqual([201, id])
  expect([second.status, second.body.detail]).toEqual([
    409,
    'You have a feed with this id: rotate it to have an address.',
  ])
  expect(await feeds(alice)).toHaveLength(1)
})

test('has no more than 20', async () => {
  const alice = await signUp()
  for (let n = 0; n < 20; n += 1) await makeFeed(alice)

  const { status, body } = await makeFeed(alice)

  expect([status, body.detail]).toEqual([422, 'You have 20 feeds already: delete one first.'])
  const [{ id }] = await feeds(alice)
  await alice.send('DELETE', `/api/feeds/${id}`)
  expect((await makeFeed(alice)).status).toBe(201)
})

test('refuses what shows nothing, by its name', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const his = await newList(bob)
  const trashed = await newList(alice)
  await alice.send('DELETE', `/api/lists/${trashed}`)
  const { body: feed } = await makeFeed(alice)
  const both = async (body: object) => [
    await makeFeed(alice, body),
    await alice.send('PATCH', `/api/feeds/${feed.id}`, body),
  ]

  for (const filter of ['stauts:done', 'a (', ' ', '', '@none', 'list:Nowhere', 'x'.repeat(1001)]) {
    for (const answer of await both({ filter })) expectInvalid(answer, '/filter')
  }
  for (const list_id of [crypto.randomUUID(), his, trashed]) {
    for (const { status, body } of await both({ list_id })) {
      expect([status, body.detail]).toEqual([404, 'You have no list with this id.'])
    }
  }
  for (const name of ['', ' ', 'x'.repeat(101), null]) {
    for (const answer of await both({ name })) expectInvalid(answer, '/name')
  }
  for (const answer of await both({ url: feed.url })) expectInvalid(answer, '/url')
  expect((await alice.send('PATCH', `/api/feeds/${feed.id}`, {})).status).toBe(422)
  expect(await feeds(alice)).toHaveLength(1)
})

test('changes what is given, and not the address', async () => {
  const alice = await signUp()
  const list_id = await newList(alice)
  const { body } = await makeFeed(alice, { filter: '#a' })
  const { url, ...before } = body
  const path = `/api/feeds/${before.id}`
  await alice.create({ title: 'In it', list_id, due_date: '2026-12-01' })

  const same = await alice.send('PATCH', path, { name: 'Home', filter: '#a', list_id: null })
  expect(same.body).toEqual(before)
  expect(titlesIn((await read(new URL(url).pathname)).text)).toEqual([])
  const changed = await alice.send('PATCH', path, { list_id, filter: null, name: 'House' })

  expect(changed.body).toMatchObject({ list_id, filter: null, name: 'House' })
  expect(changed.body.updated_at > before.updated_at).toBe(true)
  const { text } = await read(new URL(url).pathname)
  expect([nameOf(text), titlesIn(text)]).toEqual(['House', ['In it']])
})

test('gives another address, and then the first shows nothing', async () => {
  const alice = await signUp()
  const { body: first } = await makeFeed(alice)
  const path = new URL(first.url).pathname
  // It is kept in memory now.
  expect((await read(path)).status).toBe(200)

  const { status, body: second } = await alice.send('POST', `/api/feeds/${first.id}/rotate`)

  expect(status).toBe(200)
  expect(second.url).toMatch(token)
  expect(second.url).not.toBe(first.url)
  expect((await read(path)).status).toBe(404)
  expect((await read(new URL(second.url).pathname)).status).toBe(200)
})

test('is gone at once when it is deleted', async () => {
  const alice = await signUp()
  const { body } = await makeFeed(alice)
  const path = new URL(body.url).pathname
  expect((await read(path)).status).toBe(200)
  expect((await read(`${path}?as=todo`)).status).toBe(200)

  const { status } = await alice.send('DELETE', `/api/feeds/${body.id}`)

  expect(status).toBe(200)
  expect((await read(path)).status).toBe(404)
  expect((await read(`${path}?as=todo`)).status).toBe(404)
  expect((await alice.send('DELETE', `/api/feeds/${body.id}`)).status).toBe(404)
  expect((await alice.send('POST', `/api/feeds/${body.id}/rotate`)).status).toBe(404)
})

test('goes with everything else of who leaves', async () => {
  const alice = await signUp()
  const { body } = await makeFeed(alice)
  const path = new URL(body.url).pathname
  expect((await read(path)).status).toBe(200)

  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect((await read(path)).status).toBe(404)
  expect(await feeds(alice)).toEqual([])
})

test('goes with its list, when that is gone for good', async () => {
  const alice = await signUp()
  const list_id = await newList(alice)
  const { body } = await makeFeed(alice, { list_id })
  await makeFeed(alice)
  const path = new URL(body.url).pathname
  await alice.send('DELETE', `/api/lists/${list_id}`)
  expect((await read(path)).status).toBe(200)

  expect((await alice.send('DELETE', `/api/trash/${list_id}`)).status).toBe(200)

  expect((await read(path)).status).toBe(404)
  expect(await feeds(alice)).toHaveLength(1)
})

test('says on which day it was used last', async () => {
  const alice = await signUp()
  const { body } = await makeFeed(alice)
  await read(new URL(body.url).pathname)

  // It is written after the answer.
  let used = null
  while (used === null) [{ last_used_on: used }] = await feeds(alice)

  expect(used).toMatch(/^\d{4}-\d\d-\d\d$/)
  const [{ last_used_on: _, ...feed }] = await feeds(alice)
  expect(body).toMatchObject(feed)
})

test('knows nothing of the feeds of others', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { body: hers } = await makeFeed(alice)

  const answers = []
  for (const id of [crypto.randomUUID(), hers.id, hers.id.toUpperCase(), 'not-a-uuid']) {
    for (const [method, path] of [
      ['PATCH', `/api/feeds/${id}`],
      ['DELETE', `/api/feeds/${id}`],
      ['POST', `/api/feeds/${id}/rotate`],
    ] as const) {
      const body = method === 'PATCH' ? { name: 'His' } : undefined
      const { status, text } = await bob.send(method, path, body)
      expect(status).toBe(404)
      answers.push(text)
      expect((await send(method, path)).status).toBe(401)
      const named = await bob.send(method, path.replace('/api', `/api/${alice.id}`), body)
      expect(named.status).toBe(403)
    }
  }
  expect(new Set(answers).size).toBe(1)
  // The same id is his own.
  expect((await makeFeed(bob, { id: hers.id })).status).toBe(201)
  expect(await feeds(alice)).toHaveLength(1)
  expect((await read(new URL(hers.url).pathname)).status).toBe(200)
})
