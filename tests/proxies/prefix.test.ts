import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { blocksOf } from '../docs/reading.ts'
import { browser } from '../support/auth-client.ts'
import { temporaryFolder } from '../support/database.ts'
import { docket, type Server, startServer } from '../support/process.ts'
import { haproxy, nginx, type Proxy, startHaproxy, startNginx } from './proxy.ts'

// Docket at /todo of a host, behind real proxies that cut this off the path, and compress what they hand on.

/** How Docket is told of the prefix, and what of nginx or HAProxy says it. */
const ways = {
  BASE_PATH: { env: { BASE_PATH: '/todo' }, header: null },
  'X-Forwarded-Prefix': { env: { TRUST_PROXY: '1' }, header: '/todo' },
  'X-Forwarded-Prefix with a slash': { env: { TRUST_PROXY: '1' }, header: '/todo/' },
  'a path in AUTH_URL': { env: { AUTH_URL: 'http://localhost/todo' }, header: null },
}

/** As docs/deploying.md has it, but for where Docket is and what says the prefix. */
const shown = blocksOf(await Bun.file('docs/deploying.md').text()).find(
  ({ language }) => language === 'nginx',
)

const throughNginx = (server: Server, header: string | null): Promise<Proxy> => {
  const host = new URL(server.address).host.replace('localhost', '127.0.0.1')
  const said = header === null ? '' : `$1 ${header};`
  const [upstream = '', location = ''] = (shown?.text ?? '').split('\n\n')
  return startNginx(
    upstream.replace('127.0.0.1:8000', host),
    location.replace(/(proxy_set_header X-Forwarded-Prefix) .*;/, said),
  )
}

const throughHaproxy = (server: Server, header: string | null): Promise<Proxy> =>
  startHaproxy(
    `default_backend docket`,
    `backend docket
  option forwardfor
  compression algo gzip
  compression type application/json application/problem+json
  http-request replace-path /todo/(.*) /\\1
  ${header === null ? '' : `http-request set-header X-Forwarded-Prefix ${header}`}
  server docket 127.0.0.1:${new URL(server.address).port}`,
  )

const proxies = [
  ['nginx', nginx, throughNginx],
  ['HAProxy', haproxy, throughHaproxy],
] as const

const ended: (() => Promise<unknown>)[] = []
afterAll(() => Promise.all(ended.map((end) => end())))

