import { type AuthTables, canBeId, columnOf, tableOf } from '../database/auth-tables/tables.ts'
import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import type { Identity } from './identity.ts'

// Of Better Auth's tables, whatever they are called where they are. Ids are text here: what a token has as `sub`.

export type Session = Pick<Identity, 'id' | 'session_id' | 'name' | 'email' | 'expires_at'>

type Live = Shared<{ token: string }, Session>

/** One statement for each set of tables. */
const statements = new WeakMap<AuthTables, Live>()

function liveIn(tables: AuthTables): Live | null {
  const { user, session } = tables
  if (session === null) return null
  const known = statements.get(tables)
  if (known !== undefined) return known
  const made: Live = {
    most: 32,
    isIdempotent: true,
    statement: (sql, asked) => sql`
    select asked.n, u.id::text as id, s.id::text as session_id, u.name, u.email,
      ${columnOf(sql, session, 's', 'expiresAt')}::timestamptz as expires_at
    from json_to_recordset(${asked}::text::json) as asked (n integer, token text)
    join ${tableOf(sql, session)} s on s.token = asked.token
    join ${tableOf(sql, user)} u on u.id = ${columnOf(sql, session, 's', 'userId')}
    where ${columnOf(sql, session, 's', 'expiresAt')} > now()
      and ${few(sql)}`,
  }
  statements.set(tables, made)
  return made
}

/** Whose session a token is, while it lasts. */
export async function findSession(
  db: Db,
  tables: AuthTables | null,
  token: string,
): Promise<Session | undefined> {
  const live = tables === null ? null : liveIn(tables)
  return live === null ? undefined : db.share(live, { token })
}

/** A key of the jwt() plugin: as a JWK, and until when tokens are signed with it. */
export type StoredKey = { jwk: string; expires_at: string | null }

export async function findKey(
  db: Db,
  tables: AuthTables | null,
  id: string,
): Promise<StoredKey | undefined> {
  const jwks = tables?.jwks ?? null
  if (jwks === null || !canBeId(jwks, id)) return undefined
  const [key] = await db.read(
    (sql) => sql<StoredKey[]>`
    select ${columnOf(sql, jwks, 'k', 'publicKey')} as jwk,
      (${columnOf(sql, jwks, 'k', 'expiresAt')})::timestamptz as expires_at
    from ${tableOf(sql, jwks)} k
    where k.id = ${id}`,
  )
  return key
}

/** The addresses that the account of this e-mail address is signed in from, as Better Auth notes them. */
export async function listAddresses(
  db: Db,
  { user, session }: AuthTables,
  email: string,
): Promise<string[]> {
  if (session === null) return []
  const rows = await db.read(
    (sql) => sql<{ address: string }[]>`
    select distinct coalesce(${columnOf(sql, session, 's', 'ipAddress')}, '') as address
    from ${tableOf(sql, session)} s
    join ${tableOf(sql, user)} u on u.id = ${columnOf(sql, session, 's', 'userId')}
    where u.email = ${email}
      and ${columnOf(sql, session, 's', 'expiresAt')} > now()
    limit 100`,
  )
  return rows.map(({ address }) => address)
}
