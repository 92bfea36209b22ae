import { createHash } from 'node:crypto'
import { Problem } from './problem.ts'

/** What an Idempotency-Key is, in the words of JSON Schema. */
export const keyLimits = { minLength: 1, maxLength: 255, pattern: '^[ -~]+$' }

const printable = new RegExp(keyLimits.pattern)

const isKey = (text: string): boolean => text.length <= keyLimits.maxLength && printable.test(text)

/**
 * The `Idempotency-Key` of a request, with a digest of what it asks for, or null without one.
 * @throws Problem 400
 */
export function readOnce(
  headers: Headers,
  operation: string,
  ...asked: unknown[]
): { key: string; request: string } | null {
  const key = headers.get('idempotency-key')
  if (key === null) return null
  if (!isKey(key)) {
    throw new Problem(400, 'An Idempotency-Key has 1 to 255 printable ASCII characters.')
  }
  const all = JSON.stringify([operation, headers.get('if-match'), ...asked])
  return { key, request: createHash('sha256').update(all).digest('hex') }
}

export const keyReused = (): Problem =>
  new Problem(422, 'This Idempotency-Key was used for another request: make a new one.', {
    code: 'idempotency_key_reused',
  })

/**
 * What was answered to the request, by itself or to an earlier one with the same key; `request` is the digest of that.
 * @throws Problem 422 where that one asked for something else
 */
export function answerOf(
  { request, answer }: { request: string | null; answer: string },
  once: { request: string } | null,
): { text: string; isReplayed: boolean } {
  if (request !== null && request !== once?.request) throw keyReused()
  return { text: answer, isReplayed: request !== null }
}
