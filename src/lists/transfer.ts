import type { Db } from '../database/gate/gate.ts'
import { grouped } from '../database/gate/share.ts'
import { type Author, asksOf, given, logged, owners } from '../database/log/log.ts'
import {
  type Arrival,
  exportThings,
  importThings,
  type Change as Moved,
  type Mover,
  traceless,
} from '../database/log/moving.ts'
import type { List } from './schema.ts'
import { listTable } from './table.ts'

// What moves from one database to another: every field as it is, the trash, versions and instants included.

export type Change = Moved<Partial<List>>

/** A list on its way, with its changes, the oldest first. Without a position it comes after all others. */
export type Moving = {
  list: Omit<List, 'position'> & Partial<Pick<List, 'position'>>
  history?: Change[]
}

export const exportLists = (
  db: Db,
  userId: string,
  after: string,
  limit: number,
): Promise<{ seq: string; text: string }[]> => exportThings(db, listTable, userId, after, limit)

const arrival: Arrival = {
  table: listTable,
  asked: (
    sql,
  ) => sql`name text, color text, archived_at timestamptz, position text, version integer, created_at timestamptz,
            updated_at timestamptz, deleted_at timestamptz`,
  values: (sql) => ({
    name: sql`asked.name`,
    color: sql`lower(asked.color)`,
    archived_at: sql`asked.archived_at`,
    position: sql`coalesce(asked.position, docket.position_at_end(asked.seq))`,
    version: sql`asked.version`,
    created_at: sql`asked.created_at`,
    updated_at: sql`asked.updated_at`,
    deleted_at: sql`asked.deleted_at`,
  }),
  from: (sql) => sql``,
  // Its tasks go first.
  merged: (sql) => ({
    deleted_at: sql`case when t.deleted_at is not null then excluded.deleted_at end`,
  }),
}

/** @returns how many were not there, or in an earlier version */
export async function importLists(db: Db, moving: Moving[], mover: Mover): Promise<number> {
  const things = moving.map(({ list, history = [] }) => ({ row: list, history }))
  const rows = await importThings(db, arrival, things, mover)
  const unseen = rows.filter(({ is_made }) => !is_made).flatMap(({ n }) => moving[n] ?? [])
  const later = unseen.length === 0 ? 0 : await importLists(db, unseen, mover)
  return rows.length - unseen.length + later
}

/** A list that may be in the trash, as far as it matters to what comes. */
export type Present = { id: string; version: number; is_trashed: boolean }

/** All lists of a user, the trash too. */
export const findPresentLists = (db: Db, userId: string): Promise<Present[]> =>
  db.read(
    (sql) => sql<Present[]>`
    select id, version, deleted_at is not null as is_trashed
    from docket.lists
    where user_id = ${userId}`,
  )

/** Puts lists that have moved in into the trash, where they are still as they were. */
export async function trashLists(
  db: Db,
  lists: Pick<List, 'user_id' | 'id' | 'version' | 'updated_at' | 'deleted_at'>[],
): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    with ${given(sql, traceless(lists))}, ${owners(sql)}
    update docket.lists t
    set deleted_at = a.deleted_at
    from ${asksOf(sql, sql`version integer, updated_at timestamptz, deleted_at timestamptz`)} a
    where t.user_id = a.user_id
      and t.id = a.id
      and t.deleted_at is null
      and t.version = a.version
      and t.updated_at = a.updated_at`,
  )
}

/** Lists of a user, in their order, the trash too; `is_taken`: another one has another list with its id. */
export const listAdopted = (
  db: Db,
  userId: string,
  formerId: string,
): Promise<{ id: string; is_taken: boolean }[]> =>
  db.read(
    (sql) => sql<{ id: string; is_taken: boolean }[]>`
    select l.id, exists (
      select
      from docket.lists own
      where own.user_id = ${userId}
        and own.id = l.id
        and own.created_at <> l.created_at
    ) as is_taken
    from docket.lists l
    where l.user_id = ${formerId}
    order by l.position, l.id`,
  )

/** A list, and the id that it has with its new user. */
export type Adopted = { id: string; new_id: string }

/** Makes lists of one user anew for the author, after all others, but for those that are there. To the log they are new. */
export async function copyLists(
  db: Db,
  author: Author,
  formerId: string,
  lists: Adopted[],
): Promise<void> {
  const asks = lists.map(({ id, new_id }) => ({ ...author, id: new_id, former: id }))
  await db.idempotentWrite(
    (sql) => sql`
    with ${given(sql, JSON.stringify(grouped(asks)))}, ${owners(sql)}, copied as (
      insert into docket.lists as t
        (user_id, id, name, color, archived_at, position, version, seq, created_at, updated_at, deleted_at)
      select a.user_id, a.id, l.name, l.color, l.archived_at, docket.position_at_end(a.seq), l.version + 1, a.seq, l.created_at,
        a.at, l.deleted_at
      from ${asksOf(sql, sql`former uuid`)} a
      join docket.lists l on l.user_id = ${formerId} and l.id = a.former
      on conflict (user_id, id) do nothing
      returning t.user_id, t.id
    ), changed as (
      select a.user_id, a.seq, a.id, 'imported' as action, null::bigint as previous, null as before, a.actor, a.request_id, a.at
      from ${asksOf(sql, sql`former uuid`)} a
      join copied on copied.user_id = a.user_id and copied.id = a.id
    ), ${logged(sql, listTable.type, sql`changed`)}
    select 1`,
  )
}

/** Removes lists of a user, but for those that have tasks. To the log they are purged. */
export async function leaveLists(db: Db, author: Author, ids: string[]): Promise<void> {
  const asks = ids.map((id) => ({ ...author, id }))
  await db.idempotentWrite(
    (sql) => sql`
    with ${given(sql, JSON.stringify(grouped(asks)))}, ${owners(sql)}, gone as (
      delete from docket.lists t
      using ${asksOf(sql, sql`version integer`)} a
      where t.user_id = a.user_id
        and t.id = a.id
        and not exists (
          select
          from docket.tasks own
          where own.user_id = a.user_id
            and own.deleted_at is null
            and (coalesce(own.list_id::text, '') || ' ' || own.position) collate "C" > a.id::text || ' '
            and (coalesce(own.list_id::text, '') || ' ' || own.position) collate "C" < a.id::text || '!'
        )
      returning a.user_id, a.seq, a.id, 'purged' as action, t.seq as previous, null as before, a.actor, a.request_id, a.at
    ), ${logged(sql, listTable.type, sql`gone`)}
    select 1`,
  )
}
