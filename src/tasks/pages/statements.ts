import type { PendingQuery } from 'postgres'
import { type Sql, unprepared } from '../../database/connect.ts'
import type { Db } from '../../database/gate/gate.ts'
import { few, type Shared, textOf } from '../../database/gate/share.ts'
import type { Fragment } from '../../database/log/log.ts'
import { fold } from '../../http/fold.ts'
import { conditionOf } from '../filter/condition.ts'
import type { Tests } from '../filter/tree.ts'
import { isThere, placeOf } from '../queries.ts'
import type { Order } from '../rules.ts'

// The statements of lists. Each looks at a slice of a user's tasks in their order, and at no more: so what it costs is known
// before, whatever is stored and however it is asked. read.ts puts pages together out of slices.

/** What of an order is looked at. With a date and without: where those without come last though the index has them first. */
export type Span = 'all' | 'dated' | 'undated'

/** Of lists with one shape there is one statement. Filters are parameters of it, as there are too many combinations of them. */
export type Shape = {
  order: Order
  deleted: boolean
  span: Span
  /** Whether it goes on after a position. */
  isNext: boolean
  hasFilters: boolean
  /** In manual order: of one list only, which is a part of the order. */
  inList: boolean
  /** Of what is just under one task, of which there is never much. */
  underOne: boolean
  hasWords: boolean
  /** Each with all that is under it. */
  withSubtasks: boolean
  /** What else they must have, of a filter: with it there is `hasFilters`, and no words. */
  tests?: Tests
}

/** What tasks must have. Tags and words are folded. */
export type Filters = {
  completed?: boolean
  priority?: string[]
  tag?: string[]
  due_after?: string
  due_before?: string
  /** No due date. */
  undated?: boolean
  /** The id of a list, or '' for the inbox. */
  list?: string
  /** The id of the task that they are just under; or that they are under none. */
  parent?: string
  top?: boolean
  /** Not in a list that is archived. */
  unarchived?: boolean
  /** A word, and what text with each of the other words is like. */
  word?: string
  others?: string[]
}

export type SliceAsk = Filters & {
  user_id: string
  /** How many tasks to find: no more without words, and where there are words it may be some more. */
  size: number
  /** With filters: how many to look at for them at most; null: all. */
  reach: number | null
  /**
   * With words: of how many to read the whole text. Only that tells of a long one whether it has them, and it may take a
   * millisecond.
   */
  depth: number
  key?: string
  id?: string
  /** Whether others shall not wait for it. */
  isLong: boolean
}

/**
 * Tasks that were found, as many as `count`: each as the JSON of a TaskSchema, with `between` after all but the last. Where fewer
 * than `size` were found and there may be more, `key` and `id` say how far it looked.
 */
export type Slice = {
  count: number
  text: string
  /** The sort keys of the tasks, with `betweenKeys`, where they are not in the JSON. */
  keys: string | null
  key: string | null
  id: string | null
  /** The number of the last change of the user; null: there was none. */
  seq: string | null
  /** Without filters: whether the user has lists that are archived. */
  archives: boolean
  /** Seconds until it was found, with what was before it in its statement. Without filters nobody asks. */
  took: number
}

/** A comma, and what is in no JSON that the database writes: there a newline within a text is escaped. */
export const between = ',\n'

/** What is in none of them. */
export const betweenKeys = '\u001E'

const statements = new Map<string, Shared<SliceAsk, Slice>>()

const nameOf = ({ order, deleted, span, ...shape }: Shape): string =>
  [
    order.sort,
    order.direction,
    deleted,
    span,
    shape.isNext,
    shape.hasFilters,
    shape.inList,
    shape.underOne,
    shape.hasWords,
    shape.withSubtasks,
  ].join()

const filterColumns = (sql: Sql): Fragment =>
  sql`completed boolean, priority docket.task_priority[], tag text[], due_after date, due_before date, undated boolean, parent uuid,
        top boolean, unarchived boolean`

/** The statement for slices of a shape, made once. */
function sliceOf(shape: Shape): Shared<SliceAsk, Slice> {
  const name = nameOf(shape)
  const known = statements.get(name)
  if (known !== undefined) return known
  const made: Shared<SliceAsk, Slice> = {
    // Not many shall wait for the search of another one.
    most: shape.hasWords ? 4 : 16,
    isIdempotent: true,
    isLong: ({ isLong }) => isLong,
    statement: (sql, asked) => sliceStatement(sql, asked, shape),
  }
  statements.set(name, made)
  return made
}

