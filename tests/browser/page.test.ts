import { afterAll, expect, test } from 'bun:test'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { temporaryFolder } from '../support/database.ts'
import { startServer } from '../support/process.ts'

// A page of another origin in Chromium, with Better Auth's own client. Skipped where there is no Chromium.

/** The script of the page: what a frontend writes. */
const script = (docket: string): string => `
  import { createAuthClient } from 'better-auth/client'

  const auth = createAuthClient({ baseURL: '${docket}/api/auth' })

  async function call(method, path, body) {
    const { data } = await auth.$fetch('/token')
    const response = await fetch('${docket}/api' + path, {
      method,
      headers: { authorization: 'Bearer ' + data.token, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return response.json()
  }

  async function withCookie(method, path, body) {
    const response = await fetch('${docket}/api' + path, {
      method,
      credentials: 'include',
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return response.status
  }

  Object.assign(window, { auth, call, withCookie })
`

async function bundle(docket: string): Promise<string> {
  const entry = `${temporaryFolder()}/page.ts`
  await Bun.write(entry, script(docket))
  const built = await Bun.build({
    entrypoints: [entry],
    target: 'browser',
    plugins: [
      {
        name: 'from here',
        setup: (build) => {
          build.onResolve({ filter: /^better-auth/ }, ({ path }) => ({
            path: Bun.resolveSync(path, import.meta.dir),
          }))
        },
      },
    ],
  })
  return (await built.outputs[0]?.text()) ?? ''
}

const ends: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

declare const window: {
  auth: {
    signUp: { email: (account: object) => Promise<{ error: unknown }> }
    signOut: () => Promise<{ error: unknown }>
    getSession: () => Promise<{ data: { user: { email: string } } | null }>
  }
  call: (method: string, path: string, body?: object) => Promise<any>
  withCookie: (method: string, path: string, body?: object) => Promise<number>
}

test.skipIf(!hasChromium)(
  'signs up, creates a task with the token, is loaded again and lists it',
  async () => {
    let page = ''
    const servePages = (): string => {
      const pages = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        fetch: ({ url }) =>
          new URL(url).pathname === '/page.js'
            ? new Response(page, { headers: { 'content-type': 'text/javascript' } })
            : new Response('<!doctype html><script type="module" src="/page.js"></script>', {
                headers: { 'content-type': 'text/html' },
              }),
      })
      ends.push(() => pages.stop(true))
      return `http://localhost:${pages.port}`
    }
    const origin = servePages()
    const foreignOrigin = servePages()
    const server = await startServer({ env: { CORS_ORIGINS: origin } })
    ends.push(() => server.end('SIGTERM'))
    page = await bundle(server.address)

    const browser = await launchChromium()
    ends.push(() => browser.close())
    const tab = await browser.newPage()
    const open = async (address: string) => {
      await tab.goto(address)
      await tab.waitForFunction('window.auth !== undefined')
    }

    await open(origin)
    const signedUp = await tab.evaluate(() =>
      window.auth.signUp.email({
        name: 'Ann',
        email: 'ann@example.com',
        password: 'correct horse battery',
      }),
    )
    expect(signedUp.error).toBeNull()
    const created = await tab.evaluate(() =>
      window.call('POST', '/tasks', { title: 'Water the plants' }),
    )
    expect(created).toMatchObject({ title: 'Water the plants', version: 1 })

    await open(origin)
    expect(await tab.evaluate(() => window.call('GET', '/tasks'))).toEqual([created])
    const session = await tab.evaluate(() => window.auth.getSession())
    expect(session.data?.user.email).toBe('ann@example.com')
    const writes = () =>
      tab.evaluate(() => window.withCookie('POST', '/tasks', { title: 'By cookie' }))
    expect(await writes()).toBe(201)

    // Another port is another origin of the same site: the browser sends the cookie, and keeps the answer to itself.
    await open(foreignOrigin)
    for (const method of ['GET', 'POST']) {
      const refused = await tab.evaluate(
        (how) =>
          window
            .withCookie(how, '/tasks', how === 'GET' ? undefined : { title: 'Not by me' })
            .catch((error: Error) => error.message),
        method,
      )
      expect(refused).toContain('Failed to fetch')
    }

    await open(origin)
    expect(await tab.evaluate(() => window.call('GET', '/tasks'))).toHaveLength(2)
    expect((await tab.evaluate(() => window.auth.signOut())).error).toBeNull()
    expect(await writes()).toBe(401)
  },
  30_000,
)
