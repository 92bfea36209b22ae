import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { ChangedTask, Task } from '../../../src/tasks/schema.ts'
import { act, historyOf, stateOf, undo } from '../../history/support.ts'
import {
  type Answer,
  createTestApp,
  send as sendTo,
  signUp,
  sql,
  type TestUser,
} from '../../support/app.ts'
import { expectInvalid, expectNotFound, list, newList } from '../../support/tasks.ts'

// What becomes of a task that repeats, event by event: the rows of the table of states by their numbers. T is the task, S the one after
// it, R the rule.

const days = ['2099-01-01', '2099-01-02', '2099-01-03', '2099-01-04']
const [first = '', second = '', third = '', fourth = ''] = days

/** A task that is due far ahead, so that it is completed early. */
const daily = (user: TestUser, more: object = {}): Promise<Task> =>
  user.create({ title: 'T', recurrence: 'FREQ=DAILY', due_date: first, ...more })

type Some = Pick<Task, 'id'>

const call = (
  user: TestUser,
  method: string,
  { id }: Some,
  path = '',
  body?: unknown,
  headers = {},
) => user.send(method, `/api/tasks/${id}${path}`, body, headers)

/** The task, of an answer that has one. */
async function taken(answer: Promise<Answer>): Promise<ChangedTask> {
  const { status, body } = await answer
  expect([status, status === 200 ? '' : body]).toEqual([200, ''])
  return body
}

const complete = (user: TestUser, task: Some) =>
  taken(call(user, 'POST', task, '/complete', { completed: true }))
const reopen = (user: TestUser, task: Some) =>
  taken(call(user, 'POST', task, '/complete', { completed: false }))
const patch = (user: TestUser, task: Some, body: object) =>
  taken(call(user, 'PATCH', task, '', body))
const remove = (user: TestUser, task: Some) => taken(call(user, 'DELETE', task))
const restore = (user: TestUser, task: Some) => taken(call(user, 'POST', task, '/restore'))
const skip = (user: TestUser, task: Some, body?: object) =>
  taken(call(user, 'POST', task, '/skip', body))

/** It completed, and the one after it. */
async function completed(user: TestUser, task: Some): Promise<{ t: ChangedTask; s: Task }> {
  const t = await complete(user, task)
  if (!t.next_task) throw new Error('nothing comes after it')
  return { t, s: t.next_task }
}

const get = async (user: TestUser, task: Some): Promise<Task | null> => {
  const { status, body } = await call(user, 'GET', task)
  return status === 200 ? body : null
}

