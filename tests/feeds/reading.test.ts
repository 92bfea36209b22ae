import { describe, expect, test } from 'bun:test'
import { createCalendars } from '../../src/feeds/kept.ts'
import { memoryRates } from '../../src/http/rates.ts'
import { appFor } from '../compat/support.ts'
import { createTestApp, send, signUp, sql } from '../support/app.ts'
import { insertEqualTasks, newList } from '../support/tasks.ts'
import { feedOf, itemsIn, makeFeed, nameOf, read, titlesIn } from './support.ts'

const due = { due_date: '2026-12-01' }
const nobody = 'A'.repeat(43)

test('is read without a sign-in', async () => {
  const alice = await signUp()
  await alice.create({ title: 'Mine', ...due })
  const path = await feedOf(alice)

  const { status, headers, text } = await read(path)

  expect(status).toBe(200)
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/calendar; charset=utf-8',
    'cache-control': 'private, max-age=300',
    'x-robots-tag': 'noindex',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  expect(headers.get('access-control-allow-origin')).toBeNull()
  expect(titlesIn(text)).toEqual(['Mine'])
  expect((await read(`${path}/`)).text).toBe(text)
})

test('says nothing of an address that is none, whatever is wrong with it', async () => {
  const path = await feedOf(await signUp())
  const token = path.slice(7, -4)

  const answers = []
  for (const name of [
    `${nobody}.ics`,
    `${token.slice(0, -1)}.ics`,
    token,
    `${token}.ICS`,
    `${token}.ics.ics`,
    `x${token}.ics`,
    '.ics',
    '%00.ics',
    '%E0%A4%A.ics',
    'null',
    `${'x'.repeat(5000)}.ics`,
  ]) {
    const { status, headers, text } = await read(`/feeds/${name}`)
    expect([name, status]).toEqual([name, 404])
    expect(headers.get('x-robots-tag')).toBe('noindex')
    answers.push(text)
  }
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('There is no calendar at this address')
})

test('has events of what is due and pending, and nothing of the trash', async () => {
  const alice = await signUp()
  await alice.create({ title: 'No date' })
  await alice.create({ title: 'Done', ...due, completed: true })
  const { id } = await alice.create({ title: 'Trashed', ...due })
  await alice.send('DELETE', `/api/tasks/${id}`)
  await alice.create({ title: 'Overdue', due_date: '2020-01-01' })
  await alice.create({ title: 'Long overdue', due_date: '2019-01-01' })
  await alice.create({ title: 'Far', due_date: '2099-01-02' })
  await alice.create({ title: 'Near', due_date: '2099-01-01', due_time: '10:00' })

  const { text } = await read(await feedOf(alice))

  // Of too many the farthest would be left out.
  expect(titlesIn(text)).toEqual(['Near', 'Far', 'Overdue', 'Long overdue'])
  expect(text).not.toContain('VALARM')
})

test('has to-dos of all that is pending, and of what was completed in the last 30 days', async () => {
  const alice = await signUp()
  await alice.create({ title: 'No date' })
  await alice.create({ title: 'Due', ...due })
  const old = await alice.create({ title: 'Long done', completed: true })
  await alice.create({ title: 'Done', completed: true })
  await sql`
    update docket.tasks set completed_at = now() - interval '31 days' where user_id = ${alice.id} and id = ${old.id}`

  const { text } = await read(`${await feedOf(alice)}?as=todo`)

  expect(itemsIn(text).map((item) => [item.name, item.getFirstPropertyValue('summary')])).toEqual([
    ['vtodo', 'Due'],
    ['vtodo', 'No date'],
    ['vtodo', 'Done'],
  ])
  expect(itemsIn(text).map((item) => item.getFirstPropertyValue('status'))).toEqual([
    'NEEDS-ACTION',
    'NEEDS-ACTION',
    'COMPLETED',
  ])
})

test('refuses what it does not know, by its name', async () => {
  const path = await feedOf(await signUp())

  for (const [query, pointer] of [
    ['?as=journal', '/as'],
    ['?ass=todo', '/ass'],
  ] as const) {
    const { status, body } = await read(`${path}${query}`)
    expect([status, body.errors[0].pointer]).toEqual([422, pointer])
  }
  expect((await read(`${path}?as=TODO`)).status).toBe(200)
  expect((await send('POST', path)).status).toBe(405)
  expect((await send('POST', path)).headers.get('allow')).toBe('GET, HEAD')
})

