import { type Sql, unprepared } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Targets } from '../deliveries/queries.ts'
import type { Makings } from '../reminders/queries.ts'
import { columns, deliveryColumns } from './queries.ts'
import {
  most,
  type NewWebhook,
  type Webhook,
  type WebhookDelivery,
  type WebhookPatch,
} from './schema.ts'

// What is written of webhooks. One exported function is one statement.

/** What the deliveries to webhooks are called. */
const kind = 'webhook'

/** The secret of the row `w`, in Base64. */
const secretOf = (sql: Sql): Fragment => sql`encode(w.secret, 'base64') as secret`

/** What is there of a webhook that was to be made: itself, or another one with its id. */
export type Found = Webhook & { secret: string; is_like_it: boolean }

/** The number of the last change of a user. */
const head = (sql: Sql, userId: string): Fragment =>
  sql`coalesce((select seq from docket.users where id = ${userId}), 0)`

/**
 * Makes a webhook, which is told of what comes after the changes of now. Twice is once, by its id.
 * @returns what is there then; undefined: there is no room
 */
export async function insertWebhook(
  db: Db,
  userId: string,
  id: string,
  { url, events, filter = null, active = true }: Required<Pick<NewWebhook, 'events'>> & NewWebhook,
  secret: Buffer,
): Promise<Found | undefined> {
  const texts = (sql: Sql) => sql.typed.text_array(events)
  const [found] = await db.idempotentWrite(
    (sql) => sql<Found[]>`
    with owner as (
      insert into docket.users (id) values (${userId})
      on conflict (id) do nothing
    ), made as (
      insert into docket.webhooks as w (user_id, id, url, events, filter, active, seq, secret)
      select ${userId}, ${id}, ${url}, ${texts(sql)}, ${filter}, ${active}, ${head(sql, userId)},
        decode(${secret.toString('base64')}, 'base64')
      where ${most.webhooks} > (select count(*) from docket.webhooks where user_id = ${userId})
      on conflict do nothing
      returning ${columns(sql)}, ${secretOf(sql)}
    )
    select ${columns(sql)}, w.secret, true as is_like_it
    from made w
    union all
    select ${columns(sql)}, ${secretOf(sql)},
      (w.url, w.events, w.active) = (${url}, ${texts(sql)}, ${active}::boolean) and w.filter is not distinct from ${filter}::text as is_like_it
    from docket.webhooks w
    where w.user_id = ${userId}
      and w.id = ${id}`,
  )
  return found
}

/** Changes what is given. Undefined: there is none. */
export async function updateWebhook(
  db: Db,
  userId: string,
  id: string,
  patch: WebhookPatch,
): Promise<Webhook | undefined> {
  const { url = null, filter = null, active = null } = patch
  const hasFilter = patch.filter !== undefined
  const [changed] = await db.idempotentWrite((sql) => {
    const events = patch.events === undefined ? null : sql.typed.text_array(patch.events)
    return sql<Webhook[]>`
    update docket.webhooks w
    set url = becomes.url, events = becomes.events, filter = becomes.filter, active = becomes.active,
      -- Of what came while it was not active it is not told.
      seq = case when becomes.active and not w.active then ${head(sql, userId)} else w.seq end,
      failing_since = case when becomes.url = w.url and (w.active or not becomes.active) then w.failing_since end,
      updated_at = case
        when (becomes.url, becomes.events, becomes.filter, becomes.active) is distinct from (w.url, w.events, w.filter, w.active) then now()
        else w.updated_at
      end
    from (
      select w.user_id, w.id, coalesce(${url}, w.url) as url, coalesce(${events}, w.events) as events,
        case when ${hasFilter} then ${filter}::text else w.filter end as filter, coalesce(${active}::boolean, w.active) as active
      from docket.webhooks w
      where w.user_id = ${userId}
        and w.id = ${id}
      for no key update
    ) becomes
    where w.user_id = becomes.user_id
      and w.id = becomes.id
    returning ${columns(sql)}`
  })
  return changed
}

/** With all that was on its way to it. */
export async function deleteWebhook(
  db: Db,
  userId: string,
  id: string,
): Promise<Webhook | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<Webhook[]>`
    with gone as (
      delete from docket.webhooks w
      where w.user_id = ${userId}
        and w.id = ${id}
      returning ${columns(sql)}
    ), undelivered as (
      delete from docket.deliveries d
      using gone
      where d.user_id = gone.user_id
        and d.target = gone.id
    )
    select ${columns(sql)}
    from gone w`,
  )
  return deleted
}

/** Hours for which the secret of before signs too. */
const overlap = 24

