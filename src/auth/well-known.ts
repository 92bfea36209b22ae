import { Elysia } from 'elysia'
import { Problem } from '../http/problem.ts'
import { resourceDocument } from './challenge.ts'
import { oauthScopes, type Programs, programScopes, resourceOf, resourceRoute } from './oauth.ts'

/** Of the address of a document what comes before the path of what it is about. */
const resources = resourceDocument.slice(0, -resourceRoute.length)
const servers = '/.well-known/oauth-authorization-server'

/** What a program reads first: what is at /mcp (RFC 9728), and where it is let in (RFC 8414). Null: nowhere. */
export function wellKnownRoutes(programs: Programs | null) {
  const routes = new Elysia({ name: 'well-known', seed: programs, detail: { hide: true } })
  if (programs === null) return routes

  const issuer = () => `${programs.url()}/api/auth`
  const resource = () => ({
    resource: resourceOf(programs.url()),
    authorization_servers: [issuer()],
    scopes_supported: programScopes,
    bearer_methods_supported: ['header'],
    resource_name: 'Docket',
  })
  const server = () => ({
    issuer: issuer(),
    authorization_endpoint: `${issuer()}/oauth2/authorize`,
    token_endpoint: `${issuer()}/oauth2/token`,
    registration_endpoint: `${issuer()}/oauth2/register`,
    revocation_endpoint: `${issuer()}/oauth2/revoke`,
    scopes_supported: oauthScopes,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })
  const answer = (document: object): Response =>
    Response.json(document, { headers: { 'cache-control': 'public, max-age=300' } })

  /** With the path of what it is about or, as older programs ask, without. A proxy may cut off a part of that path, or not. */
  const at = (start: string, about: string, document: () => object) =>
    routes
      .get(start, () => answer(document()))
      .get(`${start}/*`, ({ request }) => {
        const path = new URL(request.url).pathname.slice(start.length).replace(/\/$/, '')
        const cut = new URL(programs.url()).pathname.replace(/\/$/, '')
        if (path !== '' && path !== about && path !== cut + about) {
          throw new Problem(404, 'There is nothing at this path.')
        }
        return answer(document())
      })
  at(resources, resourceRoute, resource)
  at(servers, '/api/auth', server)
  return routes
}

/** Where any page may ask: the documents, and what programs ask with no cookie. */
export const openPaths =
  /^[^:]+:\/\/[^/]+\/(?:\.well-known\/oauth-(?:protected-resource|authorization-server)|api\/auth\/oauth2\/(?:register|token|revoke))\b/
