import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Targets } from '../deliveries/queries.ts'
import { columns, type Keys } from './queries.ts'
import { mostSubscriptions, type NewSubscription, type Subscription } from './schema.ts'

// What is written of browsers that show reminders. One exported function is one statement.

/** Keeps these, unless there are some already. Undefined: somebody else has just made them. */
export async function keepKeys(
  db: Db,
  { public_key, private_key }: Keys,
): Promise<Keys | undefined> {
  const [kept] = await db.idempotentWrite(
    (sql) => sql<Keys[]>`
    with made as (
      insert into docket.push_keys (public_key, private_key)
      values (${public_key}, ${private_key})
      on conflict do nothing
      returning public_key, private_key
    )
    select public_key, private_key
    from made
    union all
    select public_key, private_key
    from docket.push_keys`,
  )
  return kept
}

/** Twice is once, by its endpoint. Whoever had this browser before has it no more. */
export async function insertSubscription(
  db: Db,
  userId: string,
  { endpoint, keys: { p256dh, auth } }: NewSubscription,
): Promise<Subscription | undefined> {
  const [kept] = await db.idempotentWrite(
    (sql) => sql<Subscription[]>`
    with owner as (
      insert into docket.users (id) values (${userId})
      on conflict (id) do nothing
    ), forgotten as (
      delete from docket.push_subscriptions
      where user_id = ${userId}
        and id = any(array(
          select s.id
          from docket.push_subscriptions s
          where s.user_id = ${userId}
            and s.id <> docket.uuid_of(${endpoint})
          order by s.updated_at desc
          offset ${mostSubscriptions - 1}
        ))
    )
    insert into docket.push_subscriptions as s (user_id, id, endpoint, p256dh, auth)
    values (${userId}, docket.uuid_of(${endpoint}), ${endpoint}, ${p256dh}, ${auth})
    on conflict (id) do update
      set user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, updated_at = excluded.updated_at
    returning ${columns(sql)}`,
  )
  return kept
}

export async function deleteSubscription(
  db: Db,
  userId: string,
  id: string,
): Promise<Subscription | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<Subscription[]>`
    delete from docket.push_subscriptions s
    where s.user_id = ${userId}
      and s.id = ${id}
    returning ${columns(sql)}`,
  )
  return deleted
}

/** The browsers of a guest are those of who the guest has become. */
export async function adoptSubscriptions(db: Db, userId: string, guestId: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    update docket.push_subscriptions
    set user_id = ${userId}
    where user_id = ${guestId}`,
  )
}

/** Makes what is `fired` into deliveries to the browsers of its users: a statement within that of src/reminders. */
export const pushReminders = (sql: Sql): Fragment => sql`
      insert into docket.deliveries (user_id, id, kind, target, type, body, at, next_at)
      select f.user_id, docket.uuid_of(f.id || ' ' || s.id), 'push', s.id, 'reminder.due', f.body, f.fires_at, now()
      from fired f
      cross join lateral (
        select s.id
        from docket.push_subscriptions s
        where s.user_id = f.user_id
        offset 0
      ) s
      on conflict do nothing`

/** How deliveries find browsers, and what is learned of these by them. */
export const targets: Targets = {
  kind: 'push',
  address: (sql) => sql`
        select json_build_object('endpoint', s.endpoint, 'p256dh', s.p256dh, 'auth', s.auth)::text
        from docket.push_subscriptions s
        where s.user_id = d.user_id
          and s.id = d.target`,
  learn: (sql) => sql`
      delete from docket.push_subscriptions s
      using settled
      where settled.kind = 'push'
        and settled.is_gone
        and s.user_id = settled.user_id
        and s.id = settled.target`,
}