export async function rotateSecret(
  db: Db,
  userId: string,
  id: string,
  secret: Buffer,
): Promise<(Webhook & { secret: string }) | undefined> {
  const [rotated] = await db.write(
    (sql) => sql<(Webhook & { secret: string })[]>`
    update docket.webhooks w
    set secret = decode(${secret.toString('base64')}, 'base64'), old_secret = w.secret,
      old_until = now() + make_interval(hours => ${overlap}::integer), updated_at = now()
    where w.user_id = ${userId}
      and w.id = ${id}
    returning ${columns(sql)}, ${secretOf(sql)}`,
  )
  return rotated
}

/** Of what is sent to try a webhook: it is told of it also while it is not active. */
const testType = 'webhook.test'

/** An instant of the database, as JSON. */
const instant = (sql: Sql, at: Fragment): Fragment =>
  sql`left(to_json(${at} at time zone 'UTC')::text, -1), '+00:00"'`

/** Has something sent that means nothing. Undefined: there is no such webhook. Null: there were enough of them in this minute. */
export async function insertTest(
  db: Db,
  userId: string,
  id: string,
): Promise<WebhookDelivery | null | undefined> {
  const [found] = await db.write(
    (sql) => sql<(WebhookDelivery | { id: null })[]>`
    with made as (
      insert into docket.deliveries as d (user_id, id, kind, target, type, body, at, next_at)
      select w.user_id, ${crypto.randomUUID()}, ${kind}, w.id, ${testType},
        concat('{"type":"', ${testType}::text, '","timestamp":', ${instant(sql, sql`now()`)}, ',"data":{}}'), now(), now()
      from docket.webhooks w
      where w.user_id = ${userId}
        and w.id = ${id}
        and ${most.tests} > (
          select count(*)
          from docket.webhooks own
          join docket.deliveries d on d.user_id = own.user_id and d.target = own.id
          where own.user_id = ${userId}
            and d.at > now() - interval '1 minute'
            and d.type = ${testType}
        )
      returning ${deliveryColumns(sql)}
    )
    select made.id, made.type, made.status, made.tries, made.code, made.reason, made.at, made.tried_at, made.next_at
    from docket.webhooks w
    left join made on true
    where w.user_id = ${userId}
      and w.id = ${id}`,
  )
  return found === undefined || found.id !== null ? found : null
}

/** Has a delivery sent again, from the first try on and at once. Undefined: there is no such one. */
export async function retryDelivery(
  db: Db,
  userId: string,
  id: string,
  deliveryId: string,
): Promise<WebhookDelivery | undefined> {
  const [changed] = await db.idempotentWrite(
    (sql) => sql<WebhookDelivery[]>`
    update docket.deliveries d
    set next_at = now(), tries = 0
    where d.user_id = ${userId}
      and d.id = ${deliveryId}
      and d.target = ${id}
      and exists (select from docket.webhooks w where w.user_id = ${userId} and w.id = ${id})
    returning ${deliveryColumns(sql)}`,
  )
  return changed
}

/** Days of nothing but failures after which a webhook is told nothing more. */
const patience = 5

/** Where deliveries go, and what is learned of that. */
export const webhookTargets: Targets = {
  kind,
  address: (sql) => sql`
        select json_build_object(
          'url', w.url,
          'secrets', array_remove(array[
            encode(w.secret, 'base64'),
            case when w.old_until > now() then encode(w.old_secret, 'base64') end
          ], null)
        )::text
        from docket.webhooks w
        where w.user_id = d.user_id
          and w.id = d.target
          and (w.active or d.type = ${testType})`,
  learn: (sql) => sql`
      update docket.webhooks w
      set failing_since = case when not found.has_arrived then coalesce(w.failing_since, now()) end,
        active = w.active and not found.is_gone
          and (found.has_arrived or coalesce(w.failing_since, now()) > now() - make_interval(days => ${patience}::integer))
      from (
        -- In one order, as others do.
        select told.user_id, told.target, told.has_arrived, told.is_gone
        from (
          select user_id, target, bool_or(outcome = 'delivered') as has_arrived, bool_or(is_gone) as is_gone
          from settled
          where kind = ${kind}
          group by user_id, target
        ) told
        join docket.webhooks own on own.user_id = told.user_id and own.id = told.target
        where own.failing_since is not null
          or not told.has_arrived
        order by own.user_id, own.id
        for no key update of own
      ) found
      where w.user_id = found.user_id
        and w.id = found.target
        and (w.failing_since is not null or not found.has_arrived)`,
}

/** Things that change, of which webhooks are told. */
export type Thing = {
  type: string
  name: (sql: Sql) => Fragment
  /** Whether a filter is one of these. */
  isFiltered: boolean
}

/** A webhook with a filter, and what that means now: a condition of the row `t` of a task. */
export type Meaning = { id: string; filter: string; condition: (sql: Sql) => Fragment }