const sliceStatement = (sql: Sql, asked: string, shape: Shape) => sql<(Slice & { n: number })[]>`
    select asked.n, page.count, coalesce(page.text, '') as text, page.keys, ${ends(sql, shape)},
      (select u.seq::text from docket.users u where u.id = asked.user_id) as seq,
      ${shape.hasFilters ? sql`false` : sql`exists (select from docket.lists l where l.user_id = asked.user_id and l.archived_at is not null)`} as archives
    from json_to_recordset(${asked}::text::json) as asked (
      n integer, user_id text, size integer
      ${shape.hasFilters || shape.hasWords ? sql`, reach integer` : sql``}
      ${shape.hasFilters ? sql`, ${filterColumns(sql)}` : sql``}
      ${shape.hasFilters || shape.inList ? sql`, list text` : sql``}
      ${shape.hasWords ? sql`, depth integer, word text, others text[]` : sql``}
      ${shape.isNext ? sql`, key ${keyType(sql, shape.order)}, id uuid` : sql``}
    )
    ${shape.hasFilters ? archived(sql) : sql``}
    ${shape.hasWords ? search(sql, shape) : page(sql, shape)}
    where ${few(sql)}`

/** The lists that are archived, where their tasks are to be left out. */
const archived = (sql: Sql): Fragment => sql`
    cross join lateral (
      select coalesce(array_agg(l.id), '{}') as ids
      from docket.lists l
      where asked.unarchived
        and l.user_id = asked.user_id
        and l.archived_at is not null
    ) archived`

export type StrideAsk = Filters & {
  user_id: string
  /** How many to find; null: all that are within reach. */
  size: number | null
  reach: number
  key?: string
  id?: string
  isLong: boolean
}

/** How many were found, and where the last of `size` is or, where fewer were found, how far it looked; null: there is no more. */
export type Stride = Pick<Slice, 'count' | 'key' | 'id' | 'took'>

const strides = new Map<string, Shared<StrideAsk, Stride>>()

/** The statement that counts what a list of a shape has, and answers none of it. */
function strideOf(given: Shape): Shared<StrideAsk, Stride> {
  const shape = { ...given, hasFilters: true, withSubtasks: false }
  const name = nameOf(shape)
  const known = strides.get(name)
  if (known !== undefined) return known
  const made: Shared<StrideAsk, Stride> = {
    most: shape.hasWords ? 4 : 16,
    isIdempotent: true,
    isLong: ({ isLong }) => isLong,
    statement: (sql, asked) => strideStatement(sql, asked, shape),
  }
  strides.set(name, made)
  return made
}

const strideStatement = (sql: Sql, asked: string, shape: Shape) => sql<(Stride & { n: number })[]>`
    select asked.n, page.count, coalesce(last.key, stop.key) as key, coalesce(last.id, stop.id) as id,
      extract(epoch from clock_timestamp() - statement_timestamp())::float8 as took
    from json_to_recordset(${asked}::text::json) as asked (
      n integer, user_id text, size integer, reach integer,
      ${filterColumns(sql)}, list text
      ${shape.hasWords ? sql`, word text, others text[]` : sql``}
      ${shape.isNext ? sql`, key ${keyType(sql, shape.order)}, id uuid` : sql``}
    )
    ${archived(sql)}
    cross join lateral (
      select count(task.id)::integer as count,
        (array_agg(task.id) filter (where asked.size is not null))[asked.size] as last
      from (
        select t.id
        from ${slice(sql, shape, sql`t.id, t.completed_at, t.priority, t.tags, t.tag_keys, t.due_date, t.list_id, t.parent_id, t.words, t.long_words ${more(sql, shape)}`)}
        where ${filters(sql, shape)}
          ${shape.hasWords ? sql`and ${hasWords(sql, sql`coalesce(t.words, t.long_words)`)}` : sql``}
        limit asked.size
      ) task
    ) page
    left join lateral (
      select ${position(sql, shape)}
      from docket.tasks t
      where t.user_id = asked.user_id
        and t.id = page.last
      offset 0
    ) last on true
    ${stop(sql, shape, sql`page.last is null`)}
    where ${few(sql)}`

/** A slice in a statement that others share. With a filter in one of its own: there are too many of them for each to be kept. */
export const readSlice = (db: Db, shape: Shape, ask: SliceAsk): Promise<Slice | undefined> =>
  shape.tests === undefined
    ? db.share(sliceOf(shape), ask)
    : readAlone(db, (sql, asked) => sliceStatement(sql, asked, shape), ask)

