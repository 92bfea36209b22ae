import { digestOf } from '../http/secrets.ts'

// Programs that act for users by OAuth 2.1, as MCP has it: what the issuer, its documents and the look-up of its tokens have in common.

/** Where programs are let in by OAuth. Null: there is no issuer for them here. */
export type Programs = {
  /** Where browsers reach Docket, the base path included: known when it listens. */
  url: () => string
  /** Hosts of programs that are known besides those of clients.ts. */
  hosts: readonly string[]
}

/** What a token is for, and the route that takes it. */
export const resourceRoute = '/mcp'

/** What a program can ask for; whether it stays is a scope of its own to OAuth, and not to anybody else. */
export const programScopes = ['tasks:read', 'tasks:write'] as const
export const oauthScopes: string[] = [...programScopes, 'offline_access']

export const resourceOf = (url: string): string => `${url}${resourceRoute}`

export const accessTokenPrefix = 'dkt_at_'
export const refreshTokenPrefix = 'dkt_rt_'

/** The digest of an access token of a program, of what comes after its prefix. Null: it is none. */
export function programDigestOf(token: string): string | null {
  const secret = token.startsWith(accessTokenPrefix) ? token.slice(accessTokenPrefix.length) : ''
  return /^[\w-]{43}$/.test(secret) ? digestOf(secret) : null
}

/**
 * What a request to authorize asks for, made whole. What was consented to once is not given to whatever else listens on a port of this
 * machine, so that each is asked about anew; and older programs leave out what they need: without `offline_access` their user would sign in
 * every hour, and without `resource` they would get a token for nothing.
 */
export function completed(search: string, url: string): string {
  const query = new URLSearchParams(search)
  const asked = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  const scopes = asked.some((scope) => scope !== 'offline_access')
    ? [...new Set([...asked, 'offline_access'])]
    : oauthScopes
  query.set('scope', scopes.join(' '))
  if (!query.has('resource')) query.set('resource', resourceOf(url))
  const isNew = query.getAll('prompt').join(' ').split(' ').includes('login')
  query.set('prompt', isNew ? 'login consent' : 'consent')
  // It would send who has consented to sign in once more, and from there on without that question.
  query.delete('max_age')
  return `?${query.toString()}`
}
