import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { OAuth2Server } from 'oauth2-mock-server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { hasChromium, launchChromium, violations } from '../support/chromium.ts'
import { temporaryFolder } from '../support/database.ts'
import { type Server, startServer } from '../support/process.ts'

// The pages as people use them, in Chromium. Skipped where there is none.

let server: Server
let browser: Browser
const mails: { kind: string; to: string; url: string }[] = []
const post = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: async (request) => {
    mails.push((await request.json()) as (typeof mails)[number])
    return new Response(null, { status: 204 })
  },
})

const provider = new OAuth2Server()
/** Of whoever signs in there. */
let claims: object = {}

async function startProvider(): Promise<string> {
  await provider.issuer.keys.generate('RS256')
  await provider.start(0, 'localhost')
  provider.service.on('beforeTokenSigning', ({ payload }) => Object.assign(payload, claims))
  return provider.issuer.url ?? ''
}

/** What a proxy does that has Docket at /todo. */
function startProxy(): {
  address: string
  to: (address: string) => void
  end: () => Promise<void>
} {
  let target = ''
  const proxy = Bun.serve({
    port: 0,
    hostname: 'localhost',
    idleTimeout: 0,
    fetch: (request) => {
      const { pathname, search } = new URL(request.url)
      if (!pathname.startsWith('/todo/')) return new Response('Not here', { status: 404 })
      return fetch(`${target}${pathname.slice('/todo'.length)}${search}`, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        redirect: 'manual',
        signal: request.signal,
        decompress: false,
      })
    },
  })
  return {
    address: `http://localhost:${proxy.port}/todo`,
    to: (address) => {
      target = address
    },
    end: () => proxy.stop(true),
  }
}

