import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readerOf } from '../../src/changes/queries.ts'
import type { Db } from '../../src/database/gate/gate.ts'
import { textOf } from '../../src/database/gate/share.ts'
import { readHead } from '../../src/database/log/heads.ts'
import { changeTogether, onlyAnswered } from '../../src/database/log/together.ts'
import { write } from '../../src/database/log/writes.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { findFeed, listFeeds } from '../../src/feeds/queries.ts'
import {
  listOldTrash,
  listTrash,
  readActivity,
  readChains,
  readHistory,
} from '../../src/history/queries.ts'
import { pruneAnswers, pruneChanges } from '../../src/history/writes.ts'
import * as listQueries from '../../src/lists/queries.ts'
import * as listWrites from '../../src/lists/writes.ts'
import { readCalendar } from '../../src/tasks/calendar.ts'
import * as ofList from '../../src/tasks/of-list-queries.ts'
import { countTasks, readPage } from '../../src/tasks/pages/read.ts'
import * as queries from '../../src/tasks/queries.ts'
import type { ListQuery } from '../../src/tasks/rules.ts'
import { taskJson } from '../../src/tasks/table.ts'
import { importTasks, placeTasks } from '../../src/tasks/transfer.ts'
import { readAnchor, readAround, readTrees } from '../../src/tasks/trees/queries.ts'
import * as writes from '../../src/tasks/writes.ts'
import { emptyDatabase, type TestDatabase } from '../support/database.ts'
import { author, numberTasks } from '../support/tasks.ts'

