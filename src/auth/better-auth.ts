// The built-in issuer. Loaded with the first request for it: it is the half of all code.
import { betterAuth } from 'better-auth'
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import { bearer, jwt } from 'better-auth/plugins'
import { SignJWT } from 'jose'
import type { Logger } from 'pino'
import type { IssuerConfig } from '../config.ts'
import type { AuthTables } from '../database/auth-tables.ts'
import type { Gate } from '../database/gate.ts'
import { normalize } from '../http/address.ts'
import type { Accounts } from './accounts.ts'
import { switchedOff } from './endpoints.ts'
import { hashing } from './hashing.ts'
import { dialectOf } from './issuer-database.ts'
import { requestMail } from './mail.ts'
import { modelsOf } from './models.ts'
import { accountHooks, openIdConnect, socialProviders } from './providers.ts'
import { hasPassword, settleReset } from './queries.ts'
import type { TokenOptions } from './tokens.ts'

export type IssuerOptions = Omit<IssuerConfig, 'url'> & {
  db: Gate
  /** All four of them. */
  tables: AuthTables
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
  /** The e-mail address of the account whose session is in these headers, or null. */
  emailOf: (headers: Headers) => Promise<string | null>
  /** What there is, for a test to compare. */
  endpoints: () => { path: string; methods: string[] }[]
}

export async function createIssuer(options: IssuerOptions, accounts: Accounts): Promise<Issuer> {
  const { db, origins, log, tables } = options
  const { models, ids } = modelsOf(tables)
  const [frontend] = origins
  const auth = betterAuth({
    appName: 'Docket',
    baseURL: options.url,
    basePath: '/api/auth',
    secret: options.tokens.secret,
    trustedOrigins: origins,
    database: {
      dialect: dialectOf(db),
      type: 'postgres',
      schemaName: tables.user.schema,
      transaction: true,
    },
    emailAndPassword: {
      enabled: true,
      revokeSessionsOnPasswordReset: true,
      password: hashing({ hash: hashPassword, verify: verifyPassword }),
      ...resetOf(options, accounts),
    },
    user: { ...models.user, deleteUser: { enabled: true } },
    account: models.account,
    verification: models.verification,
    // No `cookieCache`: a session that was revoked ends at once.
    session: { ...models.session, expiresIn: 7 * day, updateAge: day },
    databaseHooks: { account: accountHooks },
    socialProviders: socialProviders(options),
    plugins: [bearer(), accessTokens(options), ...openIdConnect(options)],
    // issuer.ts does: Better Auth remembers each path that somebody thinks of.
    rateLimit: { enabled: false },
    advanced: {
      // By itself it checks no origin where NODE_ENV is test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      database: ids,
    },
    logger: {
      level: 'warn',
      // Only the message: what it is about may be what a user typed. Nobody has the address that reset.ts asks for first.
      log: (level, message) =>
        message === 'Reset Password: User not found' ||
        log[level === 'error' ? 'error' : 'warn'](`Better Auth: ${message}`),
    },
    onAPIError: {
      // To http/errors.ts, like every other; by itself it is printed.
      throw: true,
      // Where a browser that comes back from a provider without success is sent.
      ...(frontend === undefined ? {} : { errorURL: frontend }),
    },
    disabledPaths: switchedOff,
    telemetry: { enabled: false },
  })
  await auth.$context
  return {
    handle: auth.handler,
    emailOf: async (headers) =>
      (await auth.api.getSession({ headers, query: { disableRefresh: true } }))?.user.email ?? null,
    endpoints: () => endpointsOf(auth.api),
  }
}

/** Those that can be reached over HTTP. */
function endpointsOf(api: object): { path: string; methods: string[] }[] {
  // An endpoint is a function with these two; those for the server alone have no path.
  const all = Object.values(api) as { path?: string; options?: { method?: string | string[] } }[]
  return all.flatMap(({ path, options }) =>
    path === undefined ? [] : [{ path, methods: [options?.method ?? []].flat() }],
  )
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

type User = { id: string; email: string; name: string }

function resetOf({ db, tables, mailWebhook, log }: IssuerOptions, accounts: Accounts) {
  if (mailWebhook === null) return {}
  return {
    /** Only for who has a password: an e-mail address alone opens no account that a provider opens. */
    sendResetPassword: async ({ user, url }: { user: User; url: string }): Promise<void> => {
      if (!(await hasPassword(db, tables, user.id)) || !accounts.mayMail(user.email)) return
      const { email, name } = user
      await requestMail(mailWebhook, { kind: 'reset_password', to: email, name, url }, log)
    },
    onPasswordReset: async ({ user }: { user: User }, request?: Request): Promise<void> => {
      await settleReset(db, tables, user.id)
      accounts.prove(user.email, normalize(request?.headers.get(clientAddressHeader) ?? ''))
    },
  }
}
