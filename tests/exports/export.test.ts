import { expect, test } from 'bun:test'
import { exportTasks } from '../../src/tasks/transfer.ts'
import { db, send, signUp } from '../support/app.ts'
import { linesOf, taskOf } from '../support/moving.ts'
import { expectInvalid } from '../support/tasks.ts'
import { everything, exportOf, importLines, parsed } from './support.ts'

test('is a file of all that there is of who asks, and of nobody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  await importLines(alice, everything(alice.id))
  await importLines(bob, everything(bob.id))

  const { status, headers, text } = await alice.send('GET', '/api/me/export')

  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/x-ndjson')
  expect(headers.get('content-disposition')).toMatch(
    /^attachment; filename="docket-\d{4}-\d\d-\d\d\.jsonl"$/,
  )
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  const lines = parsed(text)
  expect(lines.map((line) => Object.keys(line)[0])).toEqual([
    'user',
    'filter',
    ...Array.from({ length: 3 }, () => 'list'),
    ...Array.from({ length: 7 }, () => 'task'),
  ])
  for (const { user, filter, list, task } of lines) {
    expect(user?.id ?? (filter ?? list ?? task).user_id).toBe(alice.id)
  }
  expect(lines.filter(({ task }) => task?.deleted_at)).toHaveLength(2)
})

test('has what was done to each, unless it is to be left out', async () => {
  const alice = await signUp()
  const task = await alice.create({ title: 'Before' })
  const { body: changed } = await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'After' })

  for (const query of ['', '?history=on']) {
    const [, line] = parsed(await exportOf(alice, query))
    expect(line).toMatchObject({
      task: changed,
      history: [
        { action: 'created', before: null, by: { kind: 'jwt' }, request_id: 'test' },
        { action: 'updated', before: { ...task } },
      ],
    })
  }
  expect(parsed(await exportOf(alice, '?history=off'))[1]).toEqual({ task: changed })
  expectInvalid(await alice.send('GET', '/api/me/export?history=yes&since=1'), '/since', '/history')
})

test('has no secrets, and nothing of whom there is nothing', async () => {
  const alice = await signUp()
  expect(await exportOf(alice, '')).toBe('')

  const hook = await alice.send('POST', '/api/webhooks', { url: 'https://hooks.example/path' })
  const feed = await alice.send('POST', '/api/feeds', { name: 'A calendar' })
  await alice.create()
  const text = await exportOf(alice, '')

  expect([hook.status, feed.status]).toEqual([201, 201])
  expect(parsed(text).map((line) => Object.keys(line)[0])).toEqual(['user', 'task'])
  expect(text).not.toMatch(/whsec|hooks\.example|feeds|A calendar/)
})

test('is not made for who asks only for its headers, or with another method', async () => {
  const alice = await signUp()
  const { authorization } = alice
  await alice.create()

  for (let round = 0; round < 5; round += 1) {
    const head = await send('HEAD', '/api/me/export', { headers: { authorization } })
    expect([head.status, head.text]).toEqual([200, ''])
  }
  expect(parsed(await exportOf(alice))).toHaveLength(2)
  const post = await send('POST', '/api/me/export', { headers: { authorization } })
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('no statement gives much more than a megabyte', async () => {
  const alice = await signUp()
  const description = 'ä'.repeat(20_000)
  const tasks = Array.from({ length: 60 }, (_, n) =>
    taskOf(alice.id, { title: `${n}`, description }),
  )
  const lines = tasks.map((task) => ({ task }))
  expect((await importLines(alice, lines)).body.tasks).toBe(60)

  const sizes: number[] = []
  for (let after = '0'; ; ) {
    const some = await exportTasks(db, alice.id, after, 200)
    const last = some.at(-1)
    if (last === undefined) break
    sizes.push(some.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0))
    after = last.seq
  }

  expect(sizes.length).toBeGreaterThan(2)
  expect(Math.max(...sizes)).toBeLessThan(1_100_000)
  expect(linesOf(parsed(await exportOf(alice)).slice(1))).toBe(linesOf(lines))
})

test('of a long history the newest changes go along, as far as an import takes the line', async () => {
  const alice = await signUp()
  const { id } = await alice.create()
  for (let n = 0; n < 120; n += 1) {
    await alice.send('PATCH', `/api/tasks/${id}`, { description: `${n} ${'ä'.repeat(15_000)}` })
  }
  await alice.create({ title: 'The next' })

  const text = await exportOf(alice, '')

  const [, { history } = { history: [] }, next] = parsed(text)
  expect(history.length).toBeGreaterThan(60)
  expect(history.length).toBeLessThan(120)
  expect(history.at(-1).before.description).toStartWith('118 ')
  expect(next).toMatchObject({ task: { title: 'The next' }, history: [{ action: 'created' }] })
  const bob = await signUp()
  expect((await importLines(bob, text)).body).toMatchObject({ tasks: 2, warning_count: 1 })
})