export const readStride = (db: Db, shape: Shape, ask: StrideAsk): Promise<Stride | undefined> =>
  shape.tests === undefined
    ? db.share(strideOf(shape), ask)
    : readAlone(
        db,
        (sql, asked) => strideStatement(sql, asked, { ...shape, hasFilters: true }),
        ask,
      )

/** In a statement that neither the server nor the driver remembers. */
async function readAlone<Row>(
  db: Db,
  statement: (sql: Sql, asked: string) => PendingQuery<(Row & { n: number })[]>,
  ask: object,
): Promise<Row | undefined> {
  const asked = textOf({}, [ask])
  const [row] = await db.read((sql) => unprepared(statement(sql, asked)))
  return row
}

/** The tasks of a slice that pass the filters. */
const page = (sql: Sql, shape: Shape): Fragment => sql`
    cross join lateral (
      select count(task.json)::integer as count, string_agg(task.json, ${between}) as text,
        ${keys(sql, shape)}
      from (
        select ${json(sql, shape)} as json ${ownKey(sql, shape)}
        from ${shape.hasFilters ? slice(sql, shape, filtered(sql, shape)) : sql`docket.tasks t`}
        where ${shape.hasFilters ? filters(sql, shape) : within(sql, shape)}
        ${shape.hasFilters ? sql`` : orderBy(sql, shape)}
        limit asked.size
      ) task
    ) page
    ${shape.hasFilters ? stop(sql, shape, sql`page.count < asked.size`) : sql``}`

/**
 * First those that may be found, in the order of the index, which has the words of most tasks: of the others nothing else is
 * looked at. Then these themselves, by their key: the offsets keep the planner from joining in any other way, and as nothing is
 * said of the trash, no other index is thought of.
 */
const search = (sql: Sql, shape: Shape): Fragment => sql`
    cross join lateral (
      select array_agg(found.id) as ids, count(found.id) as count
      from (
        select t.id
        from ${slice(sql, shape, shape.hasFilters ? filtered(sql, shape) : sql`t.id, t.words`)}
        where (t.words is null or ${hasWords(sql, sql`t.words`)})
          ${shape.hasFilters ? sql`and ${filters(sql, shape)}` : sql``}
        limit asked.depth
      ) found
    ) found
    cross join lateral (
      select count(task.json)::integer as count, string_agg(task.json, ${between} order by task.n) as text,
        ${keys(sql, shape, sql`order by task.n`)}
      from (
        select ${json(sql, shape)} as json, one.n ${ownKey(sql, shape)}
        from unnest(found.ids) with ordinality one (id, n)
        cross join lateral (
          select t.json, t.words, t.long_words ${shape.withSubtasks ? sql`, t.id` : sql``} ${subtasks(sql, shape)} ${ownKey(sql, shape)}
          from docket.tasks t
          where t.user_id = asked.user_id
            and t.id = one.id
          offset 0
        ) t
        where ${hasWords(sql, sql`coalesce(t.words, t.long_words)`)}
      ) task
    ) page
    left join lateral (
      select ${position(sql, shape)}
      from docket.tasks t
      where page.count < asked.size
        and t.user_id = asked.user_id
        and t.id = found.ids[asked.depth]
      offset 0
    ) last on true
    ${stop(sql, shape, sql`page.count < asked.size and found.count < asked.depth`)}`

const keys = (sql: Sql, { order }: Shape, inOrder = sql``): Fragment =>
  order.sort === 'title'
    ? sql`string_agg(task.title_key, chr(30) ${inOrder}) as keys`
    : order.sort === 'updated_at'
      ? sql`string_agg(task.seq::text, chr(30) ${inOrder}) as keys`
      : sql`null::text as keys`

const ownKey = (sql: Sql, { order }: Shape): Fragment =>
  order.sort === 'title' ? sql`, t.title_key` : order.sort === 'updated_at' ? sql`, t.seq` : sql``

/** So many tasks, in their order, as there are to be looked at. */
const slice = (sql: Sql, shape: Shape, columns: Fragment): Fragment =>
  shape.order.sort === 'updated_at'
    ? sliceOfLatest(sql, shape, columns)
    : sql`
        (
          select ${columns}
          from ${source(sql, shape)}
          where ${within(sql, shape)}
          ${orderBy(sql, shape)}
          limit asked.reach
        ) t`

