import type { BetterAuthOptions } from 'better-auth'
import { genericOAuth } from 'better-auth/plugins'
import { decodeJwt } from 'jose'
import type { Client, IssuerConfig } from '../config.ts'
import { isMeantFor, isText, isVerified, profileOf } from './claims.ts'
import { proveByAccount } from './ownership.ts'
import { isCompact } from './tokens.ts'

type Providers = Pick<IssuerConfig, 'google' | 'github' | 'oidc'>

export const socialProviders = ({ google, github }: Providers) => ({
  ...(google === null ? {} : { google: { ...google, ...ofGoogle(google) } }),
  ...(github === null ? {} : { github: { ...github, ...ofGitHub } }),
})

const ofGoogle = ({ clientId }: Client) => ({
  disableIdTokenSignIn: true,
  mapProfileToUser: (claims: object) => {
    const { sub, email, email_verified, name, picture, ...more } = claims as Claims
    return isMeantFor(clientId, { sub, ...more } as Claims)
      ? { ...profileOf(email, name, picture), emailVerified: isVerified(email_verified) }
      : nobody
  },
})

const ofGitHub = {
  mapProfileToUser: (profile: object) => {
    const { id, email, name, login, avatar_url } = profile as Claims
    if (!Number.isSafeInteger(id)) return nobody
    return profileOf(email, isText(name, 200) ? name : login, avatar_url)
  },
}

export const openIdConnect = ({ oidc }: Providers) =>
  oidc === null
    ? []
    : [
        genericOAuth({
          config: [
            {
              ...oidc,
              providerId: 'oidc',
              scopes: ['openid', 'email', 'profile'],
              pkce: true,
              requireIdTokenVerification: true,
              // Asked for every sign-in, after the ID token is verified where there is one. Whoever throws refuses.
              accountSubject: ({ tokens }) => subjectOf(tokens.idToken, oidc.clientId),
              mapProfileToUser: (claims) => ({
                ...profileOf(claims['email'], claims['name'], claims['picture']),
                emailVerified: isVerified(claims['email_verified']),
              }),
            },
          ],
        }),
      ]

/** Without an ID token nobody is signed in: what the userinfo says is not signed, and for any client. */
function subjectOf(idToken: string | undefined, clientId: string): string {
  const claims = idToken === undefined ? {} : decodeJwt(idToken)
  if (claims.sub === undefined || !isMeantFor(clientId, claims)) {
    throw new Error('the ID token is not one for this client')
  }
  return claims.sub
}

type Claims = Record<string, unknown>

/** Whom Better Auth signs in as nobody. */
const nobody = { email: undefined }

/** What providers give to act in the user's name is not needed here, and not kept. */
export const accountHooks = {
  create: {
    before: async (account) => ({ data: { ...account, ...withoutTokens(account) } }),
    after: proveByAccount,
  },
  update: {
    before: async (account) => ({ data: { ...account, ...withoutTokens(account) } }),
    after: proveByAccount,
  },
} satisfies NonNullable<BetterAuthOptions['databaseHooks']>['account']

const tokens = [
  'accessToken',
  'refreshToken',
  'accessTokenExpiresAt',
  'refreshTokenExpiresAt',
  'scope',
] as const

/** The ID token is kept, for the provider to know whom to sign out. */
function withoutTokens(account: { idToken?: string | null | undefined } & object) {
  const { idToken } = account
  return {
    ...Object.fromEntries(tokens.filter((name) => name in account).map((name) => [name, null])),
    ...(typeof idToken === 'string' && !isCompact(idToken) ? { idToken: null } : {}),
  }
}
