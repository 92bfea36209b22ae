import { jwt } from '@elysiajs/jwt'
import { isStorable } from '../http/formats.ts'

export type TokenOptions = { secret: string; issuer: string | null; audience: string | null }

export type Tokens = {
  /** The user id in a valid token, or null. */
  verify: (token: string) => Promise<string | null>
  /** A token for `userId` that expires in `seconds`. */
  sign: (userId: string, seconds: number) => Promise<string>
}

/** Seconds by which the clock of the issuer may differ. */
const clockTolerance = 5

/** Three base64url parts, and not so long that looking at it is work. */
const compact = /^[\w-]{1,1024}\.[\w-]{1,4096}\.[\w-]{1,256}$/

/** HS256 tokens as Better Auth signs them: the key is the secret's UTF-8, and the user is `sub`. */
export function createTokens({ secret, issuer, audience }: TokenOptions): Tokens {
  const { tokens } = jwt({ name: 'tokens', secret }).decorator

  // What is not said here is not checked: the plugin takes HS512 and tokens without an expiry by itself, and applies
  // the issuer and audience of its configuration to signing only.
  const rules = {
    algorithms: ['HS256'],
    requiredClaims: ['exp', 'sub'],
    clockTolerance,
    ...(issuer === null ? {} : { issuer }),
    ...(audience === null ? {} : { audience }),
  }

  return {
    verify: async (token) => {
      if (!compact.test(token)) return null
      const claims = await tokens.verify(token, rules)
      // Only `sub`: Better Auth signs e-mail links with the same key, and they carry `email` and `userId`.
      return claims !== false && isUserId(claims.sub) ? claims.sub : null
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

/** 1 to 255 characters that PostgreSQL can store: nothing a claim may be otherwise becomes a user by conversion. */
export const isUserId = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= 255 && isStorable(value)
