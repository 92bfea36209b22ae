import { jwt } from '@elysiajs/jwt'
import { type Expected, type Identity, identityOf } from './identity.ts'

export type TokenOptions = Expected & { secret: string }

export type Tokens = {
  /** Who a valid token names, or null. */
  verify: (token: string) => Promise<Identity | null>
  /** A token for `userId` that expires in `seconds`. */
  sign: (userId: string, seconds: number) => Promise<string>
}

/** Seconds by which the clock of the issuer may differ. */
export const clockTolerance = 5

/** HS256 tokens as Better Auth signs them: the key is the secret's UTF-8. */
export function createTokens({ secret, issuer, audience }: TokenOptions): Tokens {
  const { tokens } = jwt({ name: 'tokens', secret }).decorator

  // What is not said here is not checked: the plugin takes HS512 and tokens without an expiry by itself.
  const rules = { algorithms: ['HS256'], requiredClaims: ['exp'], clockTolerance }

  return {
    verify: async (token) => {
      if (!isCompact(token)) return null
      const claims = await tokens.verify(token, rules)
      return claims === false ? null : identityOf(claims, { issuer, audience })
    },
    sign: (userId, seconds) =>
      tokens.sign({
        sub: userId,
        exp: Math.floor(Date.now() / 1000) + seconds,
        ...(issuer === null ? {} : { iss: issuer }),
        ...(audience === null ? {} : { aud: audience }),
      }),
  }
}

/** Three parts in base64url, and not so long that looking at them is work. A copied session is the longest. */
const compact = /^[\w-]{1,1024}\.[\w-]{1,12288}\.[\w-]{1,1024}$/

/** Whether it is written in the one way that its bytes can be: a last character has bits that decoding ignores. */
export const isCompact = (token: string): boolean =>
  compact.test(token) &&
  token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
