import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { expectInvalid, list } from '../support/tasks.ts'

const date = '2026-12-01'

describe('due_date', () => {
  test.each(['2026-12-01', '2026-01-31', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])(
    'is %s',
    async (due_date) => {
      const alice = await signUp()

      const created = await alice.create({ due_date })

      expect(created.due_date).toBe(due_date)
      expect(await list(alice)).toEqual([created])
    },
  )

  test.each([
    '2026-02-31',
    '2026-04-31',
    '2026-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-01-00',
    '2026-01-32',
    '0000-01-01',
    '-0001-01-01',
    '10000-01-01',
    '2026-1-1',
    '20261201',
    '26-12-01',
    '2026-12-01T00:00:00Z',
    '2026-12-01 ',
    ' 2026-12-01',
    '01.12.2026',
    '12/01/2026',
    'infinity',
    'today',
    '٢٠٢٦-١٢-٠١',
  ])('is not %j', async (due_date) => {
    const alice = await signUp()

    const created = await alice.send('POST', '/api/tasks', { title: 'A task', due_date })

    expectInvalid(created, '/due_date')
    expect(await list(alice)).toEqual([])
  })
})

describe('due_time', () => {
  test.each([
    ['00:00', '00:00:00'],
    ['18:30', '18:30:00'],
    ['18:30:05', '18:30:05'],
    ['23:59:59', '23:59:59'],
  ])('given as %s is answered as %s', async (given, answered) => {
    const alice = await signUp()

    const created = await alice.create({ due_date: date, due_time: given })

    expect(created).toMatchObject({ due_time: answered, time_zone: null })
    expect(await list(alice)).toEqual([created])
  })

  test.each([
    '24:00',
    '24:00:00',
    '25:00',
    '23:60',
    '23:59:60',
    '23:59:61',
    '-1:00',
    '9:00',
    '09',
    '0900',
    '9:00 PM',
    '18:30:00.5',
    '18:30Z',
    '18:30+02:00',
    ' 18:30',
    '18:30\n',
    'noon',
    'allballs',
    '',
  ])('is not %j', async (due_time) => {
    const alice = await signUp()

    const created = await alice.send('POST', '/api/tasks', {
      title: 'A task',
      due_date: date,
      due_time,
    })

    expectInvalid(created, '/due_time')
    expect(await list(alice)).toEqual([])
  })
})

describe('time_zone', () => {
  test.each([
    'Europe/Berlin',
    'UTC',
    'America/Argentina/Buenos_Aires',
    'America/Port-au-Prince',
    'Asia/Kolkata',
    'Asia/Calcutta',
    'Etc/GMT+5',
  ])('is %s', async (time_zone) => {
    const alice = await signUp()

    const created = await alice.create({ due_date: date, due_time: '18:30', time_zone })

    expect(created.time_zone).toBe(time_zone)
  })

  test.each([
    'Mars/Phobos',
    '+02:00',
    '-0500',
    'UTC+2',
    'GMT+02:00',
    '',
    ' ',
    'Berlin',
    'Europe/Berlin ',
    'Europe',
    'local',
    '../etc/passwd',
    'x'.repeat(101),
  ])('is not %j', async (time_zone) => {
    const alice = await signUp()

    const created = await alice.send('POST', '/api/tasks', {
      title: 'A task',
      due_date: date,
      due_time: '18:30',
      time_zone,
    })

    expectInvalid(created, '/time_zone')
    expect(await list(alice)).toEqual([])
  })
})

describe('a half without the other', () => {
  const whole = { due_date: date, due_time: '18:30:00', time_zone: 'Europe/Berlin' }

  test.each([
    ['a time without a date', { due_time: '18:30' }, '/due_time'],
    ['a time and a zone without a date', { due_time: '18:30', time_zone: 'UTC' }, '/due_time'],
    ['a zone without a time', { due_date: date, time_zone: 'UTC' }, '/time_zone'],
    ['a zone alone', { time_zone: 'UTC' }, '/time_zone'],
  ])('is refused in a new task: %s', async (_name, fields, pointer) => {
    const alice = await signUp()

    const created = await alice.send('POST', '/api/tasks', { title: 'A task', ...fields })

    expectInvalid(created, pointer)
    expect(await list(alice)).toEqual([])
  })

  test.each([
    ['a time, to a task without a date', {}, { due_time: '18:30' }, '/due_time'],
    ['a zone, to a task without a time', { due_date: date }, { time_zone: 'UTC' }, '/time_zone'],
    ['no date, to a task with a time', whole, { due_date: null }, '/due_time'],
    ['no time, to a task with a zone', whole, { due_time: null }, '/time_zone'],
    ['neither, to a task with a zone', whole, { due_date: null, due_time: null }, '/time_zone'],
  ])('is refused in a change: %s', async (_name, stored, change, pointer) => {
    const alice = await signUp()
    const task = await alice.create(stored)

    const patched = await alice.send('PATCH', `/api/tasks/${task.id}`, change)
    const put = await alice.send('PUT', `/api/tasks/${task.id}`, change)

    expectInvalid(patched, pointer)
    expectInvalid(put, pointer)
    expect(await list(alice)).toEqual([task])
  })

  test.each([
    ['a time, to a task with a date', { due_date: date }, { due_time: '18:30:00' }],
    ['a zone, to a task with a time', { ...whole, time_zone: null }, { time_zone: 'UTC' }],
    ['another date, to a task with a time', whole, { due_date: '2027-01-01' }],
    ['no time and no zone', whole, { due_time: null, time_zone: null }],
    ['nothing of it', whole, { due_date: null, due_time: null, time_zone: null }],
  ])('is completed by what is stored: %s', async (_name, stored, change) => {
    const alice = await signUp()
    const { id } = await alice.create(stored)

    const { status, body } = await alice.send('PATCH', `/api/tasks/${id}`, change)

    expect(status).toBe(200)
    expect(body).toMatchObject({ ...stored, ...change })
  })
})
