import { Elysia } from 'elysia'
import { type Cookies, findCredentials } from '../auth/credential.ts'
import type { IssuerOptions } from '../auth/issuer.ts'
import { exchangeOf } from '../http/exchange.ts'
import { firstOrigin } from '../http/origins.ts'
import { Problem } from '../http/problem.ts'
import { type Assets, answer, escape, render, toAssets } from './assets.ts'
import { readFiles } from './bundle.ts'
import type { Guide } from './guides.ts'

export type WebOptions = {
  /** Whether there are pages at `/` and `/account`. That of the sign-in is there with the issuer. */
  hasHome: boolean
  /** Whether programs are let in, by the page at `/consent`. */
  hasPrograms: boolean
  /** The built-in issuer. Null: users sign in elsewhere. */
  issuer: (() => IssuerOptions) | null
  cookies: Cookies
  origins: string[]
  hasDocs: boolean
}

/** `/`, `/account`, `/sign-in`, `/consent` and `/docs`, for people, and what these load: all of it from here, and nothing inline. */
export function webRoutes({ hasHome, hasPrograms, issuer, cookies, origins, hasDocs }: WebOptions) {
  let reading: Promise<Assets> | undefined
  const read = () => (reading ??= readFiles().then(toAssets))
  const routes = new Elysia({ name: 'web', detail: { hide: true } }).get(
    '/web/:file',
    async ({ request, params: { file } }) => {
      const asset = (await read()).named.get(file)
      if (asset === undefined) throw nothing()
      return answer(request, asset.text, asset.type, { 'cache-control': forever })
    },
  )
  if (!hasHome && issuer === null && !hasDocs) return new Elysia({ name: 'web' })

  const page = async (request: Request, name: string, values: Record<string, string> = {}) => {
    const text = render(await read(), name, exchangeOf(request).prefix(), values)
    return answer(request, text, 'text/html', headersOfPages)
  }
  if (issuer !== null) {
    routes.get('/sign-in', ({ request }) => {
      const { url, mail, ...providers } = issuer()
      // Without a page here it is the frontend's.
      const home = hasHome ? `${exchangeOf(request).prefix()}/` : (firstOrigin(origins) ?? '')
      const buttons = providerNames.flatMap(([id, label]) =>
        providers[id] === null
          ? []
          : `<button type="button" data-provider="${id}">Continue with ${label}</button>`,
      )
      return page(request, 'sign-in.html', {
        home: escape(home),
        url: escape(url),
        mail: mail === null ? 'off' : 'on',
        providers: buttons.join(''),
      })
    })
  }
  /** Whose session has ended finds out from the API, and goes there too. */
  const toSignIn = (request: Request): Response | undefined => {
    if (findCredentials(request.headers, cookies).length > 0) return undefined
    const location = `${exchangeOf(request).prefix()}/sign-in`
    return new Response(null, { status: 302, headers: { ...headersOfPages, location } })
  }
  if (hasHome && issuer !== null) {
    routes.get('/account', ({ request }) => {
      const home = escape(`${exchangeOf(request).prefix()}/`)
      return toSignIn(request) ?? page(request, 'account.html', { home })
    })
  }
  if (hasPrograms) routes.get('/consent', ({ request }) => page(request, 'consent.html'))
  if (hasHome) {
    // For every method: programs are told what they are told of any path that is none.
    const visit = ({ request }: { request: Request }) => {
      const isVisit = request.method === 'GET' || request.method === 'HEAD'
      const accepted = request.headers.get('accept') ?? ''
      if (!isVisit || !accepted.includes('text/html')) throw nothing()
      const prefix = exchangeOf(request).prefix()
      if (issuer === null) {
        const frontend = firstOrigin(origins)
        return page(request, 'welcome.html', {
          where:
            frontend === undefined
              ? '<p>You sign in at that frontend.</p>'
              : `<p>You sign in at <a href="${escape(frontend)}">${escape(new URL(frontend).host)}</a>.</p>`,
          docs: hasDocs ? `<p><a href="${prefix}/docs">The documentation</a></p>` : '',
        })
      }
      return toSignIn(request) ?? page(request, 'index.html', { docs: docsLink(prefix) })
    }
    routes.all('/', visit, { parse: 'none' })
  }
  if (hasDocs) {
    const show = async (request: Request, name: string) => {
      const { guides } = await read()
      const guide = guides.find((other) => other.name === name)
      if (guide === undefined) throw nothing()
      const prefix = exchangeOf(request).prefix()
      const home = hasHome ? `<a class="quiet" href="${prefix}/">Tasks</a>` : ''
      return page(request, 'docs.html', {
        title: name === '' ? 'Docket' : `${guide.title} · Docket`,
        base: `${prefix}/docs`,
        list: listOf(guides, guide, prefix),
        links: `<a class="quiet" href="${prefix}/swagger">Try the API</a>${home}`,
        text: guide.html.replaceAll('href="/docs', `href="${prefix}/docs`),
      })
    }
    routes
      .get('/docs', ({ request }) => show(request, ''))
      .get('/docs/:name', ({ request, params: { name } }) => show(request, `/${name}`))
  }
  return routes

  function docsLink(prefix: string): string {
    return hasDocs ? `<a class="quiet" href="${prefix}/docs">Help</a>` : ''
  }
}

/** All of them, and under the one that is read what it is about. */
const listOf = (guides: Guide[], current: Guide, prefix: string): string =>
  guides
    .map((guide) => {
      const isCurrent = guide === current
      const mark = isCurrent ? ' aria-current="page"' : ''
      const parts = guide.sections.map(([id, label]) => `<li><a href="#${id}">${label}</a></li>`)
      const list = isCurrent && parts.length > 0 ? `<ul>${parts.join('')}</ul>` : ''
      return `<li><a href="${prefix}/docs${guide.name}"${mark}>${guide.title}</a>${list}</li>`
    })
    .join('')

const nothing = (): Problem =>
  new Problem(404, 'There is nothing at this path.', { headers: { vary: 'Origin, Accept' } })

const providerNames = [
  ['google', 'Google'],
  ['github', 'GitHub'],
  ['oidc', 'your organisation'],
] as const

/** Nothing from anywhere else, nothing inline, nowhere else to send anything to, and no text that becomes HTML. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headersOfPages = {
  'content-security-policy': contentSecurityPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'private, no-cache',
  vary: 'Origin, Accept, Cookie, X-Forwarded-Prefix',
}

/** What has the hash of its content in its name never changes. */
const forever = 'public, max-age=31536000, immutable'
