import { decodeJwt } from 'jose'

const claims = 'email exp iat userId'

/**
 * Whether a token can be a link to verify an address. Better Auth signs other things with the same key, and takes whatever has an
 * `email`: tokens of a frontend for access, and links to change an address.
 */
export function isVerificationLink(token: string): boolean {
  try {
    return Object.keys(decodeJwt(token)).toSorted().join(' ') === claims
  } catch {
    return false
  }
}
