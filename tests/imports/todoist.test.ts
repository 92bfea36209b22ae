import { expect, test } from 'bun:test'
import { faultOf, fixture, pathsOf, planOf, taskOf, warningsOf } from './support.ts'

const head = 'TYPE,CONTENT,PRIORITY,INDENT,DATE,DATE_LANG,TIMEZONE\n'
const csv = await planOf('todoist', await fixture('todoist.csv'), 'Home [2203306141].csv')
const json = await planOf('todoist', await fixture('todoist.json'), 'sync.json')

test('reads the tree from INDENT, and makes lists of the project and its sections', () => {
  expect(csv.lists.map(({ name }) => name)).toEqual(['Home', 'Home / Garden'])
  expect(pathsOf(csv)).toEqual([
    'Home/Water the plants',
    'Home/Water the plants/Fill the can',
    'Home/Water the plants/Fill the can/Find the can',
    'Home/Call',
    'Home / Garden/Tools',
    'Home / Garden/Tools/Rake',
    'Home / Garden/Call',
    'Home / Garden/Call',
  ])
})

test('reads labels, notes, dates and priorities, of which 1 is the highest in CSV', () => {
  expect(taskOf(csv, 'Water the plants')).toMatchObject({
    description: 'The ferns first,\nthen the "others"',
    tags: ['home', 'garden'],
    priority: 'high',
    due_date: '2026-12-01',
    due_time: null,
    time_zone: null,
  })
  expect(taskOf(csv, 'Fill the can')).toMatchObject({
    priority: 'medium',
    due_date: '2026-11-27',
    due_time: '09:30:00',
    time_zone: 'Europe/Berlin',
  })
  expect(taskOf(csv, 'Find the can')).toMatchObject({
    priority: 'low',
    description: 'It was behind the shed.',
    due_time: '18:00:00',
  })
  expect(taskOf(csv, 'Tools')).toMatchObject({ priority: 'none', due_date: '2026-12-24' })
})

test('keeps a date that is not sure in the description, and warns with the line', () => {
  expect(taskOf(csv, 'Call').description).toBe('Due: tomorrow')
  expect(taskOf(csv, 'Rake').description).toBe('Due: jeden Tag')
  expect(csv.warnings).toEqual([
    { line: 8, what: '“Call”: its date (tomorrow) is not taken, but kept in its description.' },
    { line: 8, what: '“Call”: how long it takes (30) is not taken.' },
    { line: 8, what: '“Call”: who is to do it (Bob (2)) is not taken.' },
    { line: 12, what: '“Rake”: its date (jeden Tag) is not taken, but kept in its description.' },
  ])
})

test('puts what has no project into the inbox', async () => {
  for (const name of ['', 'Inbox.csv', 'Inbox [123].csv']) {
    const plan = await planOf('todoist', `${head}task,Call,4,1,,,\nsection,Later,,,,,\n`, name)

    expect(pathsOf(plan)).toEqual(['/Call'])
    expect(plan.lists.map((list) => list.name)).toEqual(['Later'])
  }
})

test('keeps a title of labels alone, and takes no address for one', async () => {
  const plan = await planOf(
    'todoist',
    `${head}task,@home,4,1,,,\ntask,Write to me@x.example,4,1,,,\n`,
  )

  expect(plan.tasks.map(({ title, tags }) => [title, tags])).toEqual([
    ['@home', ['home']],
    ['Write to me@x.example', []],
  ])
})

test('gives the same ids to the same rows, and others to rows that are alike', async () => {
  const file = await fixture('todoist.csv')
  const again = await planOf('todoist', file, 'Home [2203306141] (1).csv')
  const other = await planOf('todoist', file, 'Work.csv')
  const ids = csv.tasks.map(({ id }) => id)

  expect(again.tasks.map(({ id }) => id)).toEqual(ids)
  expect(new Set([...ids, ...other.tasks.map(({ id }) => id)]).size).toBe(2 * ids.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/)
})

test('reads an answer of the API, whose tasks come in any order', () => {
  expect(json.lists.map(({ name, is_archived }) => [name, is_archived])).toEqual([
    ['Old', true],
    ['Home', false],
    ['Home / Garden', false],
  ])
  expect(pathsOf(json)).toEqual([
    'Home/Parent',
    'Home/Parent/Child before parent',
    '/Day',
    '/Floating',
    '/Fixed',
    'Home / Garden/Monthly',
    'Home/Auf Deutsch',
    'Old/Done',
  ])
  expect(taskOf(json, 'Parent')).toMatchObject({
    // 4 is the highest here.
    priority: 'high',
    description: 'More\n\nA comment',
    created_at: '2026-01-02T03:04:05.678Z',
  })
  expect(taskOf(json, 'Done')).toMatchObject({
    completed: true,
    completed_at: '2026-03-04T05:06:07.000Z',
    due_date: '2026-12-24',
  })
})

test('tells a day, a time anywhere and an instant in a zone apart', () => {
  const clockOf = (title: string) => {
    const { due_date, due_time, time_zone } = taskOf(json, title)
    return [due_date, due_time, time_zone]
  }

  expect(clockOf('Day')).toEqual(['2026-12-01', null, null])
  expect(clockOf('Floating')).toEqual(['2026-12-01', '09:30:00', null])
  expect(clockOf('Fixed')).toEqual(['2026-07-01', '09:30:00', 'Europe/Berlin'])
})

test('reads how it repeats, at the end of each month where that is when it is due', async () => {
  expect(taskOf(json, 'Monthly')).toMatchObject({
    due_date: '2026-12-31',
    recurrence: 'FREQ=MONTHLY;INTERVAL=3',
    repeat_from: 'completion',
  })
  const ruleOf = async (date: string, string: string) => {
    const due = { date, string, lang: 'en', is_recurring: true }
    const plan = await planOf('todoist', JSON.stringify([{ id: '1', content: 'A', due }]))
    return taskOf(plan, 'A').recurrence
  }

  expect(await ruleOf('2026-12-31', 'every month')).toBe('FREQ=MONTHLY;BYMONTHDAY=-1')
  expect(await ruleOf('2026-11-30', 'every month until 24 Dec 2027')).toBe(
    'FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1;UNTIL=20271224',
  )
  expect(await ruleOf('2026-11-29', 'every 2 months')).toBe(
    'FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29;BYSETPOS=-1',
  )
  expect(await ruleOf('2028-02-29', 'every year')).toBe('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1')
  expect(await ruleOf('2026-12-28', 'every month')).toBe('FREQ=MONTHLY')
  expect(await ruleOf('2026-12-31', 'every 31st')).toBe('FREQ=MONTHLY;BYMONTHDAY=31')
})

test('keeps how it repeats where that is in another language', () => {
  expect(taskOf(json, 'Auf Deutsch')).toMatchObject({
    due_date: '2026-12-31',
    description: 'Repeats: jeden Freitag',
  })
  expect(warningsOf(json, 'Auf Deutsch')).toEqual([
    'that it repeats (jeden Freitag) is not taken, but kept in its description.',
  ])
})

test.each(['', 'a,b\n1,2', '{"projects": []}', '[1', 'null'])('refuses %p', async (text) => {
  expect(await faultOf('todoist', text)).toStartWith('is no export of Todoist')
})
