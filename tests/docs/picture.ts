// Makes docs/tasks-light.png and docs/tasks-dark.png anew: the task page as somebody has it. `bun tests/docs/picture.ts`
import { launchChromium } from '../support/chromium.ts'
import { startServer } from '../support/process.ts'

const server = await startServer()
const browser = await launchChromium()
const context = await browser.newContext({
  viewport: { width: 1080, height: 640 },
  deviceScaleFactor: 1.5,
})
const page = await context.newPage()
await page.goto(`${server.address}/sign-in`)
await page.getByRole('button', { name: 'Create an account' }).click()
await page.getByLabel('Name').fill('Ann')
await page.getByLabel('E-mail').fill('ann@example.com')
await page.getByLabel('Password').fill('correct horse battery')
await page.getByRole('button', { name: 'Create account' }).click()
await page.getByText('Nothing to do here').waitFor()

const call = (path: string, body: object) =>
  page.evaluate(
    async ([address, text]) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(address, { method: 'POST', headers, body: text })
      if (!response.ok) throw new Error(await response.text())
    },
    [`/api${path}`, JSON.stringify(body)] as const,
  )
const day = (days: number) => Temporal.Now.plainDateISO().add({ days }).toString()
const home = crypto.randomUUID()
const garden = crypto.randomUUID()
await call('/lists', { id: home, name: 'Home' })
await call('/lists', { id: garden, name: 'Garden' })
await call('/tasks/batch', {
  tasks: [
    { title: 'Call the plumber', priority: 'high', due_date: day(-1), list_id: home },
    {
      title: 'Water the plants',
      due_date: day(0),
      due_time: '18:30',
      tags: ['balcony'],
      recurrence: 'daily',
      list_id: garden,
    },
    { title: 'Book the train to Lyon', priority: 'medium', due_date: day(0), tags: ['travel'] },
    { title: 'Take out the bins', due_date: day(1), recurrence: 'weekly', list_id: home },
    { title: 'Sow the tomatoes', due_date: day(5), tags: ['balcony'], list_id: garden },
    { title: 'Read the chapter on indexes' },
  ],
})
await page.reload()
await page.getByText('Read the chapter on indexes').waitFor()

for (const colorScheme of ['light', 'dark'] as const) {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  await page.screenshot({ path: `docs/tasks-${colorScheme}.png` })
}
await browser.close()
await server.end('SIGTERM')
