import { describe, expect, test } from 'bun:test'
import { type CalendarTask, calendarOf } from '../../src/feeds/calendar.ts'
import { naughtyTags, naughtyTexts } from '../support/tasks.ts'
import { itemsIn, parse } from './support.ts'

// What is in a calendar, line by line and as a reader has it.

const task = (more: Partial<CalendarTask> = {}): CalendarTask => ({
  id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  title: 'Water the plants',
  description: null,
  tags: [],
  priority: 'none',
  due_date: '2026-12-01',
  due_time: null,
  time_zone: null,
  completed_at: null,
  version: 3,
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-21T07:15:00.999999+00:00',
  series: null,
  ...more,
})

const timed = { due_time: '18:30:00' }
const berlin = { ...timed, time_zone: 'Europe/Berlin' }

/** The lines of the items, unfolded. */
const linesOf = async (tasks: CalendarTask[], as: 'event' | 'todo' = 'event') =>
  unfolded(await calendarOf('Home', tasks, as))
    .replace(/BEGIN:VTIMEZONE[^]*END:VTIMEZONE\r\n/, '')
    .split('\r\n')
    .slice(9, -2)

const unfolded = (text: string) => text.replaceAll(/\r\n[ \t]/g, '')

test('an event of all day', async () => {
  expect(await linesOf([task()])).toEqual([
    'BEGIN:VEVENT',
    'UID:019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
    'SEQUENCE:3',
    'DTSTAMP:20261121T071500Z',
    'CREATED:20261120T223642Z',
    'LAST-MODIFIED:20261121T071500Z',
    'SUMMARY:Water the plants',
    'STATUS:CONFIRMED',
    'DTSTART;VALUE=DATE:20261201',
    'DTEND;VALUE=DATE:20261202',
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ])
})

test('the head of a calendar, which is the same without tasks', async () => {
  expect((await calendarOf('At home, alone; \\o/', [], 'event')).split('\r\n')).toEqual([
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Docket//Docket//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    'NAME:At home\\, alone\\; \\\\o/',
    'X-WR-CALNAME:At home\\, alone\\; \\\\o/',
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'X-PUBLISHED-TTL:PT1H',
    'END:VCALENDAR',
    '',
  ])
})

test('description, tags and priority, where there are any', async () => {
  const more = { description: 'The ferns\nfirst', tags: ['home', 'a,b'] } as const
  const lines = async (priority: CalendarTask['priority']) =>
    (await linesOf([task({ ...more, tags: [...more.tags], priority })])).filter((line) =>
      /^(DESC|CAT|PRI)/.test(line),
    )

  expect(await lines('high')).toEqual([
    'DESCRIPTION:The ferns\\nfirst',
    'CATEGORIES:home,a\\,b',
    'PRIORITY:1',
  ])
  expect((await lines('medium')).at(-1)).toBe('PRIORITY:5')
  expect((await lines('low')).at(-1)).toBe('PRIORITY:9')
  expect(await lines('none')).toHaveLength(2)
})

describe('when it is', () => {
  const startOf = async (more: Partial<CalendarTask>) =>
    (await linesOf([task(more)])).filter((line) => /^(DTSTART|DTEND|DURATION|TRANSP)/.test(line))

  test('half an hour on the clock of whoever reads it', async () => {
    expect(await startOf(timed)).toEqual([
      'DTSTART:20261201T183000',
      'DURATION:PT30M',
      'TRANSP:TRANSPARENT',
    ])
  })
  test('of a zone, which is described', async () => {
    expect((await startOf(berlin))[0]).toBe('DTSTART;TZID=Europe/Berlin:20261201T183000')
    expect(await calendarOf('A', [task(berlin)], 'event')).toContain('TZID:Europe/Berlin\r\n')
  })
  test('in UTC, which is not', async () => {
    expect((await startOf({ ...timed, time_zone: 'UTC' }))[0]).toBe('DTSTART:20261201T183000Z')
    const text = await calendarOf('A', [task({ ...timed, time_zone: 'UTC' })], 'event')
    expect(text).not.toContain('VTIMEZONE')
  })
  test('on the first and the last day that there are', async () => {
    expect(await startOf({ due_date: '0001-01-01' })).toContain('DTSTART;VALUE=DATE:00010101')
    expect(await startOf({ due_date: '9999-12-31' })).toEqual([
      'DTSTART;VALUE=DATE:99991231',
      'TRANSP:TRANSPARENT',
    ])
    for (const due_date of ['0001-01-01', '9999-12-31']) {
      const text = await calendarOf('A', [task({ ...berlin, due_date })], 'event')
      expect(itemsIn(text)).toHaveLength(1)
    }
  })
})

