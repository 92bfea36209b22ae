import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'
import { frontend } from './support.ts'

const begin = async () => {
  const alice = await signUp()
  return { alice, call: frontend(alice, 'dates=datetime') }
}

const none = { due_time: null, time_zone: null }

describe('a date-time', () => {
  test.each([
    [new Date('2026-11-27').toISOString(), { due_date: '2026-11-27', ...none }],
    ['2026-11-27T00:00', { due_date: '2026-11-27', ...none }],
    ['2026-11-27T00:00:00+02:00', { due_date: '2026-11-27', ...none }],
    ['2026-11-27', { due_date: '2026-11-27', ...none }],
    ['2026-11-27T17:30', { due_date: '2026-11-27', due_time: '17:30:00', time_zone: null }],
    ['2026-11-27 17:30:05', { due_date: '2026-11-27', due_time: '17:30:05', time_zone: null }],
    [
      '2026-11-27T17:30:00.123Z',
      { due_date: '2026-11-27', due_time: '17:30:00', time_zone: 'UTC' },
    ],
    [
      '2026-11-27T17:30:00+00:00',
      { due_date: '2026-11-27', due_time: '17:30:00', time_zone: 'UTC' },
    ],
    [
      '2026-11-27T01:30:00+05:30',
      { due_date: '2026-11-26', due_time: '20:00:00', time_zone: 'UTC' },
    ],
    [
      '2026-11-27T23:59:59.999999-0800',
      { due_date: '2026-11-28', due_time: '07:59:59', time_zone: 'UTC' },
    ],
  ])('%s is taken', async (sent, due) => {
    const { alice, call } = await begin()

    const { status, body } = await call('POST', '/api/tasks', { title: 'A task', due_date: sent })
    const { body: stored } = await alice.send('GET', `/api/tasks/${body.id}`)
    const { body: other } = await call('POST', '/api/tasks', { title: 'Another' })
    const path = `/api/tasks/${other.id}`
    await call('PATCH', path, { due_date: sent })

    expect(status).toBe(201)
    expect(stored).toMatchObject(due)
    expect((await alice.send('GET', path)).body).toMatchObject(due)
    expect((await call('PATCH', path, { due_date: null })).body).toMatchObject({
      due_date: null,
      ...none,
    })
  })

  test.each([
    '',
    '2026-11-27',
    'tomorrow',
    '2026-02-31T10:00:00Z',
    '2026-11-27T25:00',
    '2026-11-27T10:00:00+99:00',
    '9999-12-31T23:59:59-05:00',
    1_732_700_000_000,
    true,
  ])('%j is one, or none, or refused', async (sent) => {
    const { call } = await begin()

    const answer = await call('POST', '/api/tasks', { title: 'A task', due_date: sent })

    if (sent === '') expect(answer.body.due_date).toBe(null)
    else if (sent === '2026-11-27') expect(answer.body.due_date).toBe('2026-11-27T00:00:00Z')
    else expectInvalid(answer, '/due_date')
  })
})

const dues = [
  [{ due_date: '2026-11-27' }, '2026-11-27T00:00:00Z'],
  [
    { due_date: '2026-12-01', due_time: '18:30', time_zone: 'Europe/Berlin' },
    '2026-12-01T17:30:00Z',
  ],
  [
    { due_date: '2026-07-01', due_time: '01:00', time_zone: 'Europe/Berlin' },
    '2026-06-30T23:00:00Z',
  ],
  [
    { due_date: '2026-12-01', due_time: '01:00', time_zone: 'Europe/Berlin' },
    '2026-12-01T00:00:00Z',
  ],
  [
    { due_date: '2026-12-01', due_time: '19:00', time_zone: 'America/New_York' },
    '2026-12-02T00:00:00Z',
  ],
  [
    { due_date: '2026-03-29', due_time: '02:30', time_zone: 'Europe/Berlin' },
    '2026-03-29T01:30:00Z',
  ],
  [{ due_date: '2026-12-01', due_time: '00:00', time_zone: 'UTC' }, '2026-12-01T00:00:00Z'],
  [{ due_date: '2026-12-01', due_time: '00:00' }, '2026-12-01T00:00:00'],
  [{ due_date: '2026-12-01', due_time: '17:30' }, '2026-12-01T17:30:00'],
  [{ due_date: null }, null],
] as const

