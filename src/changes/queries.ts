import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import type { Fragment } from '../database/log/log.ts'

// What is read of the log. One exported function is one statement.

/** A kind of things that change: the JSON of one, of the row `l` of docket.latest. */
export type Thing = { type: string; json: (sql: Sql) => Fragment }

/**
 * Changes after a number, oldest first, each as JSON with a comma and a newline between them: of each thing its last one. `head` is the
 * number of the user's last change; there are more after `last`, or not.
 */
export type Page = { text: string; last: number; more: boolean; head: number }

type Ask = { user_id: string; since: number; size: number }
type Row = { head: string; text: string | null; last: string | null; more: boolean }

/** Bytes of a page, but for a single thing that is larger. */
const mostBytes = 1_000_000

/** What reads pages of the log, with what there is of things. */
export function readerOf(things: Thing[]) {
  const page: Shared<Ask, Row> = {
    most: 16,
    isIdempotent: true,
    statement: (sql, asked) => sql`
    select asked.n, u.seq::text as head, page.text, page.last::text as last, coalesce(page.more, false) as more
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, since bigint, size integer)
    join docket.users u on u.id = asked.user_id
    cross join lateral (
      select
        string_agg(concat('{"seq":', seq, ',"type":"', type, '","id":"', id, '",', case when json is null then '"purged":true' else concat('"', type, '":', json) end, '}'), E',\\n' order by seq)
          filter (where fits) as text,
        max(seq) filter (where fits) as last,
        bool_or(not fits) as more
      from (
        select l.seq, l.type, l.id, thing.json,
          row_number() over w <= asked.size
            and (row_number() over w = 1 or sum(coalesce(octet_length(thing.json), 0)) over w <= ${mostBytes}) as fits
        from (
          select l.seq, l.type, l.id
          from docket.latest l
          where l.user_id = asked.user_id
            and l.seq > asked.since
            and u.seq > asked.since
          order by l.seq
          limit asked.size + 1
        ) l
        left join lateral (
          select case l.type ${whens(sql)} end as json
        ) thing on true
        window w as (order by l.seq)
      ) change
    ) page
    where ${few(sql)}`,
  }

  const whens = (sql: Sql): Fragment =>
    things.reduce(
      (before, { type, json }) => sql`${before} when ${type} then (${json(sql)})`,
      sql``,
    )

  /** The next changes of a user. */
  return async (db: Db, userId: string, since: number, size: number): Promise<Page> => {
    const row = await db.share(page, { user_id: userId, since, size })
    return {
      text: row?.text ?? '',
      last: Number(row?.last ?? since),
      more: row?.more ?? false,
      head: Number(row?.head ?? 0),
    }
  }
}
