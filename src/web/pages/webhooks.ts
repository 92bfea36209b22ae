import { api } from './api.ts'
import { sayMoment } from './days.ts'
import { make, part } from './dom.ts'
import { tell } from './notices.ts'
import { ask, choices, fill, maker, row, showSecret, sure } from './rows.ts'

type Webhook = NonNullable<Awaited<ReturnType<typeof api.webhooks.get>>['data']>[number]
type Event = Webhook['events'][number]

const events: readonly (readonly [Event, string])[] = [
  ['task.created', 'a task is added'],
  ['task.updated', 'a task is changed'],
  ['task.completed', 'a task is completed'],
  ['task.reopened', 'a task is open again'],
  ['task.deleted', 'a task goes to the trash'],
  ['task.restored', 'a task comes back'],
  ['list.created', 'a list is added'],
  ['list.updated', 'a list is changed'],
  ['list.deleted', 'a list goes to the trash'],
  ['list.restored', 'a list comes back'],
  ['reminder.due', 'a reminder comes'],
]

export async function loadWebhooks(): Promise<void> {
  const webhooks = (await ask(api.webhooks.get())) ?? []
  fill(
    'webhooks',
    webhooks.map((webhook) =>
      row({
        key: `webhook ${webhook.id}`,
        name: webhook.url.replace(/^https:\/\//, ''),
        ...(webhook.active ? {} : { mark: 'off' }),
        about: [
          ...(webhook.failing_since === null
            ? []
            : [
                make(
                  'span',
                  { class: 'late' },
                  `failing since ${sayMoment(webhook.failing_since)}`,
                ),
              ]),
          webhook.events.length === events.length
            ? 'everything'
            : `when ${webhook.events.map(sayEvent).join(', ')}`,
          ...(webhook.filter === null ? [] : [webhook.filter]),
        ],
        buttons: [
          ...(webhook.active
            ? [{ name: 'Test', run: () => void tryOut(webhook) }]
            : [{ name: 'Turn on', run: () => void turnOn(webhook) }]),
          { name: 'Delete', isGrave: true, run: () => void remove(webhook) },
        ],
      }),
    ),
  )
}

const sayEvent = (event: string): string => events.find(([one]) => one === event)?.[1] ?? event

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Looks for half a minute for what became of it. */
async function tryOut({ id }: Webhook): Promise<void> {
  const sent = await ask(api.webhooks({ id }).test.post())
  if (sent === null) return
  tell('It is on its way.')
  for (let look = 0; look < 30; look += 1) {
    await wait(look < 5 ? 200 : 1000)
    const deliveries = await ask(api.webhooks({ id }).deliveries.get())
    const delivery = deliveries?.find((one) => one.id === sent.id)
    if (deliveries === null || delivery === undefined) return
    if (delivery.tries === 0) continue
    const said = delivery.code === null ? delivery.reason : `it answered ${delivery.code}`
    tell(delivery.status === 'delivered' ? `It has arrived: ${said}.` : `It failed: ${said}.`)
    return loadWebhooks()
  }
  tell('It is still on its way.')
}

async function turnOn({ id }: Webhook): Promise<void> {
  if ((await ask(api.webhooks({ id }).patch({ active: true }))) !== null) await loadWebhooks()
}

async function remove({ id, url }: Webhook): Promise<void> {
  const help = 'It is told of nothing any more.'
  if (!(await sure(`Delete the webhook to ${new URL(url).host}?`, help, 'Delete'))) return
  if ((await ask(api.webhooks({ id }).delete())) === null) return
  tell('The webhook is deleted.')
  await loadWebhooks()
}

part('webhook-choices', HTMLDivElement).replaceChildren(...choices('event', events, true))

maker('webhook', async ({ text, all, say }) => {
  const chosen = all('event') as Event[]
  if (chosen.length === 0) {
    say('Choose what it is told of.')
    return false
  }
  const made = await ask(
    api.webhooks.post({
      url: text('url'),
      events: chosen,
      filter: text('filter') || null,
    }),
    say,
  )
  if (made === null) return false
  await loadWebhooks()
  const help = 'The receiver verifies by it what it is sent. It is shown this once.'
  queueMicrotask(() => showSecret('The secret of the webhook', help, made.secret))
  return true
})