const nextId = (id: string): string => {
  const hash = createHash('sha256')
    .update(Buffer.from(id.replaceAll('-', ''), 'hex'))
    .update('next')
    .digest()
    .subarray(0, 16)
  hash[6] = ((hash[6] ?? 0) & 15) | 128
  hash[8] = ((hash[8] ?? 0) & 63) | 128
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const alone = { recurrence: null, repeat_from: null, series_id: null, occurrence: null }

const plus = (day: string, duration: Temporal.DurationLike): string =>
  Temporal.PlainDate.from(day).add(duration).toString()

const dayOf = ({ completed_at }: Pick<Task, 'completed_at'>, zone = 'UTC'): string =>
  Temporal.Instant.from(completed_at ?? '')
    .toZonedDateTimeISO(zone)
    .toPlainDate()
    .toString()

describe('made', () => {
  test('1: with a rule and a due date it begins a series, also on a day that the rule does not have', async () => {
    const alice = await signUp()

    const t = await daily(alice, { recurrence: 'RRULE:freq=weekly;byday=mo;interval=1;' })

    expect(t).toMatchObject({
      due_date: first,
      recurrence: 'FREQ=WEEKLY;BYDAY=MO',
      repeat_from: 'due',
      series_id: t.id,
      occurrence: first,
    })
  })

  test('1: a task that does not repeat has none of it', async () => {
    const alice = await signUp()

    expect(await alice.create()).toMatchObject(alone)
    expect(await alice.create({ recurrence: null, repeat_from: 'due' })).toMatchObject(alone)
    expect(await alice.create({ recurrence: 'none' })).toMatchObject(alone)
  })

  test('1: in words, and by a word with an interval', async () => {
    const alice = await signUp()

    const rules = [
      (await daily(alice, { recurrence: 'weekly' })).recurrence,
      (await daily(alice, { recurrence: { frequency: 'daily', interval: 3 } })).recurrence,
      (await daily(alice, { recurrence: 'monthly', due_date: '2099-01-31' })).recurrence,
    ]

    expect(rules).toEqual(['FREQ=WEEKLY', 'FREQ=DAILY;INTERVAL=3', 'FREQ=MONTHLY;BYMONTHDAY=-1'])
  })

  test('1: a rule that is none names its part', async () => {
    const alice = await signUp()
    const make = (recurrence: unknown) =>
      alice.send('POST', '/api/tasks', { title: 'T', due_date: first, recurrence })

    const answers = await Promise.all(
      [
        'FREQ=HOURLY',
        'FREQ=DAILY;BYHOUR=9',
        'sometimes',
        '',
        7,
        { frequency: 'daily', every: 2 },
      ].map(make),
    )

    for (const answer of answers) expectInvalid(answer, '/recurrence')
    expect(answers[1]?.body.detail).toContain('BYHOUR')
  })

  test('1: the same task sent again is the same one', async () => {
    const alice = await signUp()
    const body = { id: crypto.randomUUID(), title: 'T', recurrence: 'daily', due_date: first }
    const t = await alice.create(body)

    expect(await alice.create(body)).toEqual(t)
    const other = await alice.send('POST', '/api/tasks', { ...body, recurrence: 'weekly' })
    expect(other.status).toBe(409)
  })

  test('2: without a due date it is due on the first day of the rule from today on', async () => {
    const alice = await signUp()
    const zone = 'Pacific/Kiritimati'

    const { status, body } = await alice.send(
      'POST',
      '/api/tasks',
      { title: 'T', recurrence: 'FREQ=WEEKLY;BYDAY=WE', due_time: '10:00' },
      { 'time-zone': zone },
    )

    expect(status).toBe(201)
    const day = Temporal.PlainDate.from(body.due_date)
    const today = Temporal.Instant.from(body.created_at).toZonedDateTimeISO(zone).toPlainDate()
    expect(day.dayOfWeek).toBe(3)
    expect(today.until(day).days).toBeWithin(0, 7)
    expect(body.occurrence).toBe(body.due_date)
  })

  test('2: today is where the user is', async () => {
    const alice = await signUp()
    const [east, west] = ['Pacific/Kiritimati', 'Pacific/Pago_Pago']

    await alice.send('PATCH', '/api/me', { time_zone: east })
    const { body } = await alice.send(
      'POST',
      '/api/tasks',
      { title: 'T', recurrence: 'daily' },
      { 'time-zone': west },
    )

    expect(body.due_date).toBe(dayOf({ completed_at: body.created_at }, east))
  })

  test('3: a completed one makes nothing', async () => {
    const alice = await signUp()

    const t = await daily(alice, { completed: true })

    expect(t).toMatchObject({ completed: true, recurrence: 'FREQ=DAILY', series_id: t.id })
    expect(await list(alice)).toEqual([t])
  })

  test('4: without its due date it cannot repeat', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    expectInvalid(await call(alice, 'PATCH', t, '', { due_date: null }), '/recurrence')
    expectInvalid(
      await call(alice, 'PATCH', t, '', { due_date: null, recurrence: 'weekly' }),
      '/recurrence',
    )
    expect(await patch(alice, t, { due_date: null, recurrence: null })).toMatchObject({
      ...alone,
      due_date: null,
    })
  })

  test('33: a subtask does not repeat', async () => {
    const alice = await signUp()
    const parent = await alice.create()
    const child = await alice.create({ parent_id: parent.id })
    const t = await daily(alice)
    const rule = { recurrence: 'daily', due_date: first }

    const answers = await Promise.all([
      alice.send('POST', '/api/tasks', { title: 'A', parent_id: parent.id, ...rule }),
      call(alice, 'PATCH', child, '', rule),
      call(alice, 'PATCH', t, '', { parent_id: parent.id }),
      call(alice, 'POST', t, '/move', { parent_id: parent.id }),
    ])

    for (const answer of answers) expectInvalid(answer, '/recurrence')
    expect(await get(alice, t)).toEqual(t)
  })

  test('repeat_from goes with a rule', async () => {
    const alice = await signUp()

    expectInvalid(
      await alice.send('POST', '/api/tasks', { title: 'A', repeat_from: 'due' }),
      '/repeat_from',
    )
    expectInvalid(
      await call(alice, 'PATCH', await alice.create(), '', { repeat_from: 'completion' }),
      '/repeat_from',
    )
  })

  test('several at once, each with its rule; a fault says which', async () => {
    const alice = await signUp()
    const rule = { title: 'T', recurrence: 'daily', due_date: first }

    const { status, body } = await alice.send('POST', '/api/tasks/batch', {
      tasks: [rule, { title: 'A' }, { ...rule, recurrence: 'weekly' }],
    })
    const wrong = await alice.send('POST', '/api/tasks/batch', {
      tasks: [rule, { ...rule, recurrence: 'sometimes' }],
    })

    expect(status).toBe(201)
    expect(body.map((task: Task) => [task.recurrence, task.series_id === task.id])).toEqual([
      ['FREQ=DAILY', true],
      [null, false],
      ['FREQ=WEEKLY', true],
    ])
    expectInvalid(wrong, '/tasks/1/recurrence')
  })
})

