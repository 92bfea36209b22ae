import { expect, test } from 'bun:test'
import { signUp, sql } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { expectInvalid, naughtyTexts } from '../support/tasks.ts'
import { lists, makeList, names } from './support.ts'

test('are made, with a place to find them at', async () => {
  const alice = await signUp()

  const { status, body, headers } = await alice.send('POST', '/api/lists', {
    name: 'Home',
    color: '#3366CC',
  })

  expect(status).toBe(201)
  expect(body).toEqual({
    id: expect.any(String),
    user_id: alice.id,
    name: 'Home',
    color: '#3366cc',
    archived_at: null,
    position: expect.stringMatching(/^i[0-9a-f]{9}$/),
    version: 1,
    created_at: expect.any(String),
    updated_at: body.created_at,
    deleted_at: null,
  })
  expect(headers.get('location')).toBe(`/api/lists/${body.id}`)
  expect(headers.get('etag')).toBe('"1"')
  const read = await alice.send('GET', `/api/lists/${body.id}`)
  expect(read.body).toEqual(body)
  expect(read.headers.get('etag')).toBe('"1"')
  expect(await lists(alice)).toEqual([body])
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('with an id of the client’s twice is once, and another one is refused', async () => {
  const alice = await signUp()
  const id = crypto.randomUUID().toUpperCase()
  const list = { id, name: 'Home', color: '#AABBCC', archived: true }

  const [first, second] = await Promise.all([makeList(alice, list), makeList(alice, list)])
  const other = await alice.send('POST', '/api/lists', { ...list, name: 'House' })

  expect(second).toEqual(first)
  expect(first).toMatchObject({ id: id.toLowerCase(), version: 1, archived_at: first.created_at })
  expect([other.status, other.body.detail]).toEqual([409, 'You have another list with this id.'])
  await alice.send('DELETE', `/api/lists/${id}`)
  expect((await alice.send('POST', '/api/lists', list)).status).toBe(409)
  // A task with the same id is something else.
  await alice.create({ id })
})

test('with a key twice is once, whatever it is', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice, { name: 'First' })
  const last = await makeList(alice, { name: 'Last' })
  const calls: [string, string, object?][] = [
    ['POST', '/api/lists', { name: 'Home' }],
    ['PATCH', `/api/lists/${id}`, { name: 'Changed' }],
    ['PUT', `/api/lists/${id}`, { color: '#000000' }],
    ['POST', `/api/lists/${id}/move`, { after: last.id }],
    ['POST', `/api/lists/${id}/move`, {}],
    ['DELETE', `/api/lists/${id}`],
    ['POST', `/api/lists/${id}/restore`],
    ['POST', `/api/lists/${id}/restore`],
  ]

  for (const [method, path, body] of calls) {
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const send = () => alice.send(method, path, body, headers)
    const [first, second] = [await send(), await send()]

    expect([method, path, first.status < 300]).toEqual([method, path, true])
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect(second.text).toBe(first.text)
    const third = await alice.send('PATCH', `/api/lists/${last.id}`, { name: 'X' }, headers)
    expect(third.body.code).toBe('idempotency_key_reused')
  }
  expect((await lists(alice)).find((list) => list.id === id)?.version).toBe(7)
})

test('change, field by field, and what changes nothing changes nothing', async () => {
  const alice = await signUp()
  const list = await makeList(alice, { color: '#123456' })
  const path = `/api/lists/${list.id}`

  const renamed = await alice.send('PATCH', path, { name: 'House' }, { 'if-match': '"1"' })
  const same = await alice.send('PATCH', path, { name: 'House', color: '#123456' })
  const stale = await alice.send('PATCH', path, { name: 'X' }, { 'if-match': '"1"' })
  const plain = await alice.send('PUT', path, { color: null })

  expect(renamed.body).toMatchObject({ name: 'House', color: '#123456', version: 2 })
  expect(renamed.headers.get('etag')).toBe('"2"')
  expect(same.body).toEqual(renamed.body)
  expect([stale.status, stale.body.detail]).toEqual([
    412,
    'The list has changed since: read it again.',
  ])
  expect(plain.body).toMatchObject({ name: 'House', color: null, version: 3 })
})

test('are archived and brought back', async () => {
  const alice = await signUp()
  const [old, current] = [await makeList(alice), await makeList(alice, { name: 'Current' })]
  const set = (archived: boolean) => alice.send('PATCH', `/api/lists/${old.id}`, { archived })

  const { body } = await set(true)

  expect(body.archived_at).toBe(body.updated_at)
  expect((await set(true)).body).toEqual(body)
  expect(await lists(alice, '?archived=true')).toEqual([body])
  expect(await lists(alice, '?archived=false')).toEqual([current])
  expect(await lists(alice)).toEqual([body, current])
  expect((await set(false)).body).toMatchObject({ archived_at: null, version: 3 })
})

test('take back what was given, and nothing else that is read-only', async () => {
  const alice = await signUp()
  const list = await makeList(alice)
  const path = `/api/lists/${list.id}`

  expect((await alice.send('PATCH', path, list)).body).toEqual(list)
  const changed = await alice.send('PATCH', path, { ...list, name: 'House' })
  expect(changed.body).toMatchObject({ name: 'House', version: 2 })
  // A form that is sent whole may be of before.
  expect((await alice.send('PUT', path, list)).body).toMatchObject({ name: 'A list', version: 3 })
  expectInvalid(await alice.send('PATCH', path, list), '/version', '/updated_at')
  for (const [field, value] of Object.entries({
    position: 'i999999999',
    archived_at: '2026-11-20T22:36:42.1+00:00',
    deleted_at: '2026-11-20T22:36:42.1+00:00',
    created_at: '2026-11-20T22:36:42.1+00:00',
    id: crypto.randomUUID(),
    user_id: 'bob',
  })) {
    expectInvalid(await alice.send('PATCH', path, { [field]: value }), `/${field}`)
  }
  expectInvalid(await alice.send('POST', '/api/lists', { name: 'A', user_id: 'bob' }), '/user_id')
})

