import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import type { Identity } from './identity.ts'
import { programScopes, resourceOf } from './oauth.ts'
import { allows, type Scope } from './scopes.ts'

type Found = {
  user_id: string
  name: string | null
  given: Scope[]
  consented: Scope[]
  expires_at: string
}

/**
 * What was consented to last decides, and where nothing is any more no token is left. There are two where somebody has answered twice at
 * once. A token that is bound to a key is for who has the key.
 */
const live: Shared<{ digest: string; resource: string }, Found> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t."userId" as user_id, c."name", t."expiresAt" as expires_at,
      array(select jsonb_array_elements_text(t."scopes")) as given,
      array(select jsonb_array_elements_text(k."scopes")) as consented
    from json_to_recordset(${asked}::text::json) as asked (n integer, digest text, resource text)
    join docket."oauthAccessToken" t on t."token" = asked.digest
    join docket."oauthClient" c on c."clientId" = t."clientId"
    cross join lateral (
      select "scopes"
      from docket."oauthConsent"
      where "clientId" = t."clientId"
        and "userId" = t."userId"
      order by "updatedAt" desc, "id"
      limit 1
    ) k
    where t."expiresAt" > now()
      and t."revoked" is null
      and t."confirmation" is null
      and t."resources" @> to_jsonb(asked.resource)
      and c."disabled" is not true
      and ${few(sql)}`,
}

/** Whether a refresh token, by its digest, was used so short a while ago that it is answered once more. */
export async function isJustSpent(db: Db, digest: string): Promise<boolean> {
  const found = await db.read(
    (sql) => sql`
    select
    from docket."oauthRefreshToken"
    where "token" = ${digest}
      and "rotationReplayExpiresAt" > now()`,
  )
  return found.length > 0
}

/**
 * Ends what was given with a refresh token, by its digest, where its consent was taken back meanwhile: who refreshes without a pause would
 * outlive that, and come back with the next consent. Waits for who takes it back just now. @returns whether it was
 */
export async function endWithoutConsent(db: Db, digest: string): Promise<boolean> {
  const ended = await db.idempotentWrite(
    (sql) => sql`
    delete from docket."oauthRefreshToken" t
    where t."token" = ${digest}
      and not exists (
        select
        from docket."oauthConsent" k
        where k."clientId" = t."clientId"
          and k."userId" = t."userId"
        for share
      )
    returning t."id"`,
  )
  return ended.length > 0
}

/** Whose program has come with a token, by its digest. */
export async function findProgram(db: Db, digest: string, url: string): Promise<Identity | null> {
  const found = await db.share(live, { digest, resource: resourceOf(url) })
  if (found === undefined) return null
  return {
    id: found.user_id,
    by: 'program',
    session_id: null,
    name: null,
    email: null,
    expires_at: found.expires_at,
    scopes: programScopes.filter(
      (scope) => allows(found.given, scope) && allows(found.consented, scope),
    ),
    list_ids: null,
    program: found.name,
  }
}
