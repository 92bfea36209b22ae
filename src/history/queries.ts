import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Table } from '../database/log/writes.ts'
import type { Below, Chain, History, Wanted } from './rules.ts'

// What is read of the log, and of the trash. One exported function is one statement.

/** The change with this number. By itself, or the planner would look through all changes of the user for it. */
const changeAt = (sql: Sql, userId: string, seq: Fragment): Fragment => sql`(
            select seq, previous, at, actor, request_id, action, before
            from docket.changes
            where user_id = ${userId}
              and seq = ${seq}
            offset 0
          )`

/** Bytes of images that are read for a page, but for the last one. */
const mostBytes = 1_000_000

/** Some changes of a thing: from the last one or the one that the page is below of, which comes first, back to older ones. */
export async function readHistory(
  db: Db,
  userId: string,
  { name, type }: Table,
  id: string,
  below: Below | null,
  limit: number,
): Promise<History | undefined> {
  const [found] = await db.read(
    (sql) => sql<(Omit<History, 'changes'> & { changes: string })[]>`
    select t.json,
      (
        select before
        from docket.changes
        where user_id = ${userId}
          and seq = ${below?.text ?? null}
          and type = ${type}
          and id = ${id}
      ) as text,
      (
        with recursive chain as (
          select c.seq, c.previous, 1 as length, octet_length(c.before) as bytes
          from docket.changes c
          where c.user_id = ${userId}
            and c.seq = coalesce(${below?.seq ?? null}, t.seq)
            and c.type = ${type}
            and c.id = ${id}
          union all
          select c.seq, c.previous, chain.length + 1, chain.bytes + octet_length(c.before)
          from chain
          cross join lateral ${changeAt(sql, userId, sql`chain.previous`)} c
          where chain.length < ${limit}
            and chain.bytes < ${mostBytes}
        )
        select coalesce(json_agg(json_build_object(
          'seq', c.seq, 'previous', c.previous, 'at', c.at, 'actor', c.actor, 'request_id', c.request_id,
          'action', c.action, 'before', c.before
        ) order by c.seq desc), '[]')::text
        from chain
        cross join lateral ${changeAt(sql, userId, sql`chain.seq`)} c
      ) as changes
    from ${name(sql)} t
    where t.user_id = ${userId}
      and t.id = ${id}`,
  )
  return found && { ...found, changes: JSON.parse(found.changes) }
}

/** Changes that are looked at for a page of those of somebody: those of others may be in between. */
const mostLooked = 10_000

/** A page of what was done to whatever a user has, as JSON, and below which change the next one begins; null: there is none. */
export async function readActivity(
  db: Db,
  userId: string,
  tables: readonly Table[],
  by: { kinds: readonly string[] | null; name: string | null },
  below: number,
  limit: number,
): Promise<{ text: string; next: number | null }> {
  const [read] = await db.read((sql) => {
    const kinds = by.kinds === null ? sql`null` : sql.typed.text_array([...by.kinds])
    const title = tables
      .map(
        ({ name, type }) => sql`
          select coalesce(t.json::json ->> 'title', t.json::json ->> 'name') as title
          from ${name(sql)} t
          where page.type = ${type}
            and t.user_id = ${userId}
            and t.id = page.id`,
      )
      .reduce((all, next) => sql`${all} union all ${next}`)
    return sql<{ text: string; next: number | null }[]>`
    with page as materialized (
      select seq, type, id, action, actor::json as actor, request_id, at
      from (
        select c.seq, c.type, c.id, c.action, c.actor, c.request_id, c.at
        from docket.changes c
        where c.user_id = ${userId}
          and c.seq < ${below}
        order by c.seq desc
        limit ${mostLooked}
      ) looked
      where (${kinds}::text[] is null or actor::json ->> 'kind' = any(${kinds}::text[]))
        and (${by.name}::text is null or actor::json ->> 'name' = ${by.name})
      order by seq desc
      limit ${limit}
    )
    select
      (
        select coalesce(json_agg(json_build_object(
          'seq', page.seq, 'at', page.at, 'by', page.actor, 'request_id', page.request_id, 'action', page.action,
          'type', page.type, 'id', page.id, 'title', t.title
        ) order by page.seq desc), '[]')::text
        from page
        left join lateral (${title} offset 0) t on true
      ) as text,
      case
        when (select count(seq) from page) = ${limit} then (select min(seq) from page)
        else (
          select c.seq
          from docket.changes c
          where c.user_id = ${userId}
            and c.seq < ${below}
          order by c.seq desc
          offset ${mostLooked - 1}
          limit 1
        )
      end::float8 as next`
  })
  if (read === undefined) throw new Error('expected a row')
  return read
}