test.each([
  [{}, '/name'],
  [{ name: '' }, '/name'],
  [{ name: ' \u200b' }, '/name'],
  [{ name: 'x'.repeat(201) }, '/name'],
  [{ name: 'a\0' }, '/name'],
  [{ name: null }, '/name'],
  [{ name: 'A', color: 'red' }, '/color'],
  [{ name: 'A', color: '#12345' }, '/color'],
  [{ name: 'A', color: '#1234567' }, '/color'],
  [{ name: 'A', archived: 'yes' }, '/archived'],
  [{ name: 'A', archived_at: null }, '/archived_at'],
  [{ name: 'A', icon: 'x' }, '/icon'],
])('refuse %j', async (list, pointer) => {
  const alice = await signUp()
  expectInvalid(await alice.send('POST', '/api/lists', list), pointer)
})

test.each(naughtyTexts)('have names of %s, as they were given', async (_, text) => {
  const alice = await signUp()
  const name = text.slice(0, 100).toWellFormed()
  expect((await makeList(alice, { name })).name).toBe(name)
  expect(await names(alice)).toEqual([name])
})

test('are as long as a name can be', async () => {
  const alice = await signUp()
  const name = '\u{1f600}'.repeat(200)
  const list = await makeList(alice, { name })
  const { body } = await alice.send('PATCH', `/api/lists/${list.id}`, { name: `${name.slice(2)}x` })
  expect(body.version).toBe(2)
})

test('say nothing while nothing has changed', async () => {
  const alice = await signUp()
  expect((await alice.send('GET', '/api/lists')).headers.get('etag')).toBe('W/"0"')
  const { id } = await makeList(alice)
  const first = await alice.send('GET', '/api/lists?counts=true')
  const etag = first.headers.get('etag') ?? ''
  expect(first.headers.get('docket-epoch')).toBeString()

  const second = await alice.send('GET', '/api/lists?counts=true', undefined, {
    'if-none-match': etag,
  })
  expect([second.status, second.text, second.headers.get('etag')]).toEqual([304, '', etag])
  const one = await alice.send('GET', `/api/lists/${id}`, undefined, { 'if-none-match': '"1"' })
  expect([one.status, one.text]).toEqual([304, ''])

  await alice.create({ list_id: id })
  const third = await alice.send('GET', '/api/lists?counts=true', undefined, {
    'if-none-match': etag,
  })
  expect(third.body).toMatchObject([{ pending: 1, completed: 0 }])
})

test('count their tasks, but for the trash', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const [home, empty] = [await makeList(alice), await makeList(alice)]
  const of = { list_id: home.id }
  const parent = await alice.create(of)
  await alice.create({ ...of, parent_id: parent.id })
  await alice.create({ ...of, completed: true })
  await alice.create()
  await alice.send('DELETE', `/api/tasks/${(await alice.create(of)).id}`)
  await makeList(bob, { id: home.id })
  await bob.create(of)

  expect(await lists(alice, '?counts=true')).toEqual([
    { ...home, pending: 2, completed: 1 },
    { ...empty, pending: 0, completed: 0 },
  ])
  await alice.send('DELETE', `/api/lists/${home.id}`)
  expect(await lists(alice, '?counts=true&deleted=true')).toMatchObject([
    { id: home.id, pending: 0, completed: 0 },
  ])
})

test.each(['?archived=perhaps', '?limit=10', '?counts=1'])('refuse %s', async (query) => {
  const alice = await signUp()
  expect((await alice.send('GET', `/api/lists${query}`)).status).toBe(422)
})

test('are 500 at most, but for the trash', async () => {
  const alice = await signUp()
  const first = await makeList(alice)
  await sql`
    insert into docket.lists (user_id, id, name, position, seq)
    select ${alice.id}, gen_random_uuid(), 'A list', 'i0000a' || lpad(to_hex(n), 4, '0'), n from generate_series(1, 498) n`
  await sql`update docket.users set seq = 1000 where id = ${alice.id}`

  const both = await Promise.all(
    [1, 2].map(() => alice.send('POST', '/api/lists', { name: 'The last' })),
  )

  expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422])
  expect(both.find(({ status }) => status === 422)?.body.detail).toBe(
    'You may have 500 lists, and this would be one more.',
  )
  expect(await lists(alice)).toHaveLength(500)
  await alice.send('DELETE', `/api/lists/${first.id}`)
  await makeList(alice)
  expect((await alice.send('POST', `/api/lists/${first.id}/restore`)).status).toBe(422)
})

test('another one’s is one that is not there, on every path', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const mine = await makeList(alice)
  const { id } = await makeList(bob)

  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'X' }],
    ['DELETE', '', undefined],
    ['POST', '/restore', undefined],
    ['POST', '/move', {}],
    ['GET', '/history', undefined],
  ] as const) {
    const answers = await Promise.all(
      [id, crypto.randomUUID(), 'no-uuid'].map((one) =>
        alice.send(method, `/api/lists/${one}${path}`, body),
      ),
    )
    for (const answer of answers) {
      expect([answer.status, answer.body.detail]).toEqual([404, 'You have no list with this id.'])
    }
  }
  for (const beside of [{ before: id }, { after: id }]) {
    const { status } = await alice.send('POST', `/api/lists/${mine.id}/move`, beside)
    expect(status).toBe(404)
  }
  expect((await alice.send('POST', '/api/tasks', { title: 'A', list_id: id })).status).toBe(404)
})
