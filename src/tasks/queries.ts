import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Text } from '../database/log/writes.ts'

// What is read of tasks; writes.ts has what is written. One exported function is one statement, which answers many
// requests: each asks for rows of one user, and that comes first, so that none reaches another user's.

/**
 * That a task is not in the trash, where it is found by its key. Said so that no index is thought of that leaves out the trash:
 * by another one than that of the key, all tasks of the user would be looked at.
 */
export const isThere = (sql: Sql): Fragment => sql`coalesce(t.deleted_at, 'infinity') = 'infinity'`

/** Where a task is in the manual order of all: the inbox first, then list by list. The index has the same expression. */
export const placeOf = (sql: Sql): Fragment =>
  sql`(coalesce(t.list_id::text, '') || ' ' || t.position) collate "C"`

/** What a search looks at, in the one of two columns that it belongs in, of expressions for the folded texts. */
export const searchText = (
  sql: Sql,
  title: Fragment,
  description: Fragment,
  tags: Fragment,
): Fragment => sql`
        select
          case when octet_length(text) <= 500 then text end as words,
          case when octet_length(text) > 500 then text end as long_words
        from (
          select concat_ws(chr(31), ${title}, ${description}, array_to_string(${tags}, chr(31))) as text
          offset 0
        ) whole`

/** That of a task that is given whole. */
export const searchTextOfAll = (sql: Sql): Fragment =>
  searchText(
    sql,
    sql`title_words`,
    sql`coalesce(description_words, '')`,
    sql`coalesce(tag_keys, tags)`,
  )

const single: Shared<{ user_id: string; id: string }, Text> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t.version, t.json as text
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, id uuid)
    join docket.tasks t on t.user_id = asked.user_id and t.id = asked.id
    where ${isThere(sql)}
      and ${few(sql)}`,
}

export const findTask = (db: Db, userId: string, id: string): Promise<Text | undefined> =>
  db.share(single, { user_id: userId, id })

/** Where a task is, the trash included. */
export type TaskPlace = { list_id: string | null; version: number }

const placed: Shared<{ user_id: string; id: string }, TaskPlace> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t.list_id, t.version
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text, id uuid)
    join docket.tasks t on t.user_id = asked.user_id and t.id = asked.id
    where ${few(sql)}`,
}

export const findPlace = (db: Db, userId: string, id: string): Promise<TaskPlace | undefined> =>
  db.share(placed, { user_id: userId, id })
