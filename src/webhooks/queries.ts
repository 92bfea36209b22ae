import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import { kept } from '../deliveries/queries.ts'
import type { Webhook, WebhookDelivery } from './schema.ts'

// What is read of webhooks; writes.ts has what is written. One exported function is one statement.

/** The columns of WebhookSchema, in its order, of the row `w`. */
export const columns = (sql: Sql): Fragment =>
  sql`w.id, w.user_id, w.url, w.events, w.filter, w.active, w.failing_since, w.created_at, w.updated_at`

/** The columns of DeliverySchema, in its order, of the row `d`. */
export const deliveryColumns = (sql: Sql): Fragment => sql`
      d.id, d.type, case when d.next_at is null then d.outcome else 'pending' end as status, d.tries, d.code, d.reason, d.at, d.tried_at,
      d.next_at`

export const listWebhooks = (db: Db, userId: string): Promise<Webhook[]> =>
  db.read(
    (sql) => sql<Webhook[]>`
    select ${columns(sql)}
    from docket.webhooks w
    where w.user_id = ${userId}
    order by w.created_at, w.id`,
  )

export async function findWebhook(
  db: Db,
  userId: string,
  id: string,
): Promise<Webhook | undefined> {
  const [found] = await db.read(
    (sql) => sql<Webhook[]>`
    select ${columns(sql)}
    from docket.webhooks w
    where w.user_id = ${userId}
      and w.id = ${id}`,
  )
  return found
}

/** The last deliveries to a webhook, the newest first. Undefined: there is no such webhook. */
export async function listDeliveries(
  db: Db,
  userId: string,
  id: string,
): Promise<WebhookDelivery[] | undefined> {
  const rows = await db.read(
    (sql) => sql<(WebhookDelivery | { id: null })[]>`
    select ${deliveryColumns(sql)}
    from docket.webhooks w
    left join lateral (
      select d.id, d.type, d.next_at, d.outcome, d.tries, d.code, d.reason, d.at, d.tried_at
      from docket.deliveries d
      where d.user_id = ${userId}
        and d.target = ${id}
      order by d.at desc
      limit ${kept.each}
    ) d on true
    where w.user_id = ${userId}
      and w.id = ${id}
    order by d.at desc`,
  )
  return rows.length === 0 ? undefined : rows.filter((row) => row.id !== null)
}

/** Who has webhooks that are to be told of changes, and whether there are some of which these have not been told. */
export const listFollowed = (db: Db): Promise<{ user_id: string; is_behind: boolean }[]> =>
  db.read(
    (sql) => sql<{ user_id: string; is_behind: boolean }[]>`
    select w.user_id, bool_or(w.seq < u.seq) as is_behind
    from docket.webhooks w
    join docket.users u on u.id = w.user_id
    where w.active
    group by w.user_id`,
  )
