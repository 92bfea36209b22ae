import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import type { Deleted, Session } from './schema.ts'

// One exported function is one statement. The tables are Better Auth's, whose ids are text, or uuid where a frontend made
// them so; as text they are what a token has as `sub`.

/** The most that are listed: nobody has so many by signing in. */
const limit = 200

/** The columns of SessionSchema, in its order. Never the token: whoever has it is signed in. */
const columns = (sql: Sql): PendingQuery<Row[]> => sql`
  id::text as id, "createdAt" as created_at, "expiresAt" as expires_at, "ipAddress" as ip_address,
  "userAgent" as user_agent`

/** The account of a user, where it is in this database. */
export async function findAccount(
  db: Db,
  userId: string,
): Promise<{ name: string; email: string } | undefined> {
  const [account] = await db.read(
    (sql) => sql<{ name: string; email: string }[]>`
    select name, email
    from "user"
    where id::text = ${userId}`,
  )
  return account
}

/** The sessions that have not ended, the latest first. */
export const listSessions = (db: Db, userId: string): Promise<Session[]> =>
  db.read(
    (sql) => sql<Session[]>`
    select ${columns(sql)}
    from "session"
    where "userId"::text = ${userId}
      and "expiresAt" > now()
    order by "createdAt" desc, id
    limit ${limit}`,
  )

export async function deleteSession(
  db: Db,
  userId: string,
  id: string,
): Promise<Session | undefined> {
  const [session] = await db.write(
    (sql) => sql<Session[]>`
    delete from "session"
    where "userId"::text = ${userId}
      and id::text = ${id}
    returning ${columns(sql)}`,
  )
  return session
}

/** Everything of a user: the row in `users`, with it all that refers to it, and the account with its sessions. */
export async function deleteUser(db: Db, userId: string): Promise<Deleted> {
  const [deleted] = await db.write(
    (sql) => sql<[Deleted]>`
    with account as (
      delete from "user"
      where id::text = ${userId}
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