describe('completed', () => {
  test('5: early, the next is on the first day after its own, and the answer has it', async () => {
    const alice = await signUp()
    const t = await daily(alice, {
      priority: 'high',
      tags: ['home'],
      description: 'More',
      due_time: '10:00',
    })

    const { t: done, s } = await completed(alice, t)

    const { next_task: _, ...own } = done
    expect(own).toMatchObject({
      ...t,
      completed: true,
      completed_at: expect.any(String),
      version: 2,
      updated_at: own.updated_at,
    })
    expect(s).toMatchObject({
      id: nextId(t.id),
      title: 'T',
      priority: 'high',
      tags: ['home'],
      description: 'More',
      due_date: second,
      due_time: '10:00:00',
      recurrence: 'FREQ=DAILY',
      repeat_from: 'due',
      series_id: t.id,
      occurrence: second,
      completed: false,
      version: 1,
    })
    expect(await get(alice, s)).toEqual(s)
    expect(await get(alice, t)).toEqual(own)
  })

  test.each([
    ['POST', '/complete', undefined],
    ['PATCH', '/complete', { completed: true }],
    ['POST', '/toggle', undefined],
    ['PATCH', '/toggle', { completed: true }],
    ['PATCH', '', { completed: true }],
    ['PUT', '', { completed: true, title: 'T' }],
  ])('5: by %s %s', async (method, path, body) => {
    const alice = await signUp()
    const [t, one] = [await daily(alice), await alice.create()]

    const [next, none] = [
      await taken(call(alice, method, t, path, body)),
      await taken(call(alice, method, one, path, body)),
    ]

    expect(next).toMatchObject({ completed: true, next_task: { due_date: second } })
    // Of what is changed besides, it is said where there can be something.
    const said = path === '' ? {} : { next_task: null }
    expect(none).toEqual(expect.objectContaining({ completed: true, ...said }))
    expect('next_task' in none).toBe(path !== '')
    expect(await list(alice)).toHaveLength(3)
  })

  test('5: what else a patch says is of the next one too', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    const done = await patch(alice, t, { completed: true, title: 'U', recurrence: 'weekly' })

    expect(done).toMatchObject({ title: 'U', recurrence: 'FREQ=WEEKLY', occurrence: first })
    expect(done.next_task).toMatchObject({ title: 'U', due_date: '2099-01-08', series_id: t.id })
  })

  test('5: many at once, all in one', async () => {
    const alice = await signUp()
    const [t, u, one] = [await daily(alice), await daily(alice), await alice.create()]
    const ids = [t.id, u.id, one.id]

    const { status, body, request } = await act(alice, 'POST', '/api/tasks/bulk', {
      ids,
      action: 'complete',
    })

    expect([status, body]).toEqual([200, { matched: 3, changed: 3, request_id: request }])
    const open = await list(alice, '?status=pending')
    expect(open.map(({ id }) => id).toSorted()).toEqual([nextId(t.id), nextId(u.id)].toSorted())
    await undo(alice, { request_id: request })
    expect(await list(alice, '?status=pending')).toHaveLength(3)

    const set = await alice.send('POST', '/api/tasks/bulk', { ids, set: { completed: true } })
    // Those that come back from the trash, where the undo has put them.
    expect(set.body).toMatchObject({ matched: 3, changed: 5 })
    expect(await list(alice, '?status=pending')).toHaveLength(2)
  })

  test('5: it comes right after it in its list', async () => {
    const alice = await signUp()
    const list_id = await newList(alice)
    const t = await daily(alice, { list_id })
    const last = await alice.create({ list_id })

    const { s } = await completed(alice, t)

    const all = await list(alice, `?list=${list_id}&sort=position`)
    expect(all.map(({ id }) => id)).toEqual([t.id, s.id, last.id])
  })

  test('5: also where positions have become long, and are made short with that', async () => {
    const alice = await signUp()
    const [before, t, last] = [await alice.create(), await daily(alice), await alice.create()]
    const long = `i000000002${'V'.repeat(38)}`
    await sql`update docket.tasks set position = ${long} where user_id = ${alice.id} and id = ${t.id}`

    const { s } = await completed(alice, t)

    const all = await list(alice, '?sort=position')
    expect(all.map(({ id }) => id)).toEqual([before.id, t.id, s.id, last.id])
    expect(s.position.length).toBeLessThan(40)
  })

  test('6: late, missed days are not made, and today is not lost', async () => {
    const alice = await signUp()

    const { t, s } = await completed(alice, await daily(alice, { due_date: '2020-01-01' }))

    expect(s.due_date).toBe(dayOf(t))
  })

  test('6: with a time, only what is still to come', async () => {
    const alice = await signUp()
    const zone = { time_zone: 'UTC', due_date: '2020-01-01' }
    const over = await completed(alice, await daily(alice, { ...zone, due_time: '00:00' }))
    const ahead = await completed(alice, await daily(alice, { ...zone, due_time: '23:59:59' }))

    expect(over.s.due_date).toBe(plus(dayOf(over.t), { days: 1 }))
    expect(ahead.s.due_date).toBe(dayOf(ahead.t))
  })

  test('7: from completion, as much later as the interval says', async () => {
    const alice = await signUp()
    const rule = { recurrence: 'FREQ=MONTHLY;INTERVAL=2', repeat_from: 'completion' }

    const { t, s } = await completed(alice, await daily(alice, { ...rule, due_date: '2020-01-01' }))

    expect(s).toMatchObject({ due_date: plus(dayOf(t), { months: 2 }), repeat_from: 'completion' })
  })

  test('8: from completion, with days of the week: the next that fits, after all of the interval but one', async () => {
    const alice = await signUp()
    const rule = { recurrence: 'FREQ=WEEKLY;INTERVAL=4;BYDAY=SU', repeat_from: 'completion' }

    const { t, s } = await completed(alice, await daily(alice, rule))

    const day = Temporal.PlainDate.from(s.due_date ?? '')
    expect(day.dayOfWeek).toBe(7)
    expect(Temporal.PlainDate.from(dayOf(t)).until(day).days).toBeWithin(22, 29)
  })

  test('9: the last one is completed, and nothing comes after it', async () => {
    const alice = await signUp()
    const ends = ['FREQ=DAILY;COUNT=1', 'FREQ=DAILY;UNTIL=20990101']

    for (const recurrence of ends) {
      const t = await daily(alice, { recurrence })
      expect(await complete(alice, t)).toMatchObject({
        completed: true,
        recurrence,
        next_task: null,
      })
    }
    expect(await list(alice, '?status=pending')).toEqual([])
  })

  test('10: COUNT is less by the days that went by, from completion by one', async () => {
    const alice = await signUp()
    const due_date = '2020-01-01'
    const rule = { recurrence: 'FREQ=YEARLY;COUNT=99', due_date }

    const due = await completed(alice, await daily(alice, rule))
    const done = await completed(alice, await daily(alice, { ...rule, repeat_from: 'completion' }))

    const years = Temporal.PlainDate.from(due_date).until(due.s.due_date ?? '', {
      largestUnit: 'years',
    }).years
    expect(due.s.recurrence).toBe(`FREQ=YEARLY;COUNT=${99 - years}`)
    expect(done.s.recurrence).toBe('FREQ=YEARLY;COUNT=98')
  })

  test('11: again it is as it is, and so is what comes after it', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const done = await complete(alice, t)

    expect(await complete(alice, t)).toEqual(done)
    expect(await patch(alice, t, { completed: true })).toEqual(done)
    expect(await list(alice)).toHaveLength(2)
  })

  test('11: by many at once it is once', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    const all = await Promise.all(Array.from({ length: 8 }, () => complete(alice, t)))

    expect(new Set(all.map(({ next_task }) => next_task?.id)).size).toBe(1)
    expect(await list(alice)).toHaveLength(2)
  })

  test('12: in another version it is not', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await patch(alice, t, { title: 'U' })
    const stale = { 'if-match': '"1"' }

    const answers = [
      await call(alice, 'POST', t, '/complete', undefined, stale),
      await call(alice, 'PATCH', t, '', { completed: true }, stale),
      await call(alice, 'POST', t, '/skip', undefined, stale),
    ]

    expect(answers.map(({ status }) => status)).toEqual([412, 412, 412])
    expect(await list(alice)).toHaveLength(1)
  })

  test('13: with the same key it is answered as the first time', async () => {
    const alice = await signUp()
    const [t, one] = [await daily(alice), await alice.create()]
    const again = async (task: Some, path: string, body?: object) => {
      const key = { 'idempotency-key': crypto.randomUUID() }
      const send = () => call(alice, body && path === '' ? 'PATCH' : 'POST', task, path, body, key)
      const [before, now] = [await send(), await send()]
      expect(now.text).toBe(before.text)
      expect(now.headers.get('idempotency-replayed')).toBe('true')
      return before.body
    }

    expect(await again(t, '/complete')).toMatchObject({ next_task: { due_date: second } })
    expect(await again(one, '/complete')).toMatchObject({ completed: true, next_task: null })
    expect(await again({ id: nextId(t.id) }, '', { completed: true })).toMatchObject({
      next_task: { due_date: third },
    })
    expect(await again({ id: nextId(nextId(t.id)) }, '/skip')).toMatchObject({ due_date: fourth })
  })

  test('32: with what is under it, which is all to be done again', async () => {
    const alice = await signUp()
    const t = await daily(alice, { recurrence: 'weekly' })
    const make = (title: string, more: object) => alice.create({ title, parent_id: t.id, ...more })
    const done = await make('Done', { completed: true, due_date: '2098-12-31' })
    const gone = await make('Gone', {})
    await remove(alice, gone)
    const open = await make('Open', { due_date: first, due_time: '09:00', tags: ['home'] })
    const deep = await make('Deep', { parent_id: open.id })

    const { s } = await completed(alice, t)

    const { body } = await alice.send('GET', `/api/tasks?include=subtasks&status=pending`)
    expect(body).toHaveLength(1)
    expect(body[0]).toMatchObject({
      ...s,
      subtasks: [
        {
          id: nextId(done.id),
          title: 'Done',
          completed: false,
          due_date: '2099-01-07',
          subtasks: [],
        },
        {
          id: nextId(open.id),
          title: 'Open',
          due_date: '2099-01-08',
          due_time: '09:00:00',
          tags: ['home'],
          subtasks: [{ id: nextId(deep.id), title: 'Deep', due_date: null }],
        },
      ],
    })
    expect(await get(alice, deep)).toMatchObject({ completed: true, parent_id: open.id })
    expect(await get(alice, done)).toEqual(done)
  })

  test('34: a time that does not exist is at the later hour, one that comes twice the first', async () => {
    const alice = await signUp()
    const at = async (due_date: string) => {
      const zone = { due_time: '02:30', time_zone: 'Europe/Berlin' }
      const t = await daily(alice, { ...zone, due_date })
      const { s } = await completed(alice, t)
      const { body } = await call(alice, 'GET', s, '/occurrences?limit=1')
      return [s.due_time, body[0].at]
    }

    // Whatever the rules of 2099 are: the last Sundays of March and October.
    expect(await at('2099-03-28')).toEqual(['02:30:00', '2099-03-29T01:30:00Z'])
    expect(await at('2099-10-24')).toEqual(['02:30:00', '2099-10-25T00:30:00Z'])
  })

  test('35: in another zone the days stay, and the moments are others', async () => {
    const alice = await signUp()
    const t = await daily(alice, { due_time: '12:00' })
    const moment = async (headers = {}) =>
      (await call(alice, 'GET', t, '/occurrences?limit=1', undefined, headers)).body[0]

    expect(await moment()).toMatchObject({ due_date: first, at: `${first}T12:00:00Z` })
    expect(await moment({ 'time-zone': 'Asia/Tokyo' })).toMatchObject({ at: `${first}T03:00:00Z` })
    await alice.send('PATCH', '/api/me', { time_zone: 'Asia/Kolkata' })
    expect(await moment({ 'time-zone': 'Asia/Tokyo' })).toMatchObject({ at: `${first}T06:30:00Z` })
    await patch(alice, t, { time_zone: 'UTC' })
    expect(await moment()).toMatchObject({ due_date: first, at: `${first}T12:00:00Z` })
  })

  test('within the quota: what comes after it is a task more', async () => {
    const alice = await signUp()
    const small = createTestApp({ quota: { tasks: 2, bytes: null } })
    const send = (method: string, path: string, body?: unknown) =>
      sendTo(method, path, { app: small, headers: { authorization: alice.authorization }, body })
    const { body: t } = await send('POST', '/api/tasks', {
      title: 'T',
      recurrence: 'daily',
      due_date: first,
    })
    const { body: done } = await send('POST', `/api/tasks/${t.id}/complete`)

    const refused = await send('POST', `/api/tasks/${done.next_task.id}/complete`)

    expect([refused.status, refused.body.code]).toEqual([422, 'quota_exceeded'])
    expect((await send('POST', `/api/tasks/${done.next_task.id}/skip`)).status).toBe(200)
    expect((await send('POST', `/api/tasks/${t.id}/complete`, { completed: true })).status).toBe(
      200,
    )
    await send('DELETE', `/api/tasks/${t.id}`)
    await send('DELETE', '/api/trash')
    expect((await send('POST', `/api/tasks/${done.next_task.id}/complete`)).status).toBe(200)
  })
})

