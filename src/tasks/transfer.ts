import type { Db } from '../database/gate/gate.ts'
import { type Author, asksOf, given, logged, owners } from '../database/log/log.ts'
import {
  type Arrival,
  enough,
  exportThings,
  importThings,
  type Change as Moved,
  type Mover,
  traceless,
} from '../database/log/moving.ts'
import { placeOf, searchTextOfAll } from './queries.ts'
import { stored } from './rules.ts'
import type { Kept, Place, Repetition, Task } from './schema.ts'
import { askedColumns, taskTable, wholeValues } from './table.ts'

// What moves from one database to another: every field as it is, the trash, versions and instants included.

/** Whoever has ever written, under the id of the tokens. */
export type User = { id: string; created_at: string; time_zone?: string | null }

export async function findUser(db: Db, userId: string): Promise<User | undefined> {
  const [user] = await db.read(
    (sql) => sql<User[]>`
    select id, created_at, time_zone
    from docket.users
    where id = ${userId}`,
  )
  return user
}

/** A change that was made of a task: what there was of it before. */
export type Change = Moved<Partial<Task> & { extra?: Kept['extra'] | null }>

/** What older files do not have. */
type Later = keyof (Place & Repetition) | 'reminders'

/** A task on its way, with its changes, the oldest first. */
export type Moving = {
  task: Omit<Task, Later> & Partial<Pick<Task, Later>> & Kept
  history?: Change[]
}

export const exportTasks = (
  db: Db,
  userId: string,
  after: string,
  limit: number,
): Promise<{ seq: string; text: string }[]> => exportThings(db, taskTable, userId, after, limit)

/** A change in the log: `n` says whose it is of those that were asked for, `previous` is the number of the one before. */
export type Logged = {
  n: number
  previous: string | null
  at: string
  actor: string | null
  request_id: string | null
  action: string
  before: string | null
  /** How many there are of them all, to the limit: fewer may be given, for they may be long. */
  found: number
}

/** The changes of things of a user, those of the first thing first, from one of each back to the oldest, `most` of each at most. */
export const exportChanges = (
  db: Db,
  userId: string,
  from: { n: number; seq: string | null; most: number }[],
  limit: number,
): Promise<Logged[]> =>
  db.read(
    (sql) => sql<Logged[]>`
    select n, previous, at, actor, request_id, action, before, found
    from (
      select n, previous, at, actor, request_id, action, before, count(*) over ()::integer as found,
        sum(coalesce(octet_length(before), 0)) over (rows unbounded preceding) - coalesce(octet_length(before), 0) as bytes
      from (
        select asked.n, c.previous::text as previous, c.at, c.actor, c.request_id, c.action, c.before
        from (
          select a.n, a.seq, a.most
          from json_to_recordset(${JSON.stringify(from)}::text::json) as a (n integer, seq bigint, most integer)
          where a.n between 0 and 1000
          offset 0
        ) asked
        -- In the order in which they are found.
        cross join lateral (
          with recursive chain as (
            select c.seq, c.previous, c.at, c.actor, c.request_id, c.action, c.before, 1 as depth
            from docket.changes c
            where c.user_id = ${userId}
              and c.seq = asked.seq
              and asked.most > 0
            union all
            select c.seq, c.previous, c.at, c.actor, c.request_id, c.action, c.before, chain.depth + 1
            from chain
            join docket.changes c on c.user_id = ${userId} and c.seq = chain.previous
            where chain.depth < asked.most
          )
          select previous, at, actor, request_id, action, before
          from chain
        ) c
        limit ${limit}
      ) chained
    ) measured
    where bytes < ${enough}`,
  )

