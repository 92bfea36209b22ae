import { expect, test } from 'bun:test'
import { send, signUp, sql } from '../support/app.ts'
import { expectInvalid, nextOf } from '../support/tasks.ts'

// GET /api/history: what was done to whatever there is.

/** Somebody who acts by a token with this name. */
async function asToken(alice: Awaited<ReturnType<typeof signUp>>, name: string) {
  const { body } = await alice.send('POST', '/api/me/tokens', { name, scopes: ['tasks:write'] })
  return (method: string, path: string, given?: unknown) =>
    send(method, path, { headers: { authorization: `Bearer ${body.token}` }, body: given })
}

test('says who did what to which thing, the latest first', async () => {
  const alice = await signUp()
  const agent = await asToken(alice, 'Claude')
  const { body: list } = await alice.send('POST', '/api/lists', { name: 'Home' })
  const { body: task } = await agent('POST', '/api/tasks', { title: 'A' })
  await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'B' })
  await agent('DELETE', `/api/tasks/${task.id}`)

  const { status, body, headers } = await alice.send('GET', '/api/history')

  expect(status).toBe(200)
  expect(headers.get('link')).toBe(null)
  expect(body).toMatchObject([
    { seq: 4, action: 'deleted', type: 'task', id: task.id, title: 'B' },
    { seq: 3, action: 'updated', by: { kind: 'jwt' } },
    { seq: 2, action: 'created', title: 'B', by: { kind: 'token', name: 'Claude' } },
    { seq: 1, action: 'created', type: 'list', id: list.id, title: 'Home', request_id: 'test' },
  ])
})

test('by some alone, page by page', async () => {
  const alice = await signUp()
  const [claude, script] = [await asToken(alice, 'Claude'), await asToken(alice, 'A script')]
  for (let nth = 1; nth <= 3; nth += 1) {
    await claude('POST', '/api/tasks', { title: `By Claude ${nth}` })
    await script('POST', '/api/tasks', { title: `By the script ${nth}` })
    await alice.create({ title: 'By Alice' })
  }

  const titles: string[] = []
  const path = '/api/history?by_kind=token,program&by_name=Claude&limit=2'
  for (let next: string | null = path; next !== null; ) {
    const answer = await alice.send('GET', next)
    titles.push(...answer.body.map(({ title }: { title: string }) => title))
    next = nextOf(answer, '/api/history')
  }
  const { body: both } = await alice.send('GET', '/api/history?by_kind=program,token')

  expect(titles).toEqual(['By Claude 3', 'By Claude 2', 'By Claude 1'])
  expect(both).toHaveLength(6)
})

test('looks at 10,000 changes at a time, and says where to go on', async () => {
  const alice = await signUp()
  const agent = await asToken(alice, 'Claude')
  const { body: task } = await agent('POST', '/api/tasks', { title: 'Long ago' })
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, actor, at, day)
    select ${alice.id}, seq, 'task', ${task.id}::uuid, 'updated', '{"kind":"jwt","name":null}', now(), now()::date
    from generate_series(2, 10001) seq`

  const first = await alice.send('GET', '/api/history?by_kind=token')
  const next = nextOf(first, '/api/history') ?? ''
  const second = await alice.send('GET', next)

  expect(first.body).toEqual([])
  expect(second.body).toMatchObject([{ seq: 1, title: 'Long ago' }])
  expect(nextOf(second, '/api/history')).toBe(null)
})

test('has no title of what was purged, and nothing of anybody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { id } = await alice.create({ title: 'Secret' })
  await alice.send('DELETE', `/api/tasks/${id}`)
  await alice.send('DELETE', `/api/trash/${id}`)

  const { body, text } = await alice.send('GET', '/api/history')

  expect(body[0]).toMatchObject({ action: 'purged', id, title: null })
  expect(text).not.toContain('Secret')
  expect((await bob.send('GET', '/api/history')).body).toEqual([])
  expect((await bob.send('GET', `/api/${alice.id}/history`)).status).toBe(403)
})

test('refuses what it does not know', async () => {
  const alice = await signUp()

  expectInvalid(await alice.send('GET', '/api/history?by_kind=robot'), '/by_kind/0')
  expectInvalid(await alice.send('GET', '/api/history?cursor=x'), '/cursor')
})
