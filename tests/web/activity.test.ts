import { expect, test } from 'bun:test'
import type { Activity } from '../../src/client.ts'
import { actorsOf, keyOf, sayChanges, sayKept, sayUndone } from '../../src/web/pages/activity.ts'
import { sayBrowser } from '../../src/web/pages/browsers.ts'
import { sayDate, sayMoment } from '../../src/web/pages/days.ts'

// What the account page says of what was done.

const change = (
  seq: number,
  at: string,
  name: string,
  action: Activity['action'] = 'updated',
): Activity => ({
  seq,
  at: `2026-11-27T${at}:00Z`,
  by: { kind: 'token', name },
  request_id: null,
  action,
  type: 'task',
  id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  title: 'Buy milk',
})

test('what somebody did without a pause is one go, and an undo since its beginning has all of it', () => {
  const claude = actorsOf([
    change(9, '14:10', 'Claude', 'completed'),
    change(8, '14:05', 'A script'),
    change(7, '13:45', 'Claude'),
    change(6, '13:20', 'Claude'),
    change(2, '09:00', 'Claude'),
  ]).get(keyOf('token', 'Claude'))

  expect(claude?.runs).toMatchObject([
    { from: '2026-11-27T13:20:00Z', to: '2026-11-27T14:10:00Z', since: 5 },
    { from: '2026-11-27T09:00:00Z', to: '2026-11-27T09:00:00Z', since: 1 },
  ])
  expect(claude?.runs.map(({ changes }) => changes.length)).toEqual([3, 1])
})

test('who shares a name is told apart by the kind, and nobody is no actor', () => {
  const own = change(1, '09:00', 'Claude')
  const actors = actorsOf([
    { ...own, by: { kind: 'program', name: 'Claude' } },
    own,
    { ...own, by: null },
    { ...own, by: { kind: 'token', name: null } },
  ])

  expect([...actors.keys()]).toEqual(['program Claude', 'token Claude'])
})

test('says what was done, the most first', () => {
  const changes = [
    change(3, '09:02', 'Claude', 'completed'),
    change(2, '09:01', 'Claude'),
    change(1, '09:00', 'Claude'),
  ]

  expect(sayChanges(changes)).toBe('2 edited, 1 completed')
})

test('says what is undone, and names what is kept', () => {
  const task = (title: string, kept?: string[]) => ({
    type: 'task',
    id: title,
    task: { title },
    ...(kept === undefined ? {} : { kept }),
  })
  const list = { type: 'list', id: 'home', list: { name: 'Home' } }

  expect(sayUndone([task('A'), task('B'), list])).toBe('Undone: 2 tasks and 1 list are as before.')
  expect(sayUndone([task('A')])).toBe('Undone: 1 task is as before.')
  expect(sayUndone([])).toBe('Undone, but for what was changed since.')
  expect(sayKept([task('A'), task('Buy oat milk', ['title', 'due_date', 'tags'])])).toEqual([
    'the title, due date and tags of “Buy oat milk”',
  ])
  expect(sayKept([{ ...list, kept: ['name'] }])).toEqual(['the name of “Home”'])
})

test.each([
  ['Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0', 'Edge on Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0 Safari/537.36', 'Chrome on Linux'],
  ['Mozilla/5.0 (iPhone; like Mac OS X) Version/19.0 Safari/604.1', 'Safari on an iPhone'],
  ['Mozilla/5.0 (Linux; Android 16) Firefox/145.0', 'Firefox on Android'],
  ['curl/8.9.1', 'curl'],
  ['', 'Something unknown'],
])('knows the browser of %p', (agent, words) => {
  expect(sayBrowser(agent)).toBe(words)
})

test('says a moment by the day, unless it is today', () => {
  const now = new Date(2026, 10, 27, 18)
  const at = (day: number) => sayMoment(new Date(2026, 10, day, 14, 2).toISOString(), now)

  expect(at(27)).toMatch(/^\S*2:02|^14:02/)
  expect(at(26)).toStartWith('yesterday, ')
  expect(at(20)).toStartWith('Nov 20, ')
  expect(sayDate('2026-01-02', '2026-11-27')).toBe('Jan 2')
  expect(sayDate('2027-01-02', '2026-11-27')).toBe('Jan 2, 2027')
})
