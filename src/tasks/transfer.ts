import type { Db } from '../database/gate.ts'
import { type Author, asksOf, given, logged, newOwners, owners } from '../database/log.ts'
import { grouped } from '../database/share.ts'
import { columnsOf, valuesOf } from '../database/writes.ts'
import { searchTextOfAll } from './queries.ts'
import { stored } from './rules.ts'
import type { Task } from './schema.ts'
import { askedColumns, columnsFrom, wholeValues } from './table.ts'

// What moves from one database to another: every field as it is, the trash, versions and instants included.

/** Whoever has ever written, under the id of the tokens. */
export type User = { id: string; created_at: string }

export async function findUser(db: Db, userId: string): Promise<User | undefined> {
  const [user] = await db.read(
    (sql) => sql<User[]>`
    select id, created_at
    from docket.users
    where id = ${userId}`,
  )
  return user
}

/** The next tasks of a user after an id, in the order of their ids. */
export const exportTasks = (
  db: Db,
  userId: string,
  after: string | null,
  limit: number,
): Promise<Task[]> =>
  db.read(
    (sql) => sql<Task[]>`
    select id, user_id, title, description, completed_at is not null as completed, completed_at, priority, tags,
      due_date, due_time, time_zone, version, created_at, updated_at, deleted_at
    from docket.tasks
    where user_id = ${userId}
      and (${after}::uuid is null or id > ${after}::uuid)
    order by id
    limit ${limit}`,
  )

/** A user who is there already stays as he is. */
export async function importUser(db: Db, { id, created_at }: User): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    insert into docket.users (id, created_at)
    values (${id}, ${created_at})
    on conflict (id) do nothing`,
  )
}

/** What the log says of who moved in. */
const mover = JSON.stringify({ kind: 'program', name: 'docket import' })

/**
 * Of a task that is there already the later version stays, so that twice is once. All that comes is a change, in the order of the
 * lines.
 * @returns how many were not there, or in an earlier version
 */
export async function importTasks(db: Db, tasks: Task[], request: string): Promise<number> {
  const asked = JSON.stringify(
    grouped(tasks.map((task) => ({ ...stored(task), actor: mover, request_id: request }))),
  )
  const rows = await db.idempotentWrite(
    (sql) => sql<{ user_id: string }[]>`
    with ${given(sql, asked)}, ${newOwners(sql)}, before as (
      select a.n, t.json, t.seq
      from ${asksOf(sql, sql`version integer`)} a
      join docket.tasks t on t.user_id = a.user_id and t.id = a.id
      for no key update of t
    ), made as (
      insert into docket.tasks as t
        (user_id, id, seq, version, created_at, updated_at, completed_at, deleted_at, ${columnsOf(sql, wholeValues(sql))},
          title_key, tag_keys, words, long_words)
      select asked.user_id, asked.id, asked.seq, asked.version, asked.created_at, asked.updated_at, asked.completed_at,
        asked.deleted_at, ${valuesOf(sql, wholeValues(sql))}, asked.title_key, asked.tag_keys, folded.words, folded.long_words
      from ${asksOf(
        sql,
        sql`version integer, created_at timestamptz, updated_at timestamptz, completed_at timestamptz, deleted_at timestamptz,
            ${askedColumns(sql)}`,
      )} asked
      -- Before it is changed.
      left join before on before.n = asked.n
      cross join lateral (${searchTextOfAll(sql)}) folded
      on conflict (user_id, id) do update
        set (seq, version, created_at, updated_at, completed_at, deleted_at, ${columnsOf(sql, wholeValues(sql))},
            title_key, tag_keys, words, long_words)
          = (excluded.seq, excluded.version, excluded.created_at, excluded.updated_at, excluded.completed_at, excluded.deleted_at,
            ${columnsFrom(sql, sql`excluded`)}, excluded.title_key, excluded.tag_keys, excluded.words, excluded.long_words)
        where t.version < excluded.version
      returning t.user_id, t.id, t.seq
    ), changed as (
      select made.user_id, made.id, made.seq, a.actor, a.request_id, a.at, before.seq as previous, before.json as before, 'imported' as action
      from ${asksOf(sql, sql`version integer`)} a
      join made on made.user_id = a.user_id and made.id = a.id
      left join before on before.n = a.n
    ), ${logged(sql, 'task', 'either', sql`changed`)}
    select user_id
    from changed`,
  )
  return rows.length
}

/** The ids of the first tasks of a user, in the order in which they changed. */
export const listIds = (db: Db, userId: string, limit: number): Promise<{ id: string }[]> =>
  db.read(
    (sql) => sql<{ id: string }[]>`
    select id
    from docket.tasks
    where user_id = ${userId}
    order by seq
    limit ${limit}`,
  )

/**
 * Makes tasks of one user those of the author, who may have one with the same id: then the one that comes gets a new id. To the log they
 * are new to the one, and purged of the other. Both are in docket.users.
 */
export function adoptTasks(
  db: Db,
  author: Author,
  formerId: string,
  ids: string[],
): Promise<{ id: string }[]> {
  const { user_id: userId, ...by } = author
  const asks = [formerId, userId].flatMap((user_id) => ids.map((id) => ({ user_id, id, ...by })))
  return db.idempotentWrite(
    (sql) => sql<{ id: string }[]>`
    with ${given(sql, JSON.stringify(grouped(asks)))}, ${owners(sql)}, leaving as (
      select a.id, a.actor, a.request_id, a.seq, a.at, t.seq as previous,
        case
          when exists (select from docket.tasks own where own.user_id = ${userId} and own.id = t.id) then gen_random_uuid()
          else t.id
        end as new_id
      from ${asksOf(sql, sql`version integer`)} a
      join docket.tasks t on t.user_id = a.user_id and t.id = a.id
      where a.user_id = ${formerId}
      for update of t
    ), arriving as (
      select l.id, l.new_id, l.actor, l.request_id, a.seq, a.at
      from ${asksOf(sql, sql`version integer`)} a
      join leaving l on l.id = a.id
      where a.user_id = ${userId}
    ), taken as (
      update docket.tasks t
      set user_id = ${userId}, id = arriving.new_id, seq = arriving.seq, version = t.version + 1, updated_at = arriving.at
      from arriving
      where t.user_id = ${formerId}
        and t.id = arriving.id
      returning t.id
    ), ${logged(
      sql,
      'task',
      'either',
      sql`(
        select ${formerId}::text as user_id, id, seq, at, actor, request_id, 'purged' as action, previous, null as before
        from leaving
        union all
        select ${userId}, new_id, seq, at, actor, request_id, 'imported', null, null
        from arriving
      ) change`,
    )}
    select id
    from taken`,
  )
}

/** Tells the planner what there is now. Who may not is only warned. */
export const analyze = (db: Db): Promise<unknown> =>
  db.idempotentWrite((sql) => sql`analyze docket.users, docket.tasks`)
