import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'
import { originMatcher } from './origins.ts'

/**
 * Lets browsers call from these origins, with cookies, and from no other. Without any there is no CORS at all. Whoever asks by
 * OPTIONS is answered: some health checks do nothing else.
 * @param open the addresses where every page may ask, for nothing depends on a cookie there; null: none
 */
export const allowOrigins = (origins: string[], open: RegExp | null = null) =>
  open === null
    ? allowListed(origins)
    : new Elysia({ name: 'open', seed: origins }).use(allowAll(open)).use(allowListed(origins))

function allowListed(origins: string[]) {
  if (origins.length === 0) {
    return new Elysia({ name: 'no-origins' }).onRequest(({ request }) =>
      request.method === 'OPTIONS' ? new Response(null, { status: 204 }) : undefined,
    )
  }
  const isAllowed = originMatcher(origins)
  const isAllowedFor = ({ headers }: Request) => isAllowed(headers.get('origin'))

  return (
    new Elysia({ name: 'allow-origins', seed: origins })
      // The plugin would say so to every origin.
      .onRequest(({ request, set }) => {
        if (!isAllowedFor(request)) return
        set.headers['access-control-allow-credentials'] = 'true'
        const asked = request.headers.get('access-control-request-headers')
        if (asked !== null) set.headers['access-control-allow-headers'] = allowHeaders(asked)
      })
      .use(
        cors({
          origin: isAllowedFor,
          // The plugin's defaults reflect whatever is asked for.
          credentials: false,
          methods: 'GET, POST, PUT, PATCH, DELETE',
          allowedHeaders,
          exposeHeaders: [
            'Docket-Epoch',
            'ETag',
            'Idempotency-Replayed',
            'Link',
            'Location',
            'RateLimit',
            'RateLimit-Policy',
            'Retry-After',
            'Set-Auth-Token',
            'WWW-Authenticate',
            'X-Request-Id',
          ],
          maxAge: 7200,
        }),
      )
      // It says the rest to everybody: to other origins, and to who is no browser.
      .onRequest(({ set }) => {
        if (!('access-control-allow-origin' in set.headers)) set.headers = { vary: 'Origin' }
      })
  )
}

const allowAll = (open: RegExp) =>
  new Elysia({ name: 'allow-all', seed: open.source }).onRequest(({ request, set }) => {
    if (!open.test(request.url)) return
    set.headers['access-control-allow-origin'] = '*'
    if (request.method !== 'OPTIONS') return
    return new Response(null, {
      status: 204,
      headers: {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'Authorization, Content-Type, MCP-Protocol-Version',
        'access-control-max-age': '7200',
      },
    })
  })

const allowedHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Time-Zone',
  'Traceparent',
  'X-Request-Id',
]

/** What proxies say of the client, and no page. */
const ofProxies =
  /^(?:forwarded|via|x-forwarded-.*|x-real-ip|x-docket-.*|x-original-.*|x-rewrite-.*)$/

const isName = /^[a-z0-9!#$%&'+.^_`|~-]{1,100}$/

/** Tracing, monitoring and clients of all kinds add headers: what means nothing here harms nobody. */
function allowHeaders(asked: string): string {
  const known = new Set(allowedHeaders.map((name) => name.toLowerCase()))
  const more = asked
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => isName.test(name) && !ofProxies.test(name) && !known.has(name))
  return [...allowedHeaders, ...new Set(more)].join(', ')
}
