import { afterEach, expect, jest, test } from 'bun:test'
import { eventually } from '../deliveries/support.ts'
import { momentIn, startReminding } from './support.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start(...parameters: Parameters<typeof startReminding>) {
  const world = await startReminding(...parameters)
  closing.push(world.close)
  return world
}

test('tells of what is due, once, with the moment that it was meant for, and asks nothing more', async () => {
  const { reminding, events, overdue, left, statements, counts, fired, failures } = await start()
  await overdue('alice', 3, 3600)

  reminding.wake()
  await eventually(() => events.length === 3)
  await eventually(() => counts.length === 1)
  const asked = statements()
  await Bun.sleep(300)

  const [event] = events
  const data = JSON.parse(event?.event ?? '')
  expect(data).toMatchObject({ id: event?.id, title: 'A task', due_date: null, reminder: 'PT0S' })
  expect(Math.round((Date.now() - Date.parse(data.timestamp)) / 600_000)).toBe(6)
  expect(new Set(events.map(({ id }) => id)).size).toBe(3)
  expect([await left(), counts, fired(), failures]).toEqual([0, [[3, 0]], 1, []])
  expect(statements()).toBe(asked)
})

test('drops what is more than a day late, and counts it', async () => {
  const { reminding, events, overdue, left, counts } = await start()
  await overdue('alice', 2, 86_000)
  await overdue('alice', 5, 87_000)

  reminding.wake()
  await eventually(() => counts.length > 0)

  expect([events.length, counts, await left()]).toEqual([2, [[2, 5]], 0])
})

test('takes many in turns', async () => {
  const { reminding, events, overdue, left } = await start()
  await overdue('alice', 450, 60)

  reminding.wake()
  await eventually(() => events.length === 450)

  expect(await left()).toBe(0)
})

test('gives each to one of many, who all look at the same time', async () => {
  const { all, events, overdue, left, failures } = await start(3)
  await overdue('alice', 900, 60)

  for (const one of all) one.wake()
  await eventually(() => events.length === 900)

  expect(new Set(events.map(({ id }) => id)).size).toBe(900)
  expect([await left(), failures]).toEqual([0, []])
})

test('rings in time for an alarm that a statement says it has set, and asks nothing until then', async () => {
  const { reminding, events, remindAt, statements, heard } = await start()
  reminding.wake()
  await eventually(() => statements() === 1)
  await remindAt('alice', '2100-01-01T00:00:00+00:00')
  const moment = momentIn(1500)

  const task = await remindAt('alice', moment, '2100-01-01T00:00:00+00:00')
  await eventually(() => heard.length === 2)
  const before = statements()
  await eventually(() => events.length === 1)

  const { task_id, reminder, timestamp } = JSON.parse(events[0]?.event ?? '')
  expect([task_id, reminder, timestamp, before]).toEqual([task, moment, moment, 1])
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(moment))
})

test('rings for what was there at the start', async () => {
  const { all, events, remindAt } = await start(2)
  const [, other] = all
  await remindAt('alice', momentIn(1000))

  other?.wake()
  await eventually(() => events.some(({ by }) => by === 1) || events.length > 0)

  expect(events).toHaveLength(1)
})

test('of a task that reminds of nothing any more nothing comes', async () => {
  const { sql, reminding, events, remindAt, left } = await start()
  const moments = [momentIn(1000), momentIn(3000)]
  const id = await remindAt('alice', ...moments)
  const completed = await remindAt('alice', ...moments)
  await sql`update docket.tasks set reminders = ${sql.typed.text_array(moments.slice(1))} where id = ${id}`
  await sql`update docket.tasks set completed_at = now() where id = ${completed}`

  reminding.wake()
  await eventually(() => events.length > 0)

  expect([events.map(({ event }) => JSON.parse(event).timestamp), await left()]).toEqual([
    [moments[1]],
    0,
  ])
})

test('one reminder has one id, however often it comes, and at another moment another one', async () => {
  const { sql, reminding, events, remindAt } = await start()
  const id = await remindAt('alice', '2100-01-01T00:00:00+00:00')
  for (const minutes of [1, 2, 1]) {
    await sql`
      insert into docket.alarms (user_id, task_id, reminder, fires_at)
      values ('alice', ${id}, 'PT0S', date_trunc('hour', now()) - ${minutes} * interval '1 minute')`
    const before = events.length
    reminding.wake()
    await eventually(() => events.length > before)
  }

  const [first, second, third] = events.map((event) => event.id)
  expect(third).toBe(first as string)
  expect(second).not.toBe(first as string)
})

test('what has come elsewhere is told to those who listen, and to no others', async () => {
  const { all, events, overdue, listeners } = await start(2)
  const [first, second] = all
  await overdue('alice', 2, 60)
  await overdue('bob', 1, 60)
  first?.wake()
  await eventually(() => events.length === 3)
  listeners.push('alice')

  await second?.catchUp()

  const elsewhere = events.filter(({ by }) => by === 1)
  expect(elsewhere.map(({ user_id }) => user_id)).toEqual(['alice', 'alice'])
  expect(elsewhere.map(({ id }) => id).toSorted()).toEqual(
    events
      .filter(({ by, user_id }) => by === 0 && user_id === 'alice')
      .map(({ id }) => id)
      .toSorted(),
  )
})

test('sleeps until the next one is due: in ten minutes it asks nothing', async () => {
  const { reminding, statements, left, failures } = await start()
  reminding.wake()
  await reminding.settled()
  const asked = [statements()]
  jest.useFakeTimers({ now: Date.now() })
  try {
    // As a statement says it.
    reminding.heard(900_000)
    for (const minutes of [10, 5]) {
      for (let minute = 0; minute < minutes; minute += 1) jest.advanceTimersByTime(60_000)
      asked.push(statements())
    }
  } finally {
    jest.useRealTimers()
  }
  await reminding.settled()

  expect([asked, await left(), failures]).toEqual([[1, 1, 2], 0, []])
})