describe('open again', () => {
  test('14: what came after it is gone, with its subtasks, and not in the trash', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await alice.create({ parent_id: t.id })
    const { s } = await completed(alice, t)

    const again = await reopen(alice, t)

    expect(again).toMatchObject({ ...t, version: 3, updated_at: again.updated_at, next_task: null })
    expect((await list(alice)).length).toBe(2)
    expect(await list(alice, '?deleted=true')).toEqual([])
    const { body } = await alice.send('GET', '/api/changes')
    expect(body.find(({ id }: Some) => id === s.id)).toMatchObject({ purged: true })
    const rows = await sql`select from docket.changes where user_id = ${alice.id} and id = ${s.id}`
    expect(rows.length).toBe(1)
  })

  test.each(['toggle', 'patch', 'bulk'])('14: by %s', async (way) => {
    const alice = await signUp()
    const t = await daily(alice)
    await complete(alice, t)

    if (way === 'toggle') await taken(call(alice, 'POST', t, '/toggle'))
    else if (way === 'patch') await patch(alice, t, { completed: false })
    else await alice.send('POST', '/api/tasks/bulk', { ids: [t.id], action: 'reopen' })

    expect(await list(alice)).toMatchObject([
      { id: t.id, completed: false, recurrence: 'FREQ=DAILY' },
    ])
  })

  test.each<[string, (alice: TestUser, s: Task, t: Task) => Promise<unknown>]>([
    ['edited', (alice, s) => patch(alice, s, { title: 'S' })],
    ['completed', (alice, s) => complete(alice, s)],
    ['with a new subtask', (alice, s) => alice.create({ parent_id: s.id })],
    [
      'with an edited subtask',
      async (alice, s) => {
        const [copy] = await list(alice, `?parent=${s.id}`)
        await patch(alice, copy ?? s, { title: 'Copy' })
      },
    ],
    [
      'with a subtask less',
      async (alice, s) => {
        const [copy] = await list(alice, `?parent=${s.id}`)
        await remove(alice, copy ?? s)
      },
    ],
  ])('15: after one that was %s it is alone, and that one goes on', async (_how, change) => {
    const alice = await signUp()
    const t = await daily(alice)
    await alice.create({ parent_id: t.id })
    const { s } = await completed(alice, t)
    await change(alice, s, t)
    const before = await get(alice, s)

    expect(await reopen(alice, t)).toMatchObject({ ...alone, completed: false, due_date: first })

    expect(await get(alice, s)).toEqual(before)
    expect((await complete(alice, t)).next_task).toBeNull()
  })

  test('15: after the last one too', async () => {
    const alice = await signUp()
    const t = await daily(alice, { recurrence: 'FREQ=DAILY;COUNT=2' })
    const { s } = await completed(alice, t)
    await complete(alice, s)

    expect(await reopen(alice, t)).toMatchObject(alone)
  })

  test('15: it can repeat anew, in a series of its own', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    await patch(alice, s, { title: 'S' })
    await reopen(alice, t)

    const again = await patch(alice, t, { recurrence: 'weekly' })

    expect(again).toMatchObject({ recurrence: 'FREQ=WEEKLY', occurrence: first })
    expect(again.series_id).not.toBe(s.series_id)
    const { s: other } = await completed(alice, t)
    expect(other).toMatchObject({ due_date: '2099-01-08', series_id: again.series_id })
    expect(other.id).not.toBe(s.id)
    expect(await get(alice, s)).toMatchObject({ title: 'S', due_date: second })
    expect(await reopen(alice, t)).toMatchObject({ recurrence: 'FREQ=WEEKLY' })
    expect(await get(alice, other)).toBeNull()
  })

  test('16: with what came after it in the trash, from where that comes back as new', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await alice.create({ title: 'Sub', parent_id: t.id })
    const { s } = await completed(alice, t)
    await patch(alice, s, { title: 'S', description: 'More' })
    await remove(alice, s)

    expect(await reopen(alice, t)).toMatchObject({ recurrence: 'FREQ=DAILY', completed: false })
    expect(await list(alice, `?deleted=true&parent=none`)).toMatchObject([{ id: s.id }])
    const { s: again } = await completed(alice, t)

    expect(again).toMatchObject({ id: s.id, title: 'T', description: null, deleted_at: null })
    expect(await list(alice, '?deleted=true')).toEqual([])
    expect(await list(alice, `?parent=${s.id}`)).toMatchObject([{ title: 'Sub', completed: false }])
    // Nobody has touched it since.
    await reopen(alice, t)
    expect(await get(alice, s)).toBeNull()
    expect(await list(alice, '?deleted=true')).toEqual([])
  })

  test('17: with nothing after it', async () => {
    const alice = await signUp()
    const last = await daily(alice, { recurrence: 'FREQ=DAILY;COUNT=1' })
    await complete(alice, last)
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    await remove(alice, s)
    await alice.send('DELETE', `/api/trash/${s.id}`)

    expect(await reopen(alice, last)).toMatchObject({ recurrence: 'FREQ=DAILY;COUNT=1' })
    expect(await reopen(alice, t)).toMatchObject({ recurrence: 'FREQ=DAILY' })
    expect((await completed(alice, t)).s.id).toBe(s.id)
  })

  test('18: completed again, what comes after it has the same id, and is as it is now', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    await reopen(alice, t)
    await patch(alice, t, { title: 'Now' })

    expect((await completed(alice, t)).s).toMatchObject({ id: s.id, title: 'Now', version: 1 })
    expect(await list(alice)).toHaveLength(2)
  })

  test('19: an older one of the series is alone', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    const { s: last } = await completed(alice, s)

    expect(await reopen(alice, t)).toMatchObject(alone)
    expect(await get(alice, last)).toEqual(last)
  })

  test('19: also where the one between has gone', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    const { s: last } = await completed(alice, s)
    await remove(alice, s)

    expect(await reopen(alice, t)).toMatchObject(alone)
    expect(await get(alice, last)).toEqual(last)
  })
})

