import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import axe from 'axe-core'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { temporaryFolder } from '../support/database.ts'
import { pkce } from '../support/oauth.ts'
import { startServer } from '../support/process.ts'
import { startProvider } from '../support/provider.ts'

// The page that asks whether to let a program in, in Chromium. Skipped where there is none.

const ends: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

test.skipIf(!hasChromium)(
  'says who asks for what, and takes the answer by the keyboard, by day and by night, on a phone too',
  async () => {
    const provider = await startProvider()
    ends.push(() => provider.stop())
    const server = await startServer({
      env: {
        AUTH_OIDC_DISCOVERY_URL: provider.oidc.discoveryUrl,
        AUTH_OIDC_CLIENT_ID: provider.oidc.clientId,
        AUTH_OIDC_CLIENT_SECRET: provider.oidc.clientSecret,
      },
    })
    ends.push(() => server.end('SIGTERM'))
    const program = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => new Response('You can close this page.'),
    })
    ends.push(() => program.stop(true))
    const redirect = `http://127.0.0.1:${program.port}/callback`
    const registered = await fetch(`${server.address}/api/auth/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: '<img src=x onerror=alert(1)> Claude',
        redirect_uris: [redirect],
      }),
    })
    const { client_id } = (await registered.json()) as { client_id: string }
    const askFor = (scope: string): string =>
      `${server.address}/api/auth/oauth2/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id,
        redirect_uri: redirect,
        scope,
        state: 'state',
        code_challenge: pkce().challenge,
        code_challenge_method: 'S256',
      }).toString()}`

    const browser = await launchChromium()
    ends.push(() => browser.close())
    const context = await browser.newContext({ colorScheme: 'light' })
    const signedUp = await context.request.post(`${server.address}/api/auth/sign-up/email`, {
      headers: { origin: server.address },
      data: { name: 'Ann', email: 'ann@example.com', password: 'correct horse battery' },
    })
    expect(signedUp.status()).toBe(200)
    const tab = await context.newPage()
    const complaints: string[] = []
    tab.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    tab.on('pageerror', (error) => complaints.push(error.message))
    const folder = process.env['TEST_SCREENSHOTS'] ?? temporaryFolder()

    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1280]) {
        await tab.emulateMedia({ colorScheme })
        await tab.setViewportSize({ width, height: 800 })
        await tab.goto(askFor('tasks:read tasks:write'))
        await tab.getByRole('button', { name: 'Allow', exact: true }).waitFor()
        await tab.screenshot({ path: join(folder, `consent-${colorScheme}-${width}.png`) })
        const wide = await tab.evaluate('document.documentElement.scrollWidth')
        expect(wide).toBeLessThanOrEqual(width)
      }
    }
    await tab.evaluate(axe.source)
    const violations = await tab.evaluate(async () => {
      const found = await (globalThis as unknown as { axe: typeof axe }).axe.run()
      return found.violations.map(({ id }) => id)
    })
    expect(violations).toEqual([])
    const main = tab.getByRole('main')
    expect(await tab.getByRole('heading').innerText()).toBe(
      'Let <img src=x onerror=alert(1)> Claude in?',
    )
    expect(await main.locator('img').count()).toBe(0)
    const text = await main.innerText()
    expect(text).toContain('ann@example.com')
    expect(text).toContain(`this computer (127.0.0.1:${program.port})`)
    expect(await tab.getByRole('listitem').allInnerTexts()).toEqual([
      'see, add, change, complete and delete your tasks and lists',
      'stay until you shut it out',
    ])
    expect(await main.getAttribute('aria-busy')).toBe(null)

    // Nothing is chosen beforehand: who only presses Enter lets nobody in.
    await tab.keyboard.press('Enter')
    expect(new URL(tab.url()).pathname).toBe('/consent')
    await tab.keyboard.press('Tab')
    expect(await tab.evaluate('document.activeElement.id')).toBe('allow')
    await tab.keyboard.press('Tab')
    await tab.keyboard.press('Enter')
    await tab.waitForURL(`${redirect}?**`)
    expect(new URL(tab.url()).searchParams.get('error')).toBe('access_denied')

    await tab.goto(askFor('tasks:read'))
    await tab.getByRole('button', { name: 'Allow', exact: true }).press('Space')
    await tab.waitForURL(`${redirect}?**`)
    expect(new URL(tab.url()).searchParams.get('code')).toMatch(/^\w{32}$/)

    expect(complaints).toEqual([])
    // What somebody has changed, or what has become too old, is said.
    await tab.goto(askFor('tasks:read'))
    await tab.waitForURL('**/consent?**')
    await tab.goto(tab.url().replace('tasks%3Aread', 'tasks%3Awrite'))
    await tab.getByRole('button', { name: 'Allow', exact: true }).click()
    await tab.getByRole('alert').waitFor()
    expect(await tab.getByRole('alert').innerText()).toBe(
      'This page is too old, or its address was changed. Begin again in your program.',
    )

    // Somebody else goes to sign in, with all that is asked for.
    await tab.goto(askFor('tasks:read'))
    await tab.getByRole('button', { name: 'Use another account' }).click()
    await tab.waitForURL('**/sign-in?**')
    expect(new URL(tab.url()).searchParams.get('client_id')).toBe(client_id)
    await tab.getByText('whether to let a program in').waitFor()
    await tab.getByRole('button', { name: 'Create an account' }).click()
    await tab.getByLabel('E-mail').fill('kim@example.com')
    await tab.getByLabel('Password', { exact: true }).fill('correct horse battery')
    await tab.getByRole('button', { name: 'Create account' }).click()
    await tab.waitForURL('**/consent?**')
    await tab.getByText('kim@example.com').waitFor()

    // Who is signed in nowhere comes from the program to the sign-in, and from there to be asked.
    await context.clearCookies()
    await tab.goto(askFor('tasks:read'))
    await tab.getByLabel('E-mail').fill('ann@example.com')
    await tab.getByLabel('Password', { exact: true }).fill('correct horse battery')
    await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
    await tab.waitForURL('**/consent?**')
    await tab.getByText('ann@example.com').waitFor()
    await tab.getByRole('button', { name: 'Allow', exact: true }).click()
    await tab.waitForURL(`${redirect}?code=**`)

    // By a provider as well.
    provider.meet({ claims: { sub: 'eve', email: 'eve@example.com', email_verified: true } })
    await context.clearCookies()
    await tab.goto(askFor('tasks:read'))
    await tab.getByRole('button', { name: 'Continue with your organisation' }).click()
    await tab.waitForURL('**/consent?**')
    await tab.getByText('eve@example.com').waitFor()
  },
  60_000,
)
