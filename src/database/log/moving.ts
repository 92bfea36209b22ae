import type { Sql } from '../connect.ts'
import type { Db } from '../gate/gate.ts'
import { type Group, grouped } from '../gate/share.ts'
import { type Ask, type Author, asksOf, type Fragment, given, logged, newOwners } from './log.ts'
import { columnsOf, type Table, type Values, valuesOf } from './writes.ts'

// What moves from one database to another, of whatever kind: every field as it is, the trash, versions and instants included.

/** A change that was made of a thing, as a line of a file has it. */
export type Change<Image extends object> = {
  at: string
  by: object | null
  request_id: string | null
  action: string
  /** The thing before it; null: there was none. What is absent in it did not change. */
  before: Image | null
}

/** Bytes after which a statement that reads gives no more. */
export const enough = 1_000_000

/**
 * The next things of a user after a number, in the order in which they changed: as JSON, each with the number of its last change. None:
 * there are no more; else there may be, however few they are, for they may be long.
 */
export const exportThings = (
  db: Db,
  { name, type }: Table,
  userId: string,
  after: string,
  limit: number,
): Promise<{ seq: string; text: string }[]> =>
  db.read(
    (sql) => sql<{ seq: string; text: string }[]>`
    select seq::text as seq, text
    from (
      select seq, text, sum(octet_length(text)) over (order by seq rows unbounded preceding) - octet_length(text) as bytes
      from (
        select l.seq, t.json as text
        from docket.latest l
        cross join lateral (
          select json
          from ${name(sql)}
          where user_id = l.user_id
            and id = l.id
          offset 0
        ) t
        where l.user_id = ${userId}
          and l.seq > ${after}
          and l.type = ${type}
        order by l.seq
        limit ${limit}
      ) found
    ) measured
    where bytes < ${enough}
    order by measured.seq`,
  )

/** Who moves something in, by which request: the command, if that is all there is. */
export type Mover = string | Pick<Author, 'actor' | 'request_id'>

/** What the log says of the command. */
export const command = JSON.stringify({ kind: 'program', name: 'docket import' })

const authorOf = (mover: Mover): Pick<Author, 'actor' | 'request_id'> =>
  typeof mover === 'string' ? { actor: command, request_id: mover } : mover

/** Milliseconds that what comes may be ahead of this clock, for changes to be later than it all the same. */
const mostAhead = 3_600_000

/** A row on its way, with its changes, the oldest first. */
type Moving = {
  row: { user_id: string; id: string; updated_at: string }
  history: Change<object>[]
}

/** What the statement is asked: what is written of one user after this is later than what is moved. */
function askedOf(moving: Moving[], mover: Mover): Group[] {
  const { actor, request_id } = authorOf(mover)
  const asks = moving.map(({ row, history }) => ({
    ...row,
    actor,
    request_id,
    moved: history.length,
    history: history.map(({ by, before, ...change }, nth) => ({
      ...change,
      nth,
      actor: by && JSON.stringify(by),
      before: before && JSON.stringify(before),
    })),
  }))
  const latest = new Map<string, number>()
  for (const { user_id, updated_at } of asks) {
    // A millisecond more, as there may be microseconds.
    const at = Math.min(Date.parse(updated_at) + 1, Date.now() + mostAhead)
    latest.set(user_id, Math.max(latest.get(user_id) ?? at, at))
  }
  return grouped(asks, ({ moved }) => moved + 1).map((group) => ({
    ...group,
    after: new Date(latest.get(group.user_id) ?? 0).toISOString(),
  }))
}

/** How things of a kind move in. */
export type Arrival = {
  table: Table
  /** What is asked of each, as columns with their types. */
  asked: (sql: Sql) => Fragment
  /** What its columns become. */
  values: (sql: Sql) => Values
  /** What else these are made of: a lateral join. */
  from: (sql: Sql) => Fragment
  /** Columns that become something else where the thing is there already: of `t` and of `excluded`. */
  merged?: (sql: Sql) => Values
  /** What it was before the last change, which is that it came: of `made` and of these columns of what is asked, each after a comma. */
  image?: { asked: (sql: Sql) => Fragment; value: (sql: Sql) => Fragment }
  /** `beside`: what is to be done with others, of what is `made`; as JSON in `done`. */
  beside?: (sql: Sql) => Fragment
}

