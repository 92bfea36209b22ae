import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { hasChromium, launchChromium, violations } from '../support/chromium.ts'
import { pkce } from '../support/oauth.ts'
import { type Server, startServer } from '../support/process.ts'

// The page /account as people use it, in Chromium. Skipped where there is none.

let server: Server
let browser: Browser
const hooked: string[] = []
const receiver = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request) => {
    hooked.push(new URL(request.url).pathname)
    return new Response(null, { status: 204 })
  },
})

describe.skipIf(!hasChromium)('/account in Chromium', () => {
  beforeAll(async () => {
    server = await startServer({ env: { TRUST_PROXY: '1', WEBHOOKS_PRIVATE: 'on' } })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.end('SIGTERM')
    await receiver.stop(true)
  })

  let people = 0

  /** Somebody with an account, signed in in a browser of their own. Whatever goes wrong on its pages fails the test. */
  async function person(options: Parameters<Browser['newContext']>[0] = {}) {
    people += 1
    const context = await browser.newContext({
      ...options,
      extraHTTPHeaders: { 'x-forwarded-for': `192.0.2.${people}` },
    })
    // Less than a test has: so that it says what it waited for.
    context.setDefaultTimeout(15_000)
    const faults: string[] = []
    context.on('weberror', (fault) => void faults.push(fault.error().message))
    context.on('console', (line) => {
      const isOfNetwork = line.text().startsWith('Failed to load resource')
      if (line.type() === 'error' && !isOfNetwork) faults.push(line.text())
    })
    const email = `account${people}@example.com`
    const account = { name: 'Ann', email, password: 'correct horse battery' }
    await call(context, 'POST', '/api/auth/sign-up/email', account)
    return { context, faults, account }
  }

  /** Any: the test knows what it asked for. */
  async function call(
    context: BrowserContext,
    method: string,
    path: string,
    data?: unknown,
  ): Promise<any> {
    const answer = await context.request.fetch(`${server.address}${path}`, {
      method,
      data,
      headers: { origin: server.address, 'sec-fetch-site': 'same-origin' },
    })
    expect([path, answer.status(), answer.ok()]).toEqual([path, answer.status(), true])
    return answer.json()
  }

  async function open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${server.address}/account`)
    await page.getByText('this one').waitFor()
    return page
  }

  const as = (token: string) => async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${server.address}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as any }
  }

  /** A program that signs in by itself, and is let in on the page that asks. */
  async function letIn(context: BrowserContext, name: string): Promise<string> {
    const redirect = `http://127.0.0.1:${receiver.port}/callback`
    const auth = `${server.address}/api/auth/oauth2`
    const registered = await fetch(`${auth}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: name, redirect_uris: [redirect] }),
    })
    const { client_id } = (await registered.json()) as { client_id: string }
    const { verifier, challenge } = pkce()
    const asked = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: redirect,
      scope: 'tasks:read tasks:write',
      state: 'state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource: `${server.address}/mcp`,
    })
    const page = await context.newPage()
    await page.goto(`${auth}/authorize?${asked.toString()}`)
    const back = page.waitForRequest((request) => request.url().startsWith(redirect))
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    const code = new URL((await back).url()).searchParams.get('code') ?? ''
    await page.close()
    const answer = await fetch(`${auth}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        client_id,
        redirect_uri: redirect,
      }),
    })
    return ((await answer.json()) as { access_token: string }).access_token
  }

  const section = (page: Page, name: string) => page.getByRole('region', { name })
  const row = (page: Page, name: string, text: string) =>
    section(page, name).locator('.row').filter({ hasText: text })

  test('takes back 40 changes of an agent at once; what a person edited later stays, and is named', async () => {
    const { context, faults } = await person()
    const { token } = await call(context, 'POST', '/api/me/tokens', {
      name: 'Claude',
      scopes: ['tasks:write'],
    })
    const agent = as(token)
    const titles = Array.from({ length: 40 }, (_, nth) => `Task ${nth}`)
    const tasks: { id: string }[] = await call(context, 'POST', '/api/tasks/batch', {
      tasks: titles.map((title) => ({ title })),
    })
    for (const [nth, { id }] of tasks.entries()) {
      const { status } = await agent('PATCH', `/api/tasks/${id}`, { title: `By Claude ${nth}` })
      expect(status).toBe(200)
    }
    await call(context, 'PATCH', `/api/tasks/${tasks[7]?.id}`, { title: 'Mine' })

    const page = await open(context)
    const claude = row(page, 'Access tokens', 'Claude')
    await claude.getByText('40 changes').waitFor()
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST') asked.push(new URL(request.url()).pathname)
    })
    await claude.getByRole('button', { name: 'Undo everything since' }).click()
    await claude.getByText('Undone: 39 tasks are as before.').waitFor()
    await claude.getByText('the title of “Mine”').waitFor()

    const stored = async (): Promise<string[]> =>
      (await call(context, 'GET', '/api/tasks?limit=100')).map((one: any) => one.title).toSorted()
    expect(asked).toEqual(['/api/undo'])
    expect(await stored()).toEqual(titles.with(7, 'Mine').toSorted())

    // It can be taken back itself, and what was kept can go too.
    await page.getByRole('status').getByRole('button', { name: 'Redo' }).click()
    await page.getByText('It is as it was before the undo.').waitFor()
    expect(await stored()).toContain('By Claude 8')
    await claude.getByRole('button', { name: 'Undo everything since' }).click()
    await claude.getByRole('button', { name: 'Undo that too' }).click()
    await claude.getByText('the title of').waitFor({ state: 'detached' })
    expect(await stored()).toEqual(titles.toSorted())
    expect(faults).toEqual([])
    await context.close()
  })

  test('a token is made, shown once, given another secret, and deleted; what it did stays', async () => {
    const { context, faults } = await person()
    await call(context, 'POST', '/api/lists', { name: 'Garden' })
    const page = await open(context)
    const tokens = section(page, 'Access tokens')
    await tokens.getByText('There is none.').waitFor()
    await tokens.getByRole('button', { name: 'New token' }).click()
    const dialog = page.getByRole('dialog', { name: 'New token' })
    await dialog.getByLabel('Name').fill('A script')
    await dialog.getByLabel('read tasks and lists').uncheck()
    await dialog.getByRole('button', { name: 'Make it' }).click()
    await dialog.getByRole('alert').getByText('Choose what it may do.').waitFor()
    await dialog.getByLabel('change them').check()
    await dialog.getByLabel('Garden').check()
    await dialog.getByRole('button', { name: 'Make it' }).click()

    const shown = page.getByRole('dialog', { name: 'The token “A script”' })
    const token = await shown.getByRole('textbox').inputValue()
    await shown.getByRole('button', { name: 'Copy' }).click()
    await shown.getByText(/Copied\.|It is selected/).waitFor()
    await shown.getByRole('button', { name: 'Done' }).click()
    const script = row(page, 'Access tokens', 'A script')
    await script.getByText('in Garden').waitFor()
    const [list] = (await as(token)('GET', '/api/lists')).body
    expect((await as(token)('POST', '/api/tasks', { title: 'A', list_id: list.id })).status).toBe(
      201,
    )
    expect(await page.content()).not.toContain(token)

    await script.getByRole('button', { name: 'New secret' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click()
    const next = await shown.getByRole('textbox').inputValue()
    await page.keyboard.press('Escape')
    expect((await as(token)('GET', '/api/tasks')).status).toBe(401)
    expect((await as(next)('GET', '/api/tasks')).status).toBe(200)

    await script.getByRole('button', { name: 'Delete' }).click()
    const sure = page.getByRole('dialog', { name: 'Delete “A script”?' })
    await sure.getByRole('button', { name: 'Cancel' }).click()
    expect((await as(next)('GET', '/api/tasks')).status).toBe(200)
    await script.getByRole('button', { name: 'Delete' }).click()
    await sure.getByRole('button', { name: 'Delete' }).click()
    await tokens.getByText('There is none.').waitFor()
    expect((await as(next)('GET', '/api/tasks')).status).toBe(401)
    const gone = row(page, 'Not there any more', 'A script')
    await gone.getByRole('button', { name: 'Undo everything since' }).click()
    await gone.getByText('Undone: 1 task is as before.').waitFor()
    expect(await call(context, 'GET', '/api/tasks')).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  test('shows a program that was let in, takes back what it did, and takes it away', async () => {
    const { context, faults } = await person()
    const access = await letIn(context, 'Assistant')
    const added = await as(access)('POST', '/mcp', {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'add_task', arguments: { title: 'By the assistant' } },
    })
    expect(added.status).toBe(200)

    const page = await open(context)
    const assistant = row(page, 'Programs', 'Assistant')
    await assistant.getByText('127.0.0.1').waitFor()
    await assistant.getByText('changes tasks').waitFor()
    await assistant.getByText('1 change').waitFor()
    await assistant.getByRole('button', { name: 'Undo everything since' }).click()
    await assistant.getByText('Undone: 1 task is as before.').waitFor()
    expect(await call(context, 'GET', '/api/tasks')).toEqual([])

    await assistant.getByRole('button', { name: 'Take away' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click()
    await section(page, 'Programs').getByText('There is none.').waitFor()
    await row(page, 'Not there any more', 'Assistant').getByText('a program').waitFor()
    expect(await call(context, 'GET', '/api/me/programs')).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })

  test('ends another session, and signs out of this one', async () => {
    const { context, faults, account } = await person()
    const other = await browser.newContext({
      userAgent: 'Mozilla/5.0 (iPhone; like Mac OS X) Version/19.0 Safari/604.1',
    })
    await call(other, 'POST', '/api/auth/sign-in/email', account)
    const page = await open(context)
    const phone = row(page, 'Sessions', 'Safari on an iPhone')
    await phone.getByRole('button', { name: 'End' }).click()
    await phone.waitFor({ state: 'detached' })
    expect((await other.request.get(`${server.address}/api/tasks`)).status()).toBe(401)

    await page.getByRole('link', { name: 'Tasks' }).click()
    await page.waitForURL(`${server.address}/`)
    await page.getByRole('link', { name: 'Account' }).click()
    await page.waitForURL(`${server.address}/account`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${server.address}/sign-in`)
    await page.goto(`${server.address}/account`)
    await page.waitForURL(`${server.address}/sign-in`)
    expect(faults).toEqual([])
    await other.close()
    await context.close()
  })

  test('makes, tries and deletes webhooks and calendars', async () => {
    const { context, faults } = await person()
    const page = await open(context)
    await section(page, 'Webhooks').getByRole('button', { name: 'New webhook' }).click()
    const dialog = page.getByRole('dialog', { name: 'New webhook' })
    await dialog.getByLabel('Address').fill('ftp://example.com')
    await dialog.getByRole('button', { name: 'Make it' }).click()
    await dialog.getByRole('alert').getByText('url').waitFor()
    await dialog.getByLabel('Address').fill(`http://127.0.0.1:${receiver.port}/hook`)
    await dialog.getByLabel('a task is added').uncheck()
    await dialog.getByRole('button', { name: 'Make it' }).click()
    const secret = page.getByRole('dialog', { name: 'The secret of the webhook' })
    expect(await secret.getByRole('textbox').inputValue()).toStartWith('whsec_')
    await secret.getByRole('button', { name: 'Done' }).click()
    const hook = row(page, 'Webhooks', '/hook')
    await hook.getByRole('button', { name: 'Test' }).click()
    await page.getByText('It has arrived: it answered 204.').waitFor()
    expect(hooked.filter((path) => path === '/hook')).toHaveLength(1)
    await hook.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await section(page, 'Webhooks').getByText('There is none.').waitFor()

    await section(page, 'Calendars').getByRole('button', { name: 'New calendar' }).click()
    const asked = page.getByRole('dialog', { name: 'New calendar' })
    await asked.getByLabel('Name').fill('Home')
    await asked.getByRole('button', { name: 'Make it' }).click()
    const shown = page.getByRole('dialog', { name: 'The address of “Home”' })
    const address = await shown.getByRole('textbox').inputValue()
    await shown.getByRole('button', { name: 'Done' }).click()
    expect(await (await fetch(address)).text()).toStartWith('BEGIN:VCALENDAR')
    await row(page, 'Calendars', 'Home').getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await section(page, 'Calendars').getByText('There is none.').waitFor()
    expect((await fetch(address)).status).toBe(404)
    expect(faults).toEqual([])
    await context.close()
  })

  test('keeps the time zone that is chosen, and says so where the browser has another', async () => {
    const { context, faults } = await person({ timezoneId: 'America/New_York' })
    const page = await open(context)
    await page.getByRole('combobox', { name: 'Time zone' }).selectOption('Europe/Berlin')
    await page.getByText('Docket goes by the time of Europe/Berlin now.').waitFor()
    await page.goto(`${server.address}/`)
    await page.getByText('Nothing to do here').waitFor()
    expect((await call(context, 'GET', '/api/me')).time_zone).toBe('Europe/Berlin')

    // In a browser that has not heard of it.
    await page.evaluate('localStorage.clear()')
    await page.reload()
    await page.getByText('Docket goes by the time of Europe/Berlin, and this').waitFor()
    await page.getByRole('status').getByRole('button', { name: 'Change' }).click()
    await page.goto(`${server.address}/account`)
    const chosen = page.locator('#zones option:checked')
    await chosen.filter({ hasText: 'America/New York' }).waitFor({ state: 'attached' })
    expect(faults).toEqual([])
    await context.close()
  })

  test('exports all that there is, and deletes it', async () => {
    const { context, faults } = await person()
    await call(context, 'POST', '/api/tasks', { title: 'To be taken along' })
    const { id } = await call(context, 'GET', '/api/me')
    const page = await open(context)
    const coming = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Export all of it' }).click()
    const download = await coming
    expect(download.suggestedFilename()).toMatch(/^docket-[\d-]+\.jsonl$/)
    expect(await Bun.file(await download.path()).text()).toContain('To be taken along')

    const last = page.getByRole('button', { name: 'Delete everything' })
    await page.getByLabel('Your id').fill('somebody else')
    expect(await last.isDisabled()).toBe(true)
    await page.getByLabel('Your id').fill(id)
    await last.click()
    await page.waitForURL(`${server.address}/sign-in`)
    expect((await context.request.get(`${server.address}/api/tasks`)).status()).toBe(401)
    expect(faults).toEqual([])
    await context.close()
  })

  test('by the keyboard alone, with the focus where it was', async () => {
    const { context, faults } = await person()
    const { token } = await call(context, 'POST', '/api/me/tokens', {
      name: 'Claude',
      scopes: ['tasks:write'],
    })
    await as(token)('POST', '/api/tasks', { title: 'By Claude' })
    const page = await open(context)
    const claude = row(page, 'Access tokens', 'Claude')
    await claude.locator('summary').focus()
    await page.keyboard.press('Enter')
    await claude.getByText('“By Claude”').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await claude.getByText('Undone: 1 task is as before.').waitFor()
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    expect(await focused()).toContain('Undo everything since')
    // What is open stays open.
    await claude.getByText('“By Claude”').waitFor()

    await claude.getByRole('button', { name: 'Delete' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).focus()
    await page.keyboard.press('Enter')
    await section(page, 'Access tokens').getByText('There is none.').waitFor()
    await page.locator('#tokens-title:focus').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('is readable by everybody, %d wide and %s', async (width, colorScheme) => {
    const { context, faults } = await person({
      viewport: { width, height: 844 },
      colorScheme,
      reducedMotion: 'reduce',
    })
    for (const name of ['Garden', 'Work']) await call(context, 'POST', '/api/lists', { name })
    const { token } = await call(context, 'POST', '/api/me/tokens', {
      name: 'Claude on my laptop',
      scopes: ['tasks:write', 'account'],
    })
    const { body: task } = await as(token)('POST', '/api/tasks', { title: 'x'.repeat(300) })
    await as(token)('PATCH', `/api/tasks/${task.id}`, { priority: 'high' })
    await call(context, 'PATCH', `/api/tasks/${task.id}`, { priority: 'low' })
    await call(context, 'POST', '/api/webhooks', {
      url: `https://hooks.example.com/${'long'.repeat(60)}`,
      active: false,
    })
    await call(context, 'POST', '/api/feeds', { name: 'Home' })
    const page = await open(context)
    const claude = row(page, 'Access tokens', 'Claude')
    await claude.locator('summary').click()
    expect(await violations(page)).toEqual([])
    await claude.getByRole('button', { name: 'Undo everything since' }).click()
    await claude.getByText('the priority of').waitFor()
    expect(await violations(page)).toEqual([])
    // Nothing is beside the screen.
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
    expect(wide).toBeLessThanOrEqual(width)

    for (const name of ['New token', 'New webhook', 'New calendar']) {
      await page.getByRole('button', { name, exact: true }).click()
      await page.getByRole('dialog', { name }).waitFor()
      expect(await violations(page)).toEqual([])
      if (name === 'New calendar') break
      await page.keyboard.press('Escape')
    }
    await page.getByRole('dialog').getByLabel('Name').fill('Garden')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByRole('dialog', { name: 'The address of “Garden”' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Done' }).click()
    await claude.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('dialog', { name: 'Delete “Claude on my laptop”?' }).waitFor()
    expect(await violations(page)).toEqual([])
    expect(faults).toEqual([])
    await context.close()
  })
})