describe('changed', () => {
  test('20: this one, and those to come', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const list_id = await newList(alice)
    const fields = {
      title: 'U',
      tags: ['home'],
      priority: 'high',
      description: 'D',
      due_time: '08:00:00',
      time_zone: 'Europe/Berlin',
      list_id,
    }

    expect(await patch(alice, t, fields)).toMatchObject({ ...fields, recurrence: 'FREQ=DAILY' })

    expect((await completed(alice, t)).s).toMatchObject({ ...fields, due_date: second })
  })

  test('21: a completed one alone, and nothing comes of it', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)

    await patch(alice, t, { title: 'U', due_date: third })
    await patch(alice, t, { recurrence: 'weekly' })

    expect(await get(alice, s)).toEqual(s)
    expect(await list(alice)).toHaveLength(2)
  })

  test('22: another due date moves this one only; what comes is after both', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    const later = await patch(alice, t, { due_date: third, recurrence: 'daily' })

    expect(later).toMatchObject({ due_date: third, occurrence: first, recurrence: 'FREQ=DAILY' })
    expect((await completed(alice, t)).s.due_date).toBe(fourth)
    const u = await daily(alice)
    await patch(alice, u, { due_date: '2098-12-30' })
    expect((await completed(alice, u)).s.due_date).toBe(second)
  })

  test('23: another rule begins anew on the day on which it is due, in the same series', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    await patch(alice, s, { due_date: fourth })

    expect(await patch(alice, s, { recurrence: 'FREQ=WEEKLY' })).toMatchObject({
      recurrence: 'FREQ=WEEKLY',
      due_date: fourth,
      occurrence: fourth,
      series_id: t.id,
    })
  })

  test('23: a task begins to repeat, with or without a due date', async () => {
    const alice = await signUp()
    const [dated, undated] = [await alice.create({ due_date: first }), await alice.create()]

    expect(await patch(alice, dated, { recurrence: 'daily' })).toMatchObject({
      series_id: dated.id,
      occurrence: first,
      repeat_from: 'due',
    })
    const begun = await patch(alice, undated, { recurrence: 'daily', due_date: null })
    expect(begun.due_date).toBe(dayOf({ completed_at: begun.updated_at }))
    const set = await alice.send('POST', '/api/tasks/bulk', {
      ids: [(await alice.create()).id],
      set: { recurrence: 'weekly', due_date: first },
    })
    expect(set.body.changed).toBe(1)
  })

  test('24: the same rule sent again changes nothing, nor does the whole task', async () => {
    const alice = await signUp()
    const t = await daily(alice, { recurrence: 'monthly', due_date: '2099-01-30' })

    for (const body of [
      t,
      { ...t, next_task: null },
      { recurrence: 'monthly' },
      { recurrence: 'RRULE:FREQ=MONTHLY;BYMONTHDAY=30,29,28;BYSETPOS=-1' },
    ]) {
      expect(await taken(call(alice, 'PUT', t, '', body))).toEqual(t)
      expect(await taken(call(alice, 'PATCH', t, '', body))).toEqual(t)
    }
    const done = await complete(alice, t)
    expect(await taken(call(alice, 'PUT', t, '', { ...done }))).toEqual(done)
    expect(await historyOf(alice, t.id)).toHaveLength(2)
  })

  test('24: what is read-only of it is not changed', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    expectInvalid(await call(alice, 'PATCH', t, '', { occurrence: second }), '/occurrence')
    expectInvalid(
      await call(alice, 'PATCH', t, '', { series_id: crypto.randomUUID() }),
      '/series_id',
    )
    expect(await taken(call(alice, 'PUT', t, '', { occurrence: second }))).toEqual(t)
  })

  test('25: without the rule it is one alone, and the series ends', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)

    expect(await patch(alice, s, { ...s, recurrence: null })).toMatchObject({
      ...alone,
      due_date: second,
    })

    expect((await complete(alice, s)).next_task).toBeNull()
    expect(await get(alice, t)).toMatchObject({ recurrence: 'FREQ=DAILY', completed: true })
  })

  test('26: from what it is reckoned, from the next completion on', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    expect(await patch(alice, t, { repeat_from: 'completion' })).toMatchObject({
      repeat_from: 'completion',
      occurrence: first,
      version: 2,
    })

    const { t: done, s } = await completed(alice, t)
    expect(s.due_date).toBe(plus(dayOf(done), { days: 1 }))
    expect(await patch(alice, s, { repeat_from: null })).toMatchObject({ repeat_from: 'due' })
  })
})

