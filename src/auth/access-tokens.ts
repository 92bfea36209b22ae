import type { Db } from '../database/gate/gate.ts'
import { few, type Shared } from '../database/gate/share.ts'
import { digestOf } from '../http/secrets.ts'
import type { Identity } from './identity.ts'
import { type Grantable, grantable } from './scopes.ts'

// Tokens that users make for their programs: sql/012_access_tokens.sql. `dkt_pat_`, 43 characters of chance, and 6 of a checksum, so that
// scanners of code find them and know that they are real.

/** What begins like this is a credential of ours, and none of Better Auth's. */
const ours = 'dkt_'
const prefix = `${ours}pat_`
const shape = /^dkt_pat_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export const isOurs = (text: string): boolean => text.startsWith(ours)

export function newAccessToken(): string {
  const secret = randomText(43)
  return prefix + secret + checksumOf(secret)
}

/** What is kept of a token. Null: it is none, or mistyped. */
export function tokenDigestOf(token: string): string | null {
  const [, secret, checksum] = shape.exec(token) ?? []
  if (secret === undefined || checksumOf(secret) !== checksum) return null
  return digestOf(token)
}

/** Its last characters, by which its owner knows it. */
export const hintOf = (token: string): string => token.slice(-4)

function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(64))) {
      // Every digit as likely as every other.
      if (byte < 248 && text.length < length) text += digits[byte % 62]
    }
  }
  return text
}

/** The CRC-32, in six digits. */
function checksumOf(secret: string): string {
  let rest = Bun.hash.crc32(secret)
  let text = ''
  for (let place = 0; place < 6; place += 1) {
    text = digits[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return text
}

type Found = {
  user_id: string
  id: string
  name: string
  scopes: string[]
  list_ids: string[] | null
  expires_at: string | null
  is_used: boolean
}

/** Who has come with a token, which, and whether that is known to have been used today. */
type Used = { identity: Identity; id: string; isUsed: boolean }

const live: Shared<{ digest: string }, Found> = {
  most: 32,
  isIdempotent: true,
  statement: (sql, asked) => sql`
    select asked.n, t.user_id, t.id, t.name, t.scopes, t.list_ids::text[] as list_ids, t.expires_at,
      t.last_used_on is not distinct from (now() at time zone 'UTC')::date as is_used
    from json_to_recordset(${asked}::text::json) as asked (n integer, digest text)
    join docket.access_tokens t on t.token_hash = asked.digest
    where (t.expires_at is null or t.expires_at > now())
      and ${few(sql)}`,
}

/** Whose token it is, by its digest. */
export async function findAccessToken(db: Db, digest: string): Promise<Used | null> {
  const found = await db.share(live, { digest })
  if (found === undefined) return null
  const identity: Identity = {
    id: found.user_id,
    by: 'access_token',
    session_id: null,
    name: null,
    email: null,
    expires_at: found.expires_at,
    scopes: found.scopes.filter((scope): scope is Grantable =>
      grantable.some((known) => known === scope),
    ),
    list_ids: found.list_ids,
    program: found.name,
  }
  return { identity, id: found.id, isUsed: found.is_used }
}

/** All of a user: whoever made them may have been somebody else. */
export async function deleteAccessTokens(db: Db, userId: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    delete from docket.access_tokens t
    where t.user_id = ${userId}`,
  )
}

/** It was used today. */
export async function markUsed(db: Db, userId: string, id: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    update docket.access_tokens t
    set last_used_on = (now() at time zone 'UTC')::date
    where t.user_id = ${userId}
      and t.id = ${id}
      and t.last_used_on is distinct from (now() at time zone 'UTC')::date`,
  )
}