export type Chains = {
  /** The number of the last change of the user, and that of the oldest that is kept. */
  last: number
  first: number | null
  /** There are more than can be undone at once. */
  isBeyond: boolean
  /** Something was changed since then of which the log has nothing any more. */
  isMissing: boolean
  chains: Chain[]
}

/** The most that is undone at once: things, changes that are looked at, bytes of what was and is there. */
export const most = { things: 1000, changes: 10_000, bytes: 16_000_000 }

const isWanted = (sql: Sql, wanted: Wanted): Fragment => {
  if ('request_id' in wanted) return sql`c.request_id = ${wanted.request_id}`
  return 'seq' in wanted ? sql`c.seq = ${wanted.seq}` : sql`c.seq > ${wanted.since}`
}

/** The log as far as it has to be known to undo something, as it is at one moment. */
export async function readChains(
  db: Db,
  userId: string,
  tables: Table[],
  wanted: Wanted,
): Promise<Chains> {
  const since = 'since' in wanted ? wanted : null
  const [read] = await db.read((sql) => {
    /** A thing of a row that has its type and id, of whichever table. */
    const thing = (row: Fragment) =>
      sql`(${tables
        .map(
          ({ name, type }) => sql`
        select t.json, t.seq, t.updated_at
        from ${name(sql)} t
        where ${row}.type = ${type}
          and t.user_id = ${userId}
          and t.id = ${row}.id`,
        )
        .reduce((all, next) => sql`${all} union all ${next}`)}
        offset 0
      )`
    return sql<
      {
        last: number
        first: number | null
        is_beyond: boolean
        is_missing: boolean
        things: string
        changes: string
      }[]
    >`
    with looked as materialized (
      select c.seq, c.type, c.id, c.actor, c.at, c.action <> 'purged' as is_target
      from docket.changes c
      where c.user_id = ${userId}
        and ${isWanted(sql, wanted)}
      order by c.seq desc
      limit ${most.changes + 1}
    ), within as materialized (
      select seq, type, id, actor, is_target
      from looked
      where at >= ${since?.from ?? '-infinity'}::text::timestamptz
    ), things as materialized (
      select row_number() over () as n, type, id, min(seq) filter (where is_target) as oldest,
        coalesce(json_agg(seq) filter (where is_target), '[]') as targets, not bool_and(is_target) as is_purged
      from within
      where (${since?.by.kind ?? null}::text is null or actor::json ->> 'kind' = ${since?.by.kind ?? null})
        and (${since?.by.name ?? null}::text is null or actor::json ->> 'name' = ${since?.by.name ?? null})
      group by type, id
      limit ${most.things + 1}
    ), heads as materialized (
      select things.n, things.type, things.id, things.oldest, things.targets, things.is_purged, t.json, t.seq
      from things
      left join lateral ${thing(sql`things`)} t on true
    ), walked as materialized (
      select heads.n, c.seq, c.previous, c.bytes, c.seq >= heads.oldest as is_needed
      from heads
      cross join lateral (
        with recursive chain as (
          select c.seq, c.previous, octet_length(c.before) as bytes
          from docket.changes c
          where c.user_id = ${userId}
            and c.seq = heads.seq
          union all
          select c.seq, c.previous, octet_length(c.before)
          from chain
          cross join lateral ${changeAt(sql, userId, sql`chain.previous`)} c
          where chain.seq >= heads.oldest
        )
        select seq, previous, bytes
        from chain
      ) c
      limit ${most.changes + 1}
    ), sizes as materialized (
      select
        (select count(seq) from within) > ${most.changes}
        or (select count(n) from things) > ${most.things}
        or (select count(n) from walked) > ${most.changes}
        or coalesce((select sum(bytes) from walked), 0) + (select sum(octet_length(json)) from heads) > ${most.bytes} as is_beyond
    )
    select
      coalesce((select seq from docket.users where id = ${userId}), 0)::float8 as last,
      (select seq from docket.changes where user_id = ${userId} order by seq limit 1)::float8 as first,
      coalesce(is_beyond, false) as is_beyond,
      ${
        since === null
          ? sql`false`
          : sql`exists (
        select
        from (
          select l.seq, l.type, l.id
          from docket.latest l
          where l.user_id = ${userId}
            and l.seq > ${since.since}
          order by l.seq desc
          limit ${most.changes + 1}
        ) l
        left join lateral ${thing(sql`l`)} t on true
        where coalesce(t.updated_at, '-infinity') >= ${since.from}::text::timestamptz
          and (select seq from ${changeAt(sql, userId, sql`l.seq`)} c) is null
      )`
      } as is_missing,
      (
        select coalesce(json_agg(json_build_object(
          'n', n, 'type', type, 'id', id, 'current', json::json, 'isPurged', is_purged, 'targets', targets
        )), '[]')::text
        from heads
        where is_beyond is not true
      ) as things,
      (
        select coalesce(json_agg(json_build_object(
          'n', w.n, 'seq', w.seq, 'previous', w.previous, 'before', case when w.is_needed then c.before::json end
        )), '[]')::text
        from walked w
        cross join lateral ${changeAt(sql, userId, sql`w.seq`)} c
        where is_beyond is not true
      ) as changes
    from sizes`
  })
  if (read === undefined) throw new Error('expected a row')
  const byThing = Map.groupBy<number, Chain['changes'][number] & { n: number }>(
    JSON.parse(read.changes),
    ({ n }) => n,
  )
  const things: (Omit<Chain, 'changes'> & { n: number })[] = JSON.parse(read.things)
  return {
    last: read.last,
    first: read.first,
    isBeyond: read.is_beyond,
    isMissing: read.is_missing,
    chains: things.map(({ n, ...thing }) => ({
      ...thing,
      changes: (byThing.get(n) ?? []).toSorted((a, b) => b.seq - a.seq),
    })),
  }
}

/** A place in the trash. */
export type Place = { created_at: string; id: string }

/** Before all others. */
const noId = '00000000-0000-0000-0000-000000000000'

/** The next things in the trash of a user. */
export const listTrash = (
  db: Db,
  userId: string,
  { name }: Table,
  after: Place | null,
  limit: number,
): Promise<Place[]> =>
  db.read(
    (sql) => sql<Place[]>`
    select created_at, id
    from ${name(sql)}
    where user_id = ${userId}
      and deleted_at is not null
      and (created_at, id) > (${after?.created_at ?? '-infinity'}::text::timestamptz, ${after?.id ?? noId}::uuid)
    order by created_at, id
    limit ${limit}`,
  )

/** Things of anybody that have been in the trash for so many days, the first first, and until when that is. */
export const listOldTrash = (
  db: Db,
  { name }: Table,
  days: number,
  limit: number,
): Promise<{ user_id: string; id: string; until: string }[]> =>
  db.read(
    (sql) => sql<{ user_id: string; id: string; until: string }[]>`
    select user_id, id, now() - make_interval(days => ${days}::integer) as until
    from ${name(sql)}
    where deleted_at < now() - make_interval(days => ${days}::integer)
    order by deleted_at
    limit ${limit}`,
  )