/** A user who is there already stays as he is. */
export async function importUser(
  db: Db,
  { id, created_at, time_zone = null }: User,
): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    insert into docket.users as u (id, created_at, time_zone)
    values (${id}, ${created_at}, ${time_zone})
    on conflict (id) do update
      set time_zone = excluded.time_zone
      where u.time_zone is null and excluded.time_zone is not null`,
  )
}

/** Which task another one is under, while that is as it was. */
export type Under = {
  user_id: string
  id: string
  parent_id: string
  version: number
  updated_at: string
}

const arrival: Arrival = {
  table: taskTable,
  asked: (
    sql,
  ) => sql`version integer, position text, created_at timestamptz, updated_at timestamptz, completed_at timestamptz,
            deleted_at timestamptz, ${askedColumns(sql)}`,
  values: (sql) => ({
    version: sql`asked.version`,
    position: sql`coalesce(asked.position, docket.position_at_end(asked.seq))`,
    created_at: sql`asked.created_at`,
    updated_at: sql`asked.updated_at`,
    completed_at: sql`asked.completed_at`,
    deleted_at: sql`asked.deleted_at`,
    ...wholeValues(sql),
    // What is above it may come later.
    parent_id: sql`null::uuid`,
    title_key: sql`asked.title_key`,
    tag_keys: sql`asked.tag_keys`,
    words: sql`folded.words`,
    long_words: sql`folded.long_words`,
  }),
  from: (sql) => sql`cross join lateral (${searchTextOfAll(sql)}) folded`,
  image: {
    asked: (sql) => sql`, parent_id uuid`,
    value: (sql) => sql`
          case
            when a.parent_id is null then made.json
            else (made.json::jsonb || jsonb_build_object('parent_id', a.parent_id))::text
          end`,
  },
  // What is under it may come later to where it is now.
  beside: (sql) => sql`
      update docket.tasks t
      set parent_id = null
      from (
        select made.user_id, made.id as parent_id, under.id
        from made
        cross join lateral (
          select u.id
          from docket.tasks u
          where u.user_id = made.user_id
            and u.parent_id = made.id
            and u.deleted_at is null
            and (made.deleted_at is not null or u.list_id is distinct from (made.json::jsonb ->> 'list_id')::uuid)
          offset 0
        ) under
        where not exists (select from made own where own.user_id = made.user_id and own.id = under.id)
        -- By itself: the planner would look at all tasks of the user.
        offset 0
      ) f
      where t.user_id = f.user_id
        and t.id = f.id
      returning json_build_object(
        'user_id', t.user_id, 'id', t.id, 'parent_id', f.parent_id, 'version', t.version, 'updated_at', t.updated_at
      ) as done`,
}

/**
 * Tasks under no task; `placeTasks` puts them where they are.
 * @param onFreed is told what was under one of them, and is under none until then
 * @returns how many were not there, or in an earlier version
 */
export async function importTasks(
  db: Db,
  moving: Moving[],
  mover: Mover,
  onFreed: (freed: Under[]) => void = () => {},
): Promise<number> {
  const things = moving.map(({ task, history = [] }) => ({ row: stored(task), history }))
  const rows = await importThings(db, arrival, things, mover)
  onFreed(JSON.parse(rows[0]?.done ?? '[]'))
  const unseen = rows.filter(({ is_made }) => !is_made).flatMap(({ n }) => moving[n] ?? [])
  const later = unseen.length === 0 ? 0 : await importTasks(db, unseen, mover, onFreed)
  return rows.length - unseen.length + later
}

/** A task that may be in the trash, as far as it matters to what comes. */
export type Present = {
  id: string
  version: number
  updated_at: string
  list_id: string | null
  parent_id: string | null
  is_trashed: boolean
  /** Of its JSON. */
  bytes: number
}

/** What a user has of these tasks. */
export const findPresentTasks = (db: Db, userId: string, ids: string[]): Promise<Present[]> =>
  db.read(
    (sql) => sql<Present[]>`
    select t.id, t.version, t.updated_at, t.list_id, t.parent_id, t.deleted_at is not null as is_trashed, octet_length(t.json) as bytes
    from json_array_elements_text(${JSON.stringify(ids)}::text::json) as asked (id)
    cross join lateral (
      select id, version, updated_at, list_id, parent_id, deleted_at, json
      from docket.tasks
      where user_id = ${userId}
        and id = asked.id::uuid
      offset 0
    ) t`,
  )

/** Puts tasks that have moved in under those that they are under, where they are still under none. */
export async function placeTasks(db: Db, tasks: Under[]): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    with ${given(sql, traceless(tasks))}, ${owners(sql)}
    update docket.tasks t
    set parent_id = a.parent_id
    from ${asksOf(sql, sql`parent_id uuid, version integer, updated_at timestamptz`)} a
    where t.user_id = a.user_id
      and t.id = a.id
      and t.parent_id is null
      and t.version = a.version
      and t.updated_at = a.updated_at`,
  )
}

