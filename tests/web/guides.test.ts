import { expect, test } from 'bun:test'
import { createTestApp, send } from '../support/app.ts'

const addressesOf = (text: string): string[] =>
  Array.from(text.matchAll(/(?:src|href)="([^"]+)"/g), ([, address = '']) => address)

const names = Array.from(
  (await send('GET', '/docs')).text
    .split('</nav>')[0]
    ?.matchAll(/<li><a href="\/docs(\/[\w-]+)?"/g) ?? [],
  ([, name = '']) => name,
)

test('lists each page, README.md first', async () => {
  const files = await Array.fromAsync(new Bun.Glob('docs/*.md').scan('.'))
  const expected = files.map((file) => file.replace(/^docs|\.md$/g, ''))

  expect(names[0]).toBe('')
  expect(names.toSorted()).toEqual(['', '/security', ...expected].toSorted())
})

test.each(names)(
  '/docs%s is a page of text alone, whose links all lead somewhere',
  async (name) => {
    const page = await send('GET', `/docs${name}`)

    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ])
    expect(page.headers.get('content-security-policy')).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self';",
    )
    expect(page.text).toContain('aria-current="page"')
    const foreign = /<(script|style|img|picture)|<[^>]* (style|on\w+)=|<a href="[^"#:]*\./g
    expect(page.text.match(foreign)).toBeNull()
    for (const address of addressesOf(page.text)) {
      const [path = '', anchor] = address.split('#')
      if (/^\w+:/.test(path) || path === '/') continue
      const target = path === '' ? page : await send('GET', path)
      expect([address, target.status]).toEqual([address, 200])
      if (anchor !== undefined) expect(target.text).toContain(`id="${anchor}"`)
    }
  },
)

test('a page that is known is not sent again, and HEAD says all but it', async () => {
  const page = await send('GET', '/docs')
  const etag = page.headers.get('etag') ?? ''
  const again = await send('GET', '/docs', { headers: { 'if-none-match': etag } })
  const head = await send('HEAD', '/docs')

  expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag])
  expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', etag])
})

test.each(['/docs/nothing', '/docs/readme', '/docs/..%2fpackage', '/docs/api.md', '/docs/a/b'])(
  'there is no page %s',
  async (path) => {
    const { status, body } = await send('GET', path)

    expect([status, body.code]).toEqual([404, 'not_found'])
  },
)

test('behind a proxy that cuts off a path, every address has it', async () => {
  const app = createTestApp({ basePath: '/todo' })
  for (const name of names) {
    const { text } = await send('GET', `/docs${name}`, { app })
    const own = addressesOf(text).filter((address) => address.startsWith('/'))

    expect(own).not.toBeEmpty()
    for (const address of own) expect(address).toStartWith('/todo/')
  }
  const { body } = await send('GET', '/swagger/json', { app })
  expect(body.info.description).toContain('(/todo/docs)')
})

test('is there with DOCS=on alone', async () => {
  const bare = { issuer: null, web: false } as const
  const app = createTestApp(bare)
  const silent = createTestApp({ ...bare, docs: false })

  const { text } = await send('GET', '/docs', { app })
  for (const address of addressesOf(text).filter((one) => one.startsWith('/'))) {
    const [path = ''] = address.split('#')
    expect([path, (await send('GET', path, { app })).status]).toEqual([path, 200])
  }
  for (const path of ['/docs', '/docs/security']) {
    expect((await send('GET', path, { app: silent })).status).toBe(404)
  }
})

test.each([true, false])('the task page leads there where it is: %p', async (docs) => {
  const headers = { accept: 'text/html', cookie: 'better-auth.session_token=of.somebody' }
  const { text } = await send('GET', '/', { headers, app: createTestApp({ docs }) })

  expect(addressesOf(text).includes('/docs')).toBe(docs)
})
