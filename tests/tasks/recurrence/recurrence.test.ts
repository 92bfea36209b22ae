import { describe, expect, test } from 'bun:test'
import {
  type AskedRule,
  type Dated,
  nextOf,
  occurrencesOf,
  type Repeating,
  RuleFault,
  readRule,
  todayIn,
  writtenRule,
} from '../../../src/tasks/recurrence/recurrence.ts'

const today = '2026-11-27' // A Friday.

const written = (asked: AskedRule, due_date: string | null = today) =>
  writtenRule(asked, { due_date }, today)

function faultOf(call: () => unknown): string {
  try {
    return `none, but ${JSON.stringify(call())}`
  } catch (error) {
    if (error instanceof RuleFault) return error.message
    throw error
  }
}

const ofMonths = 'only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH'

describe('a rule has one written form', () => {
  test.each<[string, string]>([
    ['rrule:freq=daily', 'FREQ=DAILY'],
    ['\tFreq=Weekly;ByDay=mo;\r\n', 'FREQ=WEEKLY;BYDAY=MO'],
    ['BYDAY=MO;INTERVAL=2;FREQ=WEEKLY', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO'],
    ['WKST=SU;COUNT=3;BYDAY=SU,MO;FREQ=WEEKLY', 'FREQ=WEEKLY;BYDAY=MO,SU;WKST=SU;COUNT=3'],
    ['FREQ=DAILY;INTERVAL=1', 'FREQ=DAILY'],
    ['FREQ=DAILY;INTERVAL=0999', 'FREQ=DAILY;INTERVAL=999'],
    ['FREQ=DAILY;COUNT=9999', 'FREQ=DAILY;COUNT=9999'],
    ['FREQ=MONTHLY;WKST=SU', 'FREQ=MONTHLY'],
    ['FREQ=YEARLY;BYMONTH=02,2,+2,12', 'FREQ=YEARLY;BYMONTH=2,12'],
    ['FREQ=MONTHLY;BYMONTHDAY=+31,31,-31,01', 'FREQ=MONTHLY;BYMONTHDAY=-31,1,31'],
    ['FREQ=WEEKLY;BYDAY=SU,MO,SU,MO', 'FREQ=WEEKLY;BYDAY=MO,SU'],
    ['FREQ=MONTHLY;BYDAY=2MO,MO,-1MO,+2MO,1TU', 'FREQ=MONTHLY;BYDAY=-1MO,MO,2MO,1TU'],
    ['FREQ=MONTHLY;BYDAY=MO,-1MO,1TU,2MO', 'FREQ=MONTHLY;BYDAY=-1MO,MO,2MO,1TU'],
    [`FREQ=MONTHLY;BYMONTHDAY=${'15,'.repeat(150)}15`, 'FREQ=MONTHLY;BYMONTHDAY=15'],
    ['FREQ=DAILY;UNTIL=99991231', 'FREQ=DAILY;UNTIL=99991231'],
    ['FREQ=DAILY;UNTIL=00010101', 'FREQ=DAILY;UNTIL=00010101'],
    ['FREQ=DAILY;UNTIL=20280229', 'FREQ=DAILY;UNTIL=20280229'],
  ])('%p', (text, rule) => {
    expect(written(text)).toBe(rule)
    expect(written(rule)).toBe(rule)
  })
})

describe('what is no rule of a task is refused, and the part named', () => {
  const notRule = 'must be an RRULE of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO'
  const frequency = 'must have FREQ as one of DAILY, WEEKLY, MONTHLY, YEARLY'
  const interval = 'must have INTERVAL from 1 to 999'
  const count = 'must have COUNT from 1 to 9999'
  const months = 'must have BYMONTH as numbers from 1 to 12, with commas between'
  const monthDays = 'must have BYMONTHDAY as numbers from 1 to 31 or -1 to -31, with commas between'
  const days = 'must have BYDAY as days such as MO or, of a month, 1MO to 5MO, -1MO to -5MO'
  const positions =
    'may have BYSETPOS only with FREQ=MONTHLY or FREQ=YEARLY, and with BYDAY or BYMONTHDAY'
  const until = 'must have UNTIL as a day, YYYYMMDD'
  const unknown = (name: string) =>
    `has ${name}, which is not taken: take only FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS, WKST`
  test.each<[string, string]>([
    [`FREQ=DAILY;${' '.repeat(500)}`, 'must have at most 500 characters'],
    ['FREQ=', frequency],
    ['FREQ=HOURLY', frequency],
    ['freq=daıly', frequency],
    ['INTERVAL=2;COUNT=3', frequency],
    ['FREQ=DAILY;RRULE:FREQ=DAILY', notRule],
    ['RRULE:RRULE:FREQ=DAILY', notRule],
    ['FREQ=DAILY;;INTERVAL=2', notRule],
    [';FREQ=DAILY', notRule],
    ['FREQ=DAILY\nRRULE:FREQ=WEEKLY', notRule],
    ['FREQ=DAILY\u2028INTERVAL=2', notRule],
    ['FREQ =DAILY', notRule],
    ['FREQ=DAILY;BYſETPOS=1', notRule],
    ['=DAILY', notRule],
    ['FREQ=DAILY ;INTERVAL=2', frequency],
    ['FREQ=DAILY;freq=daily', 'must have FREQ once'],
    ['FREQ=DAILY;BYHOUR=9', unknown('BYHOUR')],
    ['FREQ=DAILY;EXDATE=20261201', unknown('EXDATE')],
    ['FREQ=DAILY;CONSTRUCTOR=1', unknown('CONSTRUCTOR')],
    ['FREQ=DAILY;INTERVAL=٢', interval],
    ['FREQ=DAILY;INTERVAL=1000', interval],
    ['FREQ=DAILY;INTERVAL=99999999999999999999', interval],
    ['FREQ=DAILY;INTERVAL=-1', interval],
    ['FREQ=DAILY;INTERVAL=1.5', interval],
    ['FREQ=DAILY;INTERVAL=0x2', interval],
    ['FREQ=DAILY;COUNT=10000', count],
    ['FREQ=DAILY;COUNT=', count],
    ['FREQ=DAILY;COUNT=1;UNTIL=20261231', 'may have COUNT or UNTIL, not both'],
    ['FREQ=DAILY;BYMONTH=0', months],
    ['FREQ=DAILY;BYMONTH=-1', months],
    ['FREQ=DAILY;BYMONTH=1,', months],
    ['FREQ=DAILY;BYMONTH=5L', months],
    ['FREQ=MONTHLY;BYMONTHDAY=32', monthDays],
    ['FREQ=MONTHLY;BYMONTHDAY=-32', monthDays],
    ['FREQ=MONTHLY;BYMONTHDAY=-0', monthDays],
    ['FREQ=MONTHLY;BYMONTHDAY=--1', monthDays],
    ['FREQ=MONTHLY;BYMONTHDAY=１', monthDays],
    ['FREQ=WEEKLY;BYMONTHDAY=1', `may have BYMONTHDAY ${ofMonths}`],
    ['FREQ=YEARLY;BYMONTHDAY=1', `may have BYMONTHDAY ${ofMonths}`],
    ['FREQ=MONTHLY;BYDAY=6MO', days],
    ['FREQ=MONTHLY;BYDAY=01MO', days],
    ['FREQ=MONTHLY;BYDAY=+MO', days],
    ['FREQ=MONTHLY;BYDAY=-MO', days],
    ['FREQ=MONTHLY;BYDAY=MO TU', days],
    ['FREQ=WEEKLY;BYDAY=-1MO', `may have BYDAY with a number ${ofMonths}`],
    ['FREQ=YEARLY;BYDAY=MO,1TU', `may have BYDAY with a number ${ofMonths}`],
    ['FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1', positions],
    ['FREQ=YEARLY;BYMONTH=2;BYSETPOS=1', positions],
    ['FREQ=WEEKLY;WKST=1', 'must have WKST as a day such as MO'],
    ['FREQ=DAILY;UNTIL=20260229', until],
    ['FREQ=DAILY;UNTIL=00000101', until],
    ['FREQ=DAILY;UNTIL=2026-12-31', until],
    ['FREQ=DAILY;UNTIL=+0202612', until],
    ['FREQ=DAILY;UNTIL=20261231T240000', until],
    ['FREQ=DAILY;UNTIL=20261231T0900', until],
  ])('%p', (text, fault) => {
    expect(faultOf(() => written(text))).toBe(fault)
  })
})

describe('UNTIL is the last day on which the task is not due after it', () => {
  const until = (moment: string, due_time: string | null, time_zone: string | null, user = 'UTC') =>
    writtenRule(`FREQ=DAILY;UNTIL=${moment}`, { due_time, time_zone }, today, user)?.slice(-8)

  test.each<[string, string | null, string | null, string]>([
    ['20261231', '23:59', 'Asia/Tokyo', '20261231'],
    ['20261231T000000Z', null, 'America/New_York', '20261230'],
    ['20261231T235959Z', '09:00', 'Asia/Tokyo', '20261231'],
    ['20261231T235959Z', '08:59:59', 'Asia/Tokyo', '20270101'],
    // At 02:30 the clock goes forward over it: the task is due at 03:30.
    ['20260329T012959Z', '02:30', 'Europe/Berlin', '20260328'],
    ['20260329T013000Z', '02:30', 'Europe/Berlin', '20260329'],
    // 02:30 comes twice: the task is due at the first.
    ['20261025T003000Z', '02:30', 'Europe/Berlin', '20261025'],
    ['20261025T010000Z', '02:30', 'Europe/Berlin', '20261025'],
    ['20261025T002959Z', '02:30', 'Europe/Berlin', '20261024'],
    // On the wall, wherever that is: 30 December 2011 was not in Samoa.
    ['20111230T100000', '10:00', 'Pacific/Apia', '20111230'],
    ['99991231T235959Z', null, 'Asia/Tokyo', '99991231'],
    ['00010101T000000Z', null, 'America/New_York', '00010101'],
    ['00010101T000000', '09:00', null, '00010101'],
  ])('%s, due at %p in %p', (moment, time, zone, day) => {
    expect(until(moment, time, zone)).toBe(day)
  })

  test('without a zone of the task, the user’s is meant', () => {
    expect(until('20261231T150000Z', null, null, 'Asia/Tokyo')).toBe('20270101')
    expect(until('20261231T150000Z', null, 'UTC', 'Asia/Tokyo')).toBe('20261231')
  })
})

describe('a word is a rule', () => {
  test.each<[AskedRule, string, string | null]>([
    ['DAILY', today, 'FREQ=DAILY'],
    [' Biweekly\n', today, 'FREQ=WEEKLY;INTERVAL=2'],
    ['None', today, null],
    [{ frequency: 'Daily' }, today, 'FREQ=DAILY'],
    [{ frequency: 'none', interval: 2 }, today, null],
    [{ frequency: 'weekdays', interval: 2 }, today, 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR'],
    [{ frequency: 'biweekly', interval: 2 }, today, 'FREQ=WEEKLY;INTERVAL=4'],
    [{ frequency: 'daily', interval: 999 }, today, 'FREQ=DAILY;INTERVAL=999'],
    [
      { frequency: 'yearly', interval: 4 },
      '2024-02-29',
      'FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=-1',
    ],
    [
      { frequency: 'monthly', interval: 12 },
      '2024-02-29',
      'FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=28,29;BYSETPOS=-1',
    ],
    ['yearly', '2024-02-28', 'FREQ=YEARLY'],
    ['quarterly', '2026-01-31', 'FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1'],
    ['weekly', '2026-01-31', 'FREQ=WEEKLY'],
  ])('%j on %s', (asked, due_date, rule) => {
    expect(written(asked, due_date)).toBe(rule)
  })

  test('from completion it has no day', () => {
    const rules = ['monthly', 'yearly', { frequency: 'quarterly' }].map((asked) =>
      writtenRule(asked, { due_date: '2024-02-29', repeat_from: 'completion' }, today),
    )
    expect(rules).toEqual(['FREQ=MONTHLY', 'FREQ=YEARLY', 'FREQ=MONTHLY;INTERVAL=3'])
  })

  test('an RRULE is followed to the letter', () => {
    expect(written('FREQ=MONTHLY', '2026-01-31')).toBe('FREQ=MONTHLY')
  })

  const words =
    'must be none, daily, weekdays, weekly, biweekly, fortnightly, monthly, quarterly, yearly, annually, or an RRULE such as FREQ=WEEKLY;BYDAY=MO'
  const range = 'must have an interval from 1 to 999'
  test.each<[AskedRule, string]>([
    ['', words],
    [' ', words],
    ['often', words],
    ['wee\u212Aly', words],
    ['constructor', words],
    ['every day', words],
    [{ frequency: '' }, words],
    [{ frequency: 'FREQ=DAILY' }, words],
    [{ frequency: 'daily', interval: 0 }, range],
    [{ frequency: 'daily', interval: -1 }, range],
    [{ frequency: 'daily', interval: 1.5 }, range],
    [{ frequency: 'daily', interval: Number.NaN }, range],
    [{ frequency: 'daily', interval: 1000 }, range],
    [{ frequency: 'daily', interval: '2' as unknown as number }, range],
    [{ frequency: 'quarterly', interval: 500 }, 'must have INTERVAL from 1 to 999'],
  ])('but %j is none', (asked, fault) => {
    expect(faultOf(() => written(asked))).toBe(fault)
  })
})

describe('a task that begins to repeat', () => {
  const read = (asked: AskedRule | null, due_date: string | null, on = today) =>
    readRule(asked, { due_date }, on)
  const faultWith = async (asked: AskedRule, due_date: string | null, on = today) => {
    const fault: unknown = await read(asked, due_date, on).catch((error: unknown) => error)
    return fault instanceof RuleFault ? fault.message : fault
  }

  test('begins on the day on which it is due, whether the rule has that or not', async () => {
    expect(await read('FREQ=WEEKLY;BYDAY=MO', today)).toEqual({
      recurrence: 'FREQ=WEEKLY;BYDAY=MO',
      due_date: today,
    })
  })

  test.each<[AskedRule, string]>([
    ['daily', today],
    ['monthly', today],
    ['weekdays', today],
    ['FREQ=WEEKLY;BYDAY=MO', '2026-11-30'],
    // The interval begins with it.
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', '2026-11-30'],
    ['FREQ=DAILY;INTERVAL=14;BYDAY=TU', '2026-12-01'],
    ['FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=1', '2026-12-01'],
    ['FREQ=YEARLY;BYMONTH=3', '2027-03-27'],
    ['FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29', '2028-02-29'],
    ['FREQ=DAILY;COUNT=1', today],
    ['FREQ=DAILY;UNTIL=20261127', today],
  ])('%j without a due date begins on the first day of the rule', async (asked, day) => {
    expect((await read(asked, null))?.due_date).toBe(day)
  })

  test('without a due date a word means today', async () => {
    expect(await read('monthly', null, '2026-01-30')).toEqual({
      recurrence: 'FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1',
      due_date: '2026-01-30',
    })
  })

  test('none of it is none', async () => {
    expect([await read(null, today), await read('none', null)]).toEqual([null, null])
  })

  const never = 'must come again within 100 years'
  test.each<[AskedRule, string | null, string]>([
    ['FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2', today, never],
    ['FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2', null, never],
    ['FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2;COUNT=1', today, never],
    ['FREQ=YEARLY;INTERVAL=101', today, never],
    ['FREQ=DAILY;INTERVAL=7;BYDAY=MO', today, never],
    ['daily', '9999-12-31', never],
    ['FREQ=YEARLY;INTERVAL=999', '9500-01-01', never],
    [
      'FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129',
      null,
      'must have UNTIL not before its first day from today on, or go with a due_date',
    ],
  ])('%j, due on %p, is refused', async (asked, due_date, fault) => {
    expect(await faultWith(asked, due_date)).toBe(fault)
  })

  test.each<[AskedRule, string]>([
    ['FREQ=YEARLY;INTERVAL=100', today],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '1896-02-29'],
    ['FREQ=YEARLY', '9998-12-31'],
    ['daily', '0001-01-01'],
    // It has ended: the last of a series is like that.
    ['FREQ=DAILY;UNTIL=20200101', today],
    ['FREQ=DAILY;COUNT=1', today],
  ])('%j, due on %s, is taken', async (asked, due_date) => {
    expect(await faultWith(asked, due_date)).toMatchObject({ due_date })
  })
})

const task = (recurrence: string, due_date: string, more: Partial<Repeating> = {}): Repeating => ({
  recurrence,
  due_date,
  occurrence: due_date,
  due_time: null,
  time_zone: null,
  repeat_from: 'due',
  ...more,
})

const nextDay = async (repeating: Repeating, now: string, userZone: string | null = null) =>
  (await nextOf(repeating, Temporal.Instant.from(now), userZone))?.due_date ?? null

describe('what comes next', () => {
  const noon = '2026-11-27T12:00:00Z'

  test('is what the rule says in the zone of the task, else of the user, else UTC', async () => {
    const daily = task('FREQ=DAILY', '2026-11-20')
    const now = '2026-11-27T23:30:00Z'
    expect(await nextDay(daily, now)).toBe('2026-11-27')
    expect(await nextDay(daily, now, 'Europe/Berlin')).toBe('2026-11-28')
    const zoned = { ...daily, due_time: '23:00:00', time_zone: 'America/New_York' }
    expect(await nextDay(zoned, now, 'Europe/Berlin')).toBe('2026-11-27')
  })

  test('is after both days of a task that was moved', async () => {
    const weekly = (due_date: string) => task('FREQ=WEEKLY', '2026-11-27', { due_date })
    expect(await nextDay(weekly('2026-11-24'), noon)).toBe('2026-12-04')
    expect(await nextDay(weekly('2026-12-04'), noon)).toBe('2026-12-11')
    expect(await nextDay(weekly('2026-12-05'), noon)).toBe('2026-12-11')
  })

  test.each<[string, string, string]>([
    // 02:30 is 03:30 then, which is 01:30Z.
    ['2026-03-28', '2026-03-29T01:29:59.999999Z', '2026-03-29'],
    ['2026-03-28', '2026-03-29T01:30:00Z', '2026-03-30'],
    // It is 02:30 twice: at 00:30Z it is over.
    ['2026-10-24', '2026-10-25T00:29:59Z', '2026-10-25'],
    ['2026-10-24', '2026-10-25T00:30:00Z', '2026-10-26'],
  ])('of %s at half past two is, at %s, on %s', async (due_date, now, day) => {
    const berlin = { due_time: '02:30:00', time_zone: 'Europe/Berlin' }
    expect(await nextDay(task('FREQ=DAILY', due_date, berlin), now)).toBe(day)
  })

  test.each<[string, string, string | null, string | null]>([
    ['FREQ=DAILY;COUNT=1', '2026-11-27', null, null],
    ['FREQ=DAILY;COUNT=2', '2026-11-27', '2026-11-28', 'FREQ=DAILY;COUNT=1'],
    ['FREQ=DAILY;COUNT=9', '2026-11-20', '2026-11-27', 'FREQ=DAILY;COUNT=2'],
    ['FREQ=DAILY;COUNT=7', '2026-11-20', null, null],
    ['FREQ=DAILY;COUNT=9999', '1990-01-01', null, null],
    ['FREQ=DAILY;UNTIL=20261127', '2026-11-20', '2026-11-27', 'FREQ=DAILY;UNTIL=20261127'],
    ['FREQ=DAILY;UNTIL=20261126', '2026-11-20', null, null],
    ['FREQ=DAILY;UNTIL=20261101', '2026-11-20', null, null],
    ['FREQ=YEARLY', '2024-02-29', '2028-02-29', 'FREQ=YEARLY'],
    [
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1',
      '2024-02-29',
      '2027-02-28',
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1',
    ],
    ['FREQ=DAILY;INTERVAL=3', '0001-01-01', '2026-11-28', 'FREQ=DAILY;INTERVAL=3'],
    ['FREQ=DAILY', '9999-12-31', null, null],
    ['FREQ=WEEKLY;INTERVAL=2', '9999-12-20', null, null],
  ])('of %s on %s is %p', async (recurrence, due_date, day, rest) => {
    const next = await nextOf(task(recurrence, due_date), Temporal.Instant.from(noon), null)
    expect(next).toEqual(
      day === null ? null : { due_date: day, occurrence: day, recurrence: rest ?? '' },
    )
  })

  test.each<[string, string, string | null, string | null]>([
    ['FREQ=DAILY', noon, '2026-11-28', 'FREQ=DAILY'],
    ['FREQ=DAILY;COUNT=1', noon, null, null],
    ['FREQ=DAILY;COUNT=9', noon, '2026-11-28', 'FREQ=DAILY;COUNT=8'],
    ['FREQ=DAILY;UNTIL=20261127', noon, null, null],
    ['FREQ=MONTHLY', '2026-01-31T12:00:00Z', '2026-02-28', 'FREQ=MONTHLY'],
    [
      'FREQ=WEEKLY;INTERVAL=4;BYDAY=SU',
      '2026-11-24T12:00:00Z',
      '2026-12-20',
      'FREQ=WEEKLY;INTERVAL=4;BYDAY=SU',
    ],
    ['FREQ=DAILY;BYMONTH=1', noon, '2027-01-01', 'FREQ=DAILY;BYMONTH=1'],
    [
      'FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYDAY=1MO;COUNT=3',
      noon,
      '2028-02-07',
      'FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYDAY=1MO;COUNT=2',
    ],
    ['FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129', noon, null, null],
    ['FREQ=YEARLY;INTERVAL=999', '9500-01-01T12:00:00Z', null, null],
    ['FREQ=YEARLY;INTERVAL=999;BYMONTH=2', '9500-01-01T12:00:00Z', null, null],
  ])('of %s completed at %s is, from completion, %p', async (recurrence, now, day, rest) => {
    const old = task(recurrence, '2026-01-31', { repeat_from: 'completion' })
    const next = await nextOf(old, Temporal.Instant.from(now), null)
    expect(next).toEqual(
      day === null ? null : { due_date: day, occurrence: day, recurrence: rest ?? '' },
    )
  })
})

describe('the days of a task', () => {
  const days = async (one: Dated, limit = 3) =>
    (await occurrencesOf(one, limit, null)).map(({ due_date }) => due_date)

  test('begin with its own, and go on after both where it was moved', async () => {
    const moved = task('FREQ=WEEKLY', '2026-11-27', { due_date: '2026-12-05' })
    expect(await days(moved)).toEqual(['2026-12-05', '2026-12-11', '2026-12-18'])
    expect(await days({ ...moved, due_date: '2026-11-20' }, 2)).toEqual([
      '2026-11-20',
      '2026-12-04',
    ])
    expect(await days(moved, 1)).toEqual(['2026-12-05'])
  })

  test('end with COUNT, of which those are gone that it was moved over', async () => {
    expect(await days(task('FREQ=DAILY;COUNT=2', today))).toEqual([today, '2026-11-28'])
    const moved = task('FREQ=DAILY;COUNT=5', today, { due_date: '2026-11-29' })
    expect(await days(moved, 9)).toEqual(['2026-11-29', '2026-11-30', '2026-12-01'])
    expect(await days({ ...moved, due_date: '2026-12-24' }, 9)).toEqual(['2026-12-24'])
  })

  test('end with UNTIL, and with the calendar', async () => {
    expect(await days(task('FREQ=DAILY;UNTIL=20261128', today))).toEqual([today, '2026-11-28'])
    expect(await days(task('FREQ=DAILY;UNTIL=20200101', today))).toEqual([today])
    expect(await days(task('FREQ=DAILY', '9999-12-30'))).toEqual(['9999-12-30', '9999-12-31'])
  })

  test('are its own alone from completion, and where it does not repeat', async () => {
    expect(await days(task('FREQ=DAILY', today, { repeat_from: 'completion' }))).toEqual([today])
    const once: Dated = {
      ...task('', today),
      recurrence: null,
      occurrence: null,
      repeat_from: null,
    }
    expect(await days(once)).toEqual([today])
    expect(await days({ ...once, due_date: null })).toEqual([])
  })

  test('have their moment: in the zone of the task, else of the user, else in UTC', async () => {
    const timed = task('FREQ=DAILY', '2026-03-28', { due_time: '02:30:00' })
    const moments = async (one: Repeating, userZone: string | null) =>
      (await occurrencesOf(one, 2, userZone)).map(({ at }) => at)
    expect(await moments(timed, null)).toEqual(['2026-03-28T02:30:00Z', '2026-03-29T02:30:00Z'])
    expect(await moments(timed, 'Europe/Berlin')).toEqual([
      '2026-03-28T01:30:00Z',
      '2026-03-29T01:30:00Z',
    ])
    expect(await moments({ ...timed, time_zone: 'Asia/Tokyo' }, 'Europe/Berlin')).toEqual([
      '2026-03-27T17:30:00Z',
      '2026-03-28T17:30:00Z',
    ])
    expect(await moments({ ...timed, due_time: null }, 'Europe/Berlin')).toEqual([null, null])
  })

  test('have none beyond the years that can be written', async () => {
    const edge = (due_date: string, time_zone: string) =>
      occurrencesOf(task('FREQ=DAILY', due_date, { due_time: '00:30:00', time_zone }), 1, null)
    expect(await edge('0001-01-01', 'Asia/Tokyo')).toMatchObject([{ at: null }])
    expect(await edge('0001-01-02', 'Asia/Tokyo')).not.toMatchObject([{ at: null }])
    const late = { due_time: '23:30:00', time_zone: 'America/New_York' }
    expect(await occurrencesOf(task('FREQ=DAILY', '9999-12-31', late), 1, null)).toMatchObject([
      { at: null },
    ])
  })

  test('are answered as the task has them', async () => {
    const timed = { due_time: '18:30:00', time_zone: 'Europe/Berlin' }
    expect(await occurrencesOf(task('FREQ=DAILY', today, timed), 1, 'Asia/Tokyo')).toEqual([
      { due_date: today, ...timed, at: '2026-11-27T17:30:00Z' },
    ])
  })
})

test('today is another day elsewhere', () => {
  const now = Temporal.Instant.from('2026-11-27T23:30:00Z')
  expect([null, 'Europe/Berlin', 'America/New_York'].map((zone) => todayIn(zone, now))).toEqual([
    '2026-11-27',
    '2026-11-28',
    '2026-11-27',
  ])
})
