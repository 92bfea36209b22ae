import { expect, test } from 'bun:test'
import { signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, expectNotFound, fullTask, nextOf } from '../support/tasks.ts'
import { act, historyOf, make } from './support.ts'

const path = (id: string, rest = '') => `/api/tasks/${id}${rest}`

/** All pages of a history, and how long each was. */
async function pagesOf(
  user: TestUser,
  id: string,
  limit: number,
  between: () => Promise<unknown> = async () => {},
) {
  const pages = []
  for (let next: string | null = path(id, `/history?limit=${limit}`); next !== null; ) {
    const answer = await user.send('GET', next)
    expect(answer.status).toBe(200)
    pages.push(answer.body)
    next = nextOf(answer, next)
    await between()
  }
  return pages
}

test('says what was done, the latest first: what became different, when, by whom, in which request', async () => {
  const alice = await signUp()
  const { task, request } = await make(alice, fullTask)
  const renamed = await act(alice, 'PATCH', path(task.id), {
    title: 'B',
    tags: ['home'],
    priority: 'high',
  })
  const reopened = await act(alice, 'POST', path(task.id, '/complete'))
  const deleted = await act(alice, 'DELETE', path(task.id))
  const restored = await act(alice, 'POST', path(task.id, '/restore'))

  const history = await historyOf(alice, task.id)

  const by = { kind: 'jwt', name: null } as const
  expect(history).toEqual([
    {
      seq: 5,
      at: restored.body.updated_at,
      by,
      request_id: restored.request,
      action: 'restored',
      fields: { deleted_at: { before: deleted.body.deleted_at, after: null } },
    },
    {
      seq: 4,
      at: deleted.body.updated_at,
      by,
      request_id: deleted.request,
      action: 'deleted',
      fields: { deleted_at: { before: null, after: deleted.body.deleted_at } },
    },
    {
      seq: 3,
      at: reopened.body.updated_at,
      by,
      request_id: reopened.request,
      action: 'reopened',
      fields: {
        completed: { before: true, after: false },
        completed_at: { before: task.completed_at, after: null },
      },
    },
    {
      seq: 2,
      at: renamed.body.updated_at,
      by,
      request_id: renamed.request,
      action: 'updated',
      fields: {
        title: { before: task.title, after: 'B' },
        tags: { before: ['home', 'garden'], after: ['home'] },
      },
    },
    {
      seq: 1,
      at: task.created_at,
      by,
      request_id: request,
      action: 'created',
      fields: {
        title: { before: null, after: task.title },
        description: { before: null, after: task.description },
        completed: { before: null, after: true },
        completed_at: { before: null, after: task.completed_at },
        position: { before: null, after: task.position },
        priority: { before: null, after: 'high' },
        tags: { before: null, after: ['home', 'garden'] },
        due_date: { before: null, after: '2026-12-01' },
        due_time: { before: null, after: '18:30:00' },
        time_zone: { before: null, after: 'Europe/Berlin' },
        reminders: { before: null, after: ['-P1D', '-PT30M'] },
      },
    },
  ])
})

test('has what is in the trash, and nothing of what changed nothing', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await act(alice, 'PATCH', path(task.id), { title: 'A', priority: 'none' })
  await act(alice, 'POST', path(task.id, '/restore'))
  await act(alice, 'DELETE', path(task.id))

  expect((await historyOf(alice, task.id)).map(({ action }) => action)).toEqual([
    'deleted',
    'created',
  ])
})

test('knows the changes of one task from those of another', async () => {
  const alice = await signUp()
  const [one, two] = [await make(alice), await make(alice)]
  for (let times = 0; times < 3; times += 1) {
    await act(alice, 'POST', path(one.task.id, '/complete'))
    await act(alice, 'PATCH', path(two.task.id), { title: `Title ${times}` })
  }

  const actions = (await historyOf(alice, one.task.id)).map(({ action }) => action)
  expect(actions).toEqual(['completed', 'reopened', 'completed', 'created'])
})

