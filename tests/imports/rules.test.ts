import { expect, test } from 'bun:test'
import { type Found, type FoundTask, plainTask } from '../../src/imports/found.ts'
import { missingOf, type Plan, type Present, planOf as planFrom } from '../../src/imports/rules.ts'
import { pathsOf, taskOf, warningsOf } from './support.ts'

const found = (key: string, parent: string | null, more: Partial<FoundTask> = {}): FoundTask => ({
  ...plainTask(key, null, key),
  parent,
  ...more,
})

const planFound = (all: Found, source: string, user: string): Promise<Plan> =>
  planFrom(all, source, user, async () => {})

const planOf = (...tasks: FoundTask[]) =>
  planFound({ lists: [], tasks, warnings: [] }, 'todoist', 'alice')

test('cuts circles, and what is under nothing', async () => {
  const plan = await planOf(
    found('a', 'b'),
    found('b', 'c'),
    found('c', 'a'),
    found('d', 'd'),
    found('e', 'x'),
  )

  expect(pathsOf(plan)).toEqual(['/c', '/c/b', '/c/b/a', '/d', '/e'])
  expect(plan.warnings.map(({ what }) => what)).toEqual([
    '“c”: it is under itself: it comes under nothing.',
    '“d”: it is under itself: it comes under nothing.',
    '“e”: what it is under is not in the file: it comes under nothing.',
  ])
})

test('puts what is deeper on the last level, and no more than a thousand into a tree', async () => {
  const deep = Array.from({ length: 8 }, (_, n) => found(`${n}`, n === 0 ? null : `${n - 1}`))
  const many = Array.from({ length: 1001 }, (_, n) => found(`m${n}`, n === 0 ? null : 'm0'))

  expect(pathsOf(await planOf(...deep.toReversed()))).toEqual([
    '/0',
    '/0/1',
    '/0/1/2',
    '/0/1/2/3',
    '/0/1/2/3/4',
    '/0/1/2/3/5',
    '/0/1/2/3/6',
    '/0/1/2/3/7',
  ])
  const plan = await planOf(...many)
  expect(
    plan.tasks.filter(({ parent_id }) => parent_id === null).map(({ title }) => title),
  ).toEqual(['m0', 'm1000'])
  expect(plan.warnings).toHaveLength(1)
})

test('puts what is under a task into its list', async () => {
  const lists = ['x', 'y'].map((key) => ({ key, name: key, is_archived: false }))
  const tasks = [
    found('a', null, { list: 'x' }),
    found('b', 'a', { list: 'y' }),
    found('c', null),
    found('d', 'c', { list: 'y' }),
  ]

  const plan = await planFound({ lists, tasks, warnings: [] }, 'todoist', 'alice')

  expect(pathsOf(plan)).toEqual(['x/a', 'x/a/b', '/c', '/c/d'])
  expect(taskOf(plan, 'b').list_id).toBe(taskOf(plan, 'a').list_id)
  expect(taskOf(plan, 'd').list_id).toBeNull()
})

test('holds everything to its bounds, and says so', async () => {
  const long = 'x'.repeat(600)
  const plan = await planOf(
    found('a', null, { title: long, description: 'More' }),
    found('b', null, { title: 'b', description: '😀'.repeat(20_001) }),
    found('c', null, {
      title: 'c',
      tags: ['', ' ', 'y'.repeat(51), 'home', 'home', ...Array(30).keys().map(String)],
    }),
    found('d', null, { title: ' \0\u200b', description: '\nFirst line\nSecond' }),
    found('e', null, { title: '', description: ' ' }),
    found('f', null, { title: 'half \ud800\nline' }),
    found('f', null, { title: 'Twice' }),
  )
  const [a, b, c, d, f] = plan.tasks

  expect([a?.title, a?.description]).toEqual(['x'.repeat(500), `${long}\n\nMore`])
  expect(Array.from(b?.description ?? '')).toHaveLength(20_000)
  expect(c?.tags.slice(0, 3)).toEqual(['home', '0', '1'])
  expect(c?.tags).toHaveLength(20)
  expect(d?.title).toBe('First line')
  expect(f?.title).toBe('half \ufffd line')
  expect(plan.tasks).toHaveLength(5)
  expect(plan.warnings.map(({ what }) => what.replace(/^“.*”: /, ''))).toEqual([
    'A task without a title is not taken.',
    'it is in the file twice: the first is taken.',
    'its title is longer than 500 characters: it is whole in its description.',
    'what is beyond 20000 characters of its description is not taken.',
    `the tag ${'y'.repeat(51)} is longer than 50 characters, and is not taken.`,
    'it has more than 20 tags: the first are taken.',
  ])
})