/**
 * The ids of tasks of a user, in their manual order, the trash too: some that are under none, and all that is under them. As many as the
 * limit, or as are in one more tree.
 */
export const listTrees = (db: Db, userId: string, limit: number): Promise<{ id: string }[]> =>
  db.read(
    (sql) => sql<{ id: string }[]>`
    with recursive roots as materialized (
      select t.id, ${placeOf(sql)} as place, row_number() over (order by ${placeOf(sql)}, t.id) as nth
      from docket.tasks t
      where t.user_id = ${userId}
        and t.parent_id is null
      order by nth
      limit ${limit}
    ), tree as (
      select id, place, nth
      from roots
      union all
      select under.id, under.place, tree.nth
      from tree
      cross join lateral (
        select t.id, ${placeOf(sql)} as place
        from docket.tasks t
        where t.user_id = ${userId}
          and t.parent_id = tree.id
        offset 0
      ) under
    )
    select id
    from (
      select id, place, nth, count(id) over (order by nth) - count(id) over (partition by nth) as before
      from tree
    ) counted
    where before < ${limit}
    order by place, id`,
  )

/** A list that has another id with its new user. */
export type Renamed = { id: string; new_id: string }

/**
 * Makes whole trees of tasks of one user those of the author, in their order, who may have one with the same id: then the one that comes
 * gets a new id. To the log they are new to the one, and purged of the other. Both are in docket.users.
 */
export function adoptTasks(
  db: Db,
  author: Author,
  formerId: string,
  ids: string[],
  renamed: Renamed[] = [],
): Promise<{ id: string }[]> {
  const { user_id: userId, ...by } = author
  // They are told apart by their ids: there may be more than a statement has numbers for.
  const asks = ids.map((id, nth) => ({ id, n: 0, nth, ...by }))
  const groups = [formerId, userId].map((user_id) => ({ user_id, many: ids.length, asks }))
  return db.idempotentWrite(
    (sql) => sql<{ id: string }[]>`
    with ${given(sql, JSON.stringify(groups))}, ${owners(sql)}, renamed as (
      select r.id, r.new_id
      from json_to_recordset(${JSON.stringify(renamed)}::text::json) as r (id uuid, new_id uuid)
    ), leaving as (
      select a.id, a.actor, a.request_id, a.seq, a.at, t.seq as previous,
        case
          when exists (select from docket.tasks own where own.user_id = ${userId} and own.id = t.id) then gen_random_uuid()
          else t.id
        end as new_id
      from ${asksOf(sql, sql`version integer`)} a
      join docket.tasks t on t.user_id = a.user_id and t.id = a.id
      where a.user_id = ${formerId}
        -- Who has gone meanwhile takes nothing.
        and exists (select from owners o where o.id = ${userId})
      for update of t
    ), arriving as (
      select l.id, l.new_id, l.actor, l.request_id, a.seq, a.at
      from ${asksOf(sql, sql`version integer`)} a
      join leaving l on l.id = a.id
      where a.user_id = ${userId}
    ), taken as (
      update docket.tasks t
      set user_id = ${userId}, id = arriving.new_id, seq = arriving.seq, version = t.version + 1, updated_at = arriving.at,
        position = docket.position_at_end(arriving.seq),
        list_id = coalesce((select r.new_id from renamed r where r.id = t.list_id), t.list_id),
        parent_id = coalesce((select p.new_id from leaving p where p.id = t.parent_id), t.parent_id)
      from arriving
      where t.user_id = ${formerId}
        and t.id = arriving.id
      returning t.id
    ), ${logged(
      sql,
      'task',
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
  db.idempotentWrite((sql) => sql`analyze docket.users, docket.tasks, docket.lists`)
