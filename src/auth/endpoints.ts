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
}

export type Limit = 'passwords' | 'accounts' | 'providers' | 'mails' | 'others'

/** For each address. Better Auth's own limits have a key for every path that somebody thinks of, and look through all. */
export const limits: Record<Limit, Allowance> = {
  passwords: { most: 10, seconds: 60 },
  accounts: { most: 10, seconds: 60 },
  providers: { most: 10, seconds: 60 },
  mails: { most: 3, seconds: 60 },
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

const visited = ['/callback/:id', '/reset-password/:token', '/verify-email', '/error']

/** What there is. A test holds it against what Better Auth has. */
export const endpoints: Endpoint[] = list.map(([method, path, limit]) => ({
  method,
  path,
  limit,
  isVisited: visited.includes(path),
}))

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
]

const known = endpoints.map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replace(/:\w+/g, '[\\w-]{1,255}')}$`),
}))

/** Of the path behind /api/auth. Throws 404 and 405, before Better Auth is loaded or anything of it is remembered. */
export function findEndpoint(method: string, path: string): Endpoint {
  const found = known.filter(({ pattern }) => pattern.test(path)).map(({ endpoint }) => endpoint)
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