/**
 * Of a thing that is there already the later version stays, so that twice is once. All that comes is a change, in the order of the
 * lines; before it come those that were made of it elsewhere, if it is new here.
 * @returns a row for each, but for those that are to be left to a next time: whether it was not there, or in an earlier version
 */
export function importThings(
  db: Db,
  { table, asked, values, from, merged, image, beside }: Arrival,
  moving: Moving[],
  mover: Mover,
): Promise<{ n: number; is_made: boolean; done: string | null }[]> {
  const asks = JSON.stringify(askedOf(moving, mover))
  return db.idempotentWrite((sql) => {
    const becomes = values(sql)
    const columns = columnsOf(sql, becomes)
    const excluded = Object.keys(becomes).map((name) => [name, sql`excluded.${sql(name)}`])
    const after = { ...Object.fromEntries(excluded), ...merged?.(sql) }
    return sql<{ n: number; is_made: boolean; done: string | null }[]>`
    with ${given(sql, asks)}, ${newOwners(sql)}, before as (
      select a.n, t.user_id, t.id, t.json, t.seq
      from ${asksOf(sql, sql`version integer`)} a
      join ${table.name(sql)} t on t.user_id = a.user_id and t.id = a.id
      for no key update of t
    ), made as (
      insert into ${table.name(sql)} as t (user_id, id, seq, ${columns})
      select asked.user_id, asked.id, asked.seq, ${valuesOf(sql, becomes)}
      from ${asksOf(sql, asked(sql))} asked
      -- Before it is changed.
      left join before on before.n = asked.n
      ${from(sql)}
      on conflict (user_id, id) do update
        set (seq, ${columns}) = row (excluded.seq, ${valuesOf(sql, after)})
        where t.version < excluded.version
          -- One that came while this waited for the user was not looked at.
          and exists (select from before b where b.user_id = t.user_id and b.id = t.id)
      returning t.user_id, t.id, t.json, t.deleted_at
    ), changed as (
      select a.*, before.n is null as is_new, 'imported' as action,
        case when before.n is not null then before.seq when a.moved > 0 then a.seq - 1 end as previous,
        case when before.n is not null then before.json when a.moved > 0 then ${image?.value(sql) ?? sql`made.json`} end as before
      from ${asksOf(sql, sql`moved integer, history json ${image?.asked(sql) ?? sql``}`)} a
      join made on made.user_id = a.user_id and made.id = a.id
      left join before on before.n = a.n
    ), arrived as (
      insert into docket.changes (user_id, seq, type, id, action, previous, before, actor, request_id, at, day)
      select changed.user_id, changed.seq - changed.moved + h.nth, ${table.type}, changed.id, h.action,
        case when h.nth > 0 then changed.seq - changed.moved + h.nth - 1 end, h.before, h.actor, h.request_id, h.at,
        (h.at at time zone 'UTC')::date
      from changed
      cross join lateral json_to_recordset(changed.history) as h
        (nth integer, at timestamptz, actor text, request_id text, action text, before text)
      where changed.is_new
    ), ${logged(sql, table.type, sql`changed`)}
    ${beside === undefined ? sql`` : sql`, beside as (${beside(sql)})`}
    select a.n, made.id is not null as is_made,
      ${beside === undefined ? sql`null` : sql`(select json_agg(done)::text from beside)`} as done
    from ${asksOf(sql, sql`version integer`)} a
    left join before on before.n = a.n
    left join made on made.user_id = a.user_id and made.id = a.id
    where before.n is null or made.id is not null`
  })
}

/** Asks that change something without a trace: no number is taken, no version counted. */
export const traceless = (asks: Omit<Ask, 'actor' | 'request_id'>[]): string =>
  JSON.stringify(grouped(asks, () => 0))

/** The next change of a user has a greater number than this. */
export async function raiseNumber(db: Db, userId: string, least: number): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    insert into docket.users as u (id, seq)
    values (${userId}, ${least})
    on conflict (id) do update
      set seq = excluded.seq
      where u.seq < excluded.seq`,
  )
}
