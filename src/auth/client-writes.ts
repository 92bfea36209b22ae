import type { Db } from '../database/gate/gate.ts'
import type { NewClient } from './clients.ts'
import { oauthScopes } from './oauth.ts'

/**
 * Makes a client. Forgets those that nobody has let in for a day, and what has long ended. Better Auth makes the row of the resource with
 * its first request, which may come later.
 */
export async function insertClient(
  db: Db,
  id: string,
  { name, redirectUris }: NewClient,
  resource: string,
): Promise<void> {
  const uris = JSON.stringify(redirectUris)
  const scopes = JSON.stringify(oauthScopes)
  await db.idempotentWrite(
    (sql) => sql`
    with forgotten as (
      delete from docket."oauthClient" c
      where c."createdAt" < now() - interval '1 day'
        and c."userId" is null
        and not exists (select from docket."oauthConsent" k where k."clientId" = c."clientId")
    ), ended as (
      delete from docket."oauthAccessToken" t
      where t."expiresAt" < now() - interval '1 day'
    ), ended_for_good as (
      delete from docket."oauthRefreshToken" t
      where t."expiresAt" < now() - interval '1 day'
    ), resource as (
      insert into docket."oauthResource"
        ("id", "identifier", "name", "allowedScopes", "dpopBoundAccessTokensRequired", "disabled", "createdAt", "updatedAt", "policyVersion")
      values (${id}, ${resource}, 'Docket', ${scopes}::text::jsonb, false, false, now(), now(), 1)
      on conflict ("identifier") do nothing
    ), made as (
      insert into docket."oauthClient" ("id", "clientId", "name", "redirectUris", "tokenEndpointAuthMethod", "applicationType", "grantTypes",
        "responseTypes", "scopes", "requirePKCE", "disabled", "createdAt", "updatedAt")
      values (${id}, ${id}, ${name}, ${uris}::text::jsonb, 'none', 'native', '["authorization_code","refresh_token"]',
        '["code"]', ${scopes}::text::jsonb, true, false, now(), now())
      on conflict ("clientId") do nothing
      returning "clientId"
    )
    insert into docket."oauthClientResource" ("id", "clientId", "resourceId", "createdAt")
    select made."clientId", made."clientId", ${resource}, now()
    from made`,
  )
}
