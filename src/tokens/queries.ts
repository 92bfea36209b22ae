import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { AccessToken } from './schema.ts'

// What is read of access tokens; writes.ts has what is written, and src/auth/access-tokens.ts how one is found. One exported function is one
// statement.

/** The columns of AccessTokenSchema, in its order. */
export const columns = (sql: Sql): Fragment =>
  sql`t.id, t.name, t.scopes, t.list_ids::text[] as list_ids, t.hint, t.expires_at, t.last_used_on, t.created_at`

/** Those that have ended too: whoever made one may want to renew it. */
export const listAccessTokens = (db: Db, userId: string): Promise<AccessToken[]> =>
  db.read(
    (sql) => sql<AccessToken[]>`
    select ${columns(sql)}
    from docket.access_tokens t
    where t.user_id = ${userId}
    order by t.created_at desc, t.id`,
  )