// What every statement costs: it goes by one index, sorts nothing, and reads about as many rows as it answers, or as its slice
// has. The same on three tables, whatever is known of them: one that was never analyzed, one with many users of one task and
// one of many, and one of users with as many as each other.

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`

/** How the tasks are spread, of whom we look at `user`, who has `count` of them: those of the numbers `first` and up. */
type Table = {
  name: string
  others: number
  user: string
  count: number
  /** As many users as the first tasks are of. */
  users: number
  /** The lists of `user`, with half of the tasks in them. */
  lists: number
  isAnalyzed: boolean
}

const tables: Table[] = [
  {
    name: 'never analyzed',
    others: 5000,
    users: 5000,
    user: 'five',
    count: 5000,
    lists: 20,
    isAnalyzed: false,
  },
  {
    name: '50,000 users of one task',
    others: 50_000,
    users: 50_000,
    user: 'five',
    count: 5000,
    lists: 20,
    isAnalyzed: true,
  },
  {
    name: 'users of 1,000 tasks',
    others: 20_000,
    users: 20,
    user: '7',
    count: 1000,
    lists: 20,
    isAnalyzed: true,
  },
]

// Takes minutes to fill.
const large: Table = {
  name: 'a million tasks, 100,000 of them in the 500 lists of one user',
  others: 900_000,
  users: 9000,
  user: 'five',
  count: 100_000,
  lists: 500,
  isAnalyzed: true,
}

type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Join Filter'?: number
  Plans?: Node[]
}

const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)]

const touches = (plan: Node[], table: string): Node[] =>
  plan.filter((node) => node['Relation Name'] === table && node['Node Type'] !== 'ModifyTable')

/** Rows that were looked at. */
const read = (plan: Node[], table = 'tasks'): number =>
  touches(plan, table).reduce(
    (sum, node) =>
      sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    0,
  )

const indexesOf = (plan: Node[]): (string | undefined)[] => [
  ...new Set(
    touches(plan, 'tasks')
      .filter((node) => node['Actual Loops'] > 0)
      .map((node) => node['Index Name']),
  ),
]

const readChanges = readerOf([{ type: 'task', json: taskJson }])

const isSearchOrSort = /^(Seq Scan|Bitmap|Sort|Incremental Sort|Hash Join|Merge Join)/

const looked = process.env['PLANS'] === 'large' ? [large] : tables

describe.each(looked)('$name', ({ others, users, user, count, lists, isAnalyzed }) => {
  let database: TestDatabase
  /** The numbers of the tasks of the user: the first, and how far the next one is. */
  const step = user === 'five' ? 1 : users
  const first = user === 'five' ? others + 1 : Number(user)

  /** The task that was changed often, in the trash, and the number of its last change. */
  const often = user === 'five' ? 9 : 10
  let head = 0
  const mine = (nth: number): string => idOf(first + nth * step)

  beforeAll(async () => {
    database = await emptyDatabase()
    const { sql } = database
    await applySchema(sql, schemaFiles)
    await sql`alter table docket.tasks set (autovacuum_enabled = off)`
    await sql`insert into docket.users (id) select n::text from generate_series(1, ${users}::integer) n`
    await sql`insert into docket.users (id) values ('five')`
    const total = user === 'five' ? others + count : others
    await sql`
      insert into docket.lists (user_id, id, name, position)
      select ${user}, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'List ' || n, docket.position_at_end(n)
      from generate_series(1, ${lists}::integer) n`
    // Each was created by a request of many, and one was changed often since.
    const many = 50_000
    for (let from = 1; from <= total; from += many) {
      await sql`
        insert into docket.tasks
          (user_id, list_id, id, position, title, title_key, words, completed_at, priority, tags, due_date, due_time, created_at,
            updated_at, deleted_at)
        select
          case when n > ${others}::integer then 'five' else ((n - 1) % ${users}::integer + 1)::text end,
          case
            when k % 2 = 0 and ${user} = case when n > ${others}::integer then 'five' else ((n - 1) % ${users}::integer + 1)::text end
              then ('00000000-0000-7000-8000-' || lpad((k % ${lists}::integer + 1)::text, 12, '0'))::uuid
          end,
          ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
          docket.position_at_end(k),
          'Task ' || repeat(md5(n::text), 10) || ' milk',
          'task ' || repeat(md5(n::text), 10) || ' milk',
          'task ' || repeat(md5(n::text), 10) || ' milk',
          case when k % 2 = 0 then now() end,
          (array['none', 'low', 'medium', 'high'])[k % 4 + 1]::docket.task_priority,
          case when k % 3 = 0 then array['home'] else '{}' end,
          case when k % 5 > 0 then date '2026-01-01' + k % 365 end,
          case when k % 5 > 2 then time '18:30' end,
          timestamptz '2026-01-01' + k * interval '1 minute',
          timestamptz '2026-01-01' + k * interval '1 minute',
          case when k % 10 = 0 then now() end
        from generate_series(${from}::integer, ${Math.min(from + many - 1, total)}::integer) n
        cross join lateral (
          select case when n > ${others}::integer then n - ${others}::integer else (n - 1) / ${users}::integer end as k
        ) own`
      await numberTasks(sql)
      await sql`
        insert into docket.changes (user_id, seq, type, id, action, request_id, at, day)
        select user_id, seq, 'task', id, 'created', 'request ' || seq / 10, updated_at, '2020-01-01'::date + seq::integer % 5
        from docket.tasks
        where id between ${idOf(from)} and ${idOf(from + many - 1)}`
    }
    const [made] = await sql<{ seq: number }[]>`
      select seq::integer as seq from docket.tasks where user_id = ${user} and id = ${mine(often)}`
    await sql`
      insert into docket.changes (user_id, seq, type, id, action, previous, before, request_id, at, day)
      select ${user}, last + n, 'task', ${mine(often)}::uuid, 'updated',
        case when n = 1 then ${made?.seq ?? 0} else last + n - 1 end, '{}', 'often ' || n, now(), now()::date
      from generate_series(1, 40) n
      cross join (select max(seq) as last from docket.latest where user_id = ${user}) l`
    const [last] = await sql<{ seq: number }[]>`
      select max(seq)::integer as seq from docket.changes where user_id = ${user}`
    head = last?.seq ?? 0
    for (const table of ['tasks', 'latest']) {
      await sql`
        update ${sql(`docket.${table}`)} set seq = ${head} where user_id = ${user} and id = ${mine(often)}`
    }
    await sql`update docket.users set seq = ${head} where id = ${user}`
    if (isAnalyzed) {
      await sql.unsafe('vacuum (analyze) docket.tasks, docket.latest, docket.changes').simple()
    }
  }, 900_000)
  afterAll(() => database.close())

  /** The nodes of the plan of each statement that a call makes, run for real, and undone. */
  async function planOf(call: (db: Db) => Promise<unknown>): Promise<Node[]> {
    const { sql } = database
    const plan: Node[] = []
    async function explain(asked: object): Promise<never[]> {
      // The driver's own text and parameters, without running it.
      const query = Object.assign(asked, {})
      const pending = query as unknown as {
        describe: () => Promise<{ string: string }>
        parameters: string[]
      }
      const { string } = await pending.describe()
      await sql
        .begin(async (transaction) => {
          const [row] = await transaction.unsafe<{ 'QUERY PLAN': string | { Plan: Node }[] }[]>(
            `explain (analyze, timing off, format json) ${string}`,
            pending.parameters,
          )
          const said = row?.['QUERY PLAN'] ?? '[]'
          const [explained] = typeof said === 'string' ? JSON.parse(said) : said
          plan.push(...all(explained.Plan))
          throw undone
        })
        .catch((error: unknown) => {
          if (error !== undone) throw error
        })
      return []
    }
    const share: Db['share'] = async (shared, ask) => {
      await explain(shared.statement(sql, textOf(shared, [{ ...ask }])))
      return undefined
    }
    // What is asked for has no rows here.
    const own = (statement: (to: typeof sql) => object) => explain(statement(sql)) as Promise<never>
    await call({ share, read: own, write: own, idempotentWrite: own } as Db)
    return plan
  }

  const pageOf = (query: ListQuery, after: { key: string; id: string } | null = null, limit = 50) =>
    planOf((db) => readPage(db, user, query, after, limit))

  const live = 0.9 * count

  test('one task is one row, by its key', async () => {
    const plan = await planOf((db) => queries.findTask(db, user, mine(7)))

    expect(indexesOf(plan)).toEqual(['tasks_pkey'])
    expect(read(plan)).toBe(1)
  })

  const orders = [
    ['created_at', '2026-01-01T06:00:00+00:00'],
    ['updated_at', '360'],
    ['due_date', '2026-05-01T18:30:00'],
    ['priority', 'low'],
    ['title', 'task 8'],
    ['position', `${idOf(3)} i000000001`],
  ] as const
  const directions = ['asc', 'desc'] as const
  const places = orders.flatMap(([sort, key]) =>
    directions.flatMap((order) => [false, true].map((deleted) => ({ sort, order, deleted, key }))),
  )
  /** Besides that of the key. By updated_at the order is in another table. */
  const indexesFor = (sort: string, deleted: boolean) =>
    sort === 'updated_at' ? [] : [`${deleted ? 'trash' : 'tasks'}_by_${sort}`]
  const besidesKey = (plan: Node[]) => indexesOf(plan).filter((name) => name !== 'tasks_pkey')
  /** How many tasks are looked at to find so many: by updated_at those that are in the trash are too, or those that are not. */
  const lookedAt = (found: number, sort: string, deleted: boolean) =>
    sort === 'updated_at' ? (deleted ? count : Math.ceil(found / 0.9) + 10) : found

  test.each(places)(
    'a page by $sort, $order, trash: $deleted, reads itself out of one index',
    async (place) => {
      const { key, ...query } = place
      for (const after of [null, { key, id: mine(5) }]) {
        const plan = await pageOf(query, after)

        expect(besidesKey(plan)).toEqual(indexesFor(place.sort, place.deleted))
        expect(plan.map((node) => node['Node Type'])).not.toContainEqual(
          expect.stringMatching(isSearchOrSort),
        )
        expect(read(plan)).toBeLessThanOrEqual(lookedAt(51, place.sort, place.deleted))
        for (const node of touches(plan, 'latest')) expect(node['Index Name']).toBe('latest_by_seq')
      }
    },
  )

  test('a page by due_date, desc, goes on among those without a date', async () => {
    const query = { sort: 'due_date', order: 'desc' } as const
    const plan = await pageOf(query, { key: 'infinity', id: mine(50) })

    expect(indexesOf(plan)).toEqual(['tasks_by_due_date'])
    expect(read(plan)).toBeLessThanOrEqual(51)
  })

  test.each(['none', idOf(7)])(
    'a page of the list %s in manual order reads itself, and no other',
    async (list) => {
      for (const order of directions) {
        for (const after of [
          null,
          { key: `${list === 'none' ? '' : list} i000000009`, id: mine(5) },
        ]) {
          const plan = await pageOf({ list, sort: 'position', order }, after)

          expect(indexesOf(plan)).toEqual(['tasks_by_position'])
          expect(plan.map((node) => node['Node Type'])).not.toContainEqual(
            expect.stringMatching(isSearchOrSort),
          )
          expect(read(plan)).toBeLessThanOrEqual(51)
        }
      }
      const counting = await planOf((db) => countTasks(db, user, { list }))
      expect(besidesKey(counting)).toEqual(['tasks_by_position'])
    },
  )

  test('a calendar is found by its token, and shows what is next by one index', async () => {
    const { sql } = database
    await sql`
      insert into docket.feeds (user_id, id, name, list_id, token_hash)
      select id, gen_random_uuid(), 'Home', case when id = ${user} then ${idOf(7)}::uuid end, 'digest ' || id
      from docket.users
      on conflict do nothing`
    const finding = await planOf((db) => findFeed(db, `digest ${user}`))
    expect([read(finding, 'feeds'), read(finding, 'lists')]).toEqual([1, 1])
    const listing = await planOf((db) => listFeeds(db, user))
    expect(read(listing, 'feeds')).toBe(1)

    const everything = { list_id: null, filter: null }
    const plan = await planOf((db) => readCalendar(db, user, everything, 'event'))

    expect(besidesKey(plan)).toEqual(['tasks_by_due_date'])
    // A page of what is to come and one of what is overdue, of which half is completed, without what is in the trash.
    expect(read(plan)).toBeLessThanOrEqual(live)
  })

  test('what is under a task is read by that alone, in any order', async () => {
    for (const [sort] of orders.filter(([one]) => one !== 'updated_at')) {
      const plan = await pageOf({ parent: mine(7), sort })

      expect(indexesOf(plan)).toEqual(['tasks_by_parent'])
      expect(read(plan)).toBe(0)
    }
  })

  test('a task with what is under it, and its neighbours, are as many rows as they are', async () => {
    const trees = await planOf((db) => readTrees(db, user, [mine(7), mine(8)], mine(9), true))
    expect(indexesOf(trees)).toEqual(['tasks_pkey'])
    expect(read(trees)).toBeLessThanOrEqual(6)

    const anchor = await planOf((db) => readAnchor(db, user, mine(7)))
    expect(besidesKey(anchor)).toEqual(['tasks_by_position'])
    expect(read(anchor)).toBeLessThanOrEqual(3)

    const around = await planOf((db) => readAround(db, user, null, 'i000000009', 50))
    expect(indexesOf(around)).toEqual(['tasks_by_position'])
    expect(read(around)).toBeLessThanOrEqual(100)
  })

  const aList = '00000000-0000-7000-8000-000000000003'
  const listIndexes = (plan: Node[]) => [
    ...new Set(touches(plan, 'lists').map((node) => node['Index Name'] ?? node['Node Type'])),
  ]

  test('a list is one row, by its key, and the tasks of others are none of its business', async () => {
    for (const call of [
      (db: Db) => listQueries.findList(db, user, aList),
      (db: Db) => listQueries.findAnyList(db, user, aList),
      (db: Db) =>
        listWrites.updateList(db, author(user), aList, null, {
          changes: { name: 'A' },
          course: null,
        }),
      (db: Db) => listWrites.placeList(db, author(user), aList, null, { spot: 'end' }),
    ]) {
      const plan = await planOf(call)

      expect(listIndexes(plan)).toEqual(['lists_pkey'])
      expect(read(plan, 'lists')).toBeLessThanOrEqual(4)
      expect(touches(plan, 'tasks')).toEqual([])
    }
  })

  test('all lists are read at once, and the tasks of the user only where they are counted', async () => {
    const plan = await planOf((db) => listQueries.readLists(db, user, {}))
    expect(read(plan, 'lists')).toBe(lists)
    expect(touches(plan, 'tasks')).toEqual([])

    const counting = await planOf((db) => listQueries.readLists(db, user, { counts: true }))
    expect(touches(counting, 'tasks')).toHaveLength(1)
    expect(read(counting)).toBeLessThanOrEqual(count)
  })

  test('the tasks of a list that goes or comes back are read by their places', async () => {
    for (const isPart of [false, true]) {
      const going = await planOf((db) => ofList.listInList(db, user, aList, 20, isPart))
      expect(indexesOf(going)).toEqual(['tasks_by_position'])
      expect(read(going)).toBeLessThanOrEqual(20)

      const coming = await planOf((db) =>
        ofList.listTrashInList(db, user, aList, '2026-01-01T00:00:00Z', 20, isPart),
      )
      expect(indexesOf(coming).filter((name) => name !== 'tasks_pkey')).toEqual([
        'trash_by_position',
      ])
      // None of them went at this moment.
      expect(read(coming)).toBeLessThanOrEqual(count / 20)
    }
  })

  test('a list changes with its tasks, each of them found by its key', async () => {
    const change = { version: 1, isDiscarded: false }
    const plan = await planOf((db) =>
      changeTogether(
        db,
        author(user),
        [
          { ...change, kind: listWrites.listKind, id: aList, fields: { name: 'A' } },
          ...Array.from({ length: 50 }, (_, nth) => ({
            ...change,
            kind: writes.taskKind,
            id: mine(nth + 20),
            fields: { priority: 'high' },
          })),
        ],
        null,
        onlyAnswered(listWrites.listKind, aList),
      ),
    )

    expect(listIndexes(plan)).toEqual(['lists_pkey'])
    expect(indexesOf(plan)).toEqual(['tasks_pkey'])
    expect(read(plan)).toBeLessThanOrEqual(100)
  })

  test('what moves in and out looks at no other task', async () => {
    const task = { user_id: user, list_id: null, parent_id: null, position: 'i000000009' } as const
    const moving = [mine(2), idOf(999_999)].map((id) => ({
      task: {
        ...task,
        id,
        title: 'A',
        description: null,
        completed: false,
        completed_at: null,
        priority: 'none' as const,
        tags: [],
        due_date: null,
        due_time: null,
        time_zone: null,
        version: 9,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        deleted_at: null,
      },
    }))
    const importing = await planOf((db) => importTasks(db, moving, 'test').catch(() => null))
    expect(read(importing)).toBeLessThanOrEqual(6)

    const placing = await planOf((db) =>
      placeTasks(db, [
        {
          user_id: user,
          id: mine(2),
          parent_id: mine(3),
          version: 1,
          updated_at: '2026-01-01T00:00:00Z',
        },
      ]),
    )
    expect(indexesOf(placing)).toEqual(['tasks_pkey'])
    expect(read(placing)).toBeLessThanOrEqual(2)
  })

  const filters: ListQuery[] = [
    { status: 'pending' },
    { status: 'completed' },
    { priority: ['high', 'medium'] },
    { tag: ['home'] },
    { tag: ['nowhere'] },
    { due_after: '2026-03-01', due_before: '2026-03-07' },
    { q: 'zzz' },
    { q: 'milk task' },
    { q: 'milk', priority: ['high'] },
    { q: 'milk', status: 'pending', tag: ['home'], due_before: '2026-07-01' },
    { filter: { any: [{ is: 'tag', key: 'home' }, { not: { is: 'given', field: 'due' } }] } },
    { q: 'milk', filter: { is: 'words', in: 'title', words: 'zzz' } },
    { tag: ['home'], filter: { is: 'between', field: 'created', from: '2026-03-01', to: null } },
  ]
  test.each(places)(
    'with filters by $sort, $order, trash: $deleted, no more is looked at than a slice, and nobody else',
    async ({ key, ...query }) => {
      for (const filter of filters) {
        for (const after of [null, { key, id: mine(5) }]) {
          const plan = await pageOf({ ...query, ...filter }, after)
          const indexes = besidesKey(plan)
          const sorts = plan.filter((node) => isSearchOrSort.test(node['Node Type']))
          const unjoined = plan.filter((node) => (node['Rows Removed by Join Filter'] ?? 0) > 0)
          const byKey = touches(plan, 'tasks').filter((node) => node['Index Name'] === 'tasks_pkey')
          // What is filtered is an average over the loops, rounded.
          const mostByKey = byKey.map((node) =>
            Math.floor(node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)),
          )

          expect({ filter, indexes, sorts, unjoined }).toEqual({
            filter,
            indexes: indexesFor(query.sort, query.deleted),
            sorts: [],
            unjoined: [],
          })
          expect(Math.max(0, ...mostByKey)).toBeLessThanOrEqual(1)
          // A slice, its end, and those that may have the words.
          expect(read(plan)).toBeLessThanOrEqual(2 * count + 2 * 64)
        }
      }
    },
  )

  test.each([{}, ...filters, { due: 'none' } as const])(
    'to count %j, each task is looked at once in one index, and nobody else',
    async (filter) => {
      const plan = await planOf((db) => countTasks(db, user, filter))
      const sorts = plan.filter((node) => isSearchOrSort.test(node['Node Type']))

      expect(indexesOf(plan).filter((name) => name !== 'tasks_pkey')).toEqual([
        'due' in filter || 'due_after' in filter || 'due_before' in filter
          ? 'tasks_by_due_date'
          : 'tasks_by_created_at',
      ])
      expect(sorts).toEqual([])
      // A slice, and its end.
      expect(read(plan)).toBeLessThanOrEqual(2 * count)
    },
  )

  test.each(places)(
    'to skip by $sort, $order, trash: $deleted, no more is looked at',
    async ({ key, ...query }) => {
      for (const after of [null, { key, id: mine(5) }]) {
        const plan = await planOf((db) => readPage(db, user, { ...query, offset: 20 }, after, 50))

        expect(besidesKey(plan)).toEqual(indexesFor(query.sort, query.deleted))
        // Those that are skipped, and the last of them.
        expect(read(plan)).toBeLessThanOrEqual(lookedAt(21, query.sort, query.deleted))
      }
    },
  )

  test('due dates in their own order are all that is looked at', async () => {
    for (const order of directions) {
      const within = { due_after: '2026-03-01', due_before: '2026-03-07' }
      const plan = await pageOf({ sort: 'due_date', order, ...within })

      // Once for the page, and once for where it ends.
      expect(read(plan)).toBeLessThanOrEqual(2 * ((live / 365) * 7 + 7))
    }
  })

  test('a search looks at an index alone, and then at those that it found', async () => {
    const plan = await pageOf({ q: 'task milk' })
    const found = touches(plan, 'tasks').find((node) => node['Index Name'] === 'tasks_pkey')
    const [words] = touches(plan, 'tasks')

    expect([words?.['Node Type'], words?.['Index Name']]).toEqual([
      'Index Only Scan',
      'tasks_by_created_at',
    ])
    expect(words?.['Actual Rows']).toBeLessThanOrEqual(64)
    expect(found?.['Actual Loops']).toBeLessThanOrEqual(64)
  })

  test.each([0, 100])(
    'changes after %i are read out of the log, as many as are asked for',
    async (since) => {
      const plan = await planOf((db) => readChanges(db, user, since, 50))

      for (const table of ['tasks', 'latest', 'users']) {
        const index = table === 'latest' ? 'latest_by_seq' : `${table}_pkey`
        for (const node of touches(plan, table)) expect(node['Index Name']).toBe(index)
      }
      expect([read(plan, 'latest'), read(plan), read(plan, 'users')]).toEqual([51, 51, 1])
    },
  )

  test('to see that nothing has changed is a look at one number', async () => {
    const plan = await planOf((db) => readChanges(db, user, 999_999, 50))

    expect([read(plan, 'latest'), read(plan), read(plan, 'users')]).toEqual([0, 0, 1])
    expect(read(await planOf((db) => readHead(db, user)), 'users')).toBe(1)
  })

  const once = { key: 'a key', request: 'a digest' }
  const patch = { changes: { title: 'New' }, course: { version: 1 } }
  const calls: [string, (db: Db) => Promise<unknown>][] = [
    ['updateTask', (db) => writes.updateTask(db, author(user), mine(1), null, patch)],
    ['updateTask, If-Match', (db) => writes.updateTask(db, author(user), mine(1), [9], patch)],
    [
      'updateTask, a key',
      (db) => writes.updateTask(db, author(user), mine(1), null, { ...patch, course: null }, once),
    ],
    ['completeTask', (db) => writes.completeTask(db, author(user), mine(1), null, true)],
    ['deleteTask', (db) => writes.deleteTask(db, author(user), mine(1), null)],
    ['restoreTask', (db) => writes.restoreTask(db, author(user), mine(10), null)],
    [
      'insertTask',
      (db) => writes.insertTask(db, author(user), crypto.randomUUID(), { title: 'New' }),
    ],
    [
      'insertTask, a key',
      (db) => writes.insertTask(db, author(user), mine(3), { title: 'New' }, once),
    ],
  ]

  test.each(calls)('%s finds its task by the key, and no other', async (_name, call) => {
    const plan = await planOf(call)

    for (const node of touches(plan, 'tasks')) expect(node['Index Name']).toBe('tasks_pkey')
    for (const node of touches(plan, 'users')) expect(node['Index Name']).toBe('users_pkey')
    expect(touches(plan, 'latest')).toEqual([])
    // Once for what it was, and once to change it; with a key it is asked for twice, as nothing is answered here.
    expect(read(plan)).toBeLessThanOrEqual(4)
    expect(read(plan, 'users')).toBeLessThanOrEqual(4)
    expect(read(plan, 'latest')).toBeLessThanOrEqual(2)
  })

  const table = writes.taskKind.table
  const since = (from: string) => ({ since: head - 30, from, by: { kind: 'jwt' } })
  const chains = (wanted: () => Parameters<typeof readChains>[3]) => (db: Db) =>
    readChains(db, user, [table], wanted()).catch(() => null)
  const activity = (db: Db, by: Parameters<typeof readActivity>[3], below: number) =>
    readActivity(db, user, [table], by, below, 20).catch(() => null)
  const change = { kind: writes.taskKind, version: 1, fields: { title: 'Old' }, isDiscarded: false }
  const history: [string, number, (db: Db) => Promise<unknown>][] = [
    ['a page of a history', 20, (db) => readHistory(db, user, table, mine(often), null, 10)],
    [
      'the next page of a history',
      22,
      (db) =>
        readHistory(db, user, table, mine(often), { seq: head - 5, text: head, digest: '' }, 10),
    ],
    ['what was done', 20, (db) => activity(db, { kinds: null, name: null }, head + 1)],
    // Nobody was one: as far as is looked, twice.
    [
      'what was done by some',
      20_000,
      (db) => activity(db, { kinds: ['jwt'], name: null }, head - 5),
    ],
    // Looked at, walked down to, and read; and whether there is more.
    ['the undo of a request', 20, chains(() => ({ request_id: 'often 37' }))],
    ['the undo of many', 50, chains(() => ({ request_id: 'request 3' }))],
    ['the undo of a change', 20, chains(() => ({ seq: head - 3 }))],
    ['the undo since a number', 110, chains(() => since('-infinity'))],
    ['the undo since an instant', 110, chains(() => since('2026-01-01T00:00:00Z'))],
    [
      'an undo',
      2,
      (db) =>
        changeTogether(
          db,
          author(user),
          Array.from({ length: 50 }, (_, nth) => ({ ...change, id: mine(nth + 20) })),
          null,
        ),
    ],
    [
      'a purge',
      90,
      (db) => write(db, writes.taskKind.purging, { ...author(user), id: mine(often) }, null),
    ],
    ['the trash', 0, (db) => listTrash(db, user, table, null, 64)],
    ['the old trash', 0, (db) => listOldTrash(db, table, 0, 64)],
    ['old changes', 200, (db) => pruneChanges(db, 90, 100)],
    ['old answers', 0, (db) => pruneAnswers(db, 1, 100)],
  ]

  test.each(history)('%s reads itself out of the log, and no more', async (_name, most, call) => {
    const plan = await planOf(call)
    const found = touches(plan, 'changes')
    const indexes = found.map((node) => node['Index Name'] ?? node['Node Type'])

    for (const index of indexes) expect(index).toMatch(/^(changes_(pkey|by_\w+)|Tid Scan)$/)
    expect(read(plan, 'changes')).toBeLessThanOrEqual(most)
    expect(read(plan)).toBeLessThanOrEqual(150)
    expect(plan.map((node) => node['Node Type'])).not.toContainEqual(
      expect.stringMatching(/^(Seq Scan|Bitmap|Hash Join|Merge Join)/),
    )
    for (const node of touches(plan, 'tasks')) expect(node['Rows Removed by Filter'] ?? 0).toBe(0)
  })
})

const undone = new Error('undone')

test('a vacuum is due when a fiftieth of the tasks is new, or a twentieth changed, for searches to look at an index alone', async () => {
  const { sql, close } = await emptyDatabase()
  await applySchema(sql, schemaFiles)
  const [table] =
    await sql`select reloptions as options from pg_class where oid = 'docket.tasks'::regclass`
  await close()

  expect(table?.['options']).toEqual([
    'autovacuum_vacuum_insert_scale_factor=0.02',
    'autovacuum_vacuum_scale_factor=0.05',
    'fillfactor=90',
  ])
})
