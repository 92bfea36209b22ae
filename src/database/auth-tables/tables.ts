import type { PendingQuery, Row } from 'postgres'
import type { AuthTableNames } from '../../config.ts'
import type { Sql } from '../connect.ts'
import { quote } from '../schema-name.ts'

type Fragment = PendingQuery<Row[]>

// Better Auth's tables, as a frontend has laid them out, and how statements name them.

export type AuthTable = {
  schema: string
  name: string
  /** Both, as SQL has them. */
  path: string
  /** By Better Auth's names of the fields. */
  columns: Record<string, Column>
  /** What must be given and is none of Better Auth's own. */
  demands: string[]
  mayRead: boolean
  mayDelete: boolean
}

export type Column = { name: string; type: string }

export type Model = keyof AuthTableNames

/** One set. Without sessions they are kept elsewhere; without the others the frontend does not need them. */
export type AuthTables = { user: AuthTable } & {
  [K in Exclude<Model, 'user'>]: AuthTable | null
}

/** A table in a statement. Quoted here, for the driver takes a dot in a name for what is between two. */
export const tableOf = (sql: Sql, { path }: AuthTable): Fragment => sql.unsafe<Row[]>(path)

/** A column in a statement, where its table is called `alias`: an instant is of UTC, whether its column says so or not. */
export function columnOf(sql: Sql, { columns }: AuthTable, alias: string, field: string): Fragment {
  const found = columns[field]
  if (found === undefined) return sql`null`
  const column = sql.unsafe<Row[]>(`${alias}.${quote(found.name)}`)
  return found.type === 'timestamp without time zone' ? sql`(${column} at time zone 'UTC')` : column
}

/** Whether an id of a user can be one in these tables: in one of uuids or numbers, only what is written as those are. */
export function canBeId({ columns }: AuthTable, id: string): boolean {
  switch (columns['id']?.type) {
    case 'uuid':
      return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id)
    case 'smallint':
      return /^(0|[1-9]\d{0,4})$/.test(id) && Number(id) < 2 ** 15
    case 'integer':
      return /^(0|[1-9]\d{0,9})$/.test(id) && Number(id) < 2 ** 31
    case 'bigint':
    case 'numeric':
      return /^(0|[1-9]\d{0,17})$/.test(id)
    default:
      return true
  }
}

/** Which tables these are, for the operator. */
export const describeAuthTables = (tables: AuthTables): string =>
  Object.values(tables)
    .flatMap((table) => table?.path ?? [])
    .join(', ')