test.each([1, 2, 3, 7, 200])('goes on by the Link, %p at a time, as in one page', async (limit) => {
  const alice = await signUp()
  const { task } = await make(alice, { description: 'Short' })
  for (let times = 0; times < 9; times += 1) {
    const body =
      times % 3 === 0
        ? { description: 'x'.repeat(times % 2 ? 3000 : 10) + times }
        : { title: `Title ${times}` }
    await act(alice, 'PATCH', path(task.id), body)
  }
  const whole = await historyOf(alice, task.id)

  const pages = await pagesOf(alice, task.id, limit)

  expect(whole).toHaveLength(10)
  expect(pages.flat()).toEqual(whole)
  for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit)
})

test('goes on as it was while the task changes', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  for (let times = 0; times < 5; times += 1) {
    await act(alice, 'PATCH', path(task.id), { title: `Title ${times}`, description: `${times}` })
  }
  const whole = await historyOf(alice, task.id)

  let times = 0
  const pages = await pagesOf(alice, task.id, 2, () =>
    act(alice, 'PATCH', path(task.id), { title: `New ${times++}`, description: `New ${times}` }),
  )

  expect(pages.flat()).toEqual(whole)
})

test('does not take a long text of today for that of a page before', async () => {
  const alice = await signUp()
  const { task } = await make(alice, { description: 'a'.repeat(3000) })
  await act(alice, 'PATCH', path(task.id), { description: 'b'.repeat(3000) })
  for (let times = 0; times < 4; times += 1) await act(alice, 'POST', path(task.id, '/complete'))
  const whole = await historyOf(alice, task.id)
  const first = await alice.send('GET', path(task.id, '/history?limit=2'))
  const next = nextOf(first, path(task.id, '/history')) ?? ''

  await act(alice, 'POST', path(task.id, '/complete'))
  expect((await alice.send('GET', next.replace('limit=2', 'limit=9'))).body).toEqual(whole.slice(2))
  await act(alice, 'PATCH', path(task.id), { description: 'c' })

  expectInvalid(await alice.send('GET', next), '/cursor')
})

test('ends a page at a megabyte', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  for (let times = 0; times < 24; times += 1) {
    await act(alice, 'PATCH', path(task.id), { description: '☃'.repeat(19_990) + times })
  }

  const pages = await pagesOf(alice, task.id, 200)

  expect(pages.length).toBeGreaterThan(1)
  expect(pages.flat()).toHaveLength(25)
  expect(pages.flat().map(({ seq }) => seq)).toEqual(
    Array.from({ length: 25 }, (_, index) => 25 - index),
  )
})

test('ends where the log forgets', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  for (let times = 0; times < 4; times += 1) await act(alice, 'POST', path(task.id, '/complete'))
  const whole = await historyOf(alice, task.id)
  await sql`delete from docket.changes where user_id = ${alice.id} and seq <= 2`

  expect((await pagesOf(alice, task.id, 2)).flat()).toEqual(whole.slice(0, 3))
})

test('says of what nobody knows who did it, and in which request, just that', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await sql`update docket.changes set actor = null, request_id = null where user_id = ${alice.id}`

  expect(await historyOf(alice, task.id)).toMatchObject([{ by: null, request_id: null }])
})

test('is empty for a task of before there was a log', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await sql`delete from docket.changes where user_id = ${alice.id}`

  expect(await historyOf(alice, task.id)).toEqual([])
})

test('is 404 for a task that the caller has not', async () => {
  const alice = await signUp()

  await expectNotFound((id) => alice.send('GET', path(id, '/history')))
})

test.each(['0', '-1', 'x', '1.5'])('refuses a limit of %s', async (limit) => {
  const alice = await signUp()
  const { task } = await make(alice)

  expectInvalid(await alice.send('GET', path(task.id, `/history?limit=${limit}`)), '/limit')
})

const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test.each([
  'x',
  cursor(1),
  cursor([]),
  cursor([1]),
  cursor([0, null, 'x']),
  cursor([1.5, null, 'x']),
  cursor(['1', null, 'x']),
  cursor([1, -1, 'x']),
  cursor([1, null, 1]),
  cursor([2 ** 60, null, 'x']),
])('refuses the cursor %s', async (text) => {
  const alice = await signUp()
  const { task } = await make(alice)

  expectInvalid(await alice.send('GET', path(task.id, `/history?cursor=${text}`)), '/cursor')
})

test('refuses what it does not know', async () => {
  const alice = await signUp()
  const { task } = await make(alice)

  expectInvalid(await alice.send('GET', path(task.id, '/history?since=1')), '/since')
})