export type Taken = {
  /** How many deliveries were made. */
  made: number
  /** There are more changes. */
  is_more: boolean
  /** There are more for a webhook that has enough on its way already. */
  is_full: boolean
  /** Webhooks of which nobody has said what their filters mean. */
  left: { id: string; filter: string }[]
}

/**
 * How many changes are looked at in one statement, and how many behind each for what it was after that. While a webhook has so many deliveries
 * before it, there are no more made: what is not yet told is in the log, and not in the way of others.
 */
const page = 200

/** The changes after the row `b` that may have another one of the same thing. */
const later = (sql: Sql, userId: string): Fragment => sql`(
            select c.seq, c.type, c.id, c.before
            from docket.changes c
            where c.user_id = ${userId}
              and c.seq > b.seq
            order by c.seq
            limit ${page}
          )`

/**
 * Makes the next changes in the log into deliveries to the webhooks of a user, and has these know that. Of two who do so at once the second
 * waits, and goes on from where the first has ended. What it was after a change is what it was before the next one, as far as the log has
 * that near by, else what it is now; and that is what a filter looks at. Of what is gone for good nothing is told. Where the log has
 * forgotten something, that is told: `resync`.
 */
export async function takeChanges(
  db: Db,
  userId: string,
  things: readonly Thing[],
  meanings: readonly Meaning[],
): Promise<Taken> {
  const known = JSON.stringify(meanings.map(({ id, filter }) => ({ id, filter })))
  const statement = (sql: Sql) => {
    const isKnown = sql`exists (
        select
        from json_to_recordset(${known}::text::json) as known (id uuid, filter text)
        where known.id = w.id
          and known.filter = w.filter
      )`
    const matching = meanings.reduce(
      (before, { id, condition }) =>
        sql`${before} || case when ${condition(sql)} then array[${id}::uuid] else '{}' end`,
      sql`'{}'::uuid[]`,
    )
    const thing = things
      .map(
        ({ type, name, isFiltered }) => sql`
        select t.json, t.seq, ${isFiltered ? matching : sql`null::uuid[]`} as matching
        from ${name(sql)} t
        where b.type = ${type}
          and t.user_id = ${userId}
          and t.id = b.id`,
      )
      .reduce((all, next) => sql`${all} union all ${next}`)
    const query = sql<(Omit<Taken, 'left'> & { left: string })[]>`
    with hooks as materialized (
      select w.id, w.seq, w.events, w.filter
      from docket.webhooks w
      where w.user_id = ${userId}
        and w.active
        and (w.filter is null or ${isKnown})
        and ${page} > (
          select count(*)
          from (
            select
            from docket.deliveries d
            where d.user_id = ${userId}
              and d.target = w.id
              and d.next_at is not null
            limit ${page}
          ) pending
        )
      order by w.id
      for no key update
    ), batch as materialized (
      select c.seq, c.type, c.id, c.at, c.actor, c.request_id,
        case
          when c.action in ('created', 'completed', 'reopened', 'deleted', 'restored') then c.action
          when c.action = 'imported' and c.previous is null then 'created'
          when c.action <> 'purged' then 'updated'
        end as action
      from docket.changes c
      where c.user_id = ${userId}
        and c.seq > (select min(seq) from hooks)
      order by c.seq
      limit ${page}
    ), reach as materialized (
      select case when (select count(*) from batch) = ${page} then (select max(seq) from batch) else u.seq end as seq, u.seq as head
      from docket.users u
      where u.id = ${userId}
    ), told as (
      select b.seq, concat(b.type, '.', b.action) as event, b.at, thing.matching,
        concat('"', b.type, '":', case when thing.seq = b.seq then thing.json else coalesce(image.json, thing.json) end,
          ',"by":', coalesce(b.actor, 'null'), ',"seq":', b.seq, ',"request_id":', coalesce(to_json(b.request_id)::text, 'null')) as data,
        concat(' ', b.seq, ' ', b.type, ' ', b.id, ' ', extract(epoch from b.at)) as name
      from batch b
      cross join lateral (${thing}
        offset 0
      ) thing
      left join lateral (
        select case
          when n.type <> 'task' or n.before::jsonb ? 'description' then n.before
          -- A long text that did not change is not in it.
          else (n.before::jsonb || jsonb_build_object('description', coalesce((
            select l.before::jsonb -> 'description'
            from ${later(sql, userId)} l
            where l.type = b.type
              and l.id = b.id
              and l.before::jsonb ? 'description'
            order by l.seq
            limit 1
          ), thing.json::jsonb -> 'description')))::text
        end as json
        from ${later(sql, userId)} n
        where thing.seq <> b.seq
          and n.type = b.type
          and n.id = b.id
        order by n.seq
        limit 1
      ) image on true
      where b.action is not null
    ), events as (
      select hooks.id as hook, told.event, told.at, concat(hooks.id, told.name) as name, told.data
      from hooks
      join told on told.seq > hooks.seq and told.event = any(hooks.events)
      where hooks.filter is null
        or told.matching is null
        or hooks.id = any(told.matching)
      union all
      select hooks.id, 'resync', now(), concat(hooks.id, ' resync ', hooks.seq), concat('"since":', hooks.seq)
      from hooks
      cross join reach
      where exists (
        select
        from docket.latest l
        where l.user_id = ${userId}
          and l.seq > hooks.seq
          and l.seq <= reach.seq
          and not exists (select from docket.changes c where c.user_id = ${userId} and c.seq = l.seq)
      )
    ), made as (
      insert into docket.deliveries (user_id, id, kind, target, type, body, at, next_at)
      select ${userId}, docket.uuid_of(name), ${kind}, hook, event,
        concat('{"type":"', event, '","timestamp":', ${instant(sql, sql`at`)}, ',"data":{', data, '}}'), at, now()
      from events
      on conflict (user_id, id) do nothing
      returning id
    ), moved as (
      update docket.webhooks w
      set seq = reach.seq
      from reach
      where w.user_id = ${userId}
        and w.id in (select id from hooks)
        and w.seq < reach.seq
    )
    select (select count(*) from made)::integer as made, reach.seq < reach.head as is_more,
      exists (
        select
        from docket.webhooks w
        where w.user_id = ${userId}
          and w.active
          and w.seq < reach.head
          and (w.filter is null or ${isKnown})
          and w.id not in (select id from hooks)
      ) as is_full,
      (
        select coalesce(json_agg(json_build_object('id', w.id, 'filter', w.filter)), '[]')::text
        from docket.webhooks w
        where w.user_id = ${userId}
          and w.active
          and w.seq < reach.head
          and w.filter is not null
          and not ${isKnown}
      ) as left
    from reach`
    // Each filter makes another statement.
    return meanings.length === 0 ? query : unprepared(query)
  }
  const [taken] = await db.idempotentWrite(statement)
  if (taken === undefined) return { made: 0, is_more: false, is_full: false, left: [] }
  return { ...taken, left: JSON.parse(taken.left) }
}

