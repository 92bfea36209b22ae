import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import type { Text } from '../database/log/writes.ts'
import type { ListsQuery } from './schema.ts'
import { isThere } from './table.ts'

// What is read of lists. One exported function is one statement.

/** The most that are listed. Nobody has more, but in the trash. */
const most = 500

const single: Shared<{ user_id: string; id: string }, Text> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t.version, t.json as text
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, id uuid)
    join docket.lists t on t.user_id = asked.user_id and t.id = asked.id
    where ${isThere(sql)}
      and ${few(sql)}`,
}

export const findList = (db: Db, userId: string, id: string): Promise<Text | undefined> =>
  db.share(single, { user_id: userId, id })

/** The lists of a user as an array of JSON, in their manual order or by when they went to the trash; and the number of the last change. */
export async function readLists(
  db: Db,
  userId: string,
  { archived, deleted = false, counts = false }: ListsQuery,
): Promise<{ seq: number; text: string }> {
  const [found] = await db.read(
    (sql) => sql<{ seq: string; text: string }[]>`
    ${
      counts
        ? sql`with counted as materialized (
      select list_id, count(*) filter (where completed_at is null) as pending, count(completed_at) as completed
      from docket.tasks
      where user_id = ${userId}
        and deleted_at is null
        and list_id is not null
      group by list_id
    )`
        : sql``
    }
    select
      coalesce((select seq from docket.users where id = ${userId}), 0)::text as seq,
      concat('[', string_agg(
        ${
          counts
            ? sql`concat(left(l.json, -1), ',"pending":', coalesce(c.pending, 0), ',"completed":', coalesce(c.completed, 0), '}')`
            : sql`l.json`
        }, ',' order by ${deleted ? sql`l.deleted_at desc, l.id` : sql`l.position, l.id`}
      ), ']') as text
    from (
      select id, json, position, deleted_at
      from docket.lists
      where user_id = ${userId}
        and deleted_at is ${deleted ? sql`not null` : sql`null`}
        ${archived === undefined ? sql`` : archived ? sql`and archived_at is not null` : sql`and archived_at is null`}
      order by ${deleted ? sql`deleted_at desc, id` : sql`position, id`}
      limit ${most}
    ) l
    ${counts ? sql`left join counted c on c.list_id = l.id` : sql``}`,
  )
  return { seq: Number(found?.seq ?? 0), text: found?.text ?? '[]' }
}

/** A list that may be in the trash. */
export type AnyList = Text & { id: string; deleted_at: string | null }

export async function findAnyList(
  db: Db,
  userId: string,
  id: string,
): Promise<AnyList | undefined> {
  const [list] = await db.read(
    (sql) => sql<AnyList[]>`
    select id, version, json as text, deleted_at
    from docket.lists
    where user_id = ${userId}
      and id = ${id}`,
  )
  return list
}

export type Placed = { id: string; version: number; position: string }

/** Where the lists of a user are, in their order. */
export const readPlaces = (db: Db, userId: string): Promise<Placed[]> =>
  db.read(
    (sql) => sql<Placed[]>`
    select id, version, position
    from docket.lists
    where user_id = ${userId}
      and deleted_at is null
    order by position, id
    limit ${most}`,
  )
