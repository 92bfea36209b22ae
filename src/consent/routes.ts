import { Elysia } from 'elysia'
import type { Programs } from '../auth/oauth.ts'
import { exchangeOf } from '../http/exchange.ts'
import styles from './page.css' with { type: 'text' }
// It is text here, whatever it exports.
// oxlint-disable-next-line import/default
import script from './page.js' with { type: 'text' }
import { pageAt } from './pages.ts'

/** Nothing from anywhere else, nothing inline, in no frame, and no text that becomes HTML. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** Where somebody is asked whether to let a program in. Null: nobody is. */
export function consentRoutes(programs: Programs | null) {
  const routes = new Elysia({ name: 'consent', seed: programs, detail: { hide: true } })
  if (programs === null) return routes
  const send = (body: string, type: string): Response =>
    new Response(body, {
      headers: {
        'content-type': `${type}; charset=utf-8`,
        'content-security-policy': contentSecurityPolicy,
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
      },
    })
  return routes
    .get('/consent', ({ request }) => send(pageAt(exchangeOf(request).prefix()), 'text/html'))
    .get('/consent/page.js', () => send(script, 'text/javascript'))
    .get('/consent/page.css', () => send(styles, 'text/css'))
}
