import type { Sql } from '../connect.ts'
import { asksOf, type Fragment, logged, owners } from './log.ts'
import { earlier, keep } from './once.ts'
import { earlierAnswers, inBoth, type Part, type Table, type Write, type Writes } from './writes.ts'

/** What is to go for good, if it is in the trash, and has been there since `until`. */
export type Purge = Write & { until?: string }

/** Changes of one thing that go with it in one statement. */
const most = 1000

/** Of a statement: each deletes what was ever changed of it. */
const together = 64

/** How what goes for good is part of a statement. */
type Going = Part & {
  /** What it is asked besides, as columns with their types, each after a comma. */
  asked: Fragment
  /** Which rows `t` there are to go. */
  condition: Fragment
}

/**
 * `asked`: the rows that are to go, locked, each with its ask, and why it is refused: as its version is another one, or as somebody has changed
 * it just now, of which this statement cannot see what is in the log.
 */
export const askingToGo = (
  sql: Sql,
  table: Table,
  { isKeyed, suffix = '', own, asked, condition }: Going,
): Fragment => sql`${sql(`asked${suffix}`)} as (
      select a.*, t.seq as previous, t.version as old_version, octet_length(t.json) as bytes,
        case
          when a.versions is not null and t.version <> all(a.versions) then 'stale'
          when t.seq <> seen.seq then 'unseen'
        end as refusal
      from ${asksOf(sql, sql`versions integer[] ${isKeyed ? sql`, key text, request text` : sql``} ${asked}`)} a
      cross join lateral (
        select s.seq
        from ${table.name(sql)} s
        where s.user_id = a.user_id
          and s.id = a.id
        offset 0
      ) seen
      join ${table.name(sql)} t on t.user_id = a.user_id and t.id = a.id
      ${isKeyed ? sql`left join earlier on earlier.n = a.n` : sql``}
      where ${condition}
        ${own === undefined ? sql`` : sql`and ${own}`}
        ${isKeyed ? sql`and earlier.n is null` : sql``}
      for update of t
    )`

/**
 * `changed`: what is `asked` and not refused, and is gone, with all that the log had of it but that. Of a thing with a very long history
 * only a part of that goes.
 */
export function going(sql: Sql, table: Table, part: Omit<Part, 'own'>): Fragment {
  const { isKeyed, suffix = '', only } = part
  const named = (name: string) => sql(`${name}${suffix}`)
  return sql`${named('chains')} as materialized (
      select asked.n, asked.user_id, asked.id, chain.first, chain.others, chain.rest
      from ${named('asked')} asked
      cross join lateral (
        with recursive chain as (
          select c.ctid as place, c.seq, c.previous, 1 as length
          from docket.changes c
          where c.user_id = asked.user_id
            and c.seq = asked.previous
          union all
          select c.place, c.seq, c.previous, chain.length + 1
          from chain
          cross join lateral (
            select ctid as place, seq, previous
            from docket.changes
            where user_id = asked.user_id
              and seq = chain.previous
            offset 0
          ) c
          where chain.length < ${most}
        )
        select (array_agg(place) filter (where length = 1))[1] as first, array_agg(place) filter (where length > 1) as others,
          (array_agg(previous) filter (where length = ${most}))[1] as rest
        from chain
      ) chain
      where asked.refusal is null
        ${only === undefined ? sql`` : sql`and ${only}`}
    ), ${named('forgotten')} as (
      -- Where they are, and not by their numbers: the planner would look through all changes of the user for those.
      delete from docket.changes
      where ctid = any(array(
        select unnest(others) from ${named('chains')}
        union all
        select first from ${named('chains')} where rest is null
      ))
    ), ${named('joined')} as (
      update docket.changes c
      set previous = chains.rest
      from ${named('chains')} chains
      where chains.rest is not null
        and c.ctid = chains.first
    ), ${named('gone')} as (
      delete from ${table.name(sql)} t
      using ${named('chains')} chains
      where chains.rest is null
        and t.user_id = chains.user_id
        and t.id = chains.id
      returning chains.n
    ), ${named('changed')} as (
      select asked.n, asked.user_id, asked.id, asked.seq, asked.at, asked.previous, null as before, 'purged' as action,
        asked.actor, asked.request_id, asked.old_version as version,
        concat('{"version":', asked.old_version, ',"bytes":', asked.bytes, '}') as answer
        ${isKeyed ? sql`, asked.key, asked.request` : sql``}
      from ${named('asked')} asked
      where asked.n in (select n from ${named('gone')})
    ), ${logged(sql, table.type, sql`${named('changed')}`, suffix)}`
}

/**
 * Purges what is in the trash. What has a very long history may have to be asked for again, and what somebody has changed just now: that is
 * `unlike`. The text has the bytes that there are less.
 */
export const purging = (table: Table): Writes<Purge> => {
  const { plain, keyed } = inBoth<Purge>(false, (sql, isKeyed) => {
    const condition = sql`t.deleted_at <= coalesce(a.until, 'infinity')`
    return sql`${owners(sql)},
    ${isKeyed ? sql`${earlier(sql)},` : sql``}
    ${askingToGo(sql, table, { isKeyed, asked: sql`, until timestamptz`, condition })}, ${going(sql, table, { isKeyed })}
    ${isKeyed ? sql`, ${keep(sql)}` : sql``}
    select n, null as request, answer as text, version, true as is_made
    from changed
    union all
    select n, null as request, case refusal when 'stale' then null else '' end as text, old_version as version, false as is_made
    from asked
    where n not in (select n from changed)
    ${isKeyed ? earlierAnswers(sql) : sql``}`
  })
  return { plain: { ...plain, most: together }, keyed: { ...keyed, most: together } }
}
