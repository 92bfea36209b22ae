import type { PostgresError } from 'postgres'
import { OperatorError } from '../../config.ts'
import type { Sql } from '../connect.ts'
import { quote } from '../schema-name.ts'

// Why a database cannot have the schema, and what to do.

/** Before Docket had a schema of its own, its tables were among those of others, and were different ones. */
export async function refuseEarlier(sql: Sql, schema: string): Promise<void> {
  const [earlier] = await sql<{ schema: string }[]>`
    select n.nspname as schema
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where p.proname = 'docket_forget_user'`
  if (earlier === undefined) return
  throw new OperatorError(
    `Cannot use this database: an earlier version of Docket made its tables in the schema ${earlier.schema}, and they are different ones now. ` +
      'Export with that version (docket export --user ID), and import with this one (docket import) into a new database or data folder. ' +
      `To begin anew in this one, run: drop function ${quote(earlier.schema)}.docket_forget_user cascade. ` +
      `The tables of then stay where they are; the new ones are in the schema ${schema}.`,
  )
}

/** Others have something in the schema that is called as ours would be. */
export const notOurs = (schema: string, { message, code }: PostgresError): OperatorError =>
  new OperatorError(
    `Cannot use the schema ${schema}: something in it is not Docket's (${message}, SQLSTATE ${code}). ` +
      'Set DATABASE_SCHEMA to the name of one that nobody else uses. It is made at the start.',
  )

/** Which right the role lacks. */
export async function missingGrant(sql: Sql, schema: string): Promise<OperatorError> {
  const [{ role, database, exists } = { role: '', database: '', exists: false }] = await sql<
    { role: string; database: string; exists: boolean }[]
  >`
    select current_user as role, current_database() as database,
      exists (select from pg_catalog.pg_namespace where nspname = ${schema}) as exists`
  const grantee = quote(role)
  return new OperatorError(
    exists
      ? `The role ${role} may not make or read tables in the schema ${schema}. Have its owner run: ` +
          `grant usage, create on schema ${quote(schema)} to ${grantee}; and where another role made the tables: ` +
          `grant all on all tables in schema ${quote(schema)} to ${grantee};`
      : `The role ${role} may not create the schema ${schema} in the database ${database}. Have the database's owner run: ` +
          `grant create on database ${quote(database)} to ${grantee}; or: create schema ${quote(schema)} authorization ${grantee};`,
  )
}
