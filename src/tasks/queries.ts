import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import { earlier, type Kept, keep, type Once, runOnce } from '../database/once.ts'
import { type Order, orderOf, type Position } from './rules.ts'
import type { NewTask, Task, TaskListQuery, TaskPatch } from './schema.ts'

// One exported function is one statement, and says what a lost connection means to it. Every one takes the user first
// and filters by it, so that no caller reaches another user's row.

/** Part of a statement: postgres.js sends nothing that is not awaited. */
type Fragment = PendingQuery<Row[]>

/** The columns of TaskSchema, in its order. */
const columns = (sql: Sql): Fragment => sql`
  id, user_id, title, description, completed_at is not null as completed, completed_at, priority, tags,
  due_date, due_time, time_zone, version, created_at, updated_at, deleted_at`

/** One page and, to tell whether there is more, one task beyond it. */
export const listTasks = (
  db: Db,
  userId: string,
  query: TaskListQuery,
  after: Position | null,
  limit: number,
): Promise<Task[]> =>
  db.read((sql) => {
    const order = orderOf(query)
    const direction = order.direction === 'asc' ? sql`asc` : sql`desc`
    return sql<Task[]>`
    select ${columns(sql)}
    from tasks
    where user_id = ${userId}
      and deleted_at ${query.deleted ? sql`is not null` : sql`is null`}
      ${whereStatus(sql, query.status)}
      ${query.priority ? sql`and priority = any(${query.priority}::text[]::task_priority[])` : sql``}
      ${query.tag ? sql`and tags @> ${query.tag}::text[]` : sql``}
      ${query.due_after ? sql`and due_date >= ${query.due_after}` : sql``}
      ${query.due_before ? sql`and due_date <= ${query.due_before}` : sql``}
      ${whereWords(sql, query.q)}
      ${after ? whereAfter(sql, order, after) : sql``}
    order by ${sortKey(sql, order)} ${direction}, id ${direction}
    limit ${limit + 1}`
  })

export async function findTask(db: Db, userId: string, id: string): Promise<Task | undefined> {
  const [task] = await db.read(
    (sql) => sql<Task[]>`
    select ${columns(sql)}
    from tasks
    where user_id = ${userId}
      and id = ${id}
      and deleted_at is null`,
  )
  return task
}

/**
 * The new task. The same task once more, by an id that the client chose, is the one that is there already; another one
 * under that id is not made. Twice is once by the id, which the server chooses before the first attempt if the client
 * did not.
 */
export async function insertTask(
  db: Db,
  userId: string,
  id: string,
  task: NewTask,
  once: Once | null = null,
): Promise<Change> {
  if (once !== null) return insertTaskOnce(db, userId, id, task, once)
  const [row] = await db.idempotentWrite(
    (sql) => sql<Task[]>`
    with ${owner(sql, userId, sql``)}
    ${insert(sql, userId, id, task, sql``)}`,
  )
  return row === undefined ? { outcome: 'stale' } : { outcome: 'changed', task: row }
}

const insertTaskOnce = async (
  db: Db,
  userId: string,
  id: string,
  task: NewTask,
  once: Once,
): Promise<Change> => {
  const unless = (sql: Sql) => sql`where not exists (select from earlier)`
  const [row] = await runOnce(() =>
    db.idempotentWrite(
      (sql) => sql<Kept<Task>[]>`
    with ${earlier(sql, userId, once)}, ${owner(sql, userId, unless(sql))},
    created as (
      ${insert(sql, userId, id, task, unless(sql))}
    ), ${keep(sql, userId, once, 'created')}
    select null as request, row_to_json(created) as answer
    from created
    union all
    select request, answer
    from earlier`,
    ),
  )
  return outcomeOf(row ?? { request: null, answer: null }, once)
}

const owner = (sql: Sql, userId: string, condition: Fragment): Fragment => sql`
    owner as (
      insert into users (id)
      select ${userId}
      ${condition}
      on conflict (id) do nothing
    )`

