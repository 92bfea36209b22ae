import { expect, test } from 'bun:test'
import { readWhen } from '../../src/imports/todoist-dates.ts'

test.each([
  ['2026-12-01', '2026-12-01', null],
  ['2026-12-01 15:30', '2026-12-01', '15:30:00'],
  ['1 Dec 2026', '2026-12-01', null],
  ['Dec 1, 2026 at 6pm', '2026-12-01', '18:00:00'],
  ['Tue, 1st December 2026 12am', '2026-12-01', '00:00:00'],
  ['december 1 2026 @ 9:05 am', '2026-12-01', '09:05:00'],
])('reads the day %p', (text, due_date, due_time) => {
  expect(readWhen(text)).toEqual({ due_date, due_time, recurrence: null, repeat_from: 'due' })
})

test.each([
  ['every day', 'FREQ=DAILY'],
  ['daily', 'FREQ=DAILY'],
  ['Every other week', 'FREQ=WEEKLY;INTERVAL=2'],
  ['every 2 weeks', 'FREQ=WEEKLY;INTERVAL=2'],
  ['every quarter', 'FREQ=MONTHLY;INTERVAL=3'],
  ['every 2 years', 'FREQ=YEARLY;INTERVAL=2'],
  ['every weekday', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'],
  ['every workday', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'],
  ['every mon, wed and fri', 'FREQ=WEEKLY;BYDAY=MO,WE,FR'],
  ['every Tuesday', 'FREQ=WEEKLY;BYDAY=TU'],
  ['every other thursday', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TH'],
  ['every 3rd friday', 'FREQ=MONTHLY;BYDAY=3FR'],
  ['every first mon of the month', 'FREQ=MONTHLY;BYDAY=1MO'],
  ['every last sunday', 'FREQ=MONTHLY;BYDAY=-1SU'],
  ['every 1st and 15th', 'FREQ=MONTHLY;BYMONTHDAY=1,15'],
  ['every last day of the month', 'FREQ=MONTHLY;BYMONTHDAY=-1'],
  ['every last workday', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'],
  ['every 24 dec', 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24'],
  ['every march 3rd', 'FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3'],
])('reads %p', (text, recurrence) => {
  const when = { due_date: null, due_time: null, recurrence, repeat_from: 'due' } as const

  expect(readWhen(text)).toEqual(when)
  expect(readWhen(`${text} at 9:30pm`)).toEqual({ ...when, due_time: '21:30:00' })
})

test('reads from when, until when, and what counts from completion', () => {
  expect(readWhen('every! 3 months')).toMatchObject({
    recurrence: 'FREQ=MONTHLY;INTERVAL=3',
    repeat_from: 'completion',
  })
  expect(readWhen('every day at 9am starting 1 Dec 2026 until 24 Dec 2026')).toEqual({
    due_date: '2026-12-01',
    due_time: '09:00:00',
    recurrence: 'FREQ=DAILY;UNTIL=20261224',
    repeat_from: 'due',
  })
  expect(readWhen('every week starting 2026-12-01 18:00')).toMatchObject({
    due_date: '2026-12-01',
    due_time: '18:00:00',
  })
})

test.each([
  'tomorrow',
  '27 Nov',
  'Nov 27',
  '31 Feb 2026',
  '11/12/2026',
  'every 12 hours',
  'every morning',
  'every 6th friday',
  'every 32nd',
  'every 30 feb',
  'every day for 3 weeks',
  'every day until tomorrow',
  'every day starting tuesday',
  'every mon, tomorrow',
  'every 0 days',
  'every',
  'jeden Tag',
  '1 Dec 2026 until 3 Dec 2026',
  '2026-12-01 25:00',
  'constructor',
  '',
  'every day '.repeat(100),
])('is not sure of %p', (text) => {
  expect(readWhen(text)).toBeNull()
})
