import type { Db } from '../database/gate.ts'
import type { Identity } from './identity.ts'

// Of Better Auth's tables (sql/002_better_auth.sql), whose ids are text, or uuid where a frontend made them so.

export type Session = Pick<Identity, 'id' | 'session_id' | 'name' | 'email' | 'expires_at'>

/** Whose session a token is, while it lasts. */
export async function findSession(db: Db, token: string): Promise<Session | undefined> {
  const [session] = await db.read(
    (sql) => sql<Session[]>`
    select u.id::text as id, s.id::text as session_id, u.name, u.email, s."expiresAt" as expires_at
    from "session" s
    join "user" u on u.id = s."userId"
    where s.token = ${token}
      and s."expiresAt" > now()`,
  )
  return session
}
