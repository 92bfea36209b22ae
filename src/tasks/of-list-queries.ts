import type { Db } from '../database/gate/gate.ts'
import { placeOf } from './queries.ts'

// What is read of the tasks of a list that is to go to the trash, or to come back. One exported function is one statement.

export type Found = { id: string; version: number }

/** @param isPart only those under which there is nothing */
export const listInList = (
  db: Db,
  userId: string,
  listId: string,
  limit: number,
  isPart: boolean,
): Promise<Found[]> =>
  db.read(
    (sql) => sql<Found[]>`
    select t.id, t.version
    from docket.tasks t
    where t.user_id = ${userId}
      and t.deleted_at is null
      and ${placeOf(sql)} > ${`${listId} `}
      and ${placeOf(sql)} < ${`${listId}!`}
      ${
        isPart
          ? sql`and (not t.has_subtasks or not exists (
        select
        from docket.tasks u
        where u.user_id = ${userId}
          and u.parent_id = t.id
          and u.deleted_at is null
      ))`
          : sql``
      }
    order by ${placeOf(sql)}
    limit ${limit}`,
  )

/**
 * Those that went to the trash at an instant; `has_parent`: what it was under is there.
 * @param isPart only those that are under none of them
 */
export const listTrashInList = (
  db: Db,
  userId: string,
  listId: string,
  at: string,
  limit: number,
  isPart: boolean,
): Promise<(Found & { parent_id: string | null; has_parent: boolean })[]> =>
  db.read(
    (sql) => sql<(Found & { parent_id: string | null; has_parent: boolean })[]>`
    select t.id, t.version, t.parent_id, p.id is not null and p.deleted_at is null as has_parent
    from docket.tasks t
    left join lateral (
      select p.id, p.deleted_at
      from docket.tasks p
      where p.user_id = ${userId}
        and p.id = t.parent_id
        and p.list_id = t.list_id
      offset 0
    ) p on true
    where t.user_id = ${userId}
      and t.deleted_at = ${at}::text::timestamptz
      and ${placeOf(sql)} > ${`${listId} `}
      and ${placeOf(sql)} < ${`${listId}!`}
      ${isPart ? sql`and p.deleted_at is distinct from t.deleted_at` : sql``}
    order by ${placeOf(sql)}
    limit ${limit}`,
  )
