import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Subscription } from './schema.ts'

// What is read of browsers that show reminders; writes.ts has what is written. One exported function is one statement.

/** The columns of SubscriptionSchema, in its order. */
export const columns = (sql: Sql): Fragment =>
  sql`s.id, s.user_id, substring(s.endpoint from '^https?://([^/]+)') as service, s.created_at, s.updated_at`

export const listSubscriptions = (db: Db, userId: string): Promise<Subscription[]> =>
  db.read(
    (sql) => sql<Subscription[]>`
    select ${columns(sql)}
    from docket.push_subscriptions s
    where s.user_id = ${userId}
    order by s.updated_at desc, s.id`,
  )

/** What the server signs with: in base64url a point of P-256, and a number. */
export type Keys = { public_key: string; private_key: string }

export async function findKeys(db: Db): Promise<Keys | undefined> {
  const [keys] = await db.read(
    (sql) => sql<Keys[]>`
    select public_key, private_key
    from docket.push_keys`,
  )
  return keys
}