/** Where what is looked at is. What is under one task is read by that, and put in order then: an index of the order has all tasks. */
const source = (sql: Sql, { underOne }: Shape): Fragment =>
  underOne
    ? sql`(
            select user_id, id, seq, list_id, parent_id, position, has_subtasks, description, completed_at, priority, tags, due_date,
              due_time, created_at, updated_at, deleted_at, title_key, tag_keys, words, long_words, json
            from docket.tasks
            where user_id = asked.user_id
              and parent_id = asked.parent
            offset 0
          ) t`
    : sql`docket.tasks t`

/** A task, with all that is under it where that is asked for. */
const json = (sql: Sql, { withSubtasks }: Shape): Fragment =>
  withSubtasks ? sql`docket.task_tree(t.user_id, t.id, t.json, t.has_subtasks)` : sql`t.json`

/** What that needs. */
const subtasks = (sql: Sql, { withSubtasks }: Shape): Fragment =>
  withSubtasks ? sql`, t.user_id, t.has_subtasks` : sql``

/** The same by the number of their last change: of what is looked at, and is no task of the list, there is nothing. */
const sliceOfLatest = (sql: Sql, shape: Shape, columns: Fragment): Fragment => sql`
        (
          select ${columns}
          from (
            select l.type, l.id
            from docket.latest l
            where ${withinLatest(sql, shape)}
            ${orderByLatest(sql, shape)}
            limit asked.reach
          ) l
          cross join lateral (
            select ${columns}
            from docket.tasks t
            where t.user_id = asked.user_id
              and t.id = l.id
              and l.type = 'task'
              and ${isListed(sql, shape)}
            offset 0
          ) t
        ) t`

/** What filters look at, and what is answered. */
const filtered = (sql: Sql, shape: Shape): Fragment =>
  sql`t.id, t.words, t.long_words, t.json, t.completed_at, t.priority, t.tags, t.tag_keys, t.due_date, t.list_id, t.parent_id
    ${subtasks(sql, shape)} ${more(sql, shape)} ${ownKey(sql, shape)}`

/** What a filter may look at besides. */
const more = (sql: Sql, { tests }: Shape): Fragment =>
  tests === undefined ? sql`` : sql`, t.description, t.due_time, t.created_at, t.updated_at`

/** The last task of a slice, where it is needed and there is one. */
const stop = (sql: Sql, shape: Shape, isNeeded: Fragment): Fragment => sql`
    left join lateral (
      ${
        shape.order.sort === 'updated_at'
          ? sql`
      select l.seq::text as key, l.id
      from docket.latest l
      where ${isNeeded}
        and asked.reach is not null
        and ${withinLatest(sql, shape)}
      ${orderByLatest(sql, shape)}`
          : sql`
      select ${position(sql, shape)}
      from ${source(sql, shape)}
      where ${isNeeded}
        and asked.reach is not null
        and ${within(sql, shape)}
      ${orderBy(sql, shape)}`
      }
      offset asked.reach - 1
      limit 1
    ) stop on true`

function ends(sql: Sql, { hasFilters, hasWords }: Shape): Fragment {
  const took = sql`extract(epoch from clock_timestamp() - statement_timestamp())::float8 as took`
  if (hasWords) {
    return sql`coalesce(last.key, stop.key) as key, coalesce(last.id, stop.id) as id, ${took}`
  }
  return hasFilters
    ? sql`stop.key, stop.id, ${took}`
    : sql`null::text as key, null::uuid as id, 0::float8 as took`
}

const isListed = (sql: Sql, { deleted }: Shape): Fragment =>
  deleted ? sql`not ${isThere(sql)}` : isThere(sql)

const withinLatest = (sql: Sql, { order, isNext }: Shape): Fragment => sql`l.user_id = asked.user_id
            ${isNext ? sql`and l.seq ${order.direction === 'asc' ? sql`>` : sql`<`} asked.key` : sql``}`

const orderByLatest = (sql: Sql, { order }: Shape): Fragment =>
  sql`order by l.seq ${order.direction === 'asc' ? sql`asc` : sql`desc`}`

