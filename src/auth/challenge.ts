import { type Programs, programScopes, resourceRoute } from './oauth.ts'
import type { Scope } from './scopes.ts'

// What a client is told of how to get in (RFC 6750), and at /mcp where to read the rest (RFC 9728): a program that knows no more than the
// address of that finds its way from here.

/** Where the document on what is at /mcp is, behind the address of Docket. */
export const resourceDocument = `/.well-known/oauth-protected-resource${resourceRoute}`

const metadata = ({ url }: Programs): string => `resource_metadata="${url()}${resourceDocument}"`

/** The header WWW-Authenticate of a 401. */
export const challengeAt = (route: string, programs: Programs | null): string =>
  programs === null || route !== resourceRoute
    ? 'Bearer'
    : `Bearer ${metadata(programs)}, scope="${programScopes.join(' ')}"`

/** That of a 403: what more it takes. A program can ask its user for it; whoever made an access token makes another one. */
export const challengeFor = (
  needed: Scope,
  isProgram: boolean,
  programs: Programs | null,
): string =>
  [
    `Bearer error="insufficient_scope", scope="${needed}"`,
    ...(isProgram && programs !== null ? [metadata(programs)] : []),
  ].join(', ')
