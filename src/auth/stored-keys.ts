import { type CryptoKey, decodeProtectedHeader, errors, importJWK, type JWK, jwtVerify } from 'jose'
import type { Db } from '../database/gate/gate.ts'
import { isStorable } from '../http/formats.ts'
import { type Expected, type Identity, identityOf } from './identity.ts'
import type { Algorithm } from './published-keys.ts'
import { findKey } from './queries.ts'
import type { Tables } from './tables.ts'
import { clockTolerance, isCompact } from './tokens.ts'

/** Milliseconds for which a key is not looked up again. */
const memory = 60_000

const mostKeys = 100

/** Milliseconds that a key outlasts the time in which tokens are signed with it, as Better Auth publishes it. */
const grace = 30 * 24 * 60 * 60 * 1000

type Key = CryptoKey | Uint8Array

/** Who a valid token names, or null. */
export type StoredKeys = (db: Db, token: string, algorithm: Algorithm) => Promise<Identity | null>

/**
 * The keys of Better Auth's jwt() plugin, which are in the frontend's own table. Only tokens as the plugin makes them by
 * itself are taken: for the very origin that issued them. For whom any other is meant, nobody here knows.
 */
export function storedKeys(tables: Tables, expected: Expected): StoredKeys {
  const known = new Map<string, { key: Key; until: number }>()

  async function keyOf(db: Db, id: string, algorithm: Algorithm): Promise<Key | null> {
    const name = `${algorithm} ${id}`
    const kept = known.get(name)
    if (kept !== undefined && performance.now() < kept.until) return kept.key
    known.delete(name)
    const stored = await tables.within(db, (found) => findKey(db, found, id))
    if (!stored || hasExpired(stored.expires_at)) return null
    const jwk: JWK = JSON.parse(stored.jwk)
    if ((jwk.use ?? 'sig') !== 'sig') return null
    const key = await importJWK(jwk, algorithm)
    const [oldest] = known.keys()
    if (known.size >= mostKeys && oldest !== undefined) known.delete(oldest)
    known.set(name, { key, until: performance.now() + memory })
    return key
  }

  return async (db, token, algorithm) => {
    if (!isCompact(token)) return null
    const id = keyIdOf(token)
    if (id === null) return null
    try {
      const key = await keyOf(db, id, algorithm)
      if (key === null) return null
      const requiredClaims = ['exp', 'sub', 'iss', 'aud']
      const rules = { algorithms: [algorithm], requiredClaims, clockTolerance }
      const { payload } = await jwtVerify(token, key, rules)
      const { iss, aud } = payload
      return aud === iss && isOrigin(iss) ? identityOf(payload, expected) : null
    } catch (error) {
      if (isRefusal(error)) return null
      throw error
    }
  }
}

function keyIdOf(token: string): string | null {
  try {
    const { kid } = decodeProtectedHeader(token)
    return kid !== undefined && kid.length <= 255 && isStorable(kid) ? kid : null
  } catch {
    return null
  }
}

const hasExpired = (expiry: string | null): boolean =>
  expiry !== null && Date.parse(expiry) + grace < Date.now()

const isOrigin = (text: string | undefined): boolean =>
  text !== undefined && URL.canParse(text) && new URL(text).origin === text

/** A fault of the token, or of a key that is none for its algorithm. */
const isRefusal = (error: unknown): boolean =>
  error instanceof errors.JOSEError ||
  error instanceof SyntaxError ||
  error instanceof TypeError ||
  error instanceof DOMException