describe.each(proxies)('behind %s', (_name, program, through) => {
  describe.skipIf(program === null).each(Object.entries(ways))('by %s', (_way, { env, header }) => {
    let started: Promise<{ server: Server; proxy: Proxy; cwd: string }> | undefined
    async function start() {
      const cwd = temporaryFolder()
      const server = await startServer({ cwd, env })
      const proxy = await through(server, header)
      ended.push(proxy.end, () => server.end('SIGTERM'))
      return { server, proxy, cwd }
    }
    const open = () => (started ??= start())

    test('a task is made, found by its Location and changed by its tag', async () => {
      const { proxy, server, cwd } = await open()
      const call = await callerOf(proxy, cwd)
      const connections = connectionsTo(server)

      const made = await call('POST', '/todo/api/tasks', { title: 'Once' })
      const location = made.headers.get('location') ?? ''
      const found = await call('GET', location)
      const tag = found.headers.get('etag') ?? ''
      const again = await call('GET', location, undefined, { 'if-none-match': tag })
      const change = { title: 'Twice' }
      const changed = await call('PATCH', location, change, { 'if-match': tag })
      const stale = await call('PATCH', location, change, { 'if-match': tag })

      expect(location).toMatch(/^\/todo\/api\/tasks\/[0-9a-f-]{36}$/)
      expect(found.headers.get('content-encoding')).toBe('gzip')
      expect(tag).toBe('W/"1"')
      expect([made, found, again, changed, stale].map(({ status }) => status)).toEqual([
        201, 200, 304, 200, 412,
      ])
      expect(connectionsTo(server) - connections).toBeLessThanOrEqual(1)
    })

    test('pages follow each other by their Link', async () => {
      const { proxy, cwd } = await open()
      const call = await callerOf(proxy, cwd, 'pages')
      for (const title of ['a', 'b', 'c', 'd', 'e']) {
        await call('POST', '/todo/api/tasks', { title })
      }

      const titles: string[] = []
      for (let at: string | undefined = '/todo/api/me/tasks?limit=2&sort=title'; at; ) {
        const page = await call('GET', at)
        titles.push(...page.body.map(({ title }: { title: string }) => title))
        const link: string | undefined = /<(.*)>/.exec(page.headers.get('link') ?? '')?.[1]
        at = link && new URL(link, page.url).href.slice(proxy.address.length)
      }

      expect(titles).toEqual(['a', 'b', 'c', 'd', 'e'])
    })

    test.each(['/todo/swagger', '/todo/swagger/'])('%s shows what is there', async (path) => {
      const { proxy } = await open()
      const page = await fetch(`${proxy.address}${path}`)
      const addresses = Array.from(
        (await page.text()).matchAll(/(?:src|href)="([^"]+)"/g),
        ([, address = '']) => new URL(address, page.url),
      ).filter(({ protocol }) => protocol === 'http:')
      const files = await Promise.all(
        addresses.map(async (address) => (await fetch(address)).text()),
      )
      const script = files[addresses.findIndex(({ pathname }) => pathname.endsWith('init.js'))]
      const source = new URL(/url: '([^']+)'/.exec(script ?? '')?.[1] ?? '', page.url)
      const document: any = await (await fetch(source)).json()
      const base = new URL(document.servers[0].url, source).href

      expect(addresses).toHaveLength(3)
      expect(base).toBe(`${proxy.address}/todo`)
      expect((await fetch(`${base}/health`)).status).toBe(200)
    })

    test.each(['/todo/', '/todo/account', '/todo/sign-in'])(
      '%s is a page for people, whole',
      async (path) => {
        const { proxy } = await open()
        const headers = { accept: 'text/html', cookie: 'better-auth.session_token=of.somebody' }
        const page = await fetch(`${proxy.address}${path}`, { headers })
        const known = await fetch(page.url, {
          headers: { ...headers, 'if-none-match': page.headers.get('etag') ?? '' },
        })
        const stranger = await fetch(`${proxy.address}/todo/`, { headers: { accept: 'text/html' } })
        const addresses = Array.from(
          (await page.text()).matchAll(/(?:src|href)="([^"]+)"/g),
          ([, address = '']) => new URL(address, page.url),
        )
        const files = await Promise.all(addresses.map((address) => fetch(address, { headers })))

        expect([page.status, known.status]).toEqual([200, 304])
        expect(stranger.url).toBe(`${proxy.address}/todo/sign-in`)
        expect(addresses.length).toBeGreaterThan(2)
        expect(files.filter(({ status }) => status !== 200)).toEqual([])
      },
    )

    test('an unknown path is a problem, and health ignores a query', async () => {
      const { proxy } = await open()

      const unknown = await fetch(`${proxy.address}/todo/api/auth/login`, { method: 'POST' })
      const health = await fetch(`${proxy.address}/todo/health?from=monitor`)

      expect([unknown.status, unknown.headers.get('content-type')]).toEqual([
        404,
        'application/problem+json',
      ])
      expect(await unknown.text()).toContain('POST /api/auth/sign-in/email')
      expect(health.status).toBe(200)
    })
  })

  test.skipIf(program === null)('users sign in, by cookies for this path alone', async () => {
    const origin = 'http://localhost:3000'
    const env = { BASE_PATH: '/todo', TRUST_PROXY: '1', AUTH_COOKIE_PREFIX: 'todo' }
    const server = await startServer({ env })
    const proxy = await through(server, null)
    ended.push(proxy.end, () => server.end('SIGTERM'))
    const client = browser(proxy.address, origin)

    const signedUp = await client.send('POST', '/todo/api/auth/sign-up/email', {
      name: 'Ann',
      email: 'ann@example.com',
      password: 'correct horse battery',
    })
    const cookies = signedUp.headers.getSetCookie()
    const made = await client.send('POST', '/todo/api/tasks', { title: 'By cookie' })
    const { body } = await client.send('GET', '/todo/api/auth/token')
    const claims = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url').toString())
    const signedOut = await client.send('POST', '/todo/api/auth/sign-out', {})

    expect(signedUp.status).toBe(200)
    expect(cookies.join()).toMatch(/^todo\.session_token=.*; Path=\/todo(;|$)/i)
    expect([made.status, signedOut.status]).toEqual([201, 200])
    expect(claims.iss).toBe(`${server.address}/todo`)
    expect(client.cookies.size).toBe(0)
  })
})

test.skipIf(nginx === null)(
  'the proxy of who says nothing of a prefix is at the root',
  async () => {
    const server = await startServer({ env: { TRUST_PROXY: '1' } })
    const { host } = new URL(server.address)
    const proxy = await startNginx(
      '',
      `location / { proxy_pass http://${host.replace('localhost', '127.0.0.1')}; }`,
    )
    ended.push(proxy.end, () => server.end('SIGTERM'))

    // By HTTP/1.0, as nginx does unless it is told otherwise.
    const page = await fetch(`${proxy.address}/swagger`)

    expect(await page.text()).toContain('src="/swagger/init.js"')
  },
)

async function callerOf({ address }: Proxy, cwd: string, user = 'alice') {
  const { stdout } = await docket(['token', '--user', user], { cwd })
  return async (
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ) => {
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${stdout.trim()}`,
        'content-type': 'application/json',
        'accept-encoding': 'gzip',
        ...more,
      },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const { status, headers, url } = response
    const text = await response.text()
    return { status, headers, url, body: text === '' ? undefined : JSON.parse(text) }
  }
}

/** How many connections there are to its port. */
function connectionsTo({ address }: Server): number {
  const port = Number(new URL(address).port).toString(16).toUpperCase().padStart(4, '0')
  const established = new RegExp(`^ *\\d+: [0-9A-F]{8}:${port} [0-9A-F:]+ 01`)
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  return lines.filter((line) => established.test(line)).length
}
