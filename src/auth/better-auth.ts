// The built-in issuer. Loaded with the first request for it: it is the half of all code.
import { betterAuth } from 'better-auth'
import { bearer, genericOAuth, jwt } from 'better-auth/plugins'
import { SignJWT } from 'jose'
import type { Logger } from 'pino'
import type { IssuerConfig } from '../config.ts'
import type { Gate } from '../database/gate.ts'
import { dialectOf } from './issuer-database.ts'
import { requestMail } from './mail.ts'
import { hasUuidIds } from './queries.ts'
import type { TokenOptions } from './tokens.ts'

export type IssuerOptions = Omit<IssuerConfig, 'url'> & {
  db: Gate
  /** Where browsers reach it. */
  url: string
  tokens: TokenOptions
  origins: string[]
  log: Logger
}

/** The header that the client's address is handed over in: whatever a client sends in it is replaced. */
export const clientAddressHeader = 'x-docket-client-address'

const day = 24 * 60 * 60

export type Issuer = {
  /** Answers everything under /api/auth. */
  handle: (request: Request) => Promise<Response>
  /** False: the OIDC provider did not say where its keys are, and is left out. */
  isComplete: boolean
}

export async function createIssuer(options: IssuerOptions): Promise<Issuer> {
  const { db, origins, log } = options
  const ids = (await hasUuidIds(db)) ? ({ generateId: 'uuid' } as const) : {}
  const auth = betterAuth({
    appName: 'Docket',
    baseURL: options.url,
    basePath: '/api/auth',
    secret: options.tokens.secret,
    trustedOrigins: origins,
    database: { dialect: dialectOf(db), type: 'postgres', transaction: true },
    emailAndPassword: { enabled: true, revokeSessionsOnPasswordReset: true, ...resetOf(options) },
    user: { deleteUser: { enabled: true } },
    // No `cookieCache`: a session that was revoked ends at once.
    session: { expiresIn: 7 * day, updateAge: day },
    account: { encryptOAuthTokens: true },
    socialProviders: {
      ...(options.google === null ? {} : { google: options.google }),
      ...(options.github === null ? {} : { github: options.github }),
    },
    plugins: [bearer(), accessTokens(options), ...openIdConnect(options)],
    // By itself it limits only in production, and without an address everybody together.
    rateLimit: {
      enabled: true,
      customRules: {
        '/sign-in/*': { window: 60, max: 10 },
        '/sign-up/*': { window: 60, max: 10 },
      },
    },
    advanced: {
      // By itself it checks no origin where NODE_ENV is test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      database: ids,
    },
    logger: {
      level: 'warn',
      // Only the message: what it is about may be what a user typed.
      log: (level, message) => log[level === 'error' ? 'error' : 'warn'](`Better Auth: ${message}`),
    },
    // To http/errors.ts, like every other; by itself it is printed.
    onAPIError: { throw: true },
    // No mail of the kind is sent, so no link can be one.
    disabledPaths: ['/verify-email', '/send-verification-email'],
    telemetry: { enabled: false },
  })
  const { socialProviders } = await auth.$context
  const isComplete = options.oidc === null || socialProviders.some(({ id }) => id === 'oidc')
  return { handle: auth.handler, isComplete }
}

/**
 * `GET /api/auth/token`: HS256 as this API takes it. It must not carry `email`: Better Auth's e-mail links are signed
 * with the same key, and it would take such a token for one.
 */
function accessTokens({ url, tokens: { secret, issuer, audience } }: IssuerOptions) {
  const key = new TextEncoder().encode(secret)
  return jwt({
    // `sign` is taken only with these two, which are then not used.
    jwks: { remoteUrl: 'urn:unused', keyPairConfig: { alg: 'ES256' } },
    disableSettingJwtHeader: true,
    jwt: {
      issuer: issuer ?? url,
      audience: audience ?? url,
      expirationTime: '15m',
      definePayload: ({ session }) => ({ sid: session.id }),
      sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key),
    },
  })
}

const openIdConnect = ({ oidc }: IssuerOptions) =>
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
            },
          ],
        }),
      ]

const resetOf = ({ mailWebhook, log }: IssuerOptions) =>
  mailWebhook === null
    ? {}
    : {
        sendResetPassword: ({
          user,
          url,
        }: {
          user: { email: string; name: string }
          url: string
        }) =>
          requestMail(
            mailWebhook,
            { kind: 'reset_password', to: user.email, name: user.name, url },
            log,
          ),
      }