describe('a series', () => {
  const rule = 'FREQ=MONTHLY;COUNT=3;BYDAY=1MO,-1FR;BYSETPOS=1;WKST=SU'
  const series = { id: '019d2f6e-0000-7000-8000-000000000000', rule, from: '2026-12-01' }
  const of = async (more: Partial<CalendarTask>) =>
    (await linesOf([task({ series, ...more })])).filter((line) =>
      /^(UID|RRULE|DTSTART|SEQ)/.test(line),
    )

  test('is one event, where the task is due on a day of it', async () => {
    expect(await of({})).toEqual([
      'UID:019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
      'SEQUENCE:3',
      `RRULE:${rule}`,
      'DTSTART;VALUE=DATE:20261201',
    ])
  })

  test('is a second event, where the task was moved away from it', async () => {
    expect(await of({ due_date: '2026-11-30' })).toEqual([
      'UID:019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
      'SEQUENCE:3',
      'DTSTART;VALUE=DATE:20261130',
      `UID:series-${series.id}`,
      `RRULE:${rule}`,
      'DTSTART;VALUE=DATE:20261201',
    ])
  })

  test('ends on a day, at a time, or at a moment, as it begins', async () => {
    const until = async (more: Partial<CalendarTask>, day = '20270628') => {
      const own = { ...series, rule: `FREQ=DAILY;UNTIL=${day}` }
      const [line] = (await of({ series: own, ...more })).filter((one) => one.startsWith('RRULE'))
      return line?.replace(/.*UNTIL=/, '')
    }
    expect(await until({})).toBe('20270628')
    expect(await until(timed)).toBe('20270628T183000')
    expect(await until({ ...timed, time_zone: 'UTC' })).toBe('20270628T183000Z')
    expect(await until(berlin)).toBe('20270628T163000Z')
    expect(await until(berlin, '20271224')).toBe('20271224T173000Z')
    // At an hour that there is not, and at one that there is twice.
    const night = { ...berlin, due_time: '02:30:00' }
    expect(await until(night, '20270328')).toBe('20270328T013000Z')
    expect(await until(night, '20271031')).toBe('20271031T003000Z')
  })

  test('is no matter of a to-do', async () => {
    const lines = await linesOf([task({ series })], 'todo')
    expect(lines.filter((line) => /^(UID|RRULE|DTSTART|DUE)/.test(line))).toEqual([
      'UID:019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
      'DUE;VALUE=DATE:20261201',
    ])
  })
})

test('a to-do, due or not, done or not', async () => {
  const of = async (more: Partial<CalendarTask>) =>
    (await linesOf([task(more)], 'todo')).filter((line) => /^(DUE|STAT|COMPL|BEG)/.test(line))
  expect(await of(berlin)).toEqual([
    'BEGIN:VTODO',
    'DUE;TZID=Europe/Berlin:20261201T183000',
    'STATUS:NEEDS-ACTION',
  ])
  expect(await of({ due_date: null, completed_at: '2026-11-21T07:15:00.5+00:00' })).toEqual([
    'BEGIN:VTODO',
    'STATUS:COMPLETED',
    'COMPLETED:20261121T071500Z',
  ])
  expect(await linesOf([task({ due_date: null })], 'event')).toEqual([])
})

/** What a text is to a reader: no control characters, and one kind of line. */
const read = (text: string) =>
  text
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')

test.each(naughtyTexts)('keeps %s within its line', async (_name, text) => {
  const lines = await calendarOf(text, [task({ title: text, description: text })], 'event')

  const [item, ...more] = itemsIn(lines)
  expect(more).toEqual([])
  expect(item?.getFirstPropertyValue('summary')).toBe(read(text))
  expect(item?.getFirstPropertyValue('description')).toBe(read(text))
  expect(parse(lines).getAllSubcomponents()).toHaveLength(1)
})

test('keeps tags apart', async () => {
  // ical.js reads a backslash before a comma as one that escapes it, whatever is before that.
  const tags = naughtyTags.filter((tag) => !tag.endsWith('\\'))
  const [item] = itemsIn(await calendarOf('A', [task({ tags })], 'event'))

  expect(item?.getFirstProperty('categories')?.getValues()).toEqual(tags.map(read))
  const lines = await linesOf([task({ tags: ['a\\', 'b'] })])
  expect(lines).toContain('CATEGORIES:a\\\\,b')
})

test('writes no line of more than 75 octets, breaks no character, and ends each with CR LF', async () => {
  const long = `${'Ü'.repeat(60)}${'🌿'.repeat(60)}${'é'.repeat(90)}\r\nBEGIN:VEVENT\rEND:VCALENDAR`
  const text = await calendarOf(
    long,
    [task({ title: long, description: long, tags: [long] })],
    'event',
  )

  const bytes = Buffer.from(text)
  const lines = bytes.toString('latin1').split('\r\n')
  expect(lines.filter((line) => line.length > 75)).toEqual([])
  expect(lines.join('')).not.toMatch(/[\r\n]/)
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  for (const line of lines) utf8.decode(Buffer.from(line, 'latin1'))
  expect(text.match(/^BEGIN:VEVENT$/gm)).toHaveLength(1)
  expect(text.endsWith('END:VCALENDAR\r\n')).toBe(true)
})

test('says the same of the same tasks', async () => {
  const tasks = [task(berlin), task({ ...berlin, id: crypto.randomUUID(), due_date: '2031-01-01' })]

  expect(await calendarOf('A', tasks, 'event')).toBe(await calendarOf('A', tasks, 'event'))
})

test('has what is many, each once', async () => {
  const tasks = Array.from({ length: 250 }, (_, n) => task({ id: `${n}` }))

  expect(itemsIn(await calendarOf('A', tasks, 'event'))).toHaveLength(250)
})

test.each([
  ['2026-03-29', 'DAYLIGHT\r\nDTSTART:20250330T020000', 'RDATE:20260329T020000'],
  ['2026-10-25', 'STANDARD\r\nDTSTART:20251026T030000', 'RDATE:20261025T030000'],
])('on the night of %s the clock of the wall is what counts', async (due_date, begin, change) => {
  const night = task({ ...berlin, due_date, due_time: '02:30:00' })

  const text = await calendarOf('A', [night], 'event')

  // Which moment that is says the zone, to each reader in its way: it is told when the clock changes.
  expect(text).toContain(`DTSTART;TZID=Europe/Berlin:${due_date.replaceAll('-', '')}T023000\r\n`)
  expect(text).toContain(`BEGIN:${begin}\r\n`)
  expect(text).toContain(`${change}\r\n`)
})
