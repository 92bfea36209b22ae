import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Feed } from './schema.ts'

// What is read of feeds; writes.ts has what is written. One exported function is one statement.

/** The columns of FeedSchema, in its order. */
export const columns = (sql: Sql): Fragment =>
  sql`f.id, f.user_id, f.name, f.list_id, f.filter, f.created_at, f.updated_at, f.last_used_on`

export const listFeeds = (db: Db, userId: string): Promise<Feed[]> =>
  db.read(
    (sql) => sql<Feed[]>`
    select ${columns(sql)}
    from docket.feeds f
    where f.user_id = ${userId}
    order by f.created_at, f.id`,
  )

/** A feed that somebody has the address of, and what has become of its list. */
export type Found = {
  id: string
  user_id: string
  name: string
  list_id: string | null
  filter: string | null
  is_used: boolean
  list_is_there: boolean
  list_is_archived: boolean
}

export async function findFeed(db: Db, digest: string): Promise<Found | undefined> {
  const [found] = await db.read(
    (sql) => sql<Found[]>`
    select f.id, f.user_id, f.name, f.list_id, f.filter,
      f.last_used_on is not distinct from (now() at time zone 'UTC')::date as is_used,
      l.id is not null and l.deleted_at is null as list_is_there,
      l.archived_at is not null as list_is_archived
    from docket.feeds f
    left join docket.lists l on l.user_id = f.user_id and l.id = f.list_id
    where f.token_hash = ${digest}`,
  )
  return found
}
