import { expect, test } from 'bun:test'
import { faultOf, fixture, pathsOf, planOf, taskOf, warningsOf } from './support.ts'

const file = await fixture('tasks.ics')
const plan = await planOf('ical', file)

const clockOf = (title: string, of = plan) => {
  const { due_date, due_time, time_zone } = taskOf(of, title)
  return [due_date, due_time, time_zone]
}

/** A calendar of one task that has these lines. */
const todo = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'BEGIN:VTODO', 'SUMMARY:A', ...lines, 'END:VTODO', 'END:VCALENDAR'].join(
    '\r\n',
  )

test('reads the tasks of a calendar, a child before its parent, as a list', () => {
  expect(plan.lists.map(({ name }) => name)).toEqual(['Home'])
  expect(pathsOf(plan).slice(0, 3)).toEqual([
    'Home/Water',
    'Home/Water/Fill the can, and carry it',
    'Home/Meet',
  ])
  expect(taskOf(plan, 'Water')).toMatchObject({
    line: 30,
    description: 'The ferns first.\nThen the others.',
    priority: 'high',
    created_at: '2026-01-02T03:04:05.000Z',
  })
  expect(taskOf(plan, 'Fill the can, and carry it')).toMatchObject({
    priority: 'low',
    tags: ['home', 'garden', 'one, tag'],
    due_date: '2026-12-01',
    due_time: null,
  })
})

test('knows zones by any name, and by what the calendar says of its own', () => {
  // Nine o'clock there is eight for who reads it.
  expect(clockOf('Water')).toEqual(['2026-07-01', '08:00:00', 'Europe/London'])
  expect(clockOf('Meet')).toEqual(['2026-12-01', '09:30:00', 'Europe/Berlin'])
  expect(clockOf('Long')).toEqual(['2026-12-02', '00:30:00', 'America/New_York'])
  expect(clockOf('Call')).toEqual(['2026-07-01', '09:00:00', 'Europe/London'])
  expect(clockOf('Rise')).toEqual(['2026-12-01', '06:30:00', null])
  expect(clockOf('Where')).toEqual(['2026-12-01', '06:30:00', 'Europe/London'])
  expect(warningsOf(plan, 'Where')).toEqual([
    'its time zone (Nowhere) is not known: Europe/London is taken.',
  ])
})

test('takes what is done for done, whoever says so', async () => {
  expect(taskOf(plan, 'Done').completed_at).toBe('2026-03-04T05:06:07.000Z')
  expect(taskOf(plan, 'Not any more').completed).toBeTrue()
  expect(taskOf(plan, 'Meet').completed).toBeFalse()
  for (const line of ['STATUS:COMPLETED', 'COMPLETED:20260304T050607Z', 'PERCENT-COMPLETE:100']) {
    expect((await planOf('ical', todo(line))).tasks[0]?.completed).toBeTrue()
  }
})

test('reads how it repeats, but for the time that is said already', async () => {
  const ruleOf = async (...lines: string[]) =>
    taskOf(await planOf('ical', todo(...lines)), 'A').recurrence

  expect(taskOf(plan, 'Water').recurrence).toBe('FREQ=WEEKLY;BYDAY=WE')
  expect(taskOf(plan, 'Done').recurrence).toBeNull()
  expect(await ruleOf('DUE:20261201T090000', 'RRULE:FREQ=DAILY;BYHOUR=9,18')).toBe(
    'FREQ=DAILY;BYHOUR=9,18',
  )
})

test('reads alarms, from when the task is due or at an instant', async () => {
  const alarm = (trigger: string) => ['BEGIN:VALARM', trigger, 'END:VALARM']
  const remindersOf = async (...lines: string[]) =>
    taskOf(await planOf('ical', todo(...lines)), 'A').reminders

  expect(taskOf(plan, 'Water').reminders).toEqual(['-PT30M'])
  expect(
    await remindersOf('DUE:20261201T090000', ...alarm('TRIGGER;VALUE=DATE-TIME:20261201T080000Z')),
  ).toEqual(['2026-12-01T08:00:00Z'])
  expect(
    await remindersOf(
      'DTSTART:20261130T090000',
      'DUE:20261201T090000',
      ...alarm('TRIGGER;RELATED=END:-PT1H'),
      ...alarm('TRIGGER:-PT2H'),
    ),
  ).toEqual(['-PT1H', '-PT2H of its start'])
})

