import type { Db } from '../database/gate.ts'
import { few, type Shared } from '../database/share.ts'
import type { Identity } from './identity.ts'

// Of Better Auth's tables (sql/002_better_auth.sql), whose ids are text, or uuid where a frontend made them so.

export type Session = Pick<Identity, 'id' | 'session_id' | 'name' | 'email' | 'expires_at'>

const live: Shared<{ token: string }, Session> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, u.id::text as id, s.id::text as session_id, u.name, u.email, s."expiresAt" as expires_at
    from json_to_recordset(${asked}::text::json) as asked (n integer, token text)
    join "session" s on s.token = asked.token
    join "user" u on u.id = s."userId"
    where s."expiresAt" > now()
      and ${few(sql)}`,
}

/** Whose session a token is, while it lasts. */
export const findSession = (db: Db, token: string): Promise<Session | undefined> =>
  db.share(live, { token })

/** The addresses that the account of this e-mail address is signed in from, as Better Auth notes them. */
export async function listAddresses(db: Db, email: string): Promise<string[]> {
  const rows = await db.read(
    (sql) => sql<{ address: string }[]>`
    select distinct coalesce(s."ipAddress", '') as address
    from "session" s
    join "user" u on u.id = s."userId"
    where u.email = ${email}
      and s."expiresAt" > now()
    limit 100`,
  )
  return rows.map(({ address }) => address)
}

/** Whether somebody signs in with a password, and so may have it reset. */
export async function hasPassword(db: Db, userId: string): Promise<boolean> {
  const [account] = await db.read(
    (sql) => sql<{ found: boolean }[]>`
    select true as found
    from "account"
    where "userId" = ${userId}
      and "providerId" = 'credential'`,
  )
  return account !== undefined
}

/** What a reset by mail proves and ends: the address is the user's, and all other mails of the kind are void. */
export async function settleReset(db: Db, userId: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    with proved as (
      update "user" set
        "emailVerified" = true,
        "updatedAt" = now()
      where id = ${userId}
        and not "emailVerified"
    )
    delete from "verification"
    where value = ${userId}
      and identifier like 'reset-password:%'`,
  )
}

/** Whether a frontend's Better Auth made its tables with ids that are uuid. */
export async function hasUuidIds(db: Db): Promise<boolean> {
  const [column] = await db.read(
    (sql) => sql<{ is_uuid: boolean }[]>`
    select atttypid = 'uuid'::regtype as is_uuid
    from pg_attribute
    where attrelid = '"user"'::regclass
      and attname = 'id'`,
  )
  return column?.is_uuid === true
}