describe('shows', () => {
  test('the tasks of a list, and of a filter', async () => {
    const alice = await signUp()
    const list_id = await newList(alice)
    await alice.create({ title: 'In it', list_id, tags: ['a'], ...due })
    await alice.create({ title: 'In it too', list_id, due_date: '2026-12-02' })
    await alice.create({ title: 'Elsewhere', tags: ['a'], due_date: '2026-12-03' })
    await alice.send('POST', '/api/filters', { name: 'Kept', filter: '#a' })
    const of = async (body: object) => {
      const { text } = await read(await feedOf(alice, body))
      return titlesIn(text).map(String).toSorted()
    }

    expect(await of({ list_id })).toEqual(['In it', 'In it too'])
    expect(await of({ filter: '#a' })).toEqual(['Elsewhere', 'In it'])
    expect(await of({ list_id, filter: '#a' })).toEqual(['In it'])
    expect(await of({ list_id, filter: '@kept' })).toEqual(['In it'])
    expect(await of({ filter: 'due:<=2026-12-02' })).toEqual(['In it', 'In it too'])
    expect(await of({ filter: 'is:done' })).toEqual([])
    expect(await of({ filter: 'due:none' })).toEqual([])
  })

  test('nothing of an archived list, nor of one in the trash, and says why', async () => {
    const alice = await signUp()
    const list_id = await newList(alice)
    await alice.create({ title: 'In it', list_id, ...due })
    const [path, whole] = [await feedOf(alice, { list_id }), await feedOf(alice)]
    const both = async () => {
      const [own, all] = [(await read(path)).text, (await read(whole)).text]
      return [nameOf(own), titlesIn(own).length, nameOf(all), titlesIn(all).length]
    }
    expect(await both()).toEqual(['Home', 1, 'Home', 1])

    await alice.send('PATCH', `/api/lists/${list_id}`, { archived: true })
    expect(await both()).toEqual(['Home (its list is archived)', 0, 'Home', 0])
    await alice.send('PATCH', `/api/lists/${list_id}`, { archived: false })
    expect(await both()).toEqual(['Home', 1, 'Home', 1])
    await alice.send('DELETE', `/api/lists/${list_id}`)
    expect(await both()).toEqual(['Home (its list is in the trash)', 0, 'Home', 0])
    await alice.send('POST', `/api/lists/${list_id}/restore`)
    expect(await both()).toEqual(['Home', 1, 'Home', 1])
  })

  test('nothing where its filter names what is gone, and says why', async () => {
    const alice = await signUp()
    const list = await newList(alice)
    await alice.create({ title: 'A task', list_id: list, tags: ['a'], ...due })
    const { body: kept } = await alice.send('POST', '/api/filters', { name: 'K', filter: '#a' })
    const paths = [
      await feedOf(alice, { filter: '@k' }),
      await feedOf(alice, { filter: 'list:"A list"' }),
    ]
    const both = () => Promise.all(paths.map(async (path) => nameOf((await read(path)).text)))
    expect(await both()).toEqual(['Home', 'Home'])

    await alice.send('DELETE', `/api/filters/${kept.id}`)
    await alice.send('DELETE', `/api/lists/${list}`)

    const gone = 'Home (its filter is no longer valid)'
    expect(await both()).toEqual([gone, gone])
  })

  test('no more than 2,000 tasks', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 2100)
    const path = await feedOf(alice)

    for (const as of ['event', 'todo']) {
      const ids = itemsIn((await read(`${path}?as=${as}`)).text).map((item) =>
        item.getFirstPropertyValue('uid'),
      )
      expect(new Set(ids).size).toBe(2000)
      expect(ids).toHaveLength(2000)
    }
  })

  test('all of a page and of the next', async () => {
    const alice = await signUp()
    await insertEqualTasks(alice, 450)

    expect(titlesIn((await read(await feedOf(alice))).text)).toHaveLength(450)
  })

  test('no more than some megabytes', async () => {
    const alice = await signUp()
    const [first] = await insertEqualTasks(alice, 400)
    await sql`
      update docket.tasks set description = repeat('x', 20000) where user_id = ${alice.id} and id <> ${first ?? ''}`

    const { text } = await read(await feedOf(alice))

    expect(titlesIn(text).length).toBeGreaterThan(100)
    expect(text.length).toBeLessThan(6_000_000)
  })
})

