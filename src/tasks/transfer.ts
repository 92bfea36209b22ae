import type { Db } from '../database/gate.ts'
import { type Author, asksOf, given, logged, newOwners, owners } from '../database/log.ts'
import { grouped } from '../database/share.ts'
import { columnsOf, valuesOf } from '../database/writes.ts'
import { searchTextOfAll } from './queries.ts'
import { stored } from './rules.ts'
import type { Kept, Place, Task } from './schema.ts'
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

/** A change that was made of a task, as a line of a file has it. */
export type Change = {
  at: string
  by: object | null
  request_id: string | null
  action: string
  /** The task before it; null: there was none. What is absent in it did not change. */
  before: (Partial<Task> & { extra?: Kept['extra'] | null }) | null
}

/** A task on its way, with its changes, the oldest first. */
export type Moving = {
  task: Omit<Task, keyof Place> & Partial<Place> & Kept
  history?: Change[]
}

/** The next tasks of a user after a number, in the order in which they changed: as JSON, each with the number of its last change. */
export const exportTasks = (
  db: Db,
  userId: string,
  after: string,
  limit: number,
): Promise<{ seq: string; text: string }[]> =>
  db.read(
    (sql) => sql<{ seq: string; text: string }[]>`
    select l.seq::text as seq, t.json as text
    from docket.latest l
    cross join lateral (
      select json
      from docket.tasks
      where user_id = l.user_id
        and id = l.id
      offset 0
    ) t
    where l.user_id = ${userId}
      and l.seq > ${after}
      and l.type = 'task'
    order by l.seq
    limit ${limit}`,
  )

/** A change in the log: `n` says whose it is of those that were asked for, `previous` is the number of the one before. */
export type Logged = {
  n: number
  previous: string | null
  at: string
  actor: string | null
  request_id: string | null
  action: string
  before: string | null
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
 * lines; before it come those that were made of it elsewhere, if it is new here.
 * @returns how many were not there, or in an earlier version
 */
export async function importTasks(db: Db, moving: Moving[], request: string): Promise<number> {
  const asked = JSON.stringify(askedOf(moving, request))
  const rows = await db.idempotentWrite(
    (sql) => sql<{ n: number; is_made: boolean }[]>`
    with ${given(sql, asked)}, ${newOwners(sql)}, before as (
      select a.n, t.user_id, t.id, t.json, t.seq
      from ${asksOf(sql, sql`version integer`)} a
      join docket.tasks t on t.user_id = a.user_id and t.id = a.id
      for no key update of t
    ), made as (
      insert into docket.tasks as t
        (user_id, id, seq, version, position, created_at, updated_at, completed_at, deleted_at, ${columnsOf(sql, wholeValues(sql))},
          title_key, tag_keys, words, long_words)
      select asked.user_id, asked.id, asked.seq, asked.version, coalesce(asked.position, docket.position_at_end(asked.seq)), asked.created_at, asked.updated_at, asked.completed_at,
        asked.deleted_at, ${valuesOf(sql, wholeValues(sql))}, asked.title_key, asked.tag_keys, folded.words, folded.long_words
      from ${asksOf(
        sql,
        sql`version integer, position text, created_at timestamptz, updated_at timestamptz, completed_at timestamptz,
            deleted_at timestamptz, ${askedColumns(sql)}`,
      )} asked
      -- Before it is changed.
      left join before on before.n = asked.n
      cross join lateral (${searchTextOfAll(sql)}) folded
      on conflict (user_id, id) do update
        set (seq, version, position, created_at, updated_at, completed_at, deleted_at, ${columnsOf(sql, wholeValues(sql))},
            title_key, tag_keys, words, long_words)
          = (excluded.seq, excluded.version, excluded.position, excluded.created_at, excluded.updated_at, excluded.completed_at, excluded.deleted_at,
            ${columnsFrom(sql, sql`excluded`)}, excluded.title_key, excluded.tag_keys, excluded.words, excluded.long_words)
        where t.version < excluded.version
          -- One that came while this waited for the user was not looked at.
          and exists (select from before b where b.user_id = t.user_id and b.id = t.id)
      returning t.user_id, t.id, t.json
    ), changed as (
      select a.*, before.n is null as is_new, 'imported' as action,
        case when before.n is not null then before.seq when a.moved > 0 then a.seq - 1 end as previous,
        case when before.n is not null then before.json when a.moved > 0 then made.json end as before
      from ${asksOf(sql, sql`moved integer, history json`)} a
      join made on made.user_id = a.user_id and made.id = a.id
      left join before on before.n = a.n
    ), arrived as (
      insert into docket.changes (user_id, seq, type, id, action, previous, before, actor, request_id, at, day)
      select changed.user_id, changed.seq - changed.moved + h.nth, 'task', changed.id, h.action,
        case when h.nth > 0 then changed.seq - changed.moved + h.nth - 1 end, h.before, h.actor, h.request_id, h.at,
        (h.at at time zone 'UTC')::date
      from changed
      cross join lateral json_to_recordset(changed.history) as h
        (nth integer, at timestamptz, actor text, request_id text, action text, before text)
      where changed.is_new
    ), ${logged(sql, 'task', sql`changed`)}
    select a.n, made.id is not null as is_made
    from ${asksOf(sql, sql`version integer`)} a
    left join before on before.n = a.n
    left join made on made.user_id = a.user_id and made.id = a.id
    where before.n is null or made.id is not null`,
  )
  const unseen = rows.filter(({ is_made }) => !is_made).flatMap(({ n }) => moving[n] ?? [])
  const later = unseen.length === 0 ? 0 : await importTasks(db, unseen, request)
  return rows.length - unseen.length + later
}

/** Milliseconds that what comes may be ahead of this clock, for changes to be later than it all the same. */
const mostAhead = 3_600_000

/** What the statement is asked: what is written of one user after this is later than what is moved. */
function askedOf(moving: Moving[], request: string): object[] {
  const asks = moving.map(({ task, history = [] }) => ({
    ...stored(task),
    actor: mover,
    request_id: request,
    moved: history.length,
    history: history.map(({ by, before, ...change }, nth) => ({
      ...change,
      nth,
      actor: by && JSON.stringify(by),
      before: before && JSON.stringify(before),
    })),
  }))
  const latest = new Map<string, number>()
  for (const { user_id, updated_at } of asks) {
    // A millisecond more, as there may be microseconds.
    const at = Math.min(Date.parse(updated_at) + 1, Date.now() + mostAhead)
    latest.set(user_id, Math.max(latest.get(user_id) ?? at, at))
  }
  return grouped(asks, ({ moved }) => moved + 1).map((group) => ({
    ...group,
    after: new Date(latest.get(group.user_id) ?? 0).toISOString(),
  }))
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
