import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import { few, type Shared } from '../database/share.ts'
import { type Order, orderOf, type Position } from './rules.ts'
import type { TaskListQuery } from './schema.ts'

// What is read of tasks; changes.ts has what is written. One exported function is one statement, which answers many
// requests: each asks for rows of one user, and that comes first, so that none reaches another user's.

/** Part of a statement: postgres.js sends nothing that is not awaited. */
export type Fragment = PendingQuery<Row[]>

/** A task as the database writes it: the JSON of a TaskSchema, and the version in it. */
export type TaskText = { text: string; version: number }

const single: Shared<{ user_id: string; id: string }, TaskText> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t.version, t.json as text
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, id uuid)
    join tasks t on t.user_id = asked.user_id and t.id = asked.id
    where t.deleted_at is null
      and ${few(sql)}`,
}

export async function findTask(db: Db, userId: string, id: string): Promise<TaskText | undefined> {
  const [task] = await db.share(single, { user_id: userId, id })
  return task
}

/** One that is undefined is not in the statement either. */
type Filters = { [K in 'priority' | 'tag' | 'due_after' | 'due_before']: TaskListQuery[K] } & {
  patterns: string[] | undefined
} & Partial<Position>

/** What one request wants of a list. */
type ListAsk = Filters & { user_id: string; size: number }

/** The tasks of a page, as many as `count`: each as the JSON of a TaskSchema, with `between` after all but the last. */
export type Page = { count: number; text: string }

/** A comma, and what is in no JSON that the database writes: there a newline within a text is escaped. */
export const between = ',\n'

/** One page and, to tell whether there is more, one task beyond it. */
export async function listTasks(
  db: Db,
  userId: string,
  query: TaskListQuery,
  after: Position | null,
  limit: number,
): Promise<Page> {
  const { priority, tag, due_after, due_before } = query
  const patterns = patternsOf(query.q)
  const filters = { priority, tag, due_after, due_before, patterns, ...after }
  const ask = { user_id: userId, size: limit + 1, ...filters }
  const [page = { count: 0, text: '' }] = await db.share(listOf(query, filters), ask)
  return page
}

const lists = new Map<string, Shared<ListAsk, Page>>()

/** The statement for all lists with these filters in this order, made once. */
function listOf(query: TaskListQuery, filters: Filters): Shared<ListAsk, Page> {
  const order = orderOf(query)
  const has = (filter: keyof Filters) => filters[filter] !== undefined
  const asked = filterNames.filter(has)
  const name = [order.sort, order.direction, query.deleted, query.status, ...asked].join()
  const known = lists.get(name)
  if (known !== undefined) return known
  const made = makeList(order, query, has)
  lists.set(name, made)
  return made
}

const filterNames = ['priority', 'tag', 'due_after', 'due_before', 'patterns', 'key'] as const

const makeList = (
  order: Order,
  { deleted, status }: TaskListQuery,
  has: (filter: keyof Filters) => boolean,
): Shared<ListAsk, Page> => ({
  // A search may have to look at all that a user has: nobody else shall wait for that.
  most: has('patterns') ? 1 : 16,
  isIdempotent: true,
  statement: (sql, asked) => {
    const direction = order.direction === 'asc' ? sql`asc` : sql`desc`
    return sql`
    select asked.n, page.count, page.text
    from json_to_recordset(${asked}::text::json) as asked (
      n integer, user_id text, size integer, priority task_priority[], tag text[], due_after date, due_before date,
      patterns text[], key ${keyType(sql, order)}, id uuid
    )
    cross join lateral (
      select count(task.json)::integer as count, coalesce(string_agg(task.json, ${between}), '') as text
      from (
        select t.json
        from tasks t
        where t.user_id = asked.user_id
          and t.deleted_at ${deleted ? sql`is not null` : sql`is null`}
          ${whereStatus(sql, status)}
          ${has('priority') ? sql`and t.priority = any(asked.priority)` : sql``}
          ${has('tag') ? sql`and t.tags @> asked.tag` : sql``}
          ${has('due_after') ? sql`and t.due_date >= asked.due_after` : sql``}
          ${has('due_before') ? sql`and t.due_date <= asked.due_before` : sql``}
          ${has('patterns') ? whereWords(sql) : sql``}
          ${has('key') ? whereAfter(sql, order) : sql``}
        order by ${sortKey(sql, order)} ${direction}, t.id ${direction}
        limit asked.size
      ) task
    ) page
    where ${few(sql)}`
  },
})

function whereStatus(sql: Sql, status: TaskListQuery['status']): Fragment {
  if (status === 'pending') return sql`and t.completed_at is null`
  if (status === 'completed') return sql`and t.completed_at is not null`
  return sql``
}

/** For each word of a search, what text with it is like; undefined without a word. */
function patternsOf(q = ''): string[] | undefined {
  const words = q.split(/\s+/).filter((word) => word !== '')
  return words.length === 0
    ? undefined
    : words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)
}

/** Each word somewhere in the text of the task. No word has a newline in it, so none matches across two fields. */
const whereWords = (sql: Sql): Fragment => sql`
  and t.words like all(array(select lower(pattern) from unnest(asked.patterns) pattern))`

/** What a list is sorted by. The indexes in sql/ hold the same expressions, so that a page costs the same anywhere. */
function sortKey(sql: Sql, { sort, direction }: Order): Fragment {
  if (sort === 'title') return sql`lower(t.title)`
  if (sort !== 'due_date') return sql`t.${sql(sort)}`
  // A task without a date comes last, whichever way the list goes.
  return direction === 'asc'
    ? sql`coalesce(t.due_date, 'infinity')`
    : sql`coalesce(t.due_date, '-infinity')`
}

function keyType(sql: Sql, { sort }: Order): Fragment {
  if (sort === 'title') return sql`text`
  if (sort === 'due_date') return sql`date`
  return sort === 'priority' ? sql`task_priority` : sql`timestamptz`
}

/** What comes after a position, compared as one row: with `or` the index would be read from its beginning. */
function whereAfter(sql: Sql, order: Order): Fragment {
  const key = order.sort === 'title' ? sql`lower(asked.key)` : sql`asked.key`
  return order.direction === 'asc'
    ? sql`and (${sortKey(sql, order)}, t.id) > (${key}, asked.id)`
    : sql`and (${sortKey(sql, order)}, t.id) < (${key}, asked.id)`
}
