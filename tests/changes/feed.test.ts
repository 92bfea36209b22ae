import { expect, test } from 'bun:test'
import { createTestApp, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, list } from '../support/tasks.ts'

// What has changed, and that nothing has.

type Change = { seq: number; type: string; id: string; task?: { id: string }; purged?: true }

const changes = async (user: TestUser, query = ''): Promise<Change[]> => {
  const { status, body } = await user.send('GET', `/api/changes${query}`)
  expect(status).toBe(200)
  return body
}

test('has each task once, as it is now, in the order in which they changed, the trash too', async () => {
  const alice = await signUp()
  const first = await alice.create({ title: 'First' })
  const second = await alice.create({ title: 'Second' })
  const third = await alice.create({ title: 'Third' })
  const { body: changed } = await alice.send('PATCH', `/api/tasks/${first.id}`, {
    title: 'Changed',
  })
  const { body: trashed } = await alice.send('DELETE', `/api/tasks/${second.id}`)

  const found = await changes(alice)

  expect(found.map(({ task }) => task)).toEqual([third, changed, trashed])
  expect(found.map(({ id, type }) => [id, type])).toEqual(
    [third, first, second].map(({ id }) => [id, 'task']),
  )
  const numbers = found.map(({ seq }) => seq)
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  expect(await changes(alice, `?since=${numbers[0]}`)).toEqual(found.slice(1))
  expect(await changes(alice, `?since=${numbers[2]}`)).toEqual([])
})

test('of who has nothing there is nothing, and no number was given', async () => {
  const alice = await signUp()

  const answer = await alice.send('GET', '/api/changes')

  expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, [], 'W/"0"'])
  expect((await alice.send('GET', '/api/changes?since=1')).status).toBe(410)
})

test('a task that is gone for good is said to be, with its number', async () => {
  const alice = await signUp()
  const task = await alice.create()
  // As the trash is emptied.
  await sql`delete from docket.tasks where user_id = ${alice.id}`

  expect(await changes(alice)).toEqual([{ seq: 1, type: 'task', id: task.id, purged: true }])
})

test('of several that are gone each is said, before and between others', async () => {
  const alice = await signUp()
  const tasks = []
  for (let n = 0; n < 5; n += 1) tasks.push(await alice.create())
  await sql`delete from docket.tasks where user_id = ${alice.id} and id <> ${tasks[2].id}`

  expect(await changes(alice)).toEqual(
    tasks.map((task, n) => ({
      seq: n + 1,
      type: 'task',
      id: task.id,
      ...(n === 2 ? { task } : { purged: true as const }),
    })),
  )
})

test('goes on by the Link, and by the last number, without missing or repeating any', async () => {
  const alice = await signUp()
  for (let n = 1; n <= 7; n += 1) await alice.create({ title: `Task ${n}` })
  const all = await changes(alice)

  const pages: Change[][] = []
  for (let path: string | null = '/api/changes?limit=3'; path !== null; ) {
    const { body, headers } = await alice.send('GET', path)
    pages.push(body)
    const query: string | undefined = /^<(\?[^>]+)>; rel="next"$/.exec(
      headers.get('link') ?? '',
    )?.[1]
    path = query === undefined ? null : `/api/changes${query}`
  }

  expect(pages.map((page) => page.length)).toEqual([3, 3, 1])
  expect(pages.flat()).toEqual(all)
  expect(await changes(alice, `?since=${all[3]?.seq}&limit=2`)).toEqual(all.slice(4, 6))
})

test('a page ends at a megabyte, and has one change at least', async () => {
  const alice = await signUp()
  for (let n = 0; n < 20; n += 1) await alice.create({ description: '😀'.repeat(15_000) })

  const { body, headers, text } = await alice.send('GET', '/api/changes')

  expect(body.length).toBe(16)
  expect(Buffer.byteLength(text)).toBeLessThan(1_100_000)
  expect(headers.get('link')).toContain('rel="next"')
})

