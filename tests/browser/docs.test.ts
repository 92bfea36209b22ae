import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Browser, Page } from 'playwright-core'
import { hasChromium, launchChromium, violations } from '../support/chromium.ts'
import { type Server, startServer } from '../support/process.ts'

// The documentation as people read it, in Chromium. Skipped where there is none.

let server: Server
let browser: Browser

describe.skipIf(!hasChromium)('in Chromium', () => {
  beforeAll(async () => {
    server = await startServer()
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.end('SIGTERM')
  })

  /** A tab of its own, on a page. Whatever goes wrong there fails the test. */
  async function open(
    path: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext(options)
    const faults: string[] = []
    context.on('console', (line) => {
      if (line.type() === 'error') faults.push(line.text())
    })
    const page = await context.newPage()
    await page.goto(`${server.address}${path}`)
    return { page, faults }
  }

  const addresses = async (): Promise<string[]> => {
    const { page } = await open('/docs')
    const links = await page.locator('nav > ul > li > a').all()
    return Promise.all(links.map(async (link) => (await link.getAttribute('href')) ?? ''))
  }

  const isTooWide = (page: Page) =>
    page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')

  test('axe-core finds nothing in any page', async () => {
    for (const path of await addresses()) {
      const { page, faults } = await open(path)

      expect([path, await violations(page), faults, await isTooWide(page)]).toEqual([
        path,
        [],
        [],
        false,
      ])
      await page.context().close()
    }
  }, 120_000)

  // They look alike.
  test('nor in one that is dark, or narrow', async () => {
    for (const options of [
      { colorScheme: 'dark' },
      { colorScheme: 'dark', viewport: { width: 360, height: 700 } },
    ] as const) {
      const { page } = await open('/docs/deploying', options)

      expect([await violations(page), await isTooWide(page)]).toEqual([[], false])
    }
  })

  test('no page is wider than a narrow window', async () => {
    for (const path of await addresses()) {
      const { page } = await open(path, { viewport: { width: 320, height: 700 } })

      expect([path, await isTooWide(page)]).toEqual([path, false])
      await page.context().close()
    }
  })

  test('goes by the keyboard: to the text, to another page, to a section of it', async () => {
    const { page, faults } = await open('/docs')

    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('text')

    await page.getByRole('navigation').getByRole('link', { name: 'Configuration' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/docs/configuration')
    expect(await page.title()).toBe('Configuration · Docket')
    const section = page.getByRole('navigation').getByRole('link', { name: 'Commands' })
    await section.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/docs/configuration#commands')
    expect(faults).toEqual([])
  })

  test('leads from page to page by its links, to the section that they name', async () => {
    const { page } = await open('/docs/frontends')

    await page.getByRole('main').getByRole('link', { name: 'agents' }).first().click()
    await page.waitForURL('**/docs/agents#agents-sign-in-by-themselves')
    await page.getByRole('link', { name: 'Try the API' }).click()
    await page.waitForURL('**/swagger')
    const back = page.getByRole('link', { name: '/docs' }).first()
    expect(await back.getAttribute('href')).toBe('/docs')
  })
})
