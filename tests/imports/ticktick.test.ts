import { expect, test } from 'bun:test'
import { faultOf, fixture, pathsOf, planOf, taskOf, warningsOf } from './support.ts'

const plan = await planOf('ticktick', await fixture('ticktick.csv'))

const clockOf = (title: string, of = plan) => {
  const { due_date, due_time, time_zone } = taskOf(of, title)
  return [due_date, due_time, time_zone]
}

test('reads what is below a mark and lines about itself, a child before its parent', () => {
  expect(plan.lists.map(({ name }) => name)).toEqual(['🏡Home', 'Groceries'])
  expect(pathsOf(plan)).toEqual([
    '🏡Home/Parent',
    '🏡Home/Parent/Child',
    '/At nine',
    '/Nine anywhere',
    '/Done',
    '/Archived',
    '/Given up',
    'Groceries/Shopping',
    'Groceries/Shopping/Milk',
    'Groceries/Shopping/Eggs',
  ])
  expect(taskOf(plan, 'Child')).toMatchObject({
    description: 'Said\n"twice"',
    tags: ['a', 'b'],
    created_at: '2026-01-02T03:04:05.000Z',
  })
  expect(plan.tasks.map(({ priority }) => priority).slice(0, 5)).toEqual([
    'high',
    'none',
    'medium',
    'low',
    'none',
  ])
})

test('takes an instant for the day, or the time, that it is in its zone', () => {
  expect(clockOf('Parent')).toEqual(['2026-12-01', null, null])
  expect(clockOf('At nine')).toEqual(['2026-07-01', '09:00:00', 'Europe/Berlin'])
  expect(clockOf('Nine anywhere')).toEqual(['2026-07-01', '09:00:00', null])
})

test('takes 1 and 2 for done, and what was given up too', () => {
  const done = plan.tasks.filter(({ completed }) => completed)

  expect(done.map(({ title }) => title)).toEqual(['Done', 'Archived', 'Given up', 'Milk'])
  expect(taskOf(plan, 'Archived').completed_at).toBe('2026-03-04T05:06:07.000Z')
  expect(warningsOf(plan, 'Given up')).toEqual(['it will not be done, and comes as done.'])
})

test('makes tasks of a checklist, under the one that it is in', () => {
  expect(taskOf(plan, 'Shopping').description).toEndWith('For Sunday')
  expect(taskOf(plan, 'Eggs').completed).toBeFalse()
})

test('says what of a repetition only TickTick knows', () => {
  expect(taskOf(plan, 'Parent').recurrence).toBe('FREQ=WEEKLY;INTERVAL=1;BYDAY=TU')
  expect(taskOf(plan, 'Parent').reminders).toEqual(['-P0DT9H0M0S'])
  expect(taskOf(plan, 'Archived').recurrence).toBeNull()
  expect(warningsOf(plan, 'Parent')).toContain('TT_SKIP=WEEKEND of how it repeats is not taken.')
  expect(warningsOf(plan, 'Shopping')).toEqual([
    'that it repeats (ERULE:NAME=FORGETTINGCURVE;CYCLE=0) is not taken, but kept in its description.',
  ])
})

test('does without columns that other versions do not have, and without zones that are none', async () => {
  const old = await planOf(
    'ticktick',
    'List Name;Title;Due Date;Timezone;Is All Day\nInbox;A;2026-12-01T22:00:00+0000;Mars/Base;true\nInbox;A;soon;;\n\n;B;2026-12-03;;\n',
  )

  expect(pathsOf(old)).toEqual(['/A', '/A', '/B'])
  expect(new Set(old.tasks.map(({ id }) => id)).size).toBe(3)
  expect(clockOf('A', old)).toEqual(['2026-12-01', null, null])
  expect(clockOf('B', old)).toEqual(['2026-12-03', null, null])
  expect(warningsOf(old, 'A')).toEqual([
    'its time zone (Mars/Base) is not known: Europe/London is taken.',
    'its date (soon) is not taken, but kept in its description.',
  ])
})

test('takes no word for what it is not, and nothing for a title', async () => {
  const file = await planOf(
    'ticktick',
    `List Name,Title,Priority,Content\nInbox,A,constructor,\nInbox,\0,5,\nInbox,${'\u200b'.repeat(600)}B,__proto__,\n`,
  )

  expect(file.tasks.map(({ title, priority }) => [title, priority])).toEqual([
    ['A', 'none'],
    ['Unnamed', 'none'],
  ])
})

test('goes by hand, as the backup says', async () => {
  const file = 'List Name,Title,Order\n,Last,3\n,First,-1099511627776\n,Middle,0\n,Nowhere,\n'

  expect(pathsOf(await planOf('ticktick', file))).toEqual([
    '/First',
    '/Middle',
    '/Last',
    '/Nowhere',
  ])
})

test.each(['', 'Title\nA', '{}'])('refuses %p', async (text) => {
  expect(await faultOf('ticktick', text)).toStartWith('is no backup of TickTick')
})
