import { expect, test } from 'bun:test'
import type { App } from '../../src/app.ts'
import { lists, names } from '../lists/support.ts'
import { createTestApp, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, list } from '../support/tasks.ts'
import { fixture, importAs } from './support.ts'

const todoist = '?from=todoist&name=Home.csv'
const file = await fixture('todoist.csv')

/** Each with what it is under, list by list. */
const tree = async (user: TestUser) => {
  const all = (await lists(user)).map(({ id }) => list(user, `?list=${id}&sort=position&limit=200`))
  const tasks = (await Promise.all(all)).flat()
  const byId = new Map(tasks.map((task) => [task.id, task]))
  return tasks.map(({ title, parent_id }) => [byId.get(parent_id ?? '')?.title ?? null, title])
}

test('makes lists, tasks and trees, in the order of the file', async () => {
  const alice = await signUp()

  const { status, body } = await importAs(alice, todoist, file)

  expect(status).toBe(200)
  expect(body).toMatchObject({ tasks: 8, lists: 2, skipped: 0, warning_count: 4 })
  expect(await names(alice)).toEqual(['Home', 'Home / Garden'])
  expect(await tree(alice)).toEqual([
    [null, 'Water the plants'],
    ['Water the plants', 'Fill the can'],
    ['Fill the can', 'Find the can'],
    [null, 'Call'],
    [null, 'Tools'],
    ['Tools', 'Rake'],
    [null, 'Call'],
    [null, 'Call'],
  ])
  const [water] = await list(alice, '?q=plants')
  expect(water).toMatchObject({
    user_id: alice.id,
    title: 'Water the plants',
    tags: ['home', 'garden'],
    priority: 'high',
    due_date: '2026-12-01',
    completed: false,
    version: 1,
  })
  expect(await list(alice, '?tag=garden')).toEqual([water] as never)
})

test.each([
  ['todoist', 'todoist.json', 'application/json', 8, 3],
  ['ticktick', 'ticktick.csv', 'application/octet-stream', 10, 2],
  ['ical', 'tasks.ics', 'text/calendar; charset=utf-8', 11, 1],
])('takes %s of %s as %s, and twice is once', async (from, name, type, tasks, made) => {
  const alice = await signUp()
  const bytes = await fixture(name)

  const first = await importAs(alice, `?from=${from}`, bytes, type)
  const before = [await list(alice, '?limit=200'), await lists(alice)]
  const second = await importAs(alice, `?from=${from}`, bytes, type)

  expect(first.body).toMatchObject({ tasks, lists: made, skipped: 0 })
  expect(second.body).toMatchObject({ tasks: 0, lists: 0, skipped: tasks })
  expect([await list(alice, '?limit=200'), await lists(alice)]).toEqual(before as never)
})

test('goes on with what repeats, and takes for a one-off what cannot', async () => {
  const alice = await signUp()
  const todo = (title: string, ...lines: string[]) =>
    ['BEGIN:VTODO', `UID:${title}`, `SUMMARY:${title}`, ...lines, 'END:VTODO'].join('\n')
  const calendar = [
    'BEGIN:VCALENDAR',
    todo('Weekly', 'DUE;VALUE=DATE:20261201', 'RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TU'),
    todo('Hourly', 'DUE:20261201T090000', 'RRULE:FREQ=HOURLY'),
    todo('Under', 'RELATED-TO:Weekly', 'DUE;VALUE=DATE:20261201', 'RRULE:FREQ=DAILY'),
    'END:VCALENDAR',
  ].join('\n')

  const { body } = await importAs(alice, '?from=ical', calendar)

  const [weekly, hourly, under] = await list(alice, '?sort=position')
  expect(weekly).toMatchObject({
    due_date: '2026-12-01',
    recurrence: 'FREQ=WEEKLY;BYDAY=TU',
    repeat_from: 'due',
    series_id: weekly?.id,
    occurrence: '2026-12-01',
  })
  expect(hourly).toMatchObject({ due_time: '09:00:00', recurrence: null, series_id: null })
  expect(under).toMatchObject({ parent_id: weekly?.id, recurrence: null })
  expect(body.warnings.map(({ what }: { what: string }) => what)).toEqual([
    '“Under”: that it repeats (FREQ=DAILY) is not taken: it is under another task.',
    expect.stringContaining(
      '“Hourly”: that it repeats (FREQ=HOURLY) is not taken: the rule must have FREQ',
    ),
  ])

  const done = await alice.send('POST', `/api/tasks/${weekly?.id}/complete`, {})
  expect(done.body.next_task.due_date > '2026-12-01').toBeTrue()
  expect((await importAs(alice, '?from=ical', calendar)).body).toMatchObject({
    tasks: 0,
    skipped: 3,
  })
})

