import type { Db } from './gate/gate.ts'

/** What somebody owes, in seconds, and whether one request more was counted. */
export type Count = { allowed: boolean; debt: number }

/**
 * Counts a request that costs so many seconds of a minute, if what is owed leaves room for it, and removes a few of those
 * who owe nothing any more. Nobody can owe more than a minute: where it is more the clock went back, and nothing is owed.
 * Counted twice it does no harm. Undefined: somebody else was the first for this key, within the same statement.
 */
export async function countRequest(db: Db, key: string, cost: number): Promise<Count | undefined> {
  const [row] = await db.idempotentWrite(
    (sql) => sql<Count[]>`
    with settled as (
      delete from docket.rate_limits
      where key = any(array(
        select key
        from docket.rate_limits
        where settled_at < clock_timestamp() - interval '1 minute'
          and key <> ${key}
        order by settled_at
        limit 3
        for update skip locked
      ))
    ), counted as (
      insert into docket.rate_limits as mine (key, settled_at)
      values (${key}, clock_timestamp() + make_interval(secs => ${cost}::float8))
      on conflict (key) do update
        set settled_at = make_interval(secs => ${cost}::float8) + case
          when mine.settled_at between clock_timestamp() and clock_timestamp() + interval '61 seconds' then mine.settled_at
          else clock_timestamp()
        end
        where mine.settled_at <= clock_timestamp() + make_interval(secs => 60.000001 - ${cost}::float8)
          or mine.settled_at > clock_timestamp() + interval '61 seconds'
      returning settled_at
    )
    select true as allowed, extract(epoch from settled_at - clock_timestamp())::float8 as debt
    from counted
    union all
    select false as allowed, extract(epoch from settled_at - clock_timestamp())::float8 as debt
    from docket.rate_limits
    where key = ${key}
      and not exists (select from counted)`,
  )
  return row
}
