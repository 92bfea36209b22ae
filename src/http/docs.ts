import { swagger } from '@elysiajs/swagger'
import { Elysia } from 'elysia'
import styles from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import bundle from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import { version } from '../../package.json' with { type: 'json' }
import { exchangeOf } from './exchange.ts'
import { json } from './json.ts'
import { tidy } from './openapi.ts'
import { ProblemSchema } from './problem.ts'

const description = `Tasks for a frontend that signs its users in with Better Auth.

Every request under \`/api\` needs what Better Auth gave: \`Authorization: Bearer …\` with a JWT, which has the user's id in
\`sub\` and an expiry, or with a session token; or else its session cookie, with which only pages of this origin and of allowed ones can
change something. For development, \`docket token --user alice\` prints one: put it in under
**Authorize**, and every request below can be tried out.

The same routes answer under \`/api\` and under \`/api/{user_id}\`, with or without a slash at the end. Anything of another
user is answered exactly as if it did not exist. Every error is a problem (RFC 9457), \`application/problem+json\`.

Agents speak the Model Context Protocol at \`/mcp\`, which says itself what it can.

The guides are at [/docs](/docs): the API by example, signing in, deploying.`

const pageAt = (prefix: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Docket</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${prefix}/swagger/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${prefix}/swagger/swagger-ui-bundle.js"></script>
    <script src="${prefix}/swagger/init.js"></script>
  </body>
</html>
`

const initAt = (prefix: string): string => `SwaggerUIBundle({
  url: '${prefix}/swagger/json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
})
`

/** Nothing from anywhere else, so the page works without the internet. Swagger UI writes style attributes. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const file = (body: string | Blob, type: string, more: Record<string, string> = {}): Response =>
  new Response(body, {
    headers: { 'content-type': type, 'cache-control': 'max-age=3600', ...more },
  })

/** What has a prefix in it is for who came through the proxy that says so. */
const prefixed = { vary: 'Origin, X-Forwarded-Prefix' }

const prefixOf = (request: Request): string => exchangeOf(request).prefix()

/** `/swagger`, a page to try every route on, and `/swagger/json`, the OpenAPI document. */
export function docs(cookiePrefix: string) {
  let document: ReturnType<typeof tidy> | undefined
  // The last one that was asked for: it is most often the same.
  let made = { prefix: '', text: '' }

  function documentAt(prefix: string, raw: unknown): string {
    document ??= tidy(raw)
    if (made.text === '' || made.prefix !== prefix) {
      const servers = [{ url: prefix || '/', description: 'This server.' }]
      const info = {
        ...document.info,
        description: description.replace('(/docs)', `(${prefix}/docs)`),
      }
      made = { prefix, text: JSON.stringify({ ...document, info, servers }) }
    }
    return made.text
  }

  return (
    new Elysia({ name: 'docs', detail: { hide: true } })
      // The plugin collects the routes. Its document is not valid OpenAPI, and its page loads a script from elsewhere.
      .onAfterHandle(({ request, route, responseValue, set }) => {
        if (route === '/swagger/json') {
          return json<object>(set, documentAt(prefixOf(request), responseValue))
        }
        if (route !== '/swagger') return
        set.headers['content-security-policy'] = contentSecurityPolicy
        return file(pageAt(prefixOf(request)), 'text/html; charset=utf-8', prefixed)
      })
      .use(
        swagger({
          documentation: {
            info: {
              title: 'Docket',
              version,
              description,
              license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
            },
            tags: [
              { name: 'Tasks', description: 'The tasks of the caller.' },
              { name: 'Lists', description: 'What tasks are in.' },
              { name: 'Filters', description: 'Filters that are kept under names.' },
              { name: 'Changes', description: 'What has changed, and what changes.' },
              { name: 'History', description: 'What was done, and back.' },
              { name: 'Webhooks', description: 'Programs that are told of what changes.' },
              { name: 'Feeds', description: 'Calendars that other programs follow.' },
              { name: 'Me', description: 'The caller, and the sessions of the caller.' },
              { name: 'Health', description: 'For load balancers and monitoring.' },
            ],
            components: {
              schemas: { Problem: ProblemSchema as object },
              securitySchemes: {
                bearer: {
                  type: 'http',
                  scheme: 'bearer',
                  bearerFormat: 'JWT',
                  description:
                    'A JWT signed with BETTER_AUTH_SECRET (HS256) or by AUTH_JWKS_URL, a session token, or an access token.',
                },
                session: {
                  type: 'apiKey',
                  in: 'cookie',
                  name: `${cookiePrefix}.session_token`,
                  description: "Better Auth's session cookie, also with __Secure- before its name.",
                },
              },
            },
          },
        }),
      )
      .get('/swagger/init.js', ({ request }) =>
        file(initAt(prefixOf(request)), 'text/javascript; charset=utf-8', prefixed),
      )
      .get('/swagger/swagger-ui-bundle.js', () =>
        file(Bun.file(bundle), 'text/javascript; charset=utf-8'),
      )
      .get('/swagger/swagger-ui.css', () => file(Bun.file(styles), 'text/css; charset=utf-8'))
  )
}