test('reminds of what is to come, and not of what is past or done', async () => {
  const alice = await signUp()
  const rows = [
    'Soon,2099-12-01T09:00:00+0000,-PT30M,,0',
    'Past,2020-12-01T09:00:00+0000,-PT30M,,0',
    'Done,2099-12-01T09:00:00+0000,-PT30M,,2',
    'Often,2099-12-01T09:00:00+0000,"TRIGGER:-PT30M\n-P1D",RRULE:FREQ=DAILY,0',
    'Odd,2099-12-01T09:00:00+0000,-P1M,,0',
    'Dateless,,-PT30M,,0',
  ]

  const { body } = await importAs(
    alice,
    '?from=ticktick',
    `List Name,Title,Due Date,Reminder,Repeat,Status\n${rows.map((row) => `,${row}\n`).join('')}`,
  )

  const tasks = await list(alice, '?sort=position')
  expect(tasks.map(({ title, reminders }) => [title, reminders])).toEqual([
    ['Soon', ['-PT30M']],
    ['Past', ['-PT30M']],
    ['Done', []],
    ['Often', ['-PT30M', '-P1D']],
    ['Odd', []],
    ['Dateless', []],
  ])
  expect(body.warnings).toEqual([
    { line: 7, what: '“Odd”: its reminder (-P1M) is not taken.' },
    { line: 8, what: '“Dateless”: its reminder (-PT30M) is not taken.' },
  ])
  const alarms = await sql<{ task_id: string }[]>`
    select task_id from docket.alarms where user_id = ${alice.id}`
  const titles = alarms.map(({ task_id }) => tasks.find(({ id }) => id === task_id)?.title)
  expect(Object.groupBy(titles, (title) => title ?? '')).toEqual({
    Soon: ['Soon'],
    Often: ['Often', 'Often'],
  })
})

test('begins what has no first day with the first that comes', async () => {
  const alice = await signUp()

  await importAs(
    alice,
    '?from=todoist',
    'TYPE,CONTENT,DATE\ntask,A,every day at 9am\ntask,B,every day until 1 Jan 2020 at 9am\n',
  )

  const [a, b] = await list(alice, '?sort=position')
  const today = Temporal.Now.plainDateISO('UTC')
  expect([today.toString(), today.subtract({ days: 1 }).toString()]).toContain(
    a?.due_date as string,
  )
  expect(a).toMatchObject({ recurrence: 'FREQ=DAILY', due_time: '09:00:00' })
  expect(b).toMatchObject({ recurrence: null, due_date: null, due_time: null })
})

test('takes what was done as it was done, and spawns nothing', async () => {
  const alice = await signUp()
  await importAs(alice, '?from=ticktick', await fixture('ticktick.csv'))

  const done = await list(alice, '?status=completed&sort=position')

  expect(done.map(({ title }) => title)).toEqual(['Done', 'Archived', 'Given up', 'Milk'])
  expect(done[0]?.completed_at).toBe('2026-03-04T05:06:07+00:00')
  expect(done[2]?.completed_at).toBe(done[2]?.updated_at as string)
})

test('says the same beforehand, and writes nothing', async () => {
  const alice = await signUp()

  const { request_id: _dry, ...dry } = (await importAs(alice, `${todoist}&dry_run=true`, file)).body
  expect(await list(alice)).toEqual([])
  expect(await lists(alice)).toEqual([])

  const { request_id: _, ...made } = (await importAs(alice, todoist, file)).body
  expect(dry).toEqual(made)
})

test('keeps what was changed, moved, trashed or purged since, and adds what is missing', async () => {
  const alice = await signUp()
  await importAs(alice, todoist, file)
  const find = async (title: string) => {
    const [task] = (await list(alice)).filter((one) => one.title === title)
    if (task === undefined) throw new Error(`There is no ${title}.`)
    return task
  }
  const [water, fill, tools, rake] = await Promise.all(
    ['Water the plants', 'Fill the can', 'Tools', 'Rake'].map(find),
  )
  await alice.send('PATCH', `/api/tasks/${water?.id}`, { title: 'Changed', tags: [] })
  await alice.send('POST', `/api/tasks/${fill?.id}/move`, { list_id: null })
  await alice.send('DELETE', `/api/tasks/${tools?.id}`)
  await alice.send('DELETE', `/api/trash/${rake?.id}`)
  const before = await list(alice, '?sort=position')

  const { body } = await importAs(alice, todoist, file)

  expect(body).toMatchObject({ tasks: 1, lists: 0, skipped: 7 })
  const after = await list(alice, '?sort=position')
  const [added] = after.filter(({ id }) => !before.some((one) => one.id === id))
  expect(added).toMatchObject({ id: rake?.id, parent_id: null, title: 'Rake' })
  expect(after.filter(({ id }) => id !== added?.id)).toEqual(before)
  expect(body.warnings).toContainEqual({
    line: 12,
    what: '“Rake”: what it is under is in the trash: it comes under nothing.',
  })
})

