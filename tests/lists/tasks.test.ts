import { expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { signUp } from '../support/app.ts'
import { expectInvalid, nextOf } from '../support/tasks.ts'
import { makeList } from './support.ts'

const titlesOf = (tasks: Task[]) => tasks.map(({ title }) => title)

test('the tasks of a list come in their manual order, as GET /api/tasks has them', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const path = `/api/lists/${id}/tasks`
  const first = await alice.create({ title: 'First', list_id: id })
  const second = await alice.create({ title: 'Second', list_id: id })
  await alice.create({ title: 'Under', list_id: id, parent_id: first.id, completed: true })
  await alice.create({ title: 'Elsewhere' })
  await alice.send('POST', `/api/tasks/${second.id}/move`, { before: first.id })

  const { body, headers } = await alice.send('GET', path)

  expect(titlesOf(body)).toEqual(['Second', 'First', 'Under'])
  const same = await alice.send('GET', `/api/tasks?list=${id}&sort=position`)
  expect(same.body).toEqual(body)
  expect(headers.get('etag')).toBe(same.headers.get('etag'))
  const again = await alice.send('GET', path, undefined, {
    'if-none-match': headers.get('etag') ?? '',
  })
  expect(again.status).toBe(304)
  const get = async (query: string) => titlesOf((await alice.send('GET', path + query)).body)
  expect(await get('?status=completed')).toEqual(['Under'])
  expect(await get('?sort=title')).toEqual(['First', 'Second', 'Under'])
  expect(await get('?order=desc')).toEqual(['Under', 'First', 'Second'])
  expect(await get('?filter=title:s')).toEqual(['Second', 'First'])
  expect(await get('?include=subtasks')).toEqual(['Second', 'First'])
  expect(await get('?parent=none')).toEqual(['Second', 'First'])
  expectInvalid(await alice.send('GET', `${path}?list=none`), '/list')
})

test('page by page', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  const path = `/api/lists/${id.toUpperCase()}/tasks`
  for (const title of ['A', 'B', 'C']) await alice.create({ title, list_id: id })

  const seen: string[] = []
  for (let next: string | null = `${path}?limit=2`; next !== null; ) {
    const answer = await alice.send('GET', next)
    seen.push(...titlesOf(answer.body))
    next = nextOf(answer, path)
  }

  expect(seen).toEqual(['A', 'B', 'C'])
})

test('an archived list shows them, one in the trash is not there', async () => {
  const alice = await signUp()
  const { id } = await makeList(alice)
  await alice.create({ title: 'A', list_id: id })
  await alice.send('PATCH', `/api/lists/${id}`, { archived: true })
  expect((await alice.send('GET', `/api/lists/${id}/tasks`)).body).toHaveLength(1)

  await alice.send('DELETE', `/api/lists/${id}`)

  const gone = await alice.send('GET', `/api/lists/${id}/tasks`)
  expect([gone.status, gone.body.detail]).toEqual([404, 'You have no list with this id.'])
})
