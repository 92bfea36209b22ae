import type { Db } from '../../database/gate/gate.ts'
import { few, type Shared } from '../../database/gate/share.ts'
import type { NamedList, Needs } from './meaning.ts'

/** What filters may need of a user. */
export type Known = {
  /** Where the user is; null: nobody has said. */
  time_zone: string | null
  lists: NamedList[]
  /** Those that are kept, of which the folded names were asked for. */
  filters: { key: string; filter: string }[]
}

type Ask = { user_id: string; lists: boolean; deleted: boolean; filters: string[] }

const known: Shared<Ask, Known> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n,
      (select u.time_zone from docket.users u where u.id = asked.user_id) as time_zone,
      (
        select coalesce(json_agg(json_build_object('id', l.id, 'name', l.name)), '[]')
        from docket.lists l
        where asked.lists
          and l.user_id = asked.user_id
          and (asked.deleted or l.deleted_at is null)
      ) as lists,
      (
        select coalesce(json_agg(json_build_object('key', f.name_key, 'filter', f.filter)), '[]')
        from docket.filters f
        where f.user_id = asked.user_id
          and f.name_key = any(asked.filters)
      ) as filters
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, lists boolean, deleted boolean, filters text[])
    where ${few(sql)}`,
}

/** @param deleted whether lists in the trash are meant too */
export async function findKnown(
  db: Db,
  userId: string,
  { lists, filters }: Needs,
  deleted: boolean,
): Promise<Known> {
  // What is kept may need the lists.
  const ask = { user_id: userId, lists: lists || filters.length > 0, deleted, filters }
  return (await db.share(known, ask)) ?? { time_zone: null, lists: [], filters: [] }
}
