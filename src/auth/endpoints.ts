import { Problem } from '../http/problem.ts'
import type { Allowance } from './counter.ts'

type Method = 'GET' | 'POST'

export type Endpoint = {
  /** Under /api/auth, as Better Auth has it: a segment with a colon stands for a text. */
  path: string
  method: Method
  /** What is counted together with it, by the address that it comes from. */
  limit: Limit
  /** Whether a browser is sent there, with a person in front of it. */
  isVisited: boolean
  /** Whether it is only there where programs are let in. */
  isOfPrograms: boolean
  /** Whether a program asks, in the words of OAuth: any page may do so, and no cookie has a say. */
  isOAuth: boolean
}

export type Limit = 'passwords' | 'accounts' | 'providers' | 'mails' | 'clients' | 'others'

/** For each address. Better Auth's own limits have a key for every path that somebody thinks of, and look through all. */
export const limits: Record<Limit, Allowance> = {
  passwords: { most: 10, seconds: 60 },
  accounts: { most: 10, seconds: 60 },
  providers: { most: 10, seconds: 60 },
  mails: { most: 3, seconds: 60 },
  // Some services register for many users from few addresses, and twice for each.
  clients: { most: 60, seconds: 3600 },
  others: { most: 600, seconds: 60 },
}

const list: [Method, string, Limit][] = [
  ['POST', '/sign-up/email', 'accounts'],
  ['POST', '/sign-in/email', 'passwords'],
  ['POST', '/sign-in/social', 'providers'],
  ['GET', '/callback/:id', 'others'],
  ['POST', '/sign-out', 'others'],
  ['GET', '/get-session', 'others'],
  ['GET', '/token', 'others'],
  ['POST', '/request-password-reset', 'mails'],
  ['GET', '/reset-password/:token', 'others'],
  ['POST', '/send-verification-email', 'mails'],
  ['GET', '/verify-email', 'others'],
  ['POST', '/reset-password', 'passwords'],
  ['POST', '/change-password', 'passwords'],
  ['POST', '/delete-user', 'passwords'],
  ['POST', '/update-user', 'others'],
  ['GET', '/list-sessions', 'others'],
  ['POST', '/revoke-session', 'others'],
  ['POST', '/revoke-sessions', 'others'],
  ['POST', '/revoke-other-sessions', 'others'],
  ['GET', '/list-accounts', 'others'],
  ['POST', '/unlink-account', 'others'],
  ['GET', '/ok', 'others'],
  ['GET', '/error', 'others'],
]

/** Of the authorization server. To authorize there is no POST: with one Better Auth asks nobody for consent. */
const ofPrograms: [Method, string, Limit][] = [
  ['POST', '/oauth2/register', 'clients'],
  ['GET', '/oauth2/authorize', 'others'],
  ['GET', '/oauth2/public-client', 'others'],
  ['POST', '/oauth2/consent', 'others'],
  ['POST', '/oauth2/token', 'others'],
  ['POST', '/oauth2/revoke', 'others'],
]

const visited = [
  '/callback/:id',
  '/reset-password/:token',
  '/verify-email',
  '/error',
  '/oauth2/authorize',
]

/** What programs ask themselves. The first of them is ours, the others take a form. */
const asked = ['/oauth2/register', '/oauth2/token', '/oauth2/revoke']

/** What there is. A test holds it against what Better Auth has. */
export const endpoints: Endpoint[] = [...list, ...ofPrograms].map(
  ([method, path, limit], index) => ({
    method,
    path,
    limit,
    isVisited: visited.includes(path),
    isOfPrograms: index >= list.length,
    isOAuth: asked.includes(path),
  }),
)

/** What Better Auth has and nobody needs here: each is one thing more to attack. */
export const switchedOff = [
  '/verify-password',
  '/change-email',
  '/update-session',
  '/delete-user/callback',
  '/link-social',
  '/refresh-token',
  '/get-access-token',
  '/account-info',
  '/jwks',
  // Of the authorization server. What was consented to is at /api/me/programs, and only the one who runs this makes clients otherwise.
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/oauth2/continue',
  '/oauth2/introspect',
  '/oauth2/userinfo',
  '/oauth2/end-session',
  '/oauth2/end-session/confirm',
  '/oauth2/public-client-prelogin',
  '/oauth2/create-client',
  '/oauth2/get-client',
  '/oauth2/get-clients',
  '/oauth2/update-client',
  '/oauth2/client/rotate-secret',
  '/oauth2/delete-client',
  '/oauth2/get-consent',
  '/oauth2/get-consents',
  '/oauth2/update-consent',
  '/oauth2/delete-consent',
  '/admin/oauth2/create-client',
  '/admin/oauth2/update-client',
  '/admin/oauth2/resources',
  '/admin/oauth2/resources/:identifier',
  '/admin/oauth2/resources/:identifier/clients/:client_id',
]

const known = endpoints.map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replace(/:\w+/g, '[\\w-]{1,255}')}$`),
}))

/** Of the path behind /api/auth. Throws 404 and 405, before Better Auth is loaded or anything of it is remembered. */
export function findEndpoint(method: string, path: string, hasPrograms: boolean): Endpoint {
  const found = known
    .filter(
      ({ pattern, endpoint }) => (hasPrograms || !endpoint.isOfPrograms) && pattern.test(path),
    )
    .map(({ endpoint }) => endpoint)
  if (found.length === 0) {
    throw new Problem(
      404,
      'There is nothing at this path. To sign in, send POST /api/auth/sign-in/email.',
    )
  }
  const endpoint = found.find((candidate) => candidate.method === method)
  if (endpoint !== undefined) return endpoint
  const allow = found.map((candidate) => candidate.method).join(', ')
  throw new Problem(405, `This path has no ${method}: use ${allow}.`, { headers: { allow } })
}