describe('skipped', () => {
  test('27, 29: it is the same task on its next day', async () => {
    const alice = await signUp()
    const t = await daily(alice, { recurrence: 'FREQ=DAILY;COUNT=3' })
    const child = await alice.create({ parent_id: t.id, due_date: first })

    const skipped = await skip(alice, t)

    expect(skipped).toEqual({
      ...t,
      due_date: second,
      occurrence: second,
      recurrence: 'FREQ=DAILY;COUNT=2',
      version: 2,
      updated_at: skipped.updated_at,
    })
    expect(await list(alice)).toHaveLength(2)
    expect(await get(alice, child)).toEqual(child)
    expect(await historyOf(alice, t.id)).toMatchObject([
      { action: 'updated' },
      { action: 'created' },
    ])
  })

  test('27: once, by the day that is named', async () => {
    const alice = await signUp()
    const t = await daily(alice)

    const answers = await Promise.all(
      Array.from({ length: 6 }, () => call(alice, 'POST', t, '/skip', { occurrence: first })),
    )

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(5)
    expect(await get(alice, t)).toMatchObject({ due_date: second, version: 2 })
  })

  test('27: neither the last one, nor one that does not repeat, nor one that is completed', async () => {
    const alice = await signUp()
    const last = await daily(alice, { recurrence: 'FREQ=DAILY;COUNT=1' })
    const done = await daily(alice, { completed: true })

    for (const task of [last, done, await alice.create()]) {
      const { status } = await call(alice, 'POST', task, '/skip')
      expect([status, await get(alice, task)]).toEqual([409, task])
    }
    await expectNotFound((id) => call(alice, 'POST', { id }, '/skip'))
    await expectNotFound((id) => call(alice, 'GET', { id }, '/occurrences'))
  })

  test('27: late, and from completion, on to what is still to come', async () => {
    const alice = await signUp()
    const late = await skip(alice, await daily(alice, { due_date: '2020-01-01' }))
    const from = await skip(alice, await daily(alice, { repeat_from: 'completion' }))

    expect(late.due_date).toBe(dayOf({ completed_at: late.updated_at }))
    expect(from.due_date).toBe(plus(dayOf({ completed_at: from.updated_at }), { days: 1 }))
  })
})

