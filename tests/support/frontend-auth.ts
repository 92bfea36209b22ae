import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { bearer, jwt } from 'better-auth/plugins'
import { SignJWT } from 'jose'
import { dialectOf } from '../../src/auth/issuer-database.ts'
import type { Gate } from '../../src/database/gate/gate.ts'

export type FrontendOptions = {
  secret: string
  url: string
  /** EdDSA is what the jwt() plugin does by itself. */
  algorithm: 'HS256' | 'EdDSA'
  /** Null: a memory of its own. */
  db: Gate | null
  /** Where its tables are. */
  schema?: string
  uuid?: boolean
  /** Is told of each link to verify an e-mail address. */
  onLink?: (url: string) => void
}

/** Better Auth as a frontend has it, configured as docs/signing-in.md says. */
export function frontendAuth(options: FrontendOptions) {
  const { secret, url, algorithm, db, schema = 'docket', uuid, onLink } = options
  const key = new TextEncoder().encode(secret)
  const signing = {
    jwks: { remoteUrl: 'urn:unused', keyPairConfig: { alg: 'ES256' as const } },
    jwt: {
      definePayload: ({ session }: { session: { id: string } }) => ({ sid: session.id }),
      sign: (claims: Record<string, unknown>) =>
        new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key),
    },
  }
  return betterAuth({
    secret,
    baseURL: url,
    database:
      db === null
        ? memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] })
        : { dialect: dialectOf(db), type: 'postgres', schemaName: schema, transaction: true },
    emailAndPassword: { enabled: true },
    ...(onLink === undefined
      ? {}
      : {
          emailVerification: {
            sendOnSignUp: true,
            sendVerificationEmail: async ({ url: link }: { url: string }) => onLink(link),
          },
        }),
    session: { cookieCache: { enabled: true, strategy: 'jwt' } },
    rateLimit: { enabled: false },
    advanced: {
      disableOriginCheck: false,
      ...(uuid ? { database: { generateId: 'uuid' as const } } : {}),
    },
    logger: { disabled: true },
    plugins: [bearer(), algorithm === 'HS256' ? jwt(signing) : jwt()],
  })
}