test('while nothing has changed it is 304, in any form that a proxy gives the tag', async () => {
  const alice = await signUp()
  await alice.create()
  const { headers } = await alice.send('GET', '/api/changes')
  const tag = headers.get('etag') ?? ''

  expect(tag).toBe('W/"1"')
  for (const known of [tag, '"1"', 'W/"1-gzip"', '"1;br"', `"7", ${tag}`, '*']) {
    const answer = await alice.send('GET', '/api/changes', undefined, { 'if-none-match': known })
    expect([known, answer.status, answer.text]).toEqual([known, 304, ''])
    expect(answer.headers.get('etag')).toBe(tag)
  }
  for (const known of ['W/"0"', '"2"', 'abc', '""']) {
    const answer = await alice.send('GET', '/api/changes', undefined, { 'if-none-match': known })
    expect([known, answer.status]).toEqual([known, 200])
  }
})

test.each([
  '',
  '?status=pending',
  '?sort=title',
  '?q=task',
  '?deleted=true',
  '?sort=updated_at',
  '?offset=1',
])('so is a list, /api/tasks%s', async (query) => {
  const alice = await signUp()
  const task = await alice.create()
  const before = await alice.send('GET', `/api/tasks${query}`)
  const tag = before.headers.get('etag') ?? ''
  const again = () => alice.send('GET', `/api/tasks${query}`, undefined, { 'if-none-match': tag })

  const same = await again()
  expect([same.status, same.text]).toEqual([304, ''])
  // By which somebody whose database was restored sees that it is not the same.
  expect(same.headers.get('docket-epoch')).toMatch(/^[0-9a-f]{16}$/)
  await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'Another task' })
  const after = await again()
  expect(after.status).toBe(200)
  expect(after.headers.get('etag')).not.toBe(tag)
  expect(after.headers.get('docket-epoch')).toMatch(/^[0-9a-f]{16}$/)
})

test('what changes nothing is no change', async () => {
  const alice = await signUp()
  const task = await alice.create({ title: 'The same' })
  const found = await changes(alice)

  await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'The same' })
  await alice.send('POST', `/api/tasks/${task.id}/restore`)
  await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'Late' }, { 'if-match': '"9"' })

  expect(await changes(alice)).toEqual(found)
})

test('a number of another epoch is not taken', async () => {
  const alice = await signUp()
  await alice.create()
  const { headers } = await alice.send('GET', '/api/changes')
  const epoch = headers.get('docket-epoch') ?? ''

  expect((await alice.send('GET', `/api/changes?since=1&epoch=${epoch}`)).status).toBe(200)
  const other = await alice.send('GET', '/api/changes?since=1&epoch=0123456789abcdef')
  expect([other.status, other.body.code]).toEqual([410, 'resync'])
  // Where nobody knows the epoch, it is not asked for.
  const app = createTestApp({ epoch: async () => null })
  const unknown = await send('GET', '/api/changes?since=1&epoch=other', {
    app,
    headers: { authorization: alice.authorization },
  })
  expect([unknown.status, unknown.headers.get('docket-epoch')]).toEqual([200, null])
})

test('refuses what is no number', async () => {
  const alice = await signUp()

  for (const since of ['-1', '1.5', 'abc', '0x1', '9'.repeat(20)]) {
    expectInvalid(await alice.send('GET', `/api/changes?since=${since}`), '/since')
  }
  for (const limit of ['0', '-1', 'all']) {
    expectInvalid(await alice.send('GET', `/api/changes?limit=${limit}`), '/limit')
  }
  expect(await changes(alice, '?limit=9999')).toEqual([])
})

test('updated_at is in the order of the numbers, whatever is changed at once', async () => {
  const alice = await signUp()
  const tasks = await Promise.all(Array.from({ length: 10 }, () => alice.create()))
  await Promise.all(
    tasks.flatMap(({ id }) => [
      alice.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' }),
      alice.send('POST', `/api/tasks/${id}/complete`),
    ]),
  )

  const found = await changes(alice)
  const instants = found.map(({ task }) => (task as unknown as { updated_at: string }).updated_at)

  expect(new Set(instants).size).toBe(10)
  expect(instants).toEqual(instants.toSorted())
  expect((await list(alice, '?sort=updated_at&order=asc')).map(({ id }) => id)).toEqual(
    found.map(({ id }) => id),
  )
})
