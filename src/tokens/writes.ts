import type { Db } from '../database/gate/gate.ts'
import { columns } from './queries.ts'
import { type AccessToken, mostTokens } from './schema.ts'

// What is written of access tokens. One exported function is one statement.

/** What is kept of a token itself. */
export type Secret = { digest: string; hint: string }

/** What there is of a token to be made. */
export type Made = Pick<AccessToken, 'name' | 'scopes' | 'list_ids' | 'expires_at'>

/** Undefined: there is no room. Null: it is for a list that the user does not have. */
export async function insertAccessToken(
  db: Db,
  userId: string,
  id: string,
  { name, scopes, list_ids, expires_at }: Made,
  { digest, hint }: Secret,
): Promise<AccessToken | null | undefined> {
  const [found] = await db.idempotentWrite((sql) => {
    const lists = list_ids === null ? sql`null` : sql.typed.text_array(list_ids)
    return sql<(AccessToken & { has_lists: boolean })[]>`
    with owner as (
      insert into docket.users (id) values (${userId})
      on conflict (id) do nothing
    ), wanted as (
      select ${lists}::uuid[] as list_ids, not exists (
        select
        from unnest(${lists}::uuid[]) as wanted (id)
        where not exists (
          select from docket.lists l where l.user_id = ${userId} and l.id = wanted.id and l.deleted_at is null
        )
      ) as has_lists
    ), made as (
      insert into docket.access_tokens as t (user_id, id, name, scopes, list_ids, token_hash, hint, expires_at)
      select ${userId}, ${id}, ${name}, ${sql.typed.text_array(scopes)}, wanted.list_ids, ${digest}, ${hint}, ${expires_at}::timestamptz
      from wanted
      where wanted.has_lists
        and ${mostTokens} > (select count(*) from docket.access_tokens where user_id = ${userId})
      on conflict (user_id, id) do nothing
      returning ${columns(sql)}
    )
    select ${columns(sql)}, wanted.has_lists
    from wanted
    left join (
      select ${columns(sql)}
      from made t
      union all
      -- Run again it is there already.
      select ${columns(sql)}
      from docket.access_tokens t
      where t.user_id = ${userId}
        and t.id = ${id}
    ) t on true`
  })
  if (found === undefined) return undefined
  const { has_lists, ...token } = found
  if (!has_lists) return null
  return token.id === null ? undefined : token
}

/** Gives it another secret: the one that it had is worth nothing any more. Undefined: there is none. */
export async function rotateAccessToken(
  db: Db,
  userId: string,
  id: string,
  { digest, hint }: Secret,
): Promise<AccessToken | undefined> {
  const [rotated] = await db.idempotentWrite(
    (sql) => sql<AccessToken[]>`
    update docket.access_tokens t
    set token_hash = ${digest}, hint = ${hint},
      -- It lasts as long as before, from now on.
      expires_at = case when t.expires_at is not null then greatest(t.expires_at, now() + (t.expires_at - t.created_at)) end,
      created_at = now(),
      last_used_on = null
    where t.user_id = ${userId}
      and t.id = ${id}
    returning ${columns(sql)}`,
  )
  return rotated
}

export async function deleteAccessToken(
  db: Db,
  userId: string,
  id: string,
): Promise<AccessToken | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<AccessToken[]>`
    delete from docket.access_tokens t
    where t.user_id = ${userId}
      and t.id = ${id}
    returning ${columns(sql)}`,
  )
  return deleted
}