/** What of the order is looked at. The position is compared as one row: with `or` the index would be read from its beginning. */
function within(sql: Sql, { order, deleted, span, isNext, hasFilters, inList }: Shape): Fragment {
  const at = sortKey(sql, order)
  const less = order.direction === 'asc' ? sql`>` : sql`<`
  const after =
    span === 'undated'
      ? sql`t.id ${less} asked.id`
      : sql`(${at}, t.id) ${less} (asked.key, asked.id)`
  const spans = {
    all: sql``,
    dated: sql`and ${at} < 'infinity'`,
    undated: sql`and ${at} = 'infinity'`,
  }
  // In their own order they bound what is looked at.
  const bounds = sql`
            and ${at} >= coalesce(asked.due_after, '-infinity')
            and ${at} <= coalesce(
              asked.due_before + time '23:59:59.5',
              case when asked.due_after is null then 'infinity' else timestamp '9999-12-31 23:59:59.5' end
            )`
  return sql`t.user_id = asked.user_id
            and t.deleted_at ${deleted ? sql`is not null` : sql`is null`}
            ${spans[span]}
            ${hasFilters && order.sort === 'due_date' && span !== 'undated' ? bounds : sql``}
            ${inList ? sql`and ${at} > asked.list || ' ' and ${at} < asked.list || '!'` : sql``}
            ${isNext ? sql`and ${after}` : sql``}`
}

/** Each of them, where it is asked for. */
const filters = (sql: Sql, { order, inList, tests }: Shape): Fragment => sql`
          (asked.completed is null or (t.completed_at is not null) = asked.completed)
          and (asked.priority is null or t.priority = any(asked.priority))
          and (asked.tag is null or coalesce(t.tag_keys, t.tags) @> asked.tag)
          and (asked.undated is null or t.due_date is null)
          and (asked.top is null or t.parent_id is null)
          and (asked.parent is null or t.parent_id = asked.parent)
          and (asked.unarchived is null or t.list_id is null or t.list_id <> all(archived.ids))
          ${inList ? sql`` : sql`and (asked.list is null or coalesce(t.list_id::text, '') = asked.list)`}
          ${
            order.sort === 'due_date'
              ? sql``
              : sql`
          and (asked.due_after is null or t.due_date >= asked.due_after)
          and (asked.due_before is null or t.due_date <= asked.due_before)`
          }
          ${tests === undefined ? sql`` : sql`and ${conditionOf(sql, tests)}`}`

/** Each word somewhere in the text of the task. No word has the separator in it, so none matches across two fields. */
const hasWords = (sql: Sql, words: Fragment): Fragment => sql`
          strpos(${words}, asked.word) > 0
          and ${words} like all(asked.others)`

/** What a list is sorted by. The indexes in sql/ hold the same expressions, so that a page costs the same anywhere. */
function sortKey(sql: Sql, { sort }: Order): Fragment {
  if (sort === 'title') return sql`t.title_key`
  if (sort === 'position') return placeOf(sql)
  return sort === 'due_date'
    ? sql`coalesce(t.due_date + coalesce(t.due_time, '23:59:59.5'), 'infinity')`
    : sql`t.${sql(sort)}`
}

function orderBy(sql: Sql, { order, span }: Shape): Fragment {
  const direction = order.direction === 'asc' ? sql`asc` : sql`desc`
  const key = span === 'undated' ? sql`` : sql`${sortKey(sql, order)} ${direction},`
  return sql`order by ${key} t.id ${direction}`
}

/** Where a task is in the order, as a cursor has it. */
function position(sql: Sql, { order }: Shape): Fragment {
  const { sort } = order
  switch (sort) {
    case 'due_date':
      return sql`replace((${sortKey(sql, order)})::text, ' ', 'T') as key, t.id`
    case 'priority':
      return sql`t.priority::text as key, t.id`
    case 'title':
      return sql`t.title_key as key, t.id`
    case 'position':
      return sql`${placeOf(sql)} as key, t.id`
    case 'updated_at':
      return sql`t.seq::text as key, t.id`
    default:
      return sql`replace(t.${sql(sort)}::text, ' ', 'T') || ':00' as key, t.id`
  }
}

function keyType(sql: Sql, { sort }: Order): Fragment {
  if (sort === 'title' || sort === 'position') return sql`text`
  if (sort === 'updated_at') return sql`bigint`
  if (sort === 'due_date') return sql`timestamp`
  return sort === 'priority' ? sql`docket.task_priority` : sql`timestamptz`
}

/** The longest word is looked for first: it is the rarest. One that folds to several has to be there as they are. */
export function wordsOf(q: string | undefined): Pick<Filters, 'word' | 'others'> {
  const [word, ...others] = foldedWords(q).toSorted((a, b) => b.length - a.length)
  if (word === undefined) return {}
  return { word, others: others.map((other) => `%${other.replace(/[\\%_]/g, '\\$&')}%`) }
}

/** Each word once. */
export const foldedWords = (q = ''): string[] =>
  [...new Set(q.split(/\s+/).map(fold))].filter((part) => part !== '')