/** Of reminders webhooks are told as of a change. */
const reminderType = 'reminder.due'

/** A webhook with a filter, whose it is, and what that means now. */
export type MeaningOf = Meaning & { user_id: string }

/** What is asked of src/reminders: what the filters of some webhooks mean. */
export type Question = Omit<MeaningOf, 'condition'>[]

/**
 * Makes reminders into deliveries to webhooks. Those of whom has a filter of which nobody has said what it means wait until somebody has: it is
 * asked as a `Question`.
 */
export function webhookReminders(meanings: readonly MeaningOf[]): Makings {
  const known = JSON.stringify(meanings.map(({ user_id, id, filter }) => ({ user_id, id, filter })))
  /** Of the row `w`. */
  const isTold = (sql: Sql) => sql`w.active and ${reminderType} = any(w.events)`
  const isUnknown = (sql: Sql) => sql`w.filter is not null and not exists (
          select
          from json_to_recordset(${known}::text::json) as known (user_id text, id uuid, filter text)
          where known.user_id = w.user_id
            and known.id = w.id
            and known.filter = w.filter
        )`
  const matches = (sql: Sql) =>
    meanings.reduce(
      (before, { user_id, id, condition }) =>
        sql`${before} or (w.user_id = ${user_id} and w.id = ${id} and ${condition(sql)})`,
      sql`false`,
    )
  return {
    isHeld: (sql) => sql`exists (
          select
          from docket.webhooks w
          where w.user_id = a.user_id
            and ${isTold(sql)}
            and ${isUnknown(sql)}
        )`,
    question: (sql) => sql`
          select json_agg(json_build_object('user_id', w.user_id, 'id', w.id, 'filter', w.filter))::text
          from docket.webhooks w
          where w.user_id in (select user_id from held)
            and ${isTold(sql)}
            and ${isUnknown(sql)}`,
    make: [
      (sql) => sql`
      insert into docket.deliveries (user_id, id, kind, target, type, body, at, next_at)
      select f.user_id, docket.uuid_of(concat(w.id, ' ', f.id)), ${kind}, w.id, ${reminderType},
        concat('{"type":"', ${reminderType}::text, '","timestamp":', ${instant(sql, sql`f.fires_at`)}, ',"data":{"id":"', f.id, '","task":', f.json,
          ',"reminder":', to_json(f.reminder), '}}'), f.fires_at, now()
      from fired f
      cross join lateral (
        select w.id
        from docket.webhooks w
        join docket.tasks t on t.user_id = w.user_id and t.id = f.task_id
        where w.user_id = f.user_id
          and ${isTold(sql)}
          and (w.filter is null or ${matches(sql)})
        offset 0
      ) w
      on conflict do nothing`,
    ],
  }
}
