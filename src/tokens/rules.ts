import { isInstant } from '../http/formats.ts'
import { invalid } from '../http/problem.ts'
import type { NewAccessToken } from './schema.ts'
import type { Made } from './writes.ts'

/** Days. */
const life = { usual: 90, longest: 366 }

const day = 24 * 60 * 60 * 1000

/**
 * What a token is to be.
 * @param now by Date.now()
 * @throws Problem 422
 */
export function madeOf(
  { name, scopes, list_ids = null, expires_at }: NewAccessToken,
  now: number,
): Made {
  const ids = list_ids?.map((id) => id.toLowerCase()) ?? null
  return {
    name,
    scopes,
    list_ids: ids === null ? null : [...new Set(ids)],
    expires_at: endOf(expires_at, now),
  }
}

function endOf(given: string | null | undefined, now: number): string | null {
  if (given === null) return null
  if (given === undefined) return new Date(now + life.usual * day).toISOString()
  const wrong = (detail: string) => invalid([{ pointer: '/expires_at', detail }])
  if (!isInstant(given)) throw wrong('must be an instant such as 2027-02-18T22:36:42Z, or null')
  const end = Date.parse(given)
  if (end <= now) throw wrong('must not be over')
  if (end > now + life.longest * day) throw wrong('must be within a year, or null: never')
  return given
}
