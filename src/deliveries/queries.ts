import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Shared } from '../database/gate/share.ts'
import type { Fragment } from '../database/log/log.ts'

// What is on its way, as the database has it: sql/008_deliveries.sql. One exported function is one statement.

/** Something that is to be sent, for the `tries`th time. */
export type Delivery = {
  user_id: string
  id: string
  kind: string
  target: string
  type: string
  body: string
  tries: number
}

/** A kind of targets, as statements have it. */
export type Targets = {
  kind: string
  /** What is known of the target of the row `d`, as JSON; null: there is none any more. A query of one value. */
  address: (sql: Sql) => Fragment
  /**
   * Changes targets by what became of deliveries: the rows of `settled`, each with `kind`, `user_id`, `target`, `outcome` and `is_gone`. A
   * statement.
   */
  learn: (sql: Sql) => Fragment
}

/** How many there are in hand: in all, and for one target. How many are looked at to find them. */
export const most = { all: 64, each: 4, looked: 128 }

/** Seconds for which nobody else takes what somebody has in hand: more than it takes to send it, and to say so. */
const lease = 20

export type Claimed = {
  /** What is to be sent now, each with what `address` says of its target. */
  claimed: (Delivery & { address: string | null })[]
  /** There is more that is due: somebody else has it in hand, or there is no room for it. */
  isMore: boolean
  /** Milliseconds until something else is due; null: nothing is. */
  wait: number | null
}

/** Claims what is due: who dies with it leaves it to the others when the lease is over. @param held how many are in hand for each target */
export async function claim(
  db: Db,
  targets: Targets[],
  room: number,
  held: { target: string; many: number }[],
): Promise<Claimed> {
  const full = held.filter(({ many }) => many >= most.each).map(({ target }) => target)
  // By now(): with what is volatile in its condition the index would be read whole. Where rows are, and not by their keys: the planner
  // would look through all of them for those.
  const rows = await db.idempotentWrite((sql) => {
    // Another instance may be newer, and know of more kinds.
    const isKnown = sql`d.kind = any(${sql.typed.text_array(targets.map(({ kind }) => kind))})`
    const isDue = sql`d.next_at <= now() and ${isKnown} and d.target <> all(${`{${full.join(',')}}`}::text::uuid[])`
    const addresses = targets.reduce(
      (before, { kind, address }) => sql`${before} when ${kind} then (${address(sql)})`,
      sql``,
    )
    return sql<
      (Partial<Delivery> & { address: string | null; is_more: boolean; wait: number | null })[]
    >`
    with due as materialized (
      select d.ctid as place, d.target, d.next_at, d.at
      from docket.deliveries d
      where ${isDue}
      order by d.next_at, d.at
      limit ${most.looked}
      for update skip locked
    ), turns as materialized (
      select due.place, due.next_at, due.at,
        row_number() over (partition by due.target order by due.next_at, due.at) + coalesce(held.many, 0) as nth
      from due
      left join json_to_recordset(${JSON.stringify(held)}::text::json) as held (target uuid, many integer)
        on held.target = due.target
    ), claimed as (
      update docket.deliveries d
      set next_at = now() + make_interval(secs => ${lease}), tries = d.tries + 1, tried_at = now()
      where d.ctid = any(array(
        select place
        from turns
        where nth <= ${most.each}
        order by next_at, at
        limit ${room}
      ))
      returning d.user_id, d.id, d.kind, d.target, d.type, d.body, d.tries, d.at
    ), rest as (
      select
        (select count(*) from (select from docket.deliveries d where ${isDue} limit ${most.looked + 1}) seen)
          > (select count(*) from claimed) as is_more,
        (
          select extract(epoch from d.next_at - now()) * 1000
          from docket.deliveries d
          where d.next_at > now()
            and ${isKnown}
          order by d.next_at
          limit 1
        )::float8 as wait
    )
    select d.user_id, d.id, d.kind, d.target, d.type, d.body, d.tries, rest.is_more, rest.wait,
      case d.kind ${addresses} end as address
    from rest
    left join claimed d on true
    order by d.at`
  })
  const [first] = rows
  return {
    claimed: rows.filter((row): row is (typeof rows)[number] & Delivery => row.id != null),
    isMore: first?.is_more ?? false,
    wait: first?.wait ?? null,
  }
}

/** What became of a try; `pause`: seconds until the next one, null: there is none. */
export type Settlement = Pick<Delivery, 'user_id' | 'id' | 'tries'> & {
  outcome: 'delivered' | 'failed'
  code: number | null
  reason: string | null
  is_gone: boolean
  pause: number | null
}

/** Days for which those that are over can be looked at, and how many of one target in any case. */
export const kept = { days: 7, each: 50 }

/** Writes down what became of deliveries, and what is learned of their targets by it. */
export const settling = (targets: Targets[]): Shared<Settlement, object> => ({
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    with asked as materialized (
      select a.*
      from json_to_recordset(${asked}::text::json) as a
        (n integer, user_id text, id uuid, tries integer, outcome text, code integer, reason text, is_gone boolean, pause float8)
      where a.n between 0 and 1000
    ), settled as (
      update docket.deliveries d
      set next_at = now() + make_interval(secs => asked.pause), outcome = asked.outcome, code = asked.code, reason = asked.reason
      from (
        -- In one order, as others do: what somebody else has in hand by now, two may settle.
        select a.user_id, a.id, a.tries, a.outcome, a.code, a.reason, a.is_gone, a.pause
        from asked a
        join docket.deliveries own on own.user_id = a.user_id and own.id = a.id
        order by own.user_id, own.id
        for no key update of own
      ) asked
      where d.user_id = asked.user_id
        and d.id = asked.id
        and d.next_at is not null
        -- Somebody else has it in hand by now; but what has arrived has.
        and (d.tries = asked.tries or asked.outcome = 'delivered')
      returning d.kind, d.user_id, d.target, asked.outcome, asked.is_gone
    ), forgotten as (
      -- Of the next ones, as many as there can be.
      delete from docket.deliveries
      where ctid = any(array(
        select old.place
        from (select distinct user_id, target from settled) t
        cross join lateral (
          select d.ctid as place, d.next_at
          from docket.deliveries d
          where d.user_id = t.user_id
            and d.target = t.target
          order by d.at desc
          limit 100 offset ${kept.each}
        ) old
        where old.next_at is null
      ))
    ) ${targets.reduce(
      (before, { kind, learn }) => sql`${before}, ${sql(`learned_${kind}`)} as (${learn(sql)})`,
      sql``,
    )}
    select n
    from asked`,
})

/** Deletes those that were over long ago. @returns how many went */
export async function pruneDeliveries(db: Db, limit: number): Promise<number> {
  const { count } = await db.idempotentWrite(
    (sql) => sql`
    delete from docket.deliveries
    where ctid = any(array(
      select ctid
      from docket.deliveries
      where next_at is null
        and at < now() - make_interval(days => ${kept.days}::integer)
      order by at
      limit ${limit}
      for update skip locked
    ))`,
  )
  return count
}
