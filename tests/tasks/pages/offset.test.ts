import { beforeAll, describe, expect, test } from 'bun:test'
import { Unavailable } from '../../../src/database/gate/faults.ts'
import type { Db } from '../../../src/database/gate/gate.ts'
import { readPage } from '../../../src/tasks/pages/read.ts'
import { type ListQuery, readCursor, writeCursor } from '../../../src/tasks/rules.ts'
import type { Task } from '../../../src/tasks/schema.ts'
import { db, signUp, sql, type TestUser } from '../../support/app.ts'
import {
  expectInvalid,
  idsOf,
  list,
  nextOf,
  numberTasks,
  readPages,
  titles,
} from '../../support/tasks.ts'

// `offset`, `due=none` and the number of tasks, of a user who has more than one statement looks at.

const total = 12_000

let alice: TestUser
beforeAll(async () => {
  alice = await signUp()
  await sql`insert into docket.users (id) values (${alice.id})`
  await sql`
    insert into docket.tasks (user_id, id, title, title_key, words, long_words, priority, tags, due_date, completed_at,
      created_at, updated_at, deleted_at)
    select
      ${alice.id},
      gen_random_uuid(),
      'Task ' || n,
      'task ' || lpad(n::text, 6, '0') || chr(31),
      case when n % 50 > 0 then 'task ' || n end,
      case when n % 50 = 0 then 'task ' || n || repeat(' more', 200) end,
      (case when n % 10 = 7 then 'high' else 'low' end)::docket.task_priority,
      case when n % 4 = 1 then array['home'] else '{}' end,
      case when n % 3 > 0 then date '2026-01-01' + n % 365 end,
      case when n % 5 = 0 then now() end,
      timestamptz '2026-01-01' + n * interval '1 second',
      timestamptz '2026-01-01' + (n * 7919 % ${total}::integer) * interval '1 second',
      case when n % 8 = 0 then now() end
    from generate_series(1, ${total}::integer) n`
  await numberTasks(sql)
}, 60_000)

const numberOf = ({ title }: Pick<Task, 'title'>) => Number(title.split(' ')[1])
const numbers = Array.from({ length: total }, (_, index) => index + 1)
const isLive = (n: number) => n % 8 > 0

const filters: [query: string, has: (n: number) => boolean][] = [
  ['', isLive],
  ['deleted=true', (n) => !isLive(n)],
  ['status=completed', (n) => isLive(n) && n % 5 === 0],
  ['priority=high&tag=home', (n) => isLive(n) && n % 10 === 7 && n % 4 === 1],
  ['due=none', (n) => isLive(n) && n % 3 === 0],
  ['due=NONE&status=pending', (n) => isLive(n) && n % 3 === 0 && n % 5 > 0],
  ['due=none&due_after=2026-01-01', () => false],
  ['due=none&due_before=2026-12-31', () => false],
  [
    'due_after=2026-02-01&due_before=2026-02-03',
    (n) => isLive(n) && n % 3 > 0 && [31, 32, 33].includes(n % 365),
  ],
  ['q=77', (n) => isLive(n) && String(n).includes('77')],
  ['q=more', (n) => isLive(n) && n % 50 === 0],
  ['search=task 9&deleted=true', (n) => !isLive(n) && String(n).includes('9')],
  ['tag=nowhere', () => false],
]

test.each(filters)('counts those of ?%s', async (query, has) => {
  const { status, body } = await alice.send('GET', `/api/tasks/count?${query}`)

  expect(status).toBe(200)
  expect(body).toEqual({ count: numbers.filter(has).length })
})

test.each(['sort=title&order=desc&limit=3', 'offset=100&limit=1', 'sort_by=due_date', 'status='])(
  'counts all whatever ?%s says',
  async (query) => {
    const { body } = await alice.send('GET', `/api/tasks/count?${query}`)

    expect(body).toEqual({ count: numbers.filter(isLive).length })
  },
)

