import type { Sql } from '../database/connect.ts'
import type { Fragment } from '../database/log/log.ts'
import type { Table } from '../database/log/writes.ts'

/** That a list is not in the trash, where it is found by its key: by no other index, as tasks are. */
export const isThere = (sql: Sql): Fragment => sql`coalesce(t.deleted_at, 'infinity') = 'infinity'`

export const listTable: Table = {
  type: 'list',
  name: (sql) => sql`docket.lists`,
  asked: (sql) => sql`name text, color text, archived boolean`,
  was: (sql) => sql`t.deleted_at is null as was_there, t.position as was_at`,
  action: (sql) => sql`
      case
        when (t.deleted_at is null) <> asked.was_there then case when asked.was_there then 'deleted' else 'restored' end
        when t.position <> asked.was_at then 'moved'
        else 'updated'
      end`,
}

/** A list as the log shows it, of the row `l` of docket.latest. */
export const listJson = (sql: Sql): Fragment => sql`
            select t.json
            from docket.lists t
            where t.user_id = asked.user_id
              and t.id = l.id`
