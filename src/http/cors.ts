import { cors } from '@elysiajs/cors'
import { Elysia } from 'elysia'

/** Lets browsers call from these origins, with cookies, and from no other. Without any there is no CORS at all. */
export const allowOrigins = (origins: string[]) =>
  origins.length === 0
    ? new Elysia()
    : new Elysia({ name: 'allow-origins', seed: origins })
        // The plugin would say so to every origin.
        .onRequest(({ request, set }) => {
          if (origins.includes(request.headers.get('origin') ?? '')) {
            set.headers['access-control-allow-credentials'] = 'true'
          }
        })
        .use(
          cors({
            origin: origins,
            // The plugin's defaults reflect whatever is asked for.
            credentials: false,
            methods: 'GET, POST, PUT, PATCH, DELETE',
            allowedHeaders: [
              'Authorization',
              'Content-Type',
              'Idempotency-Key',
              'If-Match',
              'If-None-Match',
              'Traceparent',
              'X-Request-Id',
            ],
            exposeHeaders: [
              'ETag',
              'Idempotency-Replayed',
              'Link',
              'Location',
              'RateLimit',
              'RateLimit-Policy',
              'Retry-After',
              'Set-Auth-Token',
              'X-Request-Id',
            ],
            maxAge: 7200,
          }),
        )
        // It says the rest to everybody: to other origins, and to who is no browser.
        .onRequest(({ set }) => {
          if (!('access-control-allow-origin' in set.headers)) set.headers = { vary: 'Origin' }
        })