describe.each(dues)('%j', (due, answered) => {
  test('is answered as a date-time, which changes nothing when it is sent back', async () => {
    const { alice, call } = await begin()
    const task = await alice.create(due)
    const path = `/api/tasks/${task.id}`

    const { body } = await call('GET', path)
    expect(body).toEqual({ ...task, due_date: answered })
    expect((await call('GET', '/api/tasks')).body).toEqual([body])
    const again = answered?.endsWith('Z') ? new Date(answered).toISOString() : answered
    for (const [method, sent] of [
      ['PATCH', { due_date: answered }],
      ['PUT', { title: task.title, due_date: again }],
      ['PUT', body],
      ['PATCH', body],
    ] as const) {
      expect((await call(method, path, sent)).body).toEqual(body)
    }
    expect((await alice.send('GET', path)).body).toEqual(task)
  })
})

test('a task that is moved to another day at its time stays in its zone', async () => {
  const { alice, call } = await begin()
  const { id } = await alice.create({
    due_date: '2026-12-01',
    due_time: '18:30',
    time_zone: 'Europe/Berlin',
  })

  await call('PATCH', `/api/tasks/${id}`, { due_date: '2027-07-01T16:30:00.000Z' })
  const moved = { due_date: '2027-07-01', due_time: '18:30:00', time_zone: 'Europe/Berlin' }
  expect((await alice.send('GET', `/api/tasks/${id}`)).body).toMatchObject(moved)

  await call('PATCH', `/api/tasks/${id}`, { due_date: '2027-07-01T17:00:00.000Z' })
  const changed = { due_date: '2027-07-01', due_time: '17:00:00', time_zone: 'UTC' }
  expect((await alice.send('GET', `/api/tasks/${id}`)).body).toMatchObject(changed)
})

test('a day at midnight has the time that is sent with it, else none', async () => {
  const { alice, call } = await begin()
  const made = await call('POST', '/api/tasks', {
    title: 'x',
    due_date: '2026-12-01T00:00:00.000Z',
    due_time: '09:00',
  })
  const path = `/api/tasks/${made.body.id}`

  expect((await alice.send('GET', path)).body).toMatchObject({
    due_date: '2026-12-01',
    due_time: '09:00:00',
  })
  await call('PATCH', path, { due_date: '2026-12-02T00:00:00.000Z' })
  expect((await alice.send('GET', path)).body).toMatchObject({ due_date: '2026-12-02', ...none })
  expectInvalid(
    await call('PATCH', path, { due_date: '2026-12-02T10:00:00Z', due_time: 9 }),
    '/due_time',
  )
})

test('one request with a key is one change, whatever the task is by then', async () => {
  const { call } = await begin()
  const { body: made } = await call('POST', '/api/tasks', {
    title: 'x',
    due_date: '2026-12-01T17:30:00Z',
  })
  const send = () =>
    call(
      'PATCH',
      `/api/tasks/${made.id}`,
      { due_date: '2026-12-05T00:00:00Z' },
      { 'idempotency-key': 'a key' },
    )

  const first = await send()
  const again = await send()

  expect(first.body.due_date).toBe('2026-12-05T00:00:00Z')
  expect(again.body).toEqual(first.body)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
})

test('the task of somebody else is not there', async () => {
  const { call } = await begin()
  const other = await begin()
  const { body } = await other.call('POST', '/api/tasks', {
    title: 'x',
    due_date: '2026-12-01T17:30:00Z',
  })

  for (const id of [body.id, crypto.randomUUID(), 'x']) {
    const { status } = await call('PATCH', `/api/tasks/${id}`, { due_date: '2026-12-01T17:30:00Z' })
    expect(status).toBe(404)
  }
})

test('lists by days that are given as date-times', async () => {
  const { call } = await begin()
  for (const day of ['2026-12-01', '2026-12-02', '2026-12-03'])
    await call('POST', '/api/tasks', { title: day, due_date: day })
  const titles = async (query: string) =>
    (await call('GET', `/api/tasks?sort=title&${query}`)).body.map((task: { title: string }) =>
      task.title.slice(-1),
    )

  expect(await titles('due_after=2026-12-02T00:00:00.000Z')).toEqual(['2', '3'])
  expect(await titles('due_before=2026-12-02T23:59:59.999Z')).toEqual(['1', '2'])
  expect(await titles('due_after=2026-12-02T10:00&due_before=2026-12-02')).toEqual(['2'])
  expectInvalid(await call('GET', '/api/tasks?due_after=2026-13-01T00:00:00Z'), '/due_after')
})
