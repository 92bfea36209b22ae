import type { PendingQuery, Row } from 'postgres'
import postgres from 'postgres'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import type { Deleted, Session } from './schema.ts'

// One exported function is one statement. The tables are Better Auth's, whose ids are text, or uuid where a frontend made
// them so; as text they are what a token has as `sub`. They are compared as what they are, by their indexes.

/** The most that are listed: nobody has so many by signing in. */
const limit = 200

/** The columns of SessionSchema, in its order. Never the token: whoever has it is signed in. */
const columns = (sql: Sql): PendingQuery<Row[]> => sql`
  id::text as id, "createdAt" as created_at, "expiresAt" as expires_at, "ipAddress" as ip_address,
  left("userAgent", 500) as user_agent`

/** Where ids are uuid nobody has one that is not: PostgreSQL says so of the id that it is given. */
async function orNone<T>(found: Promise<T>, none: () => T | Promise<T>): Promise<T> {
  try {
    return await found
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === '22P02') return none()
    throw error
  }
}

/** The account of a user, where it is in this database. */
export async function findAccount(
  db: Db,
  userId: string,
): Promise<{ name: string; email: string } | undefined> {
  const found = db.read(
    (sql) => sql<{ name: string; email: string }[]>`
    select name, email
    from "user"
    where id = ${userId}`,
  )
  const [account] = await orNone<{ name: string; email: string }[]>(found, () => [])
  return account
}

/** The sessions that have not ended, the latest first. */
export const listSessions = (db: Db, userId: string): Promise<Session[]> =>
  orNone<Session[]>(
    db.read(
      (sql) => sql<Session[]>`
    select ${columns(sql)}
    from "session"
    where "userId" = ${userId}
      and "expiresAt" > now()
    order by "createdAt" desc, id
    limit ${limit}`,
    ),
    () => [],
  )

export async function deleteSession(
  db: Db,
  userId: string,
  id: string,
): Promise<Session | undefined> {
  const deleted = db.write(
    (sql) => sql<Session[]>`
    delete from "session"
    where "userId" = ${userId}
      and id = ${id}
    returning ${columns(sql)}`,
  )
  const [session] = await orNone<Session[]>(deleted, () => [])
  return session
}

/** Everything of a user: the row in `users`, with it all that refers to it, and the account with its sessions. */
export const deleteUser = (db: Db, userId: string): Promise<Deleted> =>
  orNone(deleteAll(db, userId, true), () => deleteAll(db, userId, false))

async function deleteAll(db: Db, userId: string, hasAccount: boolean): Promise<Deleted> {
  const [deleted] = await db.write(
    (sql) => sql<[Deleted]>`
    with account as (
      delete from "user"
      where ${hasAccount ? sql`id = ${userId}` : sql`false`}
      returning id
    ), owner as (
      delete from users
      where id = ${userId}
    )
    select
      ${userId}::text as id,
      (select count(*)::integer from tasks where user_id = ${userId}) as tasks,
      exists (select from account) as account`,
  )
  return deleted
}