describe('deleted', () => {
  test('28: it and all that would come', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)

    await remove(alice, s)

    expect(await list(alice)).toMatchObject([{ id: t.id, completed: true }])
    expect((await call(alice, 'POST', s, '/complete')).status).toBe(404)
  })

  test('30: a completed one alone', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)

    await remove(alice, t)

    expect(await list(alice)).toEqual([s])
    expect(await restore(alice, t)).toMatchObject({ completed: true, recurrence: 'FREQ=DAILY' })
  })

  test('31: restored it goes on', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await remove(alice, t)

    expect(await restore(alice, t)).toMatchObject({ recurrence: 'FREQ=DAILY', occurrence: first })
    expect((await completed(alice, t)).s.due_date).toBe(second)
  })

  test('31: alone where another one of the series is open', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)
    await remove(alice, s)
    await reopen(alice, t)

    expect(await restore(alice, s)).toMatchObject({ ...alone, due_date: second })

    // Completed, the other one is followed by one of its own.
    const { s: other } = await completed(alice, t)
    expect(other).toMatchObject({ due_date: second, series_id: t.id })
    expect(other.id).not.toBe(s.id)
    await reopen(alice, t)
    expect((await list(alice)).map(({ id }) => id).toSorted()).toEqual([s.id, t.id].toSorted())
  })

  test('31: with its list, and together with many', async () => {
    const alice = await signUp()
    const list_id = await newList(alice)
    const t = await daily(alice, { list_id })
    const { s } = await completed(alice, t)
    await alice.send('DELETE', `/api/lists/${list_id}`)
    await restore(alice, t)
    await reopen(alice, t)

    const { status } = await alice.send('POST', `/api/lists/${list_id}/restore`)

    expect(status).toBe(200)
    expect(await get(alice, s)).toMatchObject(alone)
    expect(await get(alice, t)).toMatchObject({ recurrence: 'FREQ=DAILY' })
  })

  test('36: while it is completed, it is as one after the other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const alice = await signUp()
      const t = await daily(alice)

      const [done, gone] = await Promise.all([
        call(alice, 'POST', t, '/complete', { completed: true }),
        call(alice, 'DELETE', t),
      ])

      expect(gone.status).toBe(200)
      expect([200, 404]).toContain(done.status)
      const open = await list(alice)
      expect(open.map(({ id }) => id)).toEqual(done.status === 200 ? [nextId(t.id)] : [])
    }
  })

  test('37: while it is changed, what comes has the change, or it is on this one alone', async () => {
    for (let round = 0; round < 10; round += 1) {
      const alice = await signUp()
      const t = await daily(alice)

      const [done, edited] = await Promise.all([
        complete(alice, t),
        patch(alice, t, { title: 'U', tags: ['home'] }),
      ])

      expect(await get(alice, t)).toMatchObject({ completed: true, title: 'U', tags: ['home'] })
      const { next_task: s } = done
      expect(s).toMatchObject(
        edited.completed ? { title: 'T', tags: [] } : { title: 'U', tags: ['home'] },
      )
    }
  })

  test('38: with the account all of it', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await alice.create({ parent_id: t.id })
    await complete(alice, t)

    const { status } = await alice.send('DELETE', '/api/me', { confirm: alice.id })

    expect(status).toBe(200)
    const rows = await sql`select from docket.tasks where user_id = ${alice.id}`
    expect(rows.length).toBe(0)
  })
})

describe('read', () => {
  test('39: a list has the open one and those that are completed', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { s } = await completed(alice, t)

    expect((await list(alice)).map(({ id }) => id).toSorted()).toEqual([t.id, s.id].toSorted())
    expect(await list(alice, '?status=pending')).toEqual([s])
    expect((await alice.send('GET', '/api/tasks/count')).body).toEqual({ count: 2 })
  })

  test('40: the days that are to come, its own first', async () => {
    const alice = await signUp()
    const t = await daily(alice, { due_time: '18:00', time_zone: 'Europe/Berlin' })
    const of = async (task: Some, query = '') =>
      (await taken(call(alice, 'GET', task, `/occurrences${query}`))) as unknown as {
        due_date: string
      }[]

    expect(await of(t, '?limit=2')).toEqual([
      {
        due_date: first,
        due_time: '18:00:00',
        time_zone: 'Europe/Berlin',
        at: `${first}T17:00:00Z`,
      },
      {
        due_date: second,
        due_time: '18:00:00',
        time_zone: 'Europe/Berlin',
        at: `${second}T17:00:00Z`,
      },
    ] as never)
    expect(await of(t)).toHaveLength(10)
    expect(await of(t, '?limit=100')).toHaveLength(100)
    expect(await of(await daily(alice, { repeat_from: 'completion' }))).toHaveLength(1)
    expect(await of(await alice.create({ due_date: first }))).toEqual([
      { due_date: first, due_time: null, time_zone: null, at: null },
    ] as never)
    expect(await of(await alice.create())).toEqual([])
    for (const limit of [0, 101]) {
      expectInvalid(await call(alice, 'GET', t, `/occurrences?limit=${limit}`), '/limit')
    }
  })
})