const insert = (
  sql: Sql,
  userId: string,
  id: string,
  task: NewTask,
  condition: Fragment,
): Fragment => sql`
    insert into tasks
      (user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone)
    select
      ${userId},
      ${id}::uuid,
      ${task.title},
      ${task.description ?? null},
      case when ${task.completed ?? false}::boolean then now() end,
      ${task.priority ?? 'none'}::task_priority,
      ${task.tags ?? []}::text[],
      ${task.due_date ?? null}::date,
      ${task.due_time ?? null}::time(0),
      ${task.time_zone ?? null}
    ${condition}
    on conflict (user_id, id) do update
      set version = tasks.version
      where tasks.deleted_at is null
        and (tasks.title, tasks.priority, tasks.tags, tasks.completed_at is null)
          = (excluded.title, excluded.priority, excluded.tags, excluded.completed_at is null)
        and (tasks.description, tasks.due_date, tasks.due_time, tasks.time_zone)
          is not distinct from (excluded.description, excluded.due_date, excluded.due_time, excluded.time_zone)
    returning ${columns(sql)}`

/** What a statement with a key did: its effect, what an earlier one did, or nothing because a condition does not hold. */
function outcomeOf({ request, answer }: Kept<Task>, once: Once): Change {
  if (request !== null && request !== once.request) return { outcome: 'key_reused' }
  if (answer === null) return { outcome: 'stale' }
  return { outcome: request === null ? 'changed' : 'replayed', task: answer }
}

/**
 * What became of a change: made, made by an earlier request with the same key, or not made: because the task has another
 * version, because the key is one of another request, or because there is no task.
 */
export type Change =
  | { outcome: 'changed' | 'replayed'; task: Task }
  | { outcome: 'stale' }
  | { outcome: 'key_reused' }
  | { outcome: 'not_found' }

export const updateTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  patch: TaskPatch,
  once: Once | null = null,
): Promise<Change> => {
  const completed = patch.completed ?? null
  const due = { date: 'due_date' in patch, time: 'due_time' in patch, zone: 'time_zone' in patch }
  return change(
    db,
    userId,
    id,
    versions,
    once,
    (sql) => sql`deleted_at is null`,
    (sql) => sql`
      title = coalesce(${patch.title ?? null}, title),
      description = case when ${'description' in patch}::boolean then ${patch.description ?? null} else description end,
      completed_at = case ${completed}::boolean
        when true then coalesce(completed_at, now())
        when false then null
        else completed_at
      end,
      priority = case when ${'priority' in patch}::boolean then ${patch.priority ?? 'none'} else priority end,
      tags = case when ${'tags' in patch}::boolean then ${patch.tags ?? []}::text[] else tags end,
      due_date = case when ${due.date}::boolean then ${patch.due_date ?? null} else due_date end,
      due_time = case when ${due.time}::boolean then ${patch.due_time ?? null} else due_time end,
      time_zone = case when ${due.zone}::boolean then ${patch.time_zone ?? null} else time_zone end`,
  )
}

/** Completes or reopens; null does whichever is left to do. */
export const completeTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  completed: boolean | null,
  once: Once | null = null,
): Promise<Change> =>
  change(
    db,
    userId,
    id,
    versions,
    once,
    (sql) => sql`deleted_at is null`,
    (sql) => sql`
      completed_at = case coalesce(${completed}::boolean, completed_at is null)
        when true then coalesce(completed_at, now())
      end`,
  )

/** To the trash. */
export const deleteTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Change> =>
  change(
    db,
    userId,
    id,
    versions,
    once,
    (sql) => sql`deleted_at is null`,
    (sql) => sql`deleted_at = now()`,
  )

/** Back from the trash, or still where it was. */
export const restoreTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Change> =>
  change(
    db,
    userId,
    id,
    versions,
    once,
    (sql) => sql`true`,
    (sql) => sql`deleted_at = null`,
  )

/**
 * Changes one task that satisfies `condition` and, if `versions` are given, has one of them. The second half of the
 * statement finds the task that has another one. Not idempotent without a key: each change counts the version up, and a
 * second one would not find the version of the first.
 */
