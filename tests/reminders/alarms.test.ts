import { describe, expect, test } from 'bun:test'
import { signUp, sql, type TestUser } from '../support/app.ts'

// What is still to come of the reminders of a task, as the database keeps it, whoever writes.

const due = { due_date: '2100-12-01', due_time: '18:30', time_zone: 'Europe/Berlin' }

/** The reminders that are to come, and when, in UTC. */
const alarms = async ({ id }: TestUser): Promise<[string, string][]> => {
  const rows = await sql<{ reminder: string; at: string }[]>`
    select reminder, to_char(fires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as at
    from docket.alarms
    where user_id = ${id}
    order by fires_at, reminder`
  return rows.map(({ reminder, at }) => [reminder, at])
}

describe('a task reminds', () => {
  test.each([
    ['before it is due', due, '-PT30M', '2100-12-01 17:00'],
    ['when it is due', due, 'PT0S', '2100-12-01 17:30'],
    ['after it was due', due, 'P1DT2H', '2100-12-02 19:30'],
    [
      'where its user is not known to be, which is UTC',
      { due_date: '2100-12-01' },
      'PT9H',
      '2100-12-01 09:00',
    ],
    ['on the day before', { due_date: '2100-12-01' }, '-PT15H', '2100-11-30 09:00'],
    ['at a moment', {}, '2100-11-30T10:00:00+02:00', '2100-11-30 08:00'],
    // The clocks of Berlin go forward in the night to 28 March 2100: at two it is three.
    [
      'days before on the clock',
      { ...due, due_date: '2100-03-28', due_time: '12:00' },
      '-P1D',
      '2100-03-27 11:00',
    ],
    [
      'hours before as they go by',
      { ...due, due_date: '2100-03-28', due_time: '12:00' },
      '-PT24H',
      '2100-03-27 10:00',
    ],
    [
      'at the later hour of one that is left out',
      { ...due, due_date: '2100-03-28', due_time: '02:30' },
      'PT0S',
      '2100-03-28 01:30',
    ],
    // And back in that to 31 October: at three it is two once more.
    [
      'at the first of an hour that comes twice',
      { ...due, due_date: '2100-10-31', due_time: '02:30' },
      'PT0S',
      '2100-10-31 00:30',
    ],
  ])('%s', async (_when, fields, reminder, at) => {
    const alice = await signUp()

    const { reminders } = await alice.create({ ...fields, reminders: [reminder] })

    expect(await alarms(alice)).toEqual([[reminders[0], at]])
  })
})

test('at no moment of an hour, of whatever change of the clocks in whatever zone, is the database of another mind than Temporal', async () => {
  const asked: { wall: string; zone: string; at: string; shown: string }[] = []
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    let at = Temporal.Instant.from('2025-01-01T00:00:00Z').toZonedDateTimeISO(zone)
    for (;;) {
      const change = at.getTimeZoneTransition('next')
      if (change === null || change.year > 2026) break
      at = change
      const before = change.subtract({ nanoseconds: 1 }).toPlainDateTime().round('minute')
      for (const base of [before, change.toPlainDateTime()]) {
        for (const minutes of [-90, -45, -1, 0, 1, 45, 90]) {
          const wall = base.add({ minutes })
          const moment = wall.toZonedDateTime(zone)
          const shown = moment.toPlainDateTime().toString()
          asked.push({ wall: wall.toString(), zone, at: moment.toInstant().toString(), shown })
        }
      }
    }
  }

  const compared = await sql<{ zone: string; wrong: number; is_same: boolean }[]>`
    select zone, count(*) filter (where docket.moment_of(wall, zone) <> at)::integer as wrong,
      bool_and((at at time zone zone) = shown) as is_same
    from json_to_recordset(${JSON.stringify(asked)}::text::json) as a (wall timestamp, zone text, at timestamptz, shown timestamp)
    where zone in (select name from pg_timezone_names)
    group by zone`

  // The two may have different editions of the database of zones.
  const known = compared.filter(({ is_same }) => is_same)
  expect(known.length).toBeGreaterThan(100)
  expect(known.filter(({ wrong }) => wrong > 0)).toEqual([])
})

