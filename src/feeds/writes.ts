import type { Db } from '../database/gate/gate.ts'
import { columns } from './queries.ts'
import { type Feed, type FeedPatch, mostFeeds, type NewFeed } from './schema.ts'

// What is written of feeds. One exported function is one statement.

/** What is there of a feed that was to be made: itself, or one that has its id. */
type Made = Feed & { is_made: boolean }

/**
 * Makes a feed, if nobody has its id and there is room.
 * @returns what is there then; undefined: there is no room
 */
export async function insertFeed(
  db: Db,
  userId: string,
  id: string,
  digest: string,
  { name, list_id = null, filter = null }: NewFeed,
): Promise<Made | undefined> {
  const [found] = await db.idempotentWrite(
    (sql) => sql<Made[]>`
    with owner as (
      insert into docket.users (id) values (${userId})
      on conflict (id) do nothing
    ), made as (
      insert into docket.feeds as f (user_id, id, name, list_id, filter, token_hash)
      select ${userId}, ${id}, ${name}, ${list_id}, ${filter}, ${digest}
      where ${mostFeeds} > (select count(*) from docket.feeds where user_id = ${userId})
      on conflict (user_id, id) do nothing
      returning ${columns(sql)}
    )
    select ${columns(sql)}, true as is_made
    from made f
    union all
    -- Run again it is there already, with the digest that nobody else has.
    select ${columns(sql)}, f.token_hash = ${digest} as is_made
    from docket.feeds f
    where f.user_id = ${userId}
      and f.id = ${id}`,
  )
  return found
}

/** Changes what is given. Undefined: there is none. */
export async function updateFeed(
  db: Db,
  userId: string,
  id: string,
  patch: FeedPatch,
): Promise<Feed | undefined> {
  const [changed] = await db.idempotentWrite((sql) => {
    const name = patch.name === undefined ? sql`f.name` : sql`${patch.name}::text`
    const list = patch.list_id === undefined ? sql`f.list_id` : sql`${patch.list_id}::uuid`
    const filter = patch.filter === undefined ? sql`f.filter` : sql`${patch.filter}::text`
    return sql<Feed[]>`
    update docket.feeds f
    set
      name       = ${name},
      list_id    = ${list},
      filter     = ${filter},
      updated_at = case
        when (f.name, f.list_id, f.filter) is not distinct from (${name}, ${list}, ${filter}) then f.updated_at
        else now()
      end
    where f.user_id = ${userId}
      and f.id = ${id}
    returning ${columns(sql)}`
  })
  return changed
}

/** Gives it another address: the one that it had is gone. Undefined: there is none. */
export async function rotateFeed(
  db: Db,
  userId: string,
  id: string,
  digest: string,
): Promise<Feed | undefined> {
  const [changed] = await db.idempotentWrite(
    (sql) => sql<Feed[]>`
    update docket.feeds f
    set token_hash = ${digest}, updated_at = now()
    where f.user_id = ${userId}
      and f.id = ${id}
    returning ${columns(sql)}`,
  )
  return changed
}

export async function deleteFeed(db: Db, userId: string, id: string): Promise<Feed | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<Feed[]>`
    delete from docket.feeds f
    where f.user_id = ${userId}
      and f.id = ${id}
    returning ${columns(sql)}`,
  )
  return deleted
}

/** Somebody has looked at it today. */
export async function markUsed(db: Db, userId: string, id: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    update docket.feeds f
    set last_used_on = (now() at time zone 'UTC')::date
    where f.user_id = ${userId}
      and f.id = ${id}
      and f.last_used_on is distinct from (now() at time zone 'UTC')::date`,
  )
}
