import type { Db } from '../gate/gate.ts'
import { few, type Shared } from '../gate/share.ts'

const head: Shared<{ user_id: string }, { seq: string }> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, u.seq::text as seq
    from json_to_recordset(${asked}::text::json) as asked (n integer, user_id text)
    join docket.users u on u.id = asked.user_id
    where ${few(sql)}`,
}

/** The number of the last change of a user's; 0: there was none. */
export const readHead = async (db: Db, userId: string): Promise<number> =>
  Number((await db.share(head, { user_id: userId }))?.seq ?? 0)

/** Those of many, of whom each has changed something. */
export const readHeads = (db: Db, userIds: string[]): Promise<{ id: string; seq: string }[]> =>
  db.read(
    (sql) => sql<{ id: string; seq: string }[]>`
    select id, seq::text as seq
    from docket.users
    where id = any(${sql.typed.text_array(userIds)})`,
  )
