import { createHmac, timingSafeEqual } from 'node:crypto'

/** Better Auth's session tokens have 32 characters. None is asked of the database that cannot be one. */
const shape = /^[\w-]{20,255}$/

export const isSessionToken = (text: string): boolean => shape.test(text)

/**
 * The session token in `token.signature` as Better Auth signs its cookie, percent-encoded or not, or null. The signature
 * is the HMAC-SHA256 of the token under the secret, in base64.
 */
export function openSigned(text: string, secret: string): string | null {
  const signed = decode(text)
  const dot = signed.lastIndexOf('.')
  const token = signed.slice(0, dot)
  const signature = Buffer.from(signed.slice(dot + 1))
  if (dot === -1 || !isSessionToken(token)) return null

  const expected = Buffer.from(createHmac('sha256', secret).update(token).digest('base64'))
  return signature.length === expected.length && timingSafeEqual(signature, expected) ? token : null
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