describe('asked again', () => {
  test('is a 304 while it is the same, also as a proxy gives the tag', async () => {
    const alice = await signUp()
    await alice.create(due)
    const path = await feedOf(alice)
    const tag = (await read(path)).headers.get('etag') ?? ''
    expect(tag).toMatch(/^"\d+"$/)

    for (const header of [tag, `W/${tag}`, tag.replace(/"$/, '-gzip"'), `"x", ${tag}`, '*']) {
      const { status, headers, text } = await read(path, { 'if-none-match': header })
      expect([header, status, text]).toEqual([header, 304, ''])
      expect(headers.get('etag')).toBe(tag)
      expect(headers.get('cache-control')).toBe('private, max-age=300')
    }
    expect((await read(path, { 'if-none-match': '"1"' })).status).toBe(200)
    expect((await read(`${path}?as=todo`, { 'if-none-match': tag })).status).toBe(200)

    await alice.create({ title: 'Another', ...due })

    const changed = await read(path, { 'if-none-match': tag })
    expect([changed.status, titlesIn(changed.text).length]).toEqual([200, 2])
    expect(changed.headers.get('etag')).not.toBe(tag)
  })

  test('says the same to HEAD, without a body', async () => {
    const path = await feedOf(await signUp())

    const { status, headers } = await send('HEAD', path)

    expect(status).toBe(200)
    expect(headers.get('etag')).toBe((await read(path)).headers.get('etag'))
    expect((await send('HEAD', `/feeds/${nobody}.ics`)).status).toBe(404)
  })

  test('asks no database for five minutes, unless something was written', async () => {
    let now = 0
    const app = createTestApp({ calendars: createCalendars(() => now) })
    const alice = await signUp()
    const { id } = await alice.create({ title: 'Before', ...due })
    const path = await feedOf(alice)
    const titles = async () => titlesIn((await send('GET', path, { app })).text)
    expect(await titles()).toEqual(['Before'])

    // Behind its back.
    await sql`update docket.tasks set title = 'After' where user_id = ${alice.id} and id = ${id}`
    await sql`update docket.feeds set token_hash = 'gone' where user_id = ${alice.id}`
    expect(await titles()).toEqual(['Before'])
    now = 299_999
    expect(await titles()).toEqual(['Before'])

    now = 300_000
    expect((await send('GET', path, { app })).status).toBe(404)
  })

  test('is what it is now once something of the user was written', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { id } = await alice.create({ title: 'Before', ...due })
    const path = await feedOf(alice)
    const titles = async () => titlesIn((await read(path)).text)
    expect(await titles()).toEqual(['Before'])
    await sql`update docket.tasks set title = 'Behind' where user_id = ${alice.id} and id = ${id}`

    await bob.create()
    expect(await titles()).toEqual(['Before'])
    await alice.create()
    expect(await titles()).toEqual(['Behind'])
  })
})

test('counts the requests of each address, and not those of users', async () => {
  const unlimited = memoryRates(1_000_000)
  const app = createTestApp({
    rates: { users: memoryRates(1), failures: unlimited, calendars: memoryRates(3) },
  })
  const path = await feedOf(await signUp())
  const ask = (address: string, to = path) =>
    send('GET', to, { app, headers: { 'x-forwarded-for': address } })

  const statuses = []
  for (const to of [path, path, `/feeds/${nobody}.ics`, path, `/feeds/${nobody}.ics`]) {
    statuses.push((await ask('192.0.2.1', to)).status)
  }

  expect(statuses).toEqual([200, 200, 404, 429, 429])
  const refused = await ask('192.0.2.1')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect(refused.headers.get('ratelimit')).toBeNull()
  expect((await ask('192.0.2.2')).status).toBe(200)
})

test('COMPAT leaves it alone', async () => {
  const alice = await signUp()
  await alice.create({ title: 'Mine', ...due })
  const path = await feedOf(alice)
  const usual = await read(path)

  for (const compat of [
    'unknown=keep names=camelCase list=data.tasks task=data prefix=/v1 resource=todos dates=datetime',
    'names=is_completed,message',
  ]) {
    const app = appFor(compat)
    const { status, headers, text } = await send('GET', path, { app })
    expect([status, text]).toEqual([200, usual.text])
    expect(headers.get('etag')).toBe(usual.headers.get('etag'))
    const { authorization } = alice
    const made = await send('POST', '/api/feeds', {
      app,
      headers: { authorization },
      body: { name: 'A' },
    })
    expect([made.status, new URL(made.body.url).pathname.slice(0, 7)]).toEqual([201, '/feeds/'])
  }
})

test('a database that cannot be reached is a 503, and no empty calendar', async () => {
  const alice = await signUp()
  const { body } = await makeFeed(alice)
  const unreachable = Object.assign(new Error('gone'), { code: 'UNAVAILABLE' })
  const refuse = () => Promise.reject(unreachable)
  const db = { read: refuse, write: refuse, idempotentWrite: refuse, share: refuse }
  const gate = { ...db, for: () => db, seen: () => ({}), learn: refuse }

  const app = createTestApp({ db: gate as never, calendars: createCalendars() })
  const { status } = await send('GET', new URL(body.url).pathname, { app })

  expect(status).toBe(503)
})

describe('a task that repeats', () => {
  /** What of its events says when they are. */
  async function daysOf(task: Record<string, unknown>, patch: object | null = null, query = '') {
    const alice = await signUp()
    const { id } = await alice.create(task)
    if (patch !== null) await alice.send('PATCH', `/api/tasks/${id}`, patch)
    const { text } = await read(`${await feedOf(alice)}${query}`)
    return itemsIn(text).map((item) => [
      String(item.getFirstPropertyValue('uid')).replace(id, 'id'),
      String(item.getFirstPropertyValue('dtstart')),
      String(item.getFirstPropertyValue('rrule')),
    ])
  }
  const monday = '2026-11-30'
  const mondays = 'FREQ=WEEKLY;BYDAY=MO'

  test('is an event that repeats', async () => {
    expect(await daysOf({ due_date: monday, recurrence: mondays })).toEqual([
      ['id', monday, mondays],
    ])
    const timed = { due_date: monday, due_time: '10:00', time_zone: 'Europe/Berlin' }
    expect(await daysOf({ ...timed, recurrence: 'FREQ=DAILY;UNTIL=20261215' })).toEqual([
      ['id', '2026-11-30T10:00:00', 'FREQ=DAILY;UNTIL=20261215T090000Z'],
    ])
  })

  test('is one event, where the next depends on when it is completed', async () => {
    const task = { due_date: monday, recurrence: 'FREQ=DAILY', repeat_from: 'completion' }
    expect(await daysOf(task)).toEqual([['id', monday, 'null']])
  })

  test('is two, where it was moved, and the second is the rest', async () => {
    const task = { due_date: monday, recurrence: `${mondays};COUNT=3` }
    expect(await daysOf(task, { due_date: '2026-12-09' })).toEqual([
      ['id', '2026-12-09', 'null'],
      // Of three the first is this one, the second has gone by.
      ['series-id', '2026-12-14', 'FREQ=WEEKLY;COUNT=1;BYDAY=MO'],
    ])
    expect(await daysOf(task, { due_date: '2026-12-14' })).toEqual([['id', '2026-12-14', 'null']])
  })

  test('is two, where its day is none of the rule', async () => {
    expect(await daysOf({ due_date: '2026-12-01', recurrence: `${mondays};COUNT=3` })).toEqual([
      ['id', '2026-12-01', 'null'],
      ['series-id', '2026-12-07', 'FREQ=WEEKLY;COUNT=2;BYDAY=MO'],
    ])
    const days = { due_date: '2026-12-01', recurrence: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO' }
    // The week in which it begins counts.
    expect((await daysOf(days))[1]).toEqual([
      'series-id',
      '2026-12-14',
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO',
    ])
  })

  test('is a to-do on its own day alone', async () => {
    const task = { due_date: monday, recurrence: mondays }
    expect(await daysOf(task, null, '?as=todo')).toEqual([['id', 'null', 'null']])
  })

  test('is the next one, when it was completed', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ due_date: '2099-01-05', recurrence: 'FREQ=DAILY' })
    const path = await feedOf(alice)
    const { body } = await alice.send('POST', `/api/tasks/${id}/complete`, { completed: true })

    const [item, ...others] = itemsIn((await read(path)).text)

    expect(others).toEqual([])
    expect(item?.getFirstPropertyValue('uid')).toBe(body.next_task.id)
    expect(String(item?.getFirstPropertyValue('dtstart'))).toBe('2099-01-06')
  })
})
