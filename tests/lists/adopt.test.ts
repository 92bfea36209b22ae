import { expect, test } from 'bun:test'
import { copy, leave } from '../../src/lists/adoption.ts'
import { db, sign, signUp, sql, type TestUser } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { author, list as listTasks } from '../support/tasks.ts'
import { lists, makeList, names } from './support.ts'

const adopt = async (user: TestUser, guest: TestUser) =>
  user.send('POST', '/api/me/adopt', { token: await sign({ sub: guest.id }) })

const healthy = async (...users: TestUser[]) =>
  expect(
    faultsOf(
      await readLog(
        sql,
        users.map(({ id }) => id),
      ),
    ),
  ).toEqual([])

test('the lists of a guest come along, with their trees of tasks and their order', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  await makeList(ann, { name: 'Own' })
  await ann.create({ title: 'Own' })
  const home = await makeList(guest, { name: 'Home', color: '#3366cc' })
  const work = await makeList(guest, { name: 'Work', archived: true })
  const first = await guest.create({ title: 'First', list_id: home.id })
  const under = await guest.create({ title: 'Under', list_id: home.id, parent_id: first.id })
  const below = await guest.create({ title: 'Below', list_id: home.id, parent_id: under.id })
  const last = await guest.create({ title: 'Last', list_id: home.id })
  await guest.send('POST', `/api/tasks/${last.id}/move`, { before: first.id })
  await guest.send('POST', `/api/lists/${work.id}/move`, { before: home.id })

  const { body } = await adopt(ann, guest)

  expect(body).toEqual({ id: ann.id, tasks: 4 })
  expect(await names(ann)).toEqual(['Own', 'Work', 'Home'])
  expect(await lists(ann)).toContainEqual({
    ...home,
    user_id: ann.id,
    version: 2,
    position: expect.any(String),
    updated_at: expect.any(String),
  })
  const { body: tasks } = await ann.send('GET', `/api/lists/${home.id}/tasks`)
  expect(tasks.map(({ title }: { title: string }) => title)).toEqual([
    'Last',
    'First',
    'Under',
    'Below',
  ])
  expect(tasks[2]).toMatchObject({ id: under.id, parent_id: first.id })
  expect(tasks[3]).toMatchObject({ id: below.id, parent_id: under.id })
  expect(await lists(guest)).toEqual([])
  expect(await listTasks(guest, '?archived=true')).toEqual([])
  await healthy(ann, guest)
  const { body: feed } = await guest.send('GET', '/api/changes')
  expect(feed.every(({ purged }: { purged?: true }) => purged)).toBe(true)
})

test('an id that is taken becomes another one, to the tasks of it too', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const own = await makeList(ann, { name: 'Own' })
  await makeList(guest, { id: own.id, name: 'Of the guest' })
  const task = await ann.create({ title: 'Own', list_id: own.id })
  await guest.create({ id: task.id, title: 'Above', list_id: own.id })
  await guest.create({ title: 'Under', list_id: own.id, parent_id: task.id })

  await adopt(ann, guest)

  const [mine, theirs] = await lists(ann, '?counts=true')
  expect(mine).toMatchObject({ ...own, pending: 1 })
  expect(theirs).toMatchObject({ name: 'Of the guest', pending: 2 })
  const { body: tasks } = await ann.send('GET', `/api/lists/${theirs?.id}/tasks`)
  expect(tasks).toMatchObject([
    { title: 'Above', parent_id: null },
    { title: 'Under', parent_id: tasks[0].id },
  ])
  await healthy(ann, guest)
})

test('a list in the trash comes back with its tasks afterwards', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const { id } = await makeList(guest)
  const parent = await guest.create({ list_id: id })
  await guest.create({ list_id: id, parent_id: parent.id })
  await guest.send('DELETE', `/api/lists/${id}`)

  await adopt(ann, guest)
  await ann.send('POST', `/api/lists/${id}/restore`)

  expect((await ann.send('GET', `/api/lists/${id}/tasks`)).body).toHaveLength(2)
  await healthy(ann, guest)
})

test('what was begun and broken off is ended, and no list is there twice', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  await ann.create()
  const own = await makeList(ann)
  await makeList(guest, { id: own.id, name: 'Taken' })
  const { id } = await makeList(guest, { name: 'Free' })
  await guest.create({ list_id: id })
  await guest.create({ list_id: own.id })
  await copy(db, author(ann.id), guest.id)
  // Those that have tasks stay.
  await leave(db, author(ann.id), guest.id)
  expect(await lists(guest)).toHaveLength(2)

  const answers = await Promise.all([1, 2, 3].map(() => adopt(ann, guest)))

  expect(answers.reduce((sum, { body }) => sum + body.tasks, 0)).toBe(2)
  expect(await names(ann)).toEqual(['A list', 'Taken', 'Free'])
  expect(await lists(guest)).toEqual([])
  expect(await listTasks(ann)).toHaveLength(3)
  await healthy(ann, guest)
})

test('while the guest goes on', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const { id } = await makeList(guest)
  for (let n = 0; n < 20; n += 1) await guest.create({ list_id: id })

  const [adopted] = await Promise.all([
    adopt(ann, guest),
    ...Array.from({ length: 10 }, async () => {
      const list = await makeList(guest)
      return guest.send('POST', '/api/tasks', { title: 'Late', list_id: list.id })
    }),
  ])

  expect(adopted?.status).toBe(200)
  await adopt(ann, guest)
  expect(await listTasks(guest)).toEqual([])
  await healthy(ann, guest)
})

test('a tree with more tasks than go in one statement moves whole', async () => {
  const [ann, guest] = [await signUp(), await signUp()]
  const { id } = await makeList(guest)
  const root = await guest.create({ list_id: id })
  for (let n = 0; n < 9; n += 1) {
    await guest.send('POST', '/api/tasks/batch', {
      tasks: Array.from({ length: 100 }, () => ({ title: 'A', list_id: id, parent_id: root.id })),
    })
  }

  expect((await adopt(ann, guest)).body.tasks).toBe(901)

  const { body } = await ann.send('GET', `/api/tasks/count?parent=${root.id}`)
  expect(body).toEqual({ count: 900 })
  await healthy(ann, guest)
}, 60_000)
