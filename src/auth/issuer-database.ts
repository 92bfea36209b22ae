import { PostgresJSDialect } from 'kysely-postgres-js'
import type { Sql } from '../database/connect.ts'

/** The pool as Better Auth wants it: an instant is a `Date` there, and text everywhere else. */
export function dialectOf(sql: Sql): PostgresJSDialect {
  const reserve = async () => {
    const connection = await sql.reserve()
    return {
      unsafe: async (text: string, parameters: unknown[]) => {
        const result = await connection.unsafe(text, parameters.map(fromDate) as never[], {
          prepare: sql.options.prepare,
        })
        const instants = (result.columns ?? []).filter(({ type }) => type === timestamptz)
        for (const row of result) {
          for (const { name } of instants) row[name] = toDate(row[name])
        }
        return result
      },
      release: () => connection.release(),
    }
  }
  // Of postgres.js the dialect uses these two, and the types ask for all of it.
  const pool = Object.assign(() => {}, { options: sql.options, reserve })
  return new PostgresJSDialect({ postgres: pool as unknown as Sql })
}

const timestamptz = 1184

const fromDate = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : value)

const toDate = (value: unknown): unknown => (typeof value === 'string' ? new Date(value) : value)

/** Whether a frontend's Better Auth made its tables with ids that are uuid. */
export async function hasUuidIds(sql: Sql): Promise<boolean> {
  const [column] = await sql<{ is_uuid: boolean }[]>`
    select atttypid = 'uuid'::regtype as is_uuid
    from pg_attribute
    where attrelid = '"user"'::regclass
      and attname = 'id'`
  return column?.is_uuid === true
}
