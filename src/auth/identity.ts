import type { JWTPayload } from 'jose'
import { hasAtMost, isStorable } from '../http/formats.ts'
import { type Scope, scopes } from './scopes.ts'

/** Who is calling, and how we know. */
export type Identity = {
  id: string
  /**
   * A JWT of the user, a session that the database has, the copy of a session in a cookie or token, a token that the user made, or one of a
   * program that the user has let in.
   */
  by: 'token' | 'session' | 'session_cache' | 'access_token' | 'program'
  session_id: string | null
  name: string | null
  email: string | null
  /** RFC 3339; null: never. */
  expires_at: string | null
} & Rights

/** What a credential is good for. */
export type Rights = {
  scopes: readonly Scope[]
  /** The lists whose tasks it is for; null: all, and those in none. */
  list_ids: readonly string[] | null
  /** What the user calls it, where it is for a program. */
  program: string | null
}

/** Those of who has signed in. */
export const signIn: Rights = { scopes, list_ids: null, program: null }

/** What a token with a `sub` must carry besides; null: anything. */
export type Expected = { issuer: string | null; audience: string | null }

/** The last second of the year 9999: an expiry beyond it is in milliseconds, or nonsense. */
const lastSecond = 253_402_300_799

/**
 * Who the claims of a verified token name, or null. Only `sub`, or Better Auth's copy of a session to the letter: with
 * the same key Better Auth signs e-mail links, which carry `email`, `id` and `userId` and are no sign-in.
 */
export function identityOf(claims: JWTPayload, expected: Expected): Identity | null {
  const { sub, exp } = claims
  if (exp === undefined || exp > lastSecond) return null
  const expires_at = new Date(exp * 1000).toISOString()
  if (sub === undefined) return ofSessionCache(claims, expires_at)

  if (!isUserId(sub) || !isExpected(claims, expected)) return null
  return {
    id: sub,
    by: 'token',
    session_id: text(claims['sid']),
    name: text(claims['name']),
    email: text(claims['email']),
    expires_at,
    ...signIn,
  }
}

/** `session.cookieCache` with the strategy "jwt": it has neither issuer nor audience. */
function ofSessionCache(claims: JWTPayload, expires_at: string): Identity | null {
  const { user, session, iss, aud } = claims
  if (!isObject(user) || !isObject(session) || iss !== undefined || aud !== undefined) return null
  if (!isUserId(user['id']) || session['userId'] !== user['id']) return null
  const end = session['expiresAt']
  if (typeof end !== 'string' || !(Date.parse(end) > Date.now())) return null
  return {
    id: user['id'],
    by: 'session_cache',
    session_id: text(session['id']),
    name: text(user['name']),
    email: text(user['email']),
    expires_at,
    ...signIn,
  }
}

function isExpected({ iss, aud }: JWTPayload, { issuer, audience }: Expected): boolean {
  if (issuer !== null && iss !== issuer) return false
  return audience === null || aud === audience || (Array.isArray(aud) && aud.includes(audience))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** When it ends, by Date.now(). */
export const endOf = ({ expires_at }: Identity): number =>
  expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at)

/** 1 to 255 characters that PostgreSQL can store: nothing a claim may be otherwise becomes a user by conversion. */
export const isUserId = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && hasAtMost(value, 255) && isStorable(value)
