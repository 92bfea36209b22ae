import { expect, test } from 'bun:test'
import { array, assert, constantFrom, oneof, property, string } from 'fast-check'
import { isCalendarDate } from '../../src/http/formats.ts'
import { addMonths, sayDay } from '../../src/web/pages/days.ts'
import { newId } from '../../src/web/pages/ids.ts'
import { readLine } from '../../src/web/pages/line.ts'
import { ruleOf, sayRule } from '../../src/web/pages/rules.ts'

/** A Friday. */
const today = '2026-11-27'

const lists = [
  { id: 'home', name: 'Home' },
  { id: 'garden', name: 'My garden' },
]

test.each([
  [
    'Buy milk tomorrow at 5pm #home !high every week',
    {
      title: 'Buy milk',
      due_date: '2026-11-28',
      due_time: '17:00',
      tags: ['home'],
      priority: 'high',
      recurrence: 'weekly',
    },
  ],
  ['Buy milk', { title: 'Buy milk' }],
  ['today', { title: 'today', due_date: today }],
  ['Call Ann on friday', { title: 'Call Ann', due_date: today }],
  ['Call Ann Thursday 9:05', { title: 'Call Ann', due_date: '2026-12-03', due_time: '09:05' }],
  ['Lunch at 12am', { title: 'Lunch', due_date: today, due_time: '00:00' }],
  ['Pay 3 bills in 2 weeks', { title: 'Pay 3 bills', due_date: '2026-12-11' }],
  ['Renew it in 3 months', { title: 'Renew it', due_date: '2027-02-27' }],
  ['Plan next week', { title: 'Plan', due_date: '2026-11-30' }],
  ['Party 5 Dec', { title: 'Party', due_date: '2026-12-05' }],
  ['Dentist march 3 at 8', { title: 'Dentist', due_date: '2027-03-03', due_time: '08:00' }],
  ['Taxes by 2027-05-31 !2', { title: 'Taxes', due_date: '2027-05-31', priority: 'medium' }],
  ['Not 2027-02-30', { title: 'Not 2027-02-30' }],
  [
    'Stand-up every weekday at 9',
    { title: 'Stand-up', due_date: today, due_time: '09:00', recurrence: 'weekdays' },
  ],
  [
    'Gym every mon and wed',
    { title: 'Gym', due_date: '2026-11-30', recurrence: 'FREQ=WEEKLY;BYDAY=MO,WE' },
  ],
  [
    'Rent every other month 2026-12-01',
    { title: 'Rent', due_date: '2026-12-01', recurrence: { frequency: 'monthly', interval: 2 } },
  ],
  ['Weed @my-garden #a #b', { title: 'Weed', list_id: 'garden', tags: ['a', 'b'] }],
  ['Write to @nobody about issue #42', { title: 'Write to @nobody about issue #42' }],
  [
    'Read "the day after tomorrow" tomorrow',
    { title: 'Read the day after tomorrow', due_date: '2026-11-28' },
  ],
  ['Tell today of the sunday lunch', { title: 'Tell today of the lunch', due_date: '2026-11-29' }],
  ['Look at 5 houses', { title: 'Look at 5 houses' }],
  ['Dinner at 8 tomorrow', { title: 'Dinner', due_date: '2026-11-28', due_time: '08:00' }],
  ['Meet next Friday', { title: 'Meet', due_date: '2026-12-04' }],
  ['  many   words  ', { title: 'many words' }],
  ['Meet at 25:00', { title: 'Meet at 25:00' }],
  ['Müll raus #küche', { title: 'Müll raus', tags: ['küche'] }],
])('reads %j', (text, expected) => {
  expect(readLine(text, today, lists)).toEqual(expected as never)
})

test('makes of any line a task that the API takes', () => {
  const words = constantFrom(
    'today',
    'next',
    'week',
    'at',
    '5pm',
    '31',
    'feb',
    'every',
    '99',
    '"',
    '#x',
    '!1',
    '@Home',
    'in',
    'other',
    'weekday',
    '-',
    '\uE0001\uE000',
    '#',
    '2026-13-40',
  )
  const lines = oneof(
    array(words, { minLength: 1 }).map((some) => some.join(' ')),
    string({ minLength: 1 }),
  )
  assert(
    property(lines, (text) => {
      if (text.trim() === '') return
      const line = readLine(text, today, lists)
      expect(line.title).not.toBe('')
      if (line.due_date) expect(isCalendarDate(line.due_date)).toBe(true)
      if (line.due_time) expect(line.due_time).toMatch(/^([01]\d|2[0-3]):[0-5]\d$/)
      if (line.recurrence) expect(line.due_date).toBeString()
    }),
    { numRuns: 5000 },
  )
})

test('makes ids that sort by time', () => {
  const ids = [0, 1, 2].map((more) => newId(1_795_189_803_663 + more))
  expect(ids.toSorted()).toEqual(ids)
  for (let n = 0; n < 100; n += 1) {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  }
})

test('says days and rules as people do', () => {
  const days = ['2026-11-26', today, '2026-11-28', '2026-12-01', '2026-12-05', '2027-01-01']
  expect(days.map((day) => sayDay(day, today))).toEqual([
    'Yesterday',
    'Today',
    'Tomorrow',
    'Tuesday',
    'Dec 5',
    'Jan 1, 2027',
  ])
  expect(sayRule('FREQ=WEEKLY;BYDAY=MO,WE')).toBe('every Monday and Wednesday')
  expect(sayRule('FREQ=DAILY;INTERVAL=3')).toBe('every 3 days')
  expect(sayRule('FREQ=MONTHLY;BYMONTHDAY=-1')).toBe('every month')
  expect(
    ['daily', 'weekdays', { frequency: 'quarterly', interval: 2 }].map((asked) =>
      sayRule(ruleOf(asked) ?? ''),
    ),
  ).toEqual(['every day', 'every weekday', 'every 6 months'])
  expect(addMonths('2026-01-31', 1)).toBe('2026-02-28')
})
