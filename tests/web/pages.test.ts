import { expect, test } from 'bun:test'
import { createTestApp, issuerOptions, origin, send } from '../support/app.ts'

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const session = { ...html, cookie: 'better-auth.session_token=of.somebody' }

const addressesOf = (text: string): string[] =>
  Array.from(text.matchAll(/(?:src|href)="([^"]+)"/g), ([, address = '']) => address)
/** What a page loads. */
const filesOf = (text: string): string[] =>
  addressesOf(text).filter((address) => address.includes('/web/'))

test('a program finds nothing at /, as before', async () => {
  for (const accept of [undefined, '*/*', 'application/json']) {
    const answer = await send('GET', '/', { headers: accept === undefined ? {} : { accept } })

    expect(answer.status).toBe(404)
    expect(answer.body).toMatchObject({
      code: 'not_found',
      detail: 'There is nothing at this path.',
    })
    expect(answer.headers.get('vary')).toContain('Accept')
  }
})

test.each(['/', '/account'])('who has no session is sent from %s to sign in', async (path) => {
  const { status, headers } = await send('GET', path, { headers: html })

  expect([status, headers.get('location')]).toEqual([302, '/sign-in'])
})

test.each([
  ['/', session],
  ['/account', session],
  ['/sign-in', html],
  ['/consent', html],
])('%s is a page of which every byte comes from here', async (path, headers) => {
  const page = await send('GET', path, { headers })

  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; " +
      "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  )
  for (const [name, value] of [
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['cache-control', 'private, no-cache'],
  ] as const) {
    expect([name, page.headers.get(name)]).toEqual([name, value])
  }
  expect(page.headers.get('vary')).toBe('Origin, Accept, Cookie, X-Forwarded-Prefix')
  // Nothing inline, and nothing from elsewhere.
  expect(page.text).not.toMatch(
    /<script(?![^>]* src=)|<style| style=| on\w+=|https?:\/\/(?!localhost")|\{\{/,
  )

  const addresses = filesOf(page.text)
  expect(addresses.length).toBe(3)
  let bytes = Buffer.byteLength(page.text)
  for (const address of addresses) {
    const file = await send('GET', address)
    expect([file.status, file.headers.get('cache-control')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
    ])
    expect(file.text).not.toMatch(/\beval\(|new Function\(/)
    bytes += Buffer.byteLength(file.text)
  }
  expect(bytes).toBeLessThan(60_000)
})

test('a page that is known is not sent again, and HEAD says all but it', async () => {
  const page = await send('GET', '/sign-in', { headers: html })
  const etag = page.headers.get('etag') ?? ''
  const again = await send('GET', '/sign-in', { headers: { ...html, 'if-none-match': etag } })
  const head = await send('HEAD', '/sign-in', { headers: html })

  expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
  expect([head.status, head.text]).toEqual([200, ''])
  for (const name of ['etag', 'content-type', 'content-security-policy']) {
    expect(head.headers.get(name)).toBe(page.headers.get(name))
  }
})

test.each(['/web/app.js', '/web/..%2f..%2fpackage.json', '/web/index.html', '/web/x'])(
  'there is no file %s',
  async (path) => {
    expect((await send('GET', path)).status).toBe(404)
  },
)

test('behind a proxy that cuts off a path, every address has it', async () => {
  const behind = createTestApp({ basePath: '/todo' })
  const headers = { ...session, 'x-forwarded-prefix': '/other' }

  for (const app of [behind, createTestApp()]) {
    const prefix = app === behind ? '/todo' : '/other'
    const page = await app.handle(new Request('http://localhost/', { headers }))
    const text = await page.text()
    expect(filesOf(text).every((address) => address.startsWith(`${prefix}/web/`))).toBe(true)
    // Each leads to the other.
    expect(addressesOf(text)).toContain('account')
    const account = await app.handle(new Request('http://localhost/account', { headers }))
    expect(addressesOf(await account.text())).toContain(`${prefix}/`)
    const stranger = await app.handle(
      new Request('http://localhost/', { headers: { ...html, 'x-forwarded-prefix': '/other' } }),
    )
    expect(stranger.headers.get('location')).toBe(`${prefix}/sign-in`)
    const door = await app.handle(new Request('http://localhost/sign-in', { headers }))
    expect(await door.text()).toContain(`data-home="${prefix}/"`)
  }
})

test('the sign-in has the providers that there are, and a reset where there are mails', async () => {
  const client = { clientId: 'id', clientSecret: 'secret' }
  const plain = await send('GET', '/sign-in', { headers: html })
  const app = createTestApp({
    issuer: () => ({
      ...issuerOptions,
      google: client,
      oidc: { ...client, discoveryUrl: 'https://id.example' },
      mail: { by: 'webhook', address: 'https://mail.example' },
    }),
  })
  const { text } = await send('GET', '/sign-in', { headers: html, app })

  expect(plain.text).not.toContain('data-provider')
  expect(plain.text).toContain('data-mail="off"')
  expect(Array.from(text.matchAll(/data-provider="(\w+)"/g), ([, name]) => name)).toEqual([
    'google',
    'oidc',
  ])
  expect(text).toContain('data-mail="on"')
  expect(text).not.toMatch(/secret|id\.example|mail\.example/)
})

test('with WEB=off there is the sign-in alone, which goes on to the frontend', async () => {
  const app = createTestApp({ web: false })
  const door = await send('GET', '/sign-in', { headers: html, app })

  for (const path of ['/', '/account']) {
    expect((await send('GET', path, { headers: session, app })).status).toBe(404)
  }
  expect(door.text).toContain(`data-home="${origin}"`)
  for (const address of addressesOf(door.text)) {
    expect((await send('GET', address, { app })).status).toBe(200)
  }
})

test('without the issuer / says what this is, and where to sign in', async () => {
  const { status, text, headers } = await send('GET', '/', {
    headers: html,
    app: createTestApp({ issuer: null }),
  })
  const bare = createTestApp({ issuer: null, docs: false, corsOrigins: [] })

  expect(status).toBe(200)
  expect(headers.get('content-security-policy')).toContain("script-src 'self'")
  expect(addressesOf(text)).toContain('/docs')
  expect(addressesOf(text)).toContain(origin)
  expect((await send('GET', '/', { headers: html, app: bare })).text).not.toContain('/docs')
  for (const path of ['/sign-in', '/account']) {
    expect((await send('GET', path, { headers: session, app: bare })).status).toBe(404)
  }
})

test('without programs there is nothing to consent to', async () => {
  const app = createTestApp({ programs: null })

  expect((await send('GET', '/consent', { headers: html, app })).status).toBe(404)
})

test('without the issuer and with WEB=off there is nothing', async () => {
  const app = createTestApp({ issuer: null, web: false, docs: false })

  for (const path of ['/', '/account', '/sign-in', '/consent', '/web/x']) {
    expect((await send('GET', path, { headers: session, app })).status).toBe(404)
  }
})
