import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { Problem } from '../http/problem.ts'
import { type Expected, type Identity, identityOf } from './identity.ts'
import { createQueue, whileWaiting } from './queue.ts'
import { clockTolerance, isCompact } from './tokens.ts'

/** With a key pair, all that there are (RFC 7518, 8037, 9864): a key is good for its own alone. */
export const algorithms = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const
export type Algorithm = (typeof algorithms)[number]

export type PublishedKeys = {
  /** What a token must be, as the rest of a sentence on one that is not. */
  expectation: string
  /**
   * Who a valid token names, or null. Throws 503 while the keys cannot be fetched.
   * @param setWaiting is told while the issuer is waited for
   */
  verify: (
    token: string,
    algorithm: Algorithm,
    setWaiting?: (waiting: boolean) => void,
  ) => Promise<Identity | null>
}

/** Requests that wait for the issuer's keys at one time: one fetch is for all, but anybody can send a token that wants it. */
const mostWaiting = 256

/**
 * The public keys of an issuer at its JWKS address: fetched when one is needed, kept for ten minutes, and fetched anew
 * when a token names another, at most twice a minute. What a token must carry is by default what Better Auth puts in.
 */
export function publishedKeys(url: string, { issuer, audience }: Expected): PublishedKeys {
  const { origin, pathname } = new URL(url)
  const expected = { issuer: issuer ?? origin, audience: audience ?? origin }
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
  })

  const queue = createQueue(mostWaiting, 0, unreachable)

  /** Whether the key that a token names is at hand, so that verifying it waits for nobody. */
  function isAtHand(token: string): boolean {
    if (!keys.fresh) return false
    const kid = kidOf(token)
    return (keys.jwks()?.keys ?? []).some((key) => key.kid === kid)
  }

  async function verify(token: string, algorithm: Algorithm): Promise<Identity | null> {
    try {
      const rules = { algorithms: [algorithm], requiredClaims: ['exp', 'sub'], clockTolerance }
      const { payload } = await jwtVerify(token, keys, rules)
      return identityOf(payload, expected)
    } catch (error) {
      if (isRefusal(error)) return null
      throw unreachable()
    }
  }

  return {
    expectation: `it has to be signed with a key of ${origin}${pathname}, and to carry ${expected.issuer} as its iss (JWT_ISSUER) and ${expected.audience} as its aud (JWT_AUDIENCE)`,
    verify: async (token, algorithm, setWaiting = () => {}) => {
      if (!isCompact(token)) return null
      if (isAtHand(token)) return verify(token, algorithm)
      return queue(() => whileWaiting(setWaiting, () => verify(token, algorithm)))
    },
  }
}

/** Undefined where there is none, or no header that can be read: `verify` says so. */
function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid
  } catch {
    return undefined
  }
}

const unreachable = (): Problem =>
  new Problem(503, "The issuer's keys cannot be reached. Try again.", {
    headers: { 'retry-after': '5' },
  })

/** A fault of the token, and not of the way to the keys. */
const isRefusal = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout) &&
  !(error instanceof errors.JWKSInvalid) &&
  // What a JWKS address that does not answer with 200 is.
  error.code !== 'ERR_JOSE_GENERIC'