test('counts nobody else', async () => {
  const bob = await signUp()
  for (const query of ['', '?q=task', '?deleted=true']) {
    expect((await bob.send('GET', `/api/tasks/count${query}`)).body).toEqual({ count: 0 })
    expect((await bob.send('GET', `/api/me/tasks/count${query}`)).body).toEqual({ count: 0 })
  }
})

test.each([
  ['status=done', '/status'],
  ['due=today', '/due'],
  ['offset=x', '/offset'],
  ['page=2', '/page'],
])('counts nothing of ?%s', async (query, pointer) => {
  expectInvalid(await alice.send('GET', `/api/tasks/count?${query}`), pointer)
})

const sorts = ['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position']
const orders = sorts.flatMap((sort) =>
  ['asc', 'desc'].map((order) => `sort=${sort}&order=${order}`),
)

describe.each(orders)('by %s', (order) => {
  test.each(['', 'priority=high', 'q=77', 'due=none', 'deleted=true', 'due_after=2026-06-01'])(
    'skips in ?%s as many as it says',
    async (filter) => {
      const whole = (await readPages(alice, `/api/tasks?${filter}&${order}&limit=200`)).flat()

      for (const offset of [0, 1, 99, whole.length - 3, whole.length, 9999]) {
        if (offset > 10_000) continue // No more is taken.
        const found = await list(alice, `?${filter}&${order}&limit=5&offset=${offset}`)
        expect([offset, idsOf(found)]).toEqual([offset, idsOf(whole.slice(offset, offset + 5))])
      }
    },
    60_000,
  )
})

test.each(['offset', 'skip'])('%s goes on by the link, which has none', async (name) => {
  const answer = await alice.send('GET', `/api/tasks?${name}=20&limit=10&sort=title`)
  const link = nextOf(answer) ?? ''

  expect(link).not.toContain(name)
  expect(await titles(alice, link.slice('/api/tasks'.length))).toEqual(
    await titles(alice, '?sort=title&limit=10&offset=30'),
  )
})

test.each([
  ['offset=-1', '/offset'],
  ['offset=10001', '/offset'],
  ['skip=1e3', '/skip'],
  ['skip=0x10', '/skip'],
  ['offset=1&skip=2', '/skip'],
])('refuses ?%s', async (query, pointer) => {
  expectInvalid(await alice.send('GET', `/api/tasks?${query}`), pointer)
})

test('refuses an offset with a cursor', async () => {
  const next = nextOf(await alice.send('GET', '/api/tasks')) ?? ''

  for (const more of ['offset=1', 'skip=10', 'offset=10000']) {
    expectInvalid(await alice.send('GET', `${next}&${more}`), '/offset')
  }
  expect((await alice.send('GET', `${next}&offset=0`)).status).toBe(200)
})

test.each<ListQuery>([
  { sort: 'title', q: 'task' },
  { sort: 'due_date', order: 'desc', status: 'pending' },
  { sort: 'priority', tag: ['home'] },
])('goes on with %j where it was when the database had no more time', async (query) => {
  const asked = { ...query, offset: 2500 }
  const expected = await readPage(db, alice.id, asked, null, 5)
  let left = 1
  // The first statement is given its turn, and no other.
  const tired = {
    share: async (shared, ask) => {
      if (left-- <= 0) throw new Unavailable('too many statements wait')
      return db.share(shared, 'reach' in ask ? { ...ask, reach: 1000 } : ask)
    },
  } as Db

  const first = await readPage(tired, alice.id, asked, null, 5)
  const cursor = first.next === null ? '' : writeCursor(asked, first.next)
  const { offset: _, ...rest } = asked
  const again = await readPage(db, alice.id, rest, readCursor({ ...rest, cursor }), 5)

  expect(first.text).toBe('[]')
  expect(JSON.parse(again.text).map(numberOf)).toEqual(JSON.parse(expected.text).map(numberOf))
})