describe('undone', () => {
  test('41: the completion and what came of it in one step, and again', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    await alice.create({ parent_id: t.id })
    const before = await stateOf(alice)
    const { request, body: done } = await act(alice, 'POST', `/api/tasks/${t.id}/complete`)
    const end = await stateOf(alice)

    const undone = await undo(alice, { request_id: request })

    expect(undone.status).toBe(200)
    const ids = new Set(before.map(({ id }) => id))
    const state = await stateOf(alice)
    expect(state.filter(({ id }) => ids.has(id))).toEqual(before)
    expect(
      state.filter(({ id }) => !ids.has(id)).map(({ deleted_at }) => typeof deleted_at),
    ).toEqual(['string', 'string'])
    expect((await undo(alice, { request_id: undone.request })).status).toBe(200)
    expect(await stateOf(alice)).toEqual(end)
    expect(await get(alice, done.next_task)).toMatchObject({
      completed: false,
      recurrence: 'FREQ=DAILY',
    })
  })

  test('41: not where somebody has changed what came of it', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { request, body } = await act(alice, 'POST', `/api/tasks/${t.id}/complete`)
    await complete(alice, body.next_task)

    expect((await undo(alice, { request_id: request })).status).toBe(409)
    // By force it is alone, or the other one would be open beside it.
    expect((await undo(alice, { request_id: request, force: true })).status).toBe(200)
    expect(await get(alice, t)).toMatchObject({ completed: false, ...alone })
  })

  test('41: a skip, and a change of the rule', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const skipped = await act(alice, 'POST', `/api/tasks/${t.id}/skip`)
    expect((await undo(alice, { request_id: skipped.request })).status).toBe(200)
    expect(await get(alice, t)).toMatchObject({ due_date: first, occurrence: first })

    const ended = await act(alice, 'PATCH', `/api/tasks/${t.id}`, {
      recurrence: null,
      due_date: null,
    })
    expect((await undo(alice, { request_id: ended.request })).status).toBe(200)
    expect(await get(alice, t)).toMatchObject({
      recurrence: 'FREQ=DAILY',
      due_date: first,
      series_id: t.id,
    })
  })

  test('41: it is one request to the log, and what comes is numbered after it', async () => {
    const alice = await signUp()
    const t = await daily(alice)
    const { request } = await act(alice, 'POST', `/api/tasks/${t.id}/complete`)

    const rows = await sql`
      select id, action from docket.changes where user_id = ${alice.id} and request_id = ${request} order by seq`
    expect(rows.map(({ id, action }) => [id, action])).toEqual([
      [t.id, 'completed'],
      [nextId(t.id), 'created'],
    ])
  })
})

describe('reminding', () => {
  const alarms = async ({ id }: TestUser): Promise<string[][]> => {
    const rows = await sql<{ task_id: string; reminder: string; at: string }[]>`
      select task_id, reminder, to_char(fires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at
      from docket.alarms
      where user_id = ${id}
      order by fires_at`
    return rows.map(({ task_id, reminder, at }) => [task_id, reminder, at])
  }
  const due = { due_time: '18:30', time_zone: 'UTC', reminders: ['-P1D', '-PT30M'] }

  test('42: what is completed reminds of nothing more, and what comes does on its own day', async () => {
    const alice = await signUp()
    const t = await daily(alice, { ...due, due_date: second })
    const before = await alarms(alice)

    const { s } = await completed(alice, t)
    const after = await alarms(alice)
    await reopen(alice, t)

    expect(s.reminders).toEqual(['-P1D', '-PT30M'])
    expect(before).toEqual([
      [t.id, '-P1D', `${first} 18:30`],
      [t.id, '-PT30M', `${second} 18:00`],
    ])
    expect(after).toEqual([
      [s.id, '-P1D', `${second} 18:30`],
      [s.id, '-PT30M', `${third} 18:00`],
    ])
    expect(await alarms(alice)).toEqual(before)
  })

  test('42: a skip takes them to the next day, and an undo back', async () => {
    const alice = await signUp()
    const t = await daily(alice, { ...due, reminders: ['PT0S'] })
    const before = await alarms(alice)

    const { request } = await act(alice, 'POST', `/api/tasks/${t.id}/skip`)
    const after = await alarms(alice)
    await undo(alice, { request_id: request })

    expect(after).toEqual([[t.id, 'PT0S', `${second} 18:30`]])
    expect(await alarms(alice)).toEqual(before)
  })

  test('42: a moment does not come again, so what repeats has none', async () => {
    const alice = await signUp()
    const reminders = [`${first}T08:00:00Z`]
    const t = await daily(alice)
    const once = await alice.create({ due_date: first, reminders })

    const rule = { recurrence: 'FREQ=DAILY', due_date: first }
    expectInvalid(
      await alice.send('POST', '/api/tasks', { title: 'A', ...rule, reminders }),
      '/reminders',
    )
    expectInvalid(
      await alice.send('POST', '/api/tasks/batch', { tasks: [{ title: 'A', ...rule, reminders }] }),
      '/tasks/0/reminders',
    )
    expectInvalid(await call(alice, 'PATCH', t, '', { reminders }), '/reminders')
    expectInvalid(await call(alice, 'PATCH', once, '', rule), '/reminders')
    expect((await patch(alice, once, { ...rule, reminders: ['PT9H'] })).reminders).toEqual(['PT9H'])
  })
})
