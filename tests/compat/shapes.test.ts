import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { nextOf } from '../support/tasks.ts'
import { type Frontend, frontend } from './support.ts'

const create = async (call: Frontend, ...titles: string[]) => {
  for (const title of titles) await call('POST', '/api/tasks', { title })
}

describe.each([
  ['tasks', (list: unknown[], more: object) => ({ tasks: list, ...more })],
  ['items', (list: unknown[], more: object) => ({ items: list, ...more })],
  ['data', (list: unknown[], more: object) => ({ data: list, ...more })],
  ['data.tasks', (list: unknown[], more: object) => ({ data: { tasks: list, ...more } })],
])('list=%s', (list, envelope) => {
  const listOf = (body: any) => (list === 'data.tasks' ? body.data : body)
  const tasksOf = (body: any) => listOf(body)[list.replace('data.', '')]

  test('puts a list into it, with how many there are', async () => {
    const alice = await signUp()
    const call = frontend(alice, `list=${list}`)
    await create(call, 'a', 'b', 'c')

    expect((await frontend(await signUp(), `list=${list}`)('GET', '/api/tasks')).body).toEqual(
      envelope([], { total: 0, count: 0 }),
    )
    const all = (await alice.send('GET', '/api/tasks')).body
    for (const path of [
      '/api/tasks',
      '/api/tasks/',
      '/api/me/tasks',
      `/api/${alice.id}/tasks?q=`,
    ]) {
      expect((await call('GET', path)).body).toEqual(envelope(all, { total: 3, count: 3 }))
    }
    expect((await call('GET', `/api/tasks/${all[0].id}`)).body).toEqual(all[0])
    expect((await call('GET', '/api/tasks/count')).body).toEqual({ count: 3 })
  })

  test('counts what the parameters find, on every page', async () => {
    const call = frontend(await signUp(), `list=${list}`)
    await create(call, 'plant a', 'plant b', 'plant c', 'other', 'plant d', 'plant e')

    const seen: string[] = []
    for (let next: string | null = '/api/tasks?q=plant&sort=title&limit=2'; next !== null; ) {
      const answer = await call('GET', next)
      const { total, count } = listOf(answer.body)
      const titles = tasksOf(answer.body).map((task: { title: string }) => task.title)
      expect([total, count]).toEqual([5, titles.length])
      seen.push(...titles)
      next = nextOf(answer, next)
    }
    const { body } = await call('GET', '/api/tasks?q=plant&skip=4')

    expect(seen).toEqual(['plant a', 'plant b', 'plant c', 'plant d', 'plant e'])
    expect([listOf(body).total, listOf(body).count]).toEqual([5, 1])
  })
})

describe.each(['task', 'data'])('task=%s', (name) => {
  test('puts a single task into it, wherever it is answered', async () => {
    const alice = await signUp()
    const call = frontend(alice, `task=${name}`)

    const made = await call('POST', '/api/tasks', { title: 'A task' })
    const { [name]: task, ...nothing } = made.body
    const path = `/api/tasks/${task.id}`
    const answers = [
      await call('GET', path),
      await call('PATCH', path, { title: 'A task' }),
      await call('PUT', path, task),
      await call('POST', `${path}/restore`),
    ]
    const turned = await call('POST', `${path}/complete`, { completed: false })

    expect([made.status, made.headers.get('location'), nothing]).toEqual([201, path, {}])
    for (const { body } of answers) expect(body).toEqual({ [name]: task })
    expect(turned.body).toEqual({ [name]: { ...task, next_task: null } })
    expect((await call('PATCH', `${path}/toggle`)).body[name].completed).toBe(true)
    expect((await call('GET', '/api/tasks')).body).toHaveLength(1)
    expect((await call('DELETE', path)).body[name].deleted_at).toBeString()
    expect((await call('GET', path)).body.code).toBe('not_found')
  })

  test('versions are as ever', async () => {
    const call = frontend(await signUp(), `task=${name} list=items`)
    const made = await call('POST', '/api/tasks', { title: 'A task' })
    const path = `/api/tasks/${made.body[name].id}`

    const known = await call('GET', path, undefined, { 'if-none-match': '"1"' })
    const changed = await call('PATCH', path, { title: 'Changed' }, { 'if-match': '"1"' })
    const stale = await call('PATCH', path, { title: 'Again' }, { 'if-match': '"1"' })

    expect([made.headers.get('etag'), changed.headers.get('etag')]).toEqual(['"1"', '"2"'])
    expect([known.status, known.text, stale.status]).toEqual([304, '', 412])
  })
})

test('a long list is answered whole, in its envelope', async () => {
  const alice = await signUp()
  const call = frontend(alice, 'list=data')
  const description = 'ü'.repeat(19_000)
  for (let index = 0; index < 12; index += 1) await alice.create({ description })

  const { body } = await call('GET', '/api/tasks')

  expect([body.count, body.total]).toEqual([12, 12])
  expect(body.data[11].description).toBe(description)
})

test('HEAD says how long the answer to GET is', async () => {
  const call = frontend(await signUp(), 'list=tasks task=task names=camelCase')
  await create(call, 'a', 'b')

  const got = await call('GET', '/api/tasks')
  const head = await call('HEAD', '/api/tasks')

  expect([head.status, head.text]).toEqual([200, ''])
  expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(got.text)))
})

test('takes a filter, counts what it finds, and says where something is wrong with it', async () => {
  const call = frontend(await signUp(), 'names=camelCase list=data')
  await create(call, 'water', 'water', 'air')

  const { body } = await call('GET', '/api/tasks?filter=water%20dueDate:none&limit=1')
  const wrong = await call('GET', '/api/tasks?filter=water%20dueDat:none')

  expect([body.data.length, body.count, body.total]).toEqual([1, 1, 2])
  expect(wrong.status).toBe(422)
  expect(wrong.body.errors).toEqual([
    expect.objectContaining({ pointer: '/filter', at: 6, length: 6 }),
  ])
})