test('takes one time of a task that repeats for a task of its own', () => {
  expect(clockOf('Water once')).toEqual(['2026-07-16', '09:00:00', 'Europe/London'])
  expect(taskOf(plan, 'Water once').id).not.toBe(taskOf(plan, 'Water').id)
  expect(warningsOf(plan, 'Water')).toContain(
    'days that are left out or added (EXDATE, RDATE) are not taken.',
  )
})

test('goes on behind a line that cannot be read', () => {
  expect(taskOf(plan, 'Bad date')).toMatchObject({ due_date: null, description: 'Due: soon' })
  expect(warningsOf(plan, 'Bad date')).toEqual([
    'PRIORITY cannot be read, and is not taken.',
    'its date (soon) is not taken, but kept in its description.',
  ])
  expect(plan.warnings).toContainEqual({ line: null, what: 'Events are not taken: there are 1.' })
})

test.each([
  [['DUE:20260231'], [null, null, null]],
  [['DUE;VALUE=DATE:20261201'], ['2026-12-01', null, null]],
  [
    ['DTSTART;VALUE=DATE:20261201', 'DURATION:P1W'],
    ['2026-12-08', null, null],
  ],
  [['DTSTART;VALUE=DATE:20261201'], ['2026-12-01', null, null]],
  [
    ['DTSTART:20261201T090000', 'DUE:20261202T100000'],
    ['2026-12-02', '10:00:00', null],
  ],
  [
    ['DTSTART:20261201T090000', 'DURATION:soon'],
    [null, null, null],
  ],
] as const)('knows when %p is due', async (lines, clock) => {
  expect(clockOf('A', await planOf('ical', todo(...lines)))).toEqual([...clock])
})

test('reads what is under a task from above, too', async () => {
  const text = `BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nSUMMARY:Up\nRELATED-TO;RELTYPE=CHILD:2\nEND:VTODO\nBEGIN:VTODO\nUID:2\nSUMMARY:Down\nRELATED-TO;RELTYPE=SIBLING:3\nEND:VTODO\n`

  expect(pathsOf(await planOf('ical', text))).toEqual(['/Up', '/Up/Down'])
  expect(pathsOf(await planOf('ical', text, 'Home.ics'))).toEqual(['Home/Up', 'Home/Up/Down'])
})

test('takes no end over rules of clocks that others fall into for ever', async () => {
  const zone = (rule: string) =>
    `BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700106T030000\nTZOFFSETTO:+0100\nRRULE:${rule}\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VTODO\nSUMMARY:A\nDUE;TZID=X:20261201T090000\nEND:VTODO\nEND:VCALENDAR`

  for (const rule of ['FREQ=DAILY;INTERVAL=7;BYDAY=MO', 'FREQ=SECONDLY;BYMONTHDAY=30', '']) {
    expect(warningsOf(await planOf('ical', zone(rule)), 'A')).toHaveLength(1)
  }
})

test('says what it is instead of tasks', async () => {
  const events = 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:A\nEND:VEVENT\nEND:VCALENDAR'

  expect(await faultOf('ical', events)).toBe(
    'is a calendar of events (VEVENT), without tasks (VTODO): export a list of tasks instead',
  )
  expect(await faultOf('ical', 'BEGIN:VCALENDAR\nEND:VCALENDAR')).toBe(
    'is a calendar without tasks (VTODO)',
  )
  expect(await faultOf('ical', 'TYPE,CONTENT')).toStartWith('is no calendar')
})
