import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'

const due = { due_date: '2026-12-01', due_time: '18:30' }

describe('a reminder', () => {
  test.each([
    ['-PT30M', '-PT30M'],
    ['PT9H', 'PT9H'],
    ['+PT9H', 'PT9H'],
    ['-P1D', '-P1D'],
    ['-P1W', '-P7D'],
    ['-P1W2D', '-P9D'],
    ['-PT90M', '-PT1H30M'],
    ['-PT24H', '-PT24H'],
    ['-P1DT120S', '-P1DT2M'],
    ['pt1h0m1s', 'PT1H1S'],
    ['PT0S', 'PT0S'],
    ['-PT0M', 'PT0S'],
    ['P0D', 'PT0S'],
    ['-P3660D', '-P3660D'],
    ['2026-11-30T10:00:00+02:00', '2026-11-30T08:00:00+00:00'],
    ['2026-11-30T10:00:00.987Z', '2026-11-30T10:00:00+00:00'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59+00:00'],
  ])('%s is answered as %s', async (given, written) => {
    const alice = await signUp()

    const made = await alice.create({ ...due, reminders: [given] })
    const { body: read } = await alice.send('GET', `/api/tasks/${made.id}`)

    expect([made.reminders, read.reminders]).toEqual([[written], [written]])
  })

  test.each([
    '',
    'P',
    'PT',
    'P1DT',
    '-P',
    '--P1D',
    'P-1D',
    'P1Y',
    'P1M',
    'PT1.5H',
    'PT1M1H',
    'P3661D',
    '-PT9999999H',
    '30 minutes',
    '2026-12-01',
    '2026-12-01T08:00:00',
    '2026-02-30T08:00:00Z',
    '2026-12-01T08:00:00 Europe/Berlin',
    ' -PT30M',
    '-PT30M\n',
    5,
    null,
    {},
  ])('is not %j', async (given) => {
    const alice = await signUp()

    expectInvalid(
      await alice.send('POST', '/api/tasks', { title: 'A', ...due, reminders: [given] }),
      '/reminders/0',
    )
  })
})

test('a task has none unless it is given some, and null takes them away', async () => {
  const alice = await signUp()
  const { id, reminders } = await alice.create(due)
  const set = await alice.send('PATCH', `/api/tasks/${id}`, { reminders: ['-PT30M'] })
  const left = await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Another' })
  const cleared = await alice.send('PUT', `/api/tasks/${id}`, { reminders: null })

  expect([reminders, ...[set, left, cleared].map(({ body }) => body.reminders)]).toEqual([
    [],
    ['-PT30M'],
    ['-PT30M'],
    [],
  ])
})

test('those that are the same when they are written are one, in the order given', async () => {
  const alice = await signUp()

  const { reminders } = await alice.create({
    ...due,
    reminders: ['-PT90M', '-P1D', '-PT1H30M', '2026-12-01T00:00:00Z', '2026-12-01T01:00:00+01:00'],
  })

  expect(reminders).toEqual(['-PT1H30M', '-P1D', '2026-12-01T00:00:00+00:00'])
})

test('there are ten at most, each once', async () => {
  const alice = await signUp()
  const many = Array.from({ length: 11 }, (_, n) => `-PT${n}M`)

  expectInvalid(
    await alice.send('POST', '/api/tasks', { title: 'A', ...due, reminders: many }),
    '/reminders',
  )
  expectInvalid(
    await alice.send('POST', '/api/tasks', { title: 'A', ...due, reminders: ['P1D', 'P1D'] }),
    '/reminders',
  )
  expect((await alice.create({ ...due, reminders: many.slice(1) })).reminders).toHaveLength(10)
})

test('a duration needs a due date, and a moment needs none', async () => {
  const alice = await signUp()
  const moment = '2026-12-01T08:00:00+00:00'
  const { id } = await alice.create({ ...due, reminders: ['-PT30M'] })
  const bare = await alice.create({ reminders: [moment] })

  expectInvalid(
    await alice.send('POST', '/api/tasks', { title: 'A', reminders: [moment, '-P1D'] }),
    '/reminders',
  )
  expectInvalid(
    await alice.send('POST', '/api/tasks/batch', {
      tasks: [{ title: 'A' }, { title: 'B', reminders: ['-P1D'] }],
    }),
    '/tasks/1/reminders',
  )
  expectInvalid(
    await alice.send('PATCH', `/api/tasks/${id}`, { due_date: null, due_time: null }),
    '/reminders',
  )
  expectInvalid(
    await alice.send('PATCH', `/api/tasks/${bare.id}`, { reminders: ['PT0S'] }),
    '/reminders',
  )
  expectInvalid(
    await alice.send('POST', '/api/tasks/bulk', { ids: [bare.id], set: { reminders: ['PT0S'] } }),
    '/reminders',
  )
  expect(bare.reminders).toEqual([moment])
  const without = { due_date: null, due_time: null, reminders: [moment] }
  expect((await alice.send('PATCH', `/api/tasks/${id}`, without)).status).toBe(200)
})

test('many tasks are given the same ones together', async () => {
  const alice = await signUp()
  const tasks = [await alice.create(due), await alice.create(due)]

  await alice.send('POST', '/api/tasks/bulk', {
    ids: tasks.map(({ id }) => id),
    set: { reminders: ['-PT90M'] },
  })

  const { body } = await alice.send('GET', '/api/tasks')
  expect(body.map(({ reminders }: { reminders: string[] }) => reminders)).toEqual([
    ['-PT1H30M'],
    ['-PT1H30M'],
  ])
})

test('a change of them is in the history, and is undone', async () => {
  const alice = await signUp()
  const { id } = await alice.create(due)
  await alice.send('PATCH', `/api/tasks/${id}`, { reminders: ['-P1D'] }, { 'x-request-id': 'set' })
  const { body: history } = await alice.send('GET', `/api/tasks/${id}/history?limit=1`)

  const undone = await alice.send('POST', '/api/undo', { request_id: 'set' })

  expect(history[0].fields).toEqual({ reminders: { before: [], after: ['-P1D'] } })
  expect(undone.body[0].task.reminders).toEqual([])
})

test('no undo takes the due date of a task that still needs it, unless by force, and then the reminders go', async () => {
  const alice = await signUp()
  const { id } = await alice.create()
  await alice.send(
    'PATCH',
    `/api/tasks/${id}`,
    { due_date: '2026-12-01' },
    { 'x-request-id': 'due' },
  )
  await alice.send('PATCH', `/api/tasks/${id}`, { reminders: ['-P1D'] })

  const refused = await alice.send('POST', '/api/undo', { request_id: 'due' })
  const forced = await alice.send('POST', '/api/undo', { request_id: 'due', force: true })

  expect(refused.status).toBe(409)
  expect(refused.body.errors).toMatchObject([{ pointer: `/tasks/${id}/reminders` }])
  expect(forced.body[0].task).toMatchObject({ due_date: null, reminders: [] })
})

test('an undo leaves a task alone that has no due date and no reminders', async () => {
  const alice = await signUp()
  const { id } = await alice.create()
  await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Another' }, { 'x-request-id': 'title' })

  expect((await alice.send('POST', '/api/undo', { request_id: 'title' })).status).toBe(200)
})
