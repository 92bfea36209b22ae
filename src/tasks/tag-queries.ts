import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import { isThere } from './queries.ts'

// What is read of tags. They are nowhere but in tasks, which are read so many at a time: no statement takes long, however many there are.
// One exported function is one statement.

/** Tasks that are looked at in one statement: each has 20 tags at most. */
const slice = 1000

/** What was found, and the last task that was looked at; null: there are no more. */
type Slice<Found> = { found: Found; last: string | null }

/** A tag as some tasks of a slice have it. `key`: what it folds to. */
export type Counted = { key: string; tag: string; count: number; pending: number }

/** Spelling by spelling. */
export const countSlice = (db: Db, userId: string, after?: string): Promise<Slice<Counted[]>> =>
  inSlice(
    db,
    (sql) => sql`
      select coalesce(json_agg(spelled), '[]') as found
      from (
        select x.key, x.tag, count(*) as count, count(*) filter (where t.completed_at is null) as pending
        from slice t
        cross join lateral unnest(t.tags, coalesce(t.tag_keys, t.tags)) as x (tag, key)
        where ${isThere(sql)}
        group by x.key, x.tag
      ) spelled`,
    userId,
    after,
  )

/** A task that has a tag. `keys`: what its tags fold to. */
export type Tagged = { id: string; version: number; tags: string[]; keys: string[] }

/** Those that have the tag with this key. */
export const taggedSlice = (
  db: Db,
  userId: string,
  key: string,
  after?: string,
): Promise<Slice<Tagged[]>> =>
  inSlice(
    db,
    (sql) => sql`
      select coalesce(json_agg(json_build_object('id', t.id, 'version', t.version, 'tags', t.tags, 'keys', coalesce(t.tag_keys, t.tags)) order by t.id), '[]') as found
      from slice t
      where ${isThere(sql)}
        and ${key} = any(coalesce(t.tag_keys, t.tags))`,
    userId,
    after,
  )

async function inSlice<Found>(
  db: Db,
  find: (sql: Sql) => ReturnType<Sql>,
  userId: string,
  after: string | undefined,
): Promise<Slice<Found>> {
  const [row] = await db.read(
    (sql) => sql<Slice<Found>[]>`
    with slice as materialized (
      select t.id, t.version, t.tags, t.tag_keys, t.completed_at, t.deleted_at
      from docket.tasks t
      where t.user_id = ${userId}
        ${after === undefined ? sql`` : sql`and t.id > ${after}`}
      order by t.id
      limit ${slice}
    )
    select found, case when (select count(*) from slice) = ${slice} then (select id from slice order by id desc limit 1) end as last
    from (${find(sql)}) all_of_it`,
  )
  if (row === undefined) throw new Error('A statement that has a row has none.')
  return row
}
