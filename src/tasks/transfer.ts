import type { Db } from '../database/gate.ts'
import { searchTextOfAll } from './queries.ts'
import { stored } from './rules.ts'
import type { Task } from './schema.ts'

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

/**
 * Of a task that is there already the later version stays, so that twice is once.
 * @returns how many were not there, or in an earlier version
 */
export async function importTasks(db: Db, tasks: Task[]): Promise<number> {
  const rows = await db.idempotentWrite(
    (sql) => sql<{ user_id: string }[]>`
    with moved as (
      select user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
        version, created_at, updated_at, deleted_at, title_key, tag_keys, words, long_words
      from json_to_recordset(${JSON.stringify(tasks.map(stored))}::text::json) as line (
        user_id text, id uuid, title text, description text, completed_at timestamptz, priority docket.task_priority,
        tags text[], due_date date, due_time time, time_zone text, version integer, created_at timestamptz,
        updated_at timestamptz, deleted_at timestamptz,
        title_key text, title_words text, description_words text, tag_keys text[]
      )
      cross join lateral (
        ${searchTextOfAll(sql)}
      ) folded
    ),
    owners as (
      insert into docket.users (id)
      select distinct user_id from moved
      on conflict (id) do nothing
    )
    insert into docket.tasks
      (user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
        version, created_at, updated_at, deleted_at, title_key, tag_keys, words, long_words)
    select user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
      version, created_at, updated_at, deleted_at, title_key, tag_keys, words, long_words
    from moved
    on conflict (user_id, id) do update
      set (title, description, completed_at, priority, tags, due_date, due_time, time_zone,
          version, created_at, updated_at, deleted_at, title_key, tag_keys, words, long_words)
        = (excluded.title, excluded.description, excluded.completed_at, excluded.priority, excluded.tags,
          excluded.due_date, excluded.due_time, excluded.time_zone,
          excluded.version, excluded.created_at, excluded.updated_at, excluded.deleted_at,
          excluded.title_key, excluded.tag_keys, excluded.words, excluded.long_words)
      where tasks.version < excluded.version
    returning user_id`,
  )
  return rows.length
}

/** Tells the planner what there is now. Who may not is only warned. */
export const analyze = (db: Db): Promise<unknown> =>
  db.idempotentWrite((sql) => sql`analyze docket.users, docket.tasks`)