test('is undone by its request, and stands in the history', async () => {
  const alice = await signUp()
  const { id } = await alice.create({ title: 'Mine' })
  const { body, headers } = await importAs(alice, todoist, file)
  const [task] = await list(alice, '?q=rake')

  expect(body.request_id).toBe(headers.get('x-request-id'))
  const { body: history } = await alice.send('GET', `/api/tasks/${task?.id}/history`)
  expect(history).toMatchObject([
    { action: 'imported', by: { kind: 'jwt' }, request_id: body.request_id },
  ])

  const undone = await alice.send('POST', '/api/undo', { request_id: body.request_id })

  expect(undone.status).toBe(200)
  expect((await list(alice)).map((one) => one.id)).toEqual([id])
  expect(await lists(alice)).toEqual([])
})

test('counts for the quota, and makes nothing where it is too much', async () => {
  const alice = await signUp()
  await alice.create()
  await alice.create()
  // One that has counted nothing yet.
  const newApp = () => createTestApp({ quota: { tasks: 9, bytes: null } })
  const call = (app: App) =>
    send('POST', `/api/me/import${todoist}`, {
      app,
      headers: { authorization: alice.authorization, 'content-type': 'text/csv' },
      raw: file,
    })

  const refused = await call(newApp())
  expect([refused.status, refused.body.code]).toEqual([422, 'quota_exceeded'])
  expect(await list(alice)).toHaveLength(2)
  expect(await lists(alice)).toEqual([])

  const [one] = await list(alice)
  await alice.send('DELETE', `/api/tasks/${one?.id}`)
  await alice.send('DELETE', `/api/trash/${one?.id}`)
  const app = newApp()
  expect((await call(app)).body.tasks).toBe(8)
  // What is there already adds nothing.
  expect((await call(app)).body).toMatchObject({ tasks: 0, skipped: 8 })
})

test('of two at once makes everything once', async () => {
  const alice = await signUp()

  const answers = await Promise.all(Array.from({ length: 4 }, () => importAs(alice, todoist, file)))

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(await list(alice)).toHaveLength(8)
  expect((await tree(alice)).filter(([parent]) => parent !== null)).toHaveLength(3)
  expect(await names(alice)).toEqual(['Home', 'Home / Garden'])
})

test('imports for who asks, and nobody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]

  const [hers, his] = [await importAs(alice, todoist, file), await importAs(bob, todoist, file)]

  expect([hers.body.tasks, his.body.tasks]).toEqual([8, 8])
  const ids = new Set([...(await list(alice)), ...(await list(bob))].map(({ id }) => id))
  expect(ids.size).toBe(16)
})

test('reads times that are in UTC on the clock of the user', async () => {
  const alice = await signUp()
  await alice.send('PATCH', '/api/me', { time_zone: 'Asia/Tokyo' })

  await importAs(alice, '?from=ical', await fixture('tasks.ics'))

  expect((await list(alice, '?q=call'))[0]).toMatchObject({
    due_date: '2026-07-01',
    due_time: '17:00:00',
    time_zone: 'Asia/Tokyo',
  })
})

test('answers 200 warnings, and how many there are', async () => {
  const alice = await signUp()
  const rows = Array.from({ length: 300 }, (_, n) => `task,${n},tomorrow\n`)

  const { body } = await importAs(alice, '?from=todoist', `TYPE,CONTENT,DATE\n${rows.join('')}`)

  expect([body.tasks, body.warnings.length, body.warning_count]).toEqual([300, 200, 300])
  expect(body.warnings[0].line).toBe(2)
})

test('refuses what is no such file, with what is wrong', async () => {
  const alice = await signUp()
  const call = (query: string, body: string, type = 'text/csv') =>
    importAs(alice, query, body, type)

  expect((await call('', 'x')).body.detail).toContain('Line 1: it is not JSON')
  expectInvalid(await call('?from=asana&dry_run=maybe&x=1', 'x'), '/x', '/from', '/dry_run')
  expect((await call('?from=todoist', 'a,b')).body).toMatchObject({
    status: 422,
    detail:
      'The body is no export of Todoist: neither CSV with the columns TYPE and CONTENT, nor the JSON of its API with items.',
    errors: [{ pointer: '' }],
  })
  expect(
    (await call('?from=ical', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT')).body.detail,
  ).toContain('events')
  expect((await call('?from=todoist', 'x', 'multipart/form-data')).status).toBe(415)
  expect((await call('?from=todoist', 'x'.repeat(8 * 1024 * 1024 + 1))).status).toBe(413)
  const many = `TYPE,CONTENT\n${Array.from({ length: 20_001 }, (_, n) => `task,${n}\n`).join('')}`
  expect((await call('?from=todoist', many)).body.detail).toContain('more than 20000 tasks')
})