test('gives other ids to another user, and to another program', async () => {
  const id = async (source: string, user: string) =>
    (await planFound({ lists: [], tasks: [found('a', null)], warnings: [] }, source, user)).tasks[0]
      ?.id

  const ids = await Promise.all([
    id('todoist', 'alice'),
    id('todoist', 'alice'),
    id('todoist', 'bob'),
    id('ical', 'alice'),
  ])
  expect(ids[0]).toBe(ids[1] as string)
  expect(new Set(ids).size).toBe(3)
})

const nothing: Present = { lists: new Map(), list_count: 0, tasks: new Map() }

/** What is there of a task, as it came. */
const there = (id: string, more = {}) => ({
  id,
  version: 1,
  updated_at: '2026-01-01T00:00:00Z',
  list_id: null,
  parent_id: null,
  is_trashed: false,
  ...more,
})

test('leaves what is there as it is, and puts what is new where its parent is now', async () => {
  const plan = await planOf(found('a', null), found('b', 'a'), found('c', 'a'))
  const [a, b] = plan.tasks.map(({ id }) => id)
  const list_id = crypto.randomUUID()
  const of = (more: object, ofB: object) =>
    missingOf(plan, {
      ...nothing,
      tasks: new Map([
        [a ?? '', there(a ?? '', more)],
        [b ?? '', there(b ?? '', ofB)],
      ]),
    })

  const moved = of({ list_id, version: 2 }, { version: 2 })
  expect(moved).toMatchObject({ skipped: 2, tasks: [{ title: 'c', list_id, parent_id: a }] })
  expect(moved.under.map(({ title }) => title)).toEqual(['c'])

  const trashed = of({ is_trashed: true }, {})
  expect(trashed.tasks).toMatchObject([{ title: 'c', parent_id: null }])
  expect(warningsOf(trashed as never, 'c')).toHaveLength(1)
  expect(trashed.under).toEqual([])

  // The last time it was not finished.
  expect(of({}, {}).under).toMatchObject([
    { title: 'b', parent_id: a, as: { version: 1 } },
    { title: 'c', parent_id: a, as: null },
  ])
})

test('takes what has no list any more, or beyond 500, into the inbox', async () => {
  const lists = ['x', 'y'].map((key) => ({ key, name: key, is_archived: false }))
  const tasks = [found('a', null, { list: 'x' }), found('b', 'a'), found('c', null, { list: 'y' })]
  const plan = await planFound({ lists, tasks, warnings: [] }, 'todoist', 'alice')
  const x = plan.lists[0]?.id ?? ''

  const missing = missingOf(plan, {
    ...nothing,
    lists: new Map([[x, { is_trashed: true }]]),
    list_count: 500,
  })

  expect(missing.lists).toEqual([])
  expect(missing.tasks.map(({ list_id }) => list_id)).toEqual([null, null, null])
  expect(missing.warnings.map(({ what }) => what)).toEqual([
    'The list “x” is in the trash: what is new of it comes into the inbox.',
    'The list “y” is one list more than the 500 that there can be: what is new of it comes into the inbox.',
  ])
})
