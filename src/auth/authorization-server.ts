// OAuth 2.1 for programs, in the built-in issuer: loaded with it.
import { oauthProvider } from '@better-auth/oauth-provider'
import type { BetterAuthOptions, BetterAuthPlugin } from 'better-auth'
import { digestOf, newSecret } from '../http/secrets.ts'
import { accessTokenPrefix, oauthScopes, refreshTokenPrefix, resourceOf } from './oauth.ts'

const hour = 60 * 60

/** Seconds that a program has to fetch its tokens with a code. */
const codeLife = 60

/** Seconds that somebody has to sign in and to consent: Better Auth has one number for both. */
const pageLife = 600

/** Seconds in which a refresh token that was used is answered as the first time: two processes of a program may use it at once. */
const grace = 30

/** Opaque tokens, known by their digests, so that each ends at once; good for one resource. */
export function authorizationServer(url: string): BetterAuthPlugin {
  return oauthProvider({
    loginPage: `${url}/sign-in`,
    consentPage: `${url}/consent`,
    scopes: oauthScopes,
    grantTypes: ['authorization_code', 'refresh_token'],
    disableJwtPlugin: true,
    resources: [{ identifier: resourceOf(url), name: 'Docket', allowedScopes: oauthScopes }],
    // By itself it keeps the first one, whatever AUTH_URL is by now.
    resourceSeedMode: 'overwrite',
    codeExpiresIn: pageLife,
    accessTokenExpiresIn: hour,
    refreshTokenExpiresIn: 30 * 24 * hour,
    refreshTokenReuseInterval: grace,
    storeTokens: { hash: async (token) => digestOf(token) },
    generateOpaqueAccessToken: newSecret,
    generateRefreshToken: newSecret,
    prefix: { opaqueAccessToken: accessTokenPrefix, refreshToken: refreshTokenPrefix },
    // By itself any user may make both.
    clientPrivileges: () => false,
    resourcePrivileges: () => false,
  })
}

/** A code is good for less long than the pages that lead to it. */
export const codeHooks = {
  create: {
    before: async (verification) =>
      isCode(verification.value)
        ? { data: { ...verification, expiresAt: new Date(Date.now() + codeLife * 1000) } }
        : undefined,
  },
} satisfies NonNullable<BetterAuthOptions['databaseHooks']>['verification']

const isCode = (value: unknown): boolean =>
  typeof value === 'string' && value.startsWith('{"type":"authorization_code"')
