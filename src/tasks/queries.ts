import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import { few, type Shared } from '../database/share.ts'
import { noDate, type Order, orderOf, type Position } from './rules.ts'
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

export const findTask = (db: Db, userId: string, id: string): Promise<TaskText | undefined> =>
  db.share(single, { user_id: userId, id })

/** One that is undefined is not in the statement either. */
type Filters = {
  [K in 'priority' | 'tag' | 'due_after' | 'due_before']: TaskListQuery[K]
} & Partial<Search> &
  Partial<Position>

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
  const order = orderOf(query)
  // Among those without a date, where only the ids are left to go by.
  const position = isSplit(order) && after?.key === noDate ? { id: after.id } : after
  const filters = { priority, tag, due_after, due_before, ...searchOf(query.q), ...position }
  const ask = { user_id: userId, size: limit + 1, ...filters }
  return (await db.share(listOf(order, query, filters), ask)) ?? { count: 0, text: '' }
}

const lists = new Map<string, Shared<ListAsk, Page>>()

/** The statement for all lists with these filters in this order, made once. */
function listOf(order: Order, query: TaskListQuery, filters: Filters): Shared<ListAsk, Page> {
  const has = (filter: keyof Filters) => filters[filter] !== undefined
  const asked = filterNames.filter(has)
  const name = [order.sort, order.direction, query.deleted, query.status, ...asked].join()
  const known = lists.get(name)
  if (known !== undefined) return known
  const made = makeList(order, query, has)
  lists.set(name, made)
  return made
}

const filterNames = ['priority', 'tag', 'due_after', 'due_before', 'word', 'key', 'id'] as const

const makeList = (
  order: Order,
  { deleted, status }: TaskListQuery,
  has: (filter: keyof Filters) => boolean,
): Shared<ListAsk, Page> => ({
  // A search may have to look at all that a user has: not many others shall wait for that.
  most: has('word') ? 4 : 16,
  isIdempotent: true,
  statement: (sql, asked) => {
    const direction = order.direction === 'asc' ? sql`asc` : sql`desc`
    const isSearch = has('word') && order.sort === 'created_at' && !deleted
    const key = isSearch ? sql`found.created_at` : sortKey(sql, order)
    const part = (size: Fragment, span: Fragment): Fragment => sql`
    cross join lateral (
      select count(task.json)::integer as count, string_agg(task.json, ${between}) as text
      from (
        select t.json
        from ${isSearch ? searchIndex(sql, direction, span) : sql`tasks t`}
        where t.user_id = asked.user_id
          and t.deleted_at ${deleted ? sql`is not null` : sql`is null`}
          ${whereStatus(sql, status)}
          ${has('priority') ? sql`and t.priority = any(asked.priority)` : sql``}
          ${has('tag') ? sql`and t.tags @> asked.tag` : sql``}
          ${whereDue(sql, order, has)}
          ${has('word') ? sql`and ${hasWords(sql, sql`coalesce(t.words, t.long_words)`)}` : sql``}
          ${span}
        order by ${key} ${direction}, ${isSearch ? sql`found` : sql`t`}.id ${direction}
        limit ${size}
      ) task
    )`
    const [first, second] = spans(sql, order, has)
    return sql`
    select asked.n, ${
      second === undefined
        ? sql`page.count, coalesce(page.text, '') as text`
        : sql`page.count + rest.count as count, concat_ws(${between}, page.text, rest.text) as text`
    }
    from json_to_recordset(${asked}::text::json) as asked (
      n integer, user_id text, size integer, priority task_priority[], tag text[], due_after date, due_before date,
      word text, others text[], key ${keyType(sql, order)}, id uuid
    )
    ${part(sql`asked.size`, first)} page
    ${second === undefined ? sql`` : sql`${part(sql`asked.size - page.count`, second)} rest`}
    where ${few(sql)}`
  },
})

function whereStatus(sql: Sql, status: TaskListQuery['status']): Fragment {
  if (status === 'pending') return sql`and t.completed_at is null`
  if (status === 'completed') return sql`and t.completed_at is not null`
  return sql``
}

/** In the order of due dates these are conditions of its index, which has those without a date at its end. */
function whereDue(sql: Sql, order: Order, has: (filter: keyof Filters) => boolean): Fragment {
  const date = order.sort === 'due_date' ? sortKey(sql, order) : sql`t.due_date`
  const after = sql`and ${date} >= asked.due_after and ${date} < 'infinity'`
  const before = sql`and ${date} <= asked.due_before`
  return sql`${has('due_after') ? after : sql``} ${has('due_before') ? before : sql``}`
}

/** The longest word of a search, which is looked for first, and what text with each of the others is like. */
type Search = { word: string; others: string[] }

function searchOf(q = ''): Search | undefined {
  const words = q.split(/\s+/).filter((part) => part !== '')
  const [word, ...others] = words.toSorted((a, b) => b.length - a.length)
  if (word === undefined) return undefined
  return { word, others: others.map((other) => `%${other.replace(/[\\%_]/g, '\\$&')}%`) }
}

/** Each word somewhere in the text of the task. No word has a newline in it, so none matches across two fields. */
const hasWords = (sql: Sql, words: Fragment): Fragment => sql`
  strpos(${words}, (select lower(asked.word))) > 0
  and ${words} like all(array(select lower(other) from unnest(asked.others) other))`

/**
 * The tasks that a search may find, in the order of the index that has their words: nothing else is looked at of the others.
 * Of a task with long words it does not know them. The offset keeps the planner from making one scan of both.
 */
const searchIndex = (sql: Sql, direction: Fragment, after: Fragment): Fragment => sql`
  (
    select t.id, t.created_at
    from tasks t
    where t.user_id = asked.user_id
      and t.deleted_at is null
      and (t.words is null or ${hasWords(sql, sql`t.words`)})
      ${after}
    order by t.created_at ${direction}, t.id ${direction}
    offset 0
  ) found
  join tasks t on t.user_id = asked.user_id and t.id = found.id`

/** What a list is sorted by. The indexes in sql/ hold the same expressions, so that a page costs the same anywhere. */
function sortKey(sql: Sql, { sort }: Order): Fragment {
  if (sort === 'title') return sql`lower(t.title)`
  return sort === 'due_date' ? sql`coalesce(t.due_date, 'infinity')` : sql`t.${sql(sort)}`
}

function keyType(sql: Sql, { sort }: Order): Fragment {
  if (sort === 'title') return sql`text`
  if (sort === 'due_date') return sql`date`
  return sort === 'priority' ? sql`task_priority` : sql`timestamptz`
}

/** A task without a date comes last, whichever way the list goes. Backwards the index has it first: so it is read in two spans. */
const isSplit = ({ sort, direction }: Order): boolean => sort === 'due_date' && direction === 'desc'

/**
 * What of the order is looked at, one after the other: all, or what comes after a position. It is compared as one row: with
 * `or` the index would be read from its beginning.
 */
function spans(
  sql: Sql,
  order: Order,
  has: (filter: keyof Filters) => boolean,
): [Fragment, Fragment?] {
  const at = sortKey(sql, order)
  const key = order.sort === 'title' ? sql`lower(asked.key)` : sql`asked.key`
  const less = order.direction === 'asc' ? sql`>` : sql`<`
  const after = has('key') ? sql`and (${at}, t.id) ${less} (${key}, asked.id)` : sql``
  if (!isSplit(order)) return [after]

  const undated = sql`and ${at} = 'infinity'`
  return has('id') && !has('key')
    ? [sql`${undated} and t.id < asked.id`]
    : [sql`and ${at} < 'infinity' ${after}`, undated]
}
