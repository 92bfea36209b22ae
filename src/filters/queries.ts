import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'
import type { KeptFilter } from './schema.ts'

// What is read of filters that are kept; writes.ts has what is written. One exported function is one statement.

/** The columns of FilterSchema, in its order. */
export const columns = (sql: Sql): Fragment =>
  sql`f.id, f.user_id, f.name, f.filter, f.created_at, f.updated_at`

export const listFilters = (db: Db, userId: string): Promise<KeptFilter[]> =>
  db.read(
    (sql) => sql<KeptFilter[]>`
    select ${columns(sql)}
    from docket.filters f
    where f.user_id = ${userId}
    order by f.name_key`,
  )
