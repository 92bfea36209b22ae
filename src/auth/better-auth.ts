// The built-in issuer. Loaded with the first request for it: it is the half of all code.
import { getCurrentAuthEndpointContext } from '@better-auth/core/context'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import { bearer, jwt } from 'better-auth/plugins'
import { SignJWT } from 'jose'
import type { Logger } from 'pino'
import type { IssuerConfig } from '../config.ts'
import type { AuthTables } from '../database/auth-tables/tables.ts'
import type { Gate } from '../database/gate/gate.ts'
import { normalize } from '../http/address.ts'
import type { Accounts } from './accounts.ts'
import { authorizationServer, codeHooks } from './authorization-server.ts'
import type { Background } from './background.ts'
import { switchedOff } from './endpoints.ts'
import { hashing } from './hashing.ts'
import { dialectOf } from './issuer-database.ts'
import { createMailer, type Mail } from './mail.ts'
import { modelsOf } from './models.ts'
import { endResets, giveToOwners, proveByPassword, sessionHooks } from './ownership.ts'
import { accountHooks, openIdConnect, socialProviders } from './providers.ts'
import type { TokenOptions } from './tokens.ts'

export type IssuerOptions = Omit<IssuerConfig, 'url'> & {
  db: Gate
  /** All four of them. */
  tables: AuthTables
  /** Whether programs are let in: there are tables for it. */
  hasPrograms: boolean
  /** Where browsers reach it. */
  url: string
  cookiePrefix: string
  tokens: TokenOptions
  origins: string[]
  background: Background
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
  const { db, origins, log, tables, errorUrl, hasPrograms } = options
  const { models, ids } = modelsOf(tables)
  const { pathname } = new URL(options.url)
  const auth = betterAuth<BetterAuthOptions>({
    appName: 'Docket',
    // With a path of its own Better Auth adds none.
    baseURL: `${options.url}/api/auth`,
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
      password: hashing({ hash: hashPassword, verify }),
      ...resetOf(options, accounts),
    },
    emailVerification: {
      ...verificationOf(options, accounts),
      beforeEmailVerification: async (user, request) => {
        const session = await sessionOf(request?.headers ?? new Headers())
        if (session?.user.id !== user.id) throw signInFirst(request?.url, options.url)
      },
    },
    user: { ...models.user, deleteUser: { enabled: true } },
    // A provider's address counts where the provider has verified it; what becomes of an account then, ownership.ts says.
    account: { ...models.account, accountLinking: { requireLocalEmailVerified: false } },
    verification: models.verification,
    // No `cookieCache`: a session that was revoked ends at once.
    session: { ...models.session, expiresIn: 7 * day, updateAge: day },
    databaseHooks: { account: accountHooks, session: sessionHooks, verification: codeHooks },
    socialProviders: socialProviders(options),
    plugins: [
      bearer(),
      accessTokens(options),
      ...openIdConnect(options),
      ...(hasPrograms ? [authorizationServer(options.url)] : []),
    ],
    // issuer.ts does: Better Auth remembers each path that somebody thinks of.
    rateLimit: { enabled: false },
    advanced: {
      // By itself it checks no origin where NODE_ENV is test.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      cookiePrefix: options.cookiePrefix,
      // What else is at this host gets none of them.
      defaultCookieAttributes: { path: pathname },
      ipAddress: { ipAddressHeaders: [clientAddressHeader] },
      // models.ts has looked; it would miss the table for keys, which nothing here is signed with.
      database: { ...ids, validateSchema: false },
    },
    logger: {
      level: 'warn',
      // Only the message, and none of what a user typed: `Invalid redirectURL: https://…`. Nobody has the address that reset.ts asks for first.
      log: (level, message) =>
        message === 'Reset Password: User not found' ||
        log[level === 'error' ? 'error' : 'warn'](
          `Better Auth: ${message.replace(/^(Invalid [^:]*):.*/s, '$1')}`,
        ),
    },
    onAPIError: {
      // To http/errors.ts, like every other; by itself it is printed.
      throw: true,
      // Where a browser that comes back from a provider without success is sent.
      ...(errorUrl === null ? {} : { errorURL: errorUrl }),
    },
    disabledPaths: switchedOff,
    telemetry: { enabled: false },
  })
  const sessionOf: SessionOf = (headers) =>
    auth.api.getSession({ headers, query: { disableRefresh: true } })
  giveToOwners(await auth.$context, hasPrograms)
  return {
    handle: auth.handler,
    emailOf: async (headers) => (await sessionOf(headers))?.user.email ?? null,
    endpoints: () => endpointsOf(auth.api),
  }
}

type SessionOf = (headers: Headers) => Promise<{ user: { id: string; email: string } } | null>

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

type User = { id: string; email: string; name: string; emailVerified: boolean }

function resetOf(options: IssuerOptions, accounts: Accounts) {
  const send = senderOf(options, accounts)
  if (send === null) return {}
  return {
    /** Not for an account that a provider opens: its address may be somebody else's by now. */
    sendResetPassword: async ({ user, url }: { user: User; url: string }): Promise<void> => {
      const { internalAdapter } = getCurrentAuthEndpointContext().context
      const isOpen = !user.emailVerified || (await internalAdapter.findCredentialAccount(user.id))
      if (isOpen) send('reset_password', user, url)
    },
    onPasswordReset: async ({ user }: { user: User }, request?: Request): Promise<void> => {
      await endResets(getCurrentAuthEndpointContext().context, user.id)
      accounts.prove(user.email, normalize(request?.headers.get(clientAddressHeader) ?? ''))
    },
  }
}

function verificationOf(options: IssuerOptions, accounts: Accounts) {
  const send = senderOf(options, accounts)
  if (send === null) return {}
  return {
    sendOnSignUp: true,
    expiresIn: day,
    sendVerificationEmail: async ({ user, url }: { user: User; url: string }): Promise<void> =>
      send('verify_email', user, url),
  }
}

/** Null: nobody sends mails. */
function senderOf({ mail, ...options }: IssuerOptions, accounts: Accounts) {
  if (mail === null) return null
  const send = createMailer({ ...options, mail })
  return (kind: Mail['kind'], { email, name }: User, url: string): void => {
    if (accounts.mayMail(email, kind)) send({ kind, to: email, name, url })
  }
}

async function verify(given: { hash: string; password: string }): Promise<boolean> {
  const isRight = await verifyPassword(given)
  if (isRight) proveByPassword(given.hash)
  return isRight
}

/**
 * Who reads the mails of an address, or looks through their links, may know nothing of the account: it may be a stranger's, who
 * waits for just that. So the link verifies where the account is signed in. A page gets its token, for who signs in there first.
 */
function signInFirst(link: string | undefined, base: string): APIError {
  const { searchParams } = new URL(link ?? base)
  const page = searchParams.get('callbackURL')
  const code = 'SIGN_IN_REQUIRED'
  if (page === null) {
    return new APIError('UNAUTHORIZED', {
      code,
      message: 'Sign in first, then open the link again',
    })
  }
  const location = new URL(page, base)
  location.searchParams.set('error', code)
  location.searchParams.set('token', searchParams.get('token') ?? '')
  return new APIError('FOUND', undefined, { location: location.href })
}
