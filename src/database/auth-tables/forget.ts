import postgres from 'postgres'
import type { Sql } from '../connect.ts'
import { inSchema, quote } from '../schema-name.ts'
import type { AuthTables } from './tables.ts'

/**
 * Sees to it that who deletes an account deletes what is here too, by a trigger on the table of the users, whose it may be.
 * @returns why that cannot be, for the operator
 */
export async function forgetWithAccount(
  sql: Sql,
  { user }: AuthTables,
  schema: string,
): Promise<string | null> {
  const [there] = await sql`
    select
    from pg_catalog.pg_trigger
    where tgrelid = ${user.path}::regclass
      and tgfoid = to_regprocedure(${`${quote(schema)}.forget_user()`})`
  if (there !== undefined) return null
  try {
    await sql.unsafe(trigger(user.path, schema)).simple()
    return null
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error
    // Another instance was faster.
    if (error.code === '42710') return null
    // Whose table it is may be using it: the next start tries again.
    if (error.code === '55P03') return `the table ${user.path} was locked`
    if (error.code === '25006') return 'the database takes no writes'
    if (error.code !== '42501') throw error
    return `this role may not put a trigger on ${user.path}. Have its owner grant that`
  }
}

const trigger = (path: string, schema: string): string =>
  inSchema(
    `
  select pg_catalog.set_config('lock_timeout', '2s', true);
  create trigger ${quote(`${schema}_forget_user`)} after delete on ${path}
    for each row execute function docket.forget_user()`,
    schema,
  )
