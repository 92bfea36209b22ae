import type { PendingQuery, Row } from 'postgres'
import {
  type AuthTable,
  type AuthTables,
  canBeId,
  columnOf,
  tableOf,
} from '../database/auth-tables/tables.ts'
import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import { Problem } from '../http/problem.ts'
import type { Deleted, Session } from './schema.ts'

// One exported function is one statement. The tables are Better Auth's, if there are any. Their ids are text, uuids or
// numbers: as text they are what a token has as `sub`, and they are compared as what they are, by their indexes.

type Tables = AuthTables | null

/** The most that are listed: nobody has so many by signing in. */
const limit = 200

/** The columns of SessionSchema, in its order. Never the token: whoever has it is signed in. */
const columns = (sql: Sql, session: AuthTable): PendingQuery<Row[]> => {
  const of = (field: string) => columnOf(sql, session, 's', field)
  return sql`
  s.id::text as id, ${of('createdAt')}::timestamptz as created_at, ${of('expiresAt')}::timestamptz as expires_at,
  ${of('ipAddress')} as ip_address, left(${of('userAgent')}, 500) as user_agent`
}

/** The account of a user, where it is in this database. */
export async function findAccount(
  db: Db,
  tables: Tables,
  userId: string,
): Promise<{ name: string; email: string } | undefined> {
  if (tables === null || !canBeId(tables.user, userId)) return undefined
  const [account] = await db.read(
    (sql) => sql<{ name: string; email: string }[]>`
    select name, email
    from ${tableOf(sql, tables.user)}
    where id = ${userId}`,
  )
  return account
}

/** Where a user has said to be; null: nowhere. */
export async function findTimeZone(db: Db, userId: string): Promise<string | null> {
  const [found] = await db.read(
    (sql) => sql<{ time_zone: string | null }[]>`
    select time_zone
    from docket.users
    where id = ${userId}`,
  )
  return found?.time_zone ?? null
}

/** Of whom there is nothing yet there is a row then. */
export async function setTimeZone(db: Db, userId: string, zone: string | null): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    insert into docket.users as u (id, time_zone) values (${userId}, ${zone})
    on conflict (id) do update
    set time_zone = excluded.time_zone
    where u.time_zone is distinct from excluded.time_zone`,
  )
}

/** The sessions that have not ended, the latest first. */
export async function listSessions(db: Db, tables: Tables, userId: string): Promise<Session[]> {
  const session = tables?.session ?? null
  if (tables === null || session === null || !canBeId(tables.user, userId)) return []
  return db.read(
    (sql) => sql<Session[]>`
    select ${columns(sql, session)}
    from ${tableOf(sql, session)} s
    where ${columnOf(sql, session, 's', 'userId')} = ${userId}
      and ${columnOf(sql, session, 's', 'expiresAt')} > now()
    order by ${columnOf(sql, session, 's', 'createdAt')} desc, s.id
    limit ${limit}`,
  )
}

export async function deleteSession(
  db: Db,
  tables: Tables,
  userId: string,
  id: string,
): Promise<Session | undefined> {
  const session = tables?.session ?? null
  if (tables === null || session === null) return undefined
  if (!session.mayDelete) throw new Problem(403, 'A session can be ended only where it began.')
  if (!canBeId(tables.user, userId) || !canBeId(session, id)) return undefined
  const [deleted] = await db.write(
    (sql) => sql<Session[]>`
    delete from ${tableOf(sql, session)} s
    where ${columnOf(sql, session, 's', 'userId')} = ${userId}
      and s.id = ${id}
    returning ${columns(sql, session)}`,
  )
  return deleted
}

/**
 * Everything of a user: the row in `users`, with it all that refers to it, and the account with its sessions, where this role may
 * delete it.
 */
export async function deleteUser(db: Db, tables: Tables, userId: string): Promise<Deleted> {
  const hasAccount = tables?.user.mayDelete === true && canBeId(tables.user, userId)
  const [deleted] = await db.write(
    (sql) => sql<[Deleted]>`
    with account as (
      ${
        hasAccount
          ? sql`delete from ${tableOf(sql, tables.user)} where id = ${userId} returning id`
          : sql`select where false`
      }
    ), owner as (
      delete from docket.users
      where id = ${userId}
    )
    select
      ${userId}::text as id,
      (select count(*)::integer from docket.tasks where user_id = ${userId}) as tasks,
      exists (select from account) as account`,
  )
  return deleted
}

/** Whether somebody may be a guest, as far as the tables say: not who has an account that is none of a guest's. */
export async function mayBeGuest(db: Db, tables: Tables, userId: string): Promise<boolean> {
  if (tables === null || !('isAnonymous' in tables.user.columns)) return true
  if (!canBeId(tables.user, userId)) return true
  const [account] = await db.read(
    (sql) => sql<{ anonymous: boolean }[]>`
    select coalesce(${columnOf(sql, tables.user, 'u', 'isAnonymous')}, false) as anonymous
    from ${tableOf(sql, tables.user)} u
    where u.id = ${userId}`,
  )
  return account === undefined || account.anonymous
}