async function change(
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once | null,
  condition: (sql: Sql) => Fragment,
  assignments: (sql: Sql) => Fragment,
): Promise<Change> {
  const update = (sql: Sql, unless: Fragment): Fragment => sql`
    changed as (
      update tasks
      set ${assignments(sql)}, version = version + 1, updated_at = greatest(now(), updated_at)
      where user_id = ${userId}
        and id = ${id}
        and ${condition(sql)}
        and (${versions}::integer[] is null or version = any(${versions}::integer[]))
        ${unless}
      returning ${columns(sql)}
    )`
  if (once !== null) {
    return changeOnce(db, userId, id, versions, once, condition, update)
  }
  const [row] = await db.write(
    (sql) => sql<(Task & { changed: boolean })[]>`
    with ${update(sql, sql``)}
    select ${columns(sql)}, true as changed
    from changed
    union all
    select ${columns(sql)}, false as changed
    from tasks
    where user_id = ${userId}
      and id = ${id}
      and ${condition(sql)}
      and not exists (select from changed)`,
  )
  if (row === undefined) return { outcome: 'not_found' }
  const { changed, ...task } = row
  return changed ? { outcome: 'changed', task } : unchanged(versions)
}

async function changeOnce(
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once,
  condition: (sql: Sql) => Fragment,
  update: (sql: Sql, unless: Fragment) => Fragment,
): Promise<Change> {
  const run = () =>
    db.idempotentWrite(
      (sql) => sql<Kept<Task>[]>`
    with ${earlier(sql, userId, once)}, ${update(sql, sql`and not exists (select from earlier)`)},
    ${keep(sql, userId, once, 'changed')}
    select null as request, row_to_json(changed) as answer
    from changed
    union all
    select request, answer
    from earlier
    union all
    select null as request, null as answer
    from tasks
    where user_id = ${userId}
      and id = ${id}
      and ${condition(sql)}
      and not exists (select from changed)
      and not exists (select from earlier)`,
    )
  let [row] = await runOnce(run)
  // The same request may have made the change while this one waited for the task, and left it nothing to do.
  if (row?.answer == null) [row] = await runOnce(run)
  if (row === undefined) return { outcome: 'not_found' }
  const made = outcomeOf(row, once)
  return made.outcome === 'stale' ? unchanged(versions) : made
}

/** Without a version to be stale, another request was faster: the task was there when this one began. */
const unchanged = (versions: number[] | null): Change => ({
  outcome: versions === null ? 'not_found' : 'stale',
})

function whereStatus(sql: Sql, status: TaskListQuery['status']): Fragment {
  if (status === 'pending') return sql`and completed_at is null`
  if (status === 'completed') return sql`and completed_at is not null`
  return sql``
}

/** Each word somewhere in the text of the task. No word has a newline in it, so none matches across two fields. */
function whereWords(sql: Sql, q = ''): Fragment {
  const words = q.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return sql``
  const patterns = words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)
  return sql`and concat_ws(E'\n', title, description, array_to_string(tags, E'\n')) ilike all(${patterns}::text[])`
}

/** What a list is sorted by. The indexes in sql/ hold the same expressions, so that a page costs the same anywhere. */
function sortKey(sql: Sql, { sort, direction }: Order): Fragment {
  if (sort === 'title') return sql`lower(title)`
  if (sort !== 'due_date') return sql`${sql(sort)}`
  // A task without a date comes last, whichever way the list goes.
  return direction === 'asc'
    ? sql`coalesce(due_date, 'infinity')`
    : sql`coalesce(due_date, '-infinity')`
}

/** What comes after a position, compared as one row: with `or` the index would be read from its beginning. */
function whereAfter(sql: Sql, order: Order, { key, id }: Position): Fragment {
  const position = order.sort === 'title' ? sql`lower(${key})` : sql`${key}`
  return order.direction === 'asc'
    ? sql`and (${sortKey(sql, order)}, id) > (${position}, ${id})`
    : sql`and (${sortKey(sql, order)}, id) < (${position}, ${id})`
}
