import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Consent } from './rules.ts'

// What is read of programs, in the tables of the issuer. One exported function is one statement.

/** Of a consent `k` to a client `c`. Each token that was fetched says when, those for fetching others for longest. */
export const columns = (sql: Sql): Fragment => sql`
  c."clientId" as id, c."name", array(select jsonb_array_elements_text(c."redirectUris")) as redirect_uris,
  array(select jsonb_array_elements_text(k."scopes")) as scopes, k."createdAt" as created_at,
  (
    select (max(t."createdAt") at time zone 'UTC')::date
    from docket."oauthRefreshToken" t
    where t."clientId" = k."clientId" and t."userId" = k."userId"
  ) as last_used_on`

/** Of each once: somebody may have consented twice at once. */
export const listPrograms = (db: Db, userId: string): Promise<Consent[]> =>
  db.read(
    (sql) => sql<Consent[]>`
    select ${columns(sql)}
    from (
      select distinct on ("clientId") "clientId", "userId", "scopes", "createdAt"
      from docket."oauthConsent"
      where "userId" = ${userId}
      order by "clientId", "updatedAt" desc, "id"
    ) k
    join docket."oauthClient" c on c."clientId" = k."clientId"
    order by k."createdAt" desc, c."clientId"
    limit 200`,
  )