describe('what is to come follows the task', () => {
  const both: [string, string][] = [
    ['-P1D', '2100-11-30 17:30'],
    ['-PT30M', '2100-12-01 17:00'],
  ]
  const reminders = ['-PT30M', '-P1D']

  test('when it is moved, completed, reopened, trashed, restored and purged', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ ...due, reminders })
    const seen = [await alarms(alice)]
    for (const [method, path, body] of [
      ['PATCH', '', { title: 'Another' }],
      ['POST', '/complete', { completed: true }],
      ['POST', '/complete', { completed: false }],
      ['DELETE', '', undefined],
      ['POST', '/restore', undefined],
      ['PATCH', '', { due_time: '19:30' }],
      ['PATCH', '', { reminders: ['-P1D'] }],
      ['PATCH', '', { reminders: null }],
    ] as const) {
      await alice.send(method, `/api/tasks/${id}${path}`, body)
      seen.push(await alarms(alice))
    }

    expect(seen).toEqual([
      both,
      both,
      [],
      both,
      [],
      both,
      [
        ['-P1D', '2100-11-30 18:30'],
        ['-PT30M', '2100-12-01 18:00'],
      ],
      [['-P1D', '2100-11-30 18:30']],
      [],
    ])
  })

  test('when many are changed together, and when that is undone', async () => {
    const alice = await signUp()
    const task = await alice.create({ ...due, reminders })
    await alice.create({ ...due, reminders: ['PT0S'], parent_id: task.id })
    const before = await alarms(alice)

    await alice.send(
      'POST',
      '/api/tasks/bulk',
      { ids: [task.id], action: 'complete' },
      { 'x-request-id': 'all' },
    )
    const after = await alarms(alice)
    await alice.send('POST', '/api/undo', { request_id: 'all' })

    expect([before.length, after, await alarms(alice)]).toEqual([3, [], before])
  })

  test('to the user who adopts it', async () => {
    const [alice, guest] = [await signUp(), await signUp()]
    await guest.send('PATCH', '/api/me', { time_zone: 'Asia/Tokyo' })
    await guest.create({ due_date: '2100-12-01', reminders: ['PT9H'] })

    const { status } = await alice.send('POST', '/api/me/adopt', {
      token: guest.authorization.replace('Bearer ', ''),
    })

    expect(status).toBe(200)
    expect(await alarms(guest)).toEqual([])
    expect(await alarms(alice)).toEqual([['PT9H', '2100-12-01 00:00']])
  })

  test('to the end of the account', async () => {
    const alice = await signUp()
    await alice.create({ ...due, reminders })

    await alice.send('DELETE', '/api/me', { confirm: alice.id })

    expect(await alarms(alice)).toEqual([])
  })
})

test('what is past reminds of nothing, unless it is overdue and still meant', async () => {
  const alice = await signUp()
  const { id } = await alice.create({ due_date: '2020-12-01', reminders: ['PT0S', '-P1D'] })
  const made = await alarms(alice)
  await sql`
    insert into docket.alarms (user_id, task_id, reminder, fires_at)
    values (${alice.id}, ${id}, 'PT0S', '2020-12-01T00:00Z')`
  await alice.send('PATCH', `/api/tasks/${id}`, { reminders: ['PT0S'] })
  const kept = await alarms(alice)
  await alice.send('PATCH', `/api/tasks/${id}`, { due_date: '2020-12-02' })

  expect([made, kept, await alarms(alice)]).toEqual([[], [['PT0S', '2020-12-01 00:00']], []])
})

test('what has no zone of its own goes by where the user is, and only that', async () => {
  const alice = await signUp()
  await alice.create({ due_date: '2100-12-01', reminders: ['PT9H', '2100-12-01T12:00:00Z'] })
  await alice.create({ due_date: '2100-12-01', due_time: '20:00', reminders: ['PT0S'] })
  await alice.create({ ...due, reminders: ['-PT30M'] })
  const done = await alice.create({ due_date: '2100-12-01', reminders: ['PT1H'] })
  await alice.send('POST', `/api/tasks/${done.id}/complete`)
  const seen = [await alarms(alice)]

  for (const time_zone of ['America/New_York', 'America/New_York', null]) {
    await alice.send('PATCH', '/api/me', { time_zone })
    seen.push(await alarms(alice))
  }

  const [atFirst, abroad] = [
    [
      ['PT9H', '2100-12-01 09:00'],
      ['2100-12-01T12:00:00+00:00', '2100-12-01 12:00'],
      ['-PT30M', '2100-12-01 17:00'],
      ['PT0S', '2100-12-01 20:00'],
    ],
    [
      ['2100-12-01T12:00:00+00:00', '2100-12-01 12:00'],
      ['PT9H', '2100-12-01 14:00'],
      ['-PT30M', '2100-12-01 17:00'],
      ['PT0S', '2100-12-02 01:00'],
    ],
  ]
  expect(seen).toEqual([atFirst, abroad, abroad, atFirst] as typeof seen)
})
