import type { Db } from '../database/gate/gate.ts'
import { columns } from './queries.ts'
import type { Consent } from './rules.ts'

// What is written of programs. One exported function is one statement.

/** What was consented to, and all tokens that came of it. Undefined: there is no such program. */
export async function deleteProgram(
  db: Db,
  userId: string,
  id: string,
): Promise<Consent | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<Consent[]>`
    with gone as (
      delete from docket."oauthConsent" k
      where k."userId" = ${userId} and k."clientId" = ${id}
      returning k."clientId", k."userId", k."scopes", k."createdAt"
    ), refresh_tokens as (
      delete from docket."oauthRefreshToken" t
      where t."userId" = ${userId} and t."clientId" = ${id}
    ), access_tokens as (
      delete from docket."oauthAccessToken" t
      where t."userId" = ${userId} and t."clientId" = ${id}
    )
    select ${columns(sql)}
    from gone k
    join docket."oauthClient" c on c."clientId" = k."clientId"`,
  )
  return deleted
}
