import type { Db } from '../database/gate.ts'
import { asksOf, given, owners } from '../database/log.ts'
import {
  type Arrival,
  exportThings,
  importThings,
  type Change as Moved,
  traceless,
} from '../database/moving.ts'
import type { List } from './schema.ts'
import { listTable } from './table.ts'

// What moves from one database to another: every field as it is, the trash, versions and instants included.

export type Change = Moved<Partial<List>>

/** A list on its way, with its changes, the oldest first. */
export type Moving = { list: List; history?: Change[] }

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
    position: sql`asked.position`,
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
export async function importLists(db: Db, moving: Moving[], request: string): Promise<number> {
  const things = moving.map(({ list, history = [] }) => ({ row: list, history }))
  const rows = await importThings(db, arrival, things, request)
  const unseen = rows.filter(({ is_made }) => !is_made).flatMap(({ n }) => moving[n] ?? [])
  const later = unseen.length === 0 ? 0 : await importLists(db, unseen, request)
  return rows.length - unseen.length + later
}

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