describe.skipIf(!hasChromium)('in Chromium', () => {
  beforeAll(async () => {
    server = await startServer({
      env: {
        AUTH_MAIL_WEBHOOK: `http://127.0.0.1:${post.port}`,
        TRUST_PROXY: '1',
        AUTH_OIDC_DISCOVERY_URL: `${await startProvider()}/.well-known/openid-configuration`,
        AUTH_OIDC_CLIENT_ID: 'docket',
        AUTH_OIDC_CLIENT_SECRET: 'a secret of the client',
      },
    })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.end('SIGTERM')
    await provider.stop()
    await post.stop(true)
  })

  const password = 'correct horse battery'
  let people = 0

  /** A browser of its own, with an address that nobody else's attempts count for. Whatever goes wrong on its pages fails the test. */
  async function open(options: Parameters<Browser['newContext']>[0] = {}) {
    people += 1
    // It is ended with a test that takes too long: that one fails, and no other.
    if (!browser.isConnected()) browser = await launchChromium()
    const context = await browser.newContext({
      ...options,
      extraHTTPHeaders: { 'x-forwarded-for': `192.0.2.${people}` },
    })
    const faults: string[] = []
    context.on('weberror', (fault) => void faults.push(fault.error().message))
    context.on('console', (line) => {
      const isOfNetwork = /Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(line.text())
      if (line.type() === 'error' && !isOfNetwork) faults.push(line.text())
    })
    return { context, faults, email: `person${people}@example.com` }
  }

  async function signUp(
    context: BrowserContext,
    email: string,
    at = server.address,
  ): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${at}/`)
    await page.waitForURL(`${at}/sign-in`)
    await page.getByRole('button', { name: 'Create an account' }).click()
    await page.getByLabel('Name').fill('Ann')
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.waitForURL(`${at}/`)
    await page.getByText('Nothing to do here').waitFor()
    return page
  }

  const add = async (page: Page, line: string): Promise<void> => {
    await page.getByLabel('New task').fill(line)
    await page.keyboard.press('Enter')
  }
  const row = (page: Page, title: string) => page.getByRole('listitem').filter({ hasText: title })
  const check = (page: Page, title: string) => row(page, title).getByRole('checkbox')

  /** Nothing waits to be sent. */
  const saved = (page: Page) =>
    page.waitForFunction(() =>
      Object.keys(localStorage).every((name) => !name.startsWith('docket:')),
    )

  /** What the server has, to whoever holds the cookies of this browser. */
  async function stored(
    context: BrowserContext,
    at = server.address,
  ): Promise<{ title: string; completed: boolean; [name: string]: unknown }[]> {
    const answer = await context.request.get(`${at}/api/tasks`)
    return (await answer.json()) as { title: string; completed: boolean }[]
  }

  async function untilStored(context: BrowserContext, title: string): Promise<void> {
    while (!(await stored(context)).some((task) => task.title === title)) await Bun.sleep(20)
  }

  test('adds with one line, completes, takes it back, and is the same after a reload', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await add(page, 'Buy milk tomorrow at 5pm #home !high every week')
    await row(page, 'Buy milk').getByText('every week').waitFor()
    await page.getByRole('heading', { name: 'Tomorrow' }).waitFor()

    await page.reload()
    await row(page, 'Buy milk').getByText('#home').waitFor()
    await check(page, 'Buy milk').click()
    // The next one is due a week after it.
    await page.getByRole('heading', { name: 'Later' }).waitFor()
    await page.getByRole('status').getByRole('button', { name: 'Undo' }).click()
    await page.getByText('Undone.').waitFor()
    await page.getByRole('heading', { name: 'Tomorrow' }).waitFor()

    await saved(page)
    const [only, ...others] = await stored(context)
    expect(others).toEqual([])
    expect(only).toMatchObject({
      title: 'Buy milk',
      completed: false,
      tags: ['home'],
      priority: 'high',
      due_time: '17:00:00',
    })
    expect(faults).toEqual([])
    await context.close()
  })

  test('edits, searches, and has lists', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await page.getByLabel('Name of a new list').fill('Garden')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Garden' }).waitFor()
    await add(page, 'Water the plants')
    await row(page, 'Water the plants').getByRole('button').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Title').fill('Water the ferns')
    await dialog.getByLabel('Notes').fill('Only a little')
    await dialog.getByLabel('Repeats').selectOption('Every month')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row(page, 'Water the ferns').getByText('every month').waitFor()

    await page.getByRole('link', { name: 'Inbox' }).click()
    await page.getByText('Nothing to do here').waitFor()
    await page.getByLabel('Search').fill('LITTLE')
    await row(page, 'Water the ferns').waitFor()
    await page.getByLabel('Search').fill('elsewhere')
    await page.getByText('Nothing was found.').waitFor()

    await page.getByRole('link', { name: 'Garden' }).click()
    await page.getByRole('button', { name: 'Edit list' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Nothing to do here').waitFor()
    await page.getByRole('status').getByRole('button', { name: 'Undo' }).click()
    await row(page, 'Water the ferns').waitFor()
    await saved(page)
    expect(await stored(context)).toMatchObject([{ title: 'Water the ferns' }])
    expect(faults).toEqual([])
    await context.close()
  })

  test('by the keyboard alone', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await page.keyboard.press('n')
    await page.keyboard.type('First')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Second')
    await page.keyboard.press('Enter')
    await row(page, 'Second').waitFor()

    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.getByText('Completed “Second”.').waitFor()
    await row(page, 'Second').waitFor({ state: 'detached' })
    // The focus is on what is in its place.
    await page.keyboard.press('e')
    expect(await page.getByRole('dialog').getByLabel('Title').inputValue()).toBe('First')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('z')
    await row(page, 'Second').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('first')
    await row(page, 'Second').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await row(page, 'Second').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('a task that has changed while it was open has the focus afterwards', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await add(page, 'Buy milk')
    await saved(page)
    const [task] = await stored(context)
    await row(page, 'Buy milk').getByRole('button').click()
    await context.request.patch(`${server.address}/api/tasks/${String(task?.['id'])}`, {
      headers: { origin: server.address },
      data: { title: 'Buy oat milk' },
    })
    await page.locator('#groups').getByText('Buy oat milk').waitFor()

    await page.keyboard.press('Escape')

    await page.locator('#groups [data-id] .open:focus').waitFor()
    await page.keyboard.press('x')
    await page.getByText('Completed “Buy oat milk”.').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('two windows show the same, two browsers too', async () => {
    const { context, email, faults } = await open()
    const one = await signUp(context, email)
    const beside = await context.newPage()
    const apart = await browser.newContext({ storageState: await context.storageState() })
    const others = [beside, await apart.newPage()]
    for (const other of others) {
      await other.goto(server.address)
      await other.getByText('Nothing to do here').waitFor()
    }

    await add(one, 'Seen in all')
    for (const other of others) await row(other, 'Seen in all').waitFor()
    await check(others[1] ?? one, 'Seen in all').click()
    for (const other of [one, beside]) {
      await row(other, 'Seen in all').waitFor({ state: 'detached' })
    }
    expect(faults).toEqual([])
    await apart.close()
    await context.close()
  })

  test('loses nothing while the connection is gone, nor with a window that is closed meanwhile', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await add(page, 'Before')
    await saved(page)

    await context.setOffline(true)
    await add(page, 'First of the tunnel')
    await add(page, 'Second of the tunnel')
    await check(page, 'Before').click()
    await page.getByText('Not connected. 3 changes are kept here').waitFor()
    await row(page, 'Second of the tunnel').waitFor()
    expect((await stored(context)).map(({ title }) => title)).toEqual(['Before'])

    await context.setOffline(false)
    await page.getByText('Not connected').waitFor({ state: 'hidden' })
    await saved(page)
    const titles = async (): Promise<string[]> =>
      (await stored(context))
        .map(({ title, completed }) => `${title}${completed ? ', done' : ''}`)
        .toSorted()
    const before = ['Before, done', 'First of the tunnel', 'Second of the tunnel']
    expect(await titles()).toEqual(before)

    await context.setOffline(true)
    await add(page, 'Written, and closed')
    await row(page, 'Written, and closed').waitFor()
    await page.close()
    await context.setOffline(false)
    const next = await context.newPage()
    await next.goto(server.address)
    await row(next, 'Written, and closed').waitFor()
    await saved(next)
    expect(await titles()).toEqual([...before, 'Written, and closed'])
    expect(faults).toEqual([])
    await context.close()
  })

  test('signs in again, and says in words what is wrong', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${server.address}/sign-in`)
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill('not the one')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page
      .getByRole('alert')
      .getByText('The e-mail address or the password is wrong.')
      .waitFor()

    await page.getByRole('button', { name: 'Forgot your password?' }).click()
    await page.getByLabel('E-mail').fill(email)
    await page.getByRole('button', { name: 'Send a link' }).click()
    await page.getByText('a link is on its way').waitFor()
    const link = await untilMailed(email, 'reset_password')
    await page.goto(link)
    await page.getByLabel('Password').fill('a new one altogether')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Your new password is saved').waitFor()
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill('a new one altogether')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${server.address}/`)

    // One that was used is none any more.
    await page.goto(link)
    await page.getByRole('alert').getByText('used or is too old').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('verifies an address, where its account is signed in', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    const link = await untilMailed(email, 'verify_email')
    const elsewhere = await open()
    const other = await elsewhere.context.newPage()
    await other.goto(link)
    await other.getByRole('alert').getByText('Sign in once more').waitFor()
    await page.goto(link)
    await page.getByText('Your address is verified').waitFor()
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.waitForURL(`${server.address}/`)

    const session = await (
      await context.request.get(`${server.address}/api/auth/get-session`)
    ).json()
    expect(session).toMatchObject({ user: { email, emailVerified: true } })
    expect([...faults, ...elsewhere.faults]).toEqual([])
    await elsewhere.context.close()
    await context.close()
  })

  test('a server that is killed loses nothing of what is written meanwhile, and makes nothing twice', async () => {
    const cwd = temporaryFolder()
    const first = await startServer({ cwd })
    const { context, email, faults } = await open()
    const page = await signUp(context, email, first.address)
    await add(page, 'Before')
    await saved(page)
    await first.end('SIGKILL')
    await add(page, 'While it was away')
    await check(page, 'Before').click()
    await page.getByText('2 changes are kept here').waitFor()

    const again = await startServer({ cwd, env: { PORT: new URL(first.address).port } })
    await saved(page)
    await page.getByText('Not connected').waitFor({ state: 'hidden' })
    await page.getByRole('link', { name: 'Completed' }).click()
    await row(page, 'Before').waitFor()
    const titles = (await stored(context, again.address)).map(({ title }) => title)
    expect(titles.toSorted()).toEqual(['Before', 'While it was away'])
    expect(faults).toEqual([])
    await context.close()
    await again.end('SIGTERM')
  })

  test('whose session has ended goes to sign in', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    const [session] = (await (
      await context.request.get(`${server.address}/api/me/sessions`)
    ).json()) as { id: string }[]
    await context.request.delete(`${server.address}/api/me/sessions/${session?.id}`, {
      headers: { origin: server.address, 'sec-fetch-site': 'same-origin' },
    })

    await page.waitForURL(`${server.address}/sign-in`)
    expect(faults).toEqual([])
    await context.close()
  })

  test('signs in with a provider, and says what went wrong there', async () => {
    const { context, email, faults } = await open()
    const page = await context.newPage()
    const go = page.getByRole('button', { name: 'Continue with your organisation' })
    claims = { sub: email, name: 'Ann' }
    // By whatever name of this machine.
    await page.goto(`${server.address.replace('localhost', '127.0.0.1')}/sign-in`)
    await page.waitForURL(`${server.address}/sign-in`)
    await go.click()
    await page.getByRole('alert').waitFor()
    expect(new URL(page.url()).pathname).toBe('/sign-in')

    claims = { sub: email, name: 'Ann', email, email_verified: true }
    await go.click()
    await page.waitForURL(`${server.address}/`)
    await page.getByText(email).waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('works behind a proxy that cuts off a part of the path', async () => {
    const proxy = startProxy()
    const behind = await startServer({ env: { AUTH_URL: proxy.address } })
    proxy.to(behind.address)
    const { context, email, faults } = await open()
    const page = await signUp(context, email, proxy.address)
    await add(page, 'Behind a proxy')
    await row(page, 'Behind a proxy').waitFor()
    await saved(page)
    const again = await context.newPage()
    await again.goto(`${proxy.address}/`)
    await check(again, 'Behind a proxy').click()
    await row(page, 'Behind a proxy').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${proxy.address}/sign-in`)
    expect(faults).toEqual([])
    await context.close()
    await proxy.end()
    await behind.end('SIGTERM')
  })

  test.each([
    [
      'refuses',
      'window, "localStorage", { get() { throw new DOMException("", "SecurityError") } }',
    ],
    ['has no place', 'window, "localStorage", { get: () => null }'],
    ['has no room', 'Storage.prototype, "setItem", { value() { throw new DOMException() } }'],
  ])('works where the browser %s to keep anything', async (_name, how) => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    // So that there is something to note.
    await context.request.patch(`${server.address}/api/me`, {
      headers: { origin: server.address },
      data: { time_zone: 'Asia/Tokyo' },
    })
    await context.addInitScript(`Object.defineProperty(${how})`)
    await page.reload()

    await add(page, 'Buy milk')

    await row(page, 'Buy milk').waitFor()
    await untilStored(context, 'Buy milk')
    await page.reload()
    await row(page, 'Buy milk').waitFor()

    // What the server does not have yet is only in this window: it is not left without a question.
    await context.route('**/api/tasks', (route) => route.abort())
    await add(page, 'Buy bread')
    await row(page, 'Buy bread').waitFor()
    const asked = page.waitForEvent('dialog')
    const left = page.goto('about:blank')
    const dialog = await asked
    expect(dialog.type()).toBe('beforeunload')
    await dialog.accept()
    await left
    expect(faults).toEqual([])
    await context.close()
  })

  test.each([
    '{',
    'null',
    '[]',
    '{"key":"a"}',
    '{"key":"a","write":{"kind":"of a later version","id":"b"}}',
    '{"key":"a","write":{"kind":"constructor"}}',
    '{"key":"a","write":{"kind":"undo","of":"b"}}',
  ])('leaves alone what it does not know in its storage: %s', async (kept) => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    const me = (await (await context.request.get(`${server.address}/api/me`)).json()) as {
      id: string
    }
    const name = `docket:${me.id}:000001795804435.001`
    await page.evaluate(([key = '', text = '']) => localStorage.setItem(key, text), [name, kept])
    await page.reload()

    await add(page, 'Buy milk')

    await row(page, 'Buy milk').waitFor()
    await page.waitForFunction(() => Object.keys(localStorage).length === 1)
    expect((await stored(context)).map(({ title }) => title)).toEqual(['Buy milk'])
    expect(faults).toEqual([])
    await context.close()
  })

  test('keeps the order of what was made before the clock was put back', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    await page.context().setOffline(true)
    await add(page, 'Buy milk')
    await row(page, 'Buy milk').waitFor()
    const first = await page.evaluate<string[]>('Object.keys(localStorage)')
    // As a page has it that begins then.
    await context.addInitScript('const now = Date.now; Date.now = () => now() - 31_536_000_000')
    await context.setOffline(false)
    await page.route('**/api/tasks', (route) => route.abort())
    await page.reload()
    await row(page, 'Buy milk').waitFor()

    await check(page, 'Buy milk').click()

    await page.waitForFunction(() => Object.keys(localStorage).length === 2)
    const names = await page.evaluate<string[]>('Object.keys(localStorage).sort()')
    expect(names[0]).toBe(first[0] ?? '')
    await page.unroute('**/api/tasks')
    await page.reload()
    await saved(page)
    expect(await stored(context)).toMatchObject([{ title: 'Buy milk', completed: true }])
    expect(faults).toEqual([])
    await context.close()
  })

  test('changes only what was touched of a task', async () => {
    const { context, email, faults } = await open()
    const page = await signUp(context, email)
    const odd = { tags: ['home, garden', '#1'], description: 'one\r\ntwo' }
    await context.request.post(`${server.address}/api/tasks`, {
      headers: { origin: server.address },
      data: { title: 'Water the plants', ...odd },
    })
    await row(page, 'Water the plants').getByRole('button').click()
    await page.getByLabel('Priority').selectOption('high')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    await saved(page)

    expect(await stored(context)).toMatchObject([{ priority: 'high', ...odd }])
    expect(faults).toEqual([])
    await context.close()
  })

  test('says no word of JavaScript for an error that has none', async () => {
    const { context, faults } = await open()
    const page = await context.newPage()
    for (const error of ['constructor', '__proto__', '<b>x</b>']) {
      await page.goto(`${server.address}/sign-in?error=${encodeURIComponent(error)}`)
      await page.getByRole('alert').waitFor()
      expect(await page.getByRole('alert').innerText()).toBe('That did not work. Try again.')
    }
    expect(faults).toEqual([])
    await context.close()
  })

  async function untilMailed(to: string, kind: string): Promise<string> {
    for (;;) {
      const mail = mails.find((one) => one.to === to && one.kind === kind)
      if (mail !== undefined) return mail.url
      await Bun.sleep(20)
    }
  }

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('is readable by everybody, %d wide and %s', async (width, colorScheme) => {
    const { context, email, faults } = await open({ viewport: { width, height: 844 }, colorScheme })
    const page = await context.newPage()
    await page.goto(`${server.address}/sign-in?error=INVALID_TOKEN`)
    await page.getByRole('alert').waitFor()
    expect(await violations(page)).toEqual([])
    await page.close()

    const home = await signUp(context, email)
    await home.getByLabel('Name of a new list').fill('Garden')
    await home.keyboard.press('Enter')
    await add(home, 'Water the plants every monday at 8am #garden !high')
    await home.getByRole('link', { name: 'Everything' }).click()
    await add(home, 'Send the invoice 2026-11-20 !medium')
    await add(home, 'Read')
    await row(home, 'Read').waitFor()
    await home.getByLabel('New task').fill('Call Ann tomorrow #home')
    expect(await violations(home)).toEqual([])
    // Nothing is beside the screen.
    expect(await home.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      width,
    )

    await row(home, 'Read').getByRole('button').click()
    expect(await violations(home)).toEqual([])
    await home.keyboard.press('Escape')
    await home.keyboard.press('?')
    await home.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    expect(await violations(home)).toEqual([])
    await home.keyboard.press('Escape')
    await context.setOffline(true)
    await home.getByText('Not connected').waitFor()
    expect(await violations(home)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })
})
