import { afterEach, expect, test } from 'bun:test'
import { eventually, startReceiver } from '../deliveries/support.ts'
import { delivering, signUp, sql, type TestUser } from '../support/app.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

function receiver(...parameters: Parameters<typeof startReceiver>) {
  const made = startReceiver(...parameters)
  closing.push(made.stop)
  return made
}

/** Has a task remind at once. */
async function remind({ id }: TestUser, ...tasks: { id: string }[]): Promise<void> {
  for (const task of tasks) {
    await sql`
      insert into docket.alarms (user_id, task_id, reminder, fires_at)
      values (${id}, ${task.id}, '-PT30M', date_trunc('second', now()) - interval '1 second')`
  }
  delivering.remindIn(0)
}

const hook = (user: TestUser, url: string, more: object = {}) =>
  user.send('POST', '/api/webhooks', { url, events: ['reminder.due'], ...more })

test('a webhook is told of a reminder, with the task as it is, and with its own id again and again', async () => {
  const { url, received, ids } = receiver(
    (_, count) => new Response('', { status: count < 3 ? 503 : 200 }),
  )
  const alice = await signUp()
  const { body: made } = await hook(alice, url)
  const task = await alice.create({ title: 'Zürich "🌱"', due_date: '2100-12-01' })

  await remind(alice, task)
  await eventually(() => received.length === 3)

  const { type, timestamp, data } = JSON.parse(received[0]?.body ?? '')
  expect([type, data.reminder, data.task]).toEqual(['reminder.due', '-PT30M', task])
  expect(Date.now() - Date.parse(timestamp)).toBeLessThan(60_000)
  expect(data.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/)
  expect(new Set(ids()).size).toBe(1)
  const list = () => alice.send('GET', `/api/webhooks/${made.id}/deliveries`)
  await eventually(async () => (await list()).body[0]?.status === 'delivered')
  expect((await list()).body).toMatchObject([{ id: ids()[0], type: 'reminder.due', tries: 3 }])
})

test('two webhooks hear of one reminder by the id in its data, and others of none', async () => {
  const [first, second, deaf] = [receiver(), receiver(), receiver()]
  const [alice, bob] = [await signUp(), await signUp()]
  for (const { url } of [first, second]) await hook(alice, url)
  await hook(alice, deaf.url, { active: false })
  await hook(alice, deaf.url, { events: ['task.deleted'] })
  await hook(bob, deaf.url)

  await remind(alice, await alice.create())
  await eventually(() => first.received.length === 1 && second.received.length === 1)

  const [one, other] = [first, second].map(({ received }) => JSON.parse(received[0]?.body ?? ''))
  expect(one.data.id).toBe(other.data.id)
  expect(first.ids()).not.toEqual(second.ids())
  expect(deaf.received).toEqual([])
})

test('a filter says of which tasks', async () => {
  const [home, all, none] = [receiver(), receiver(), receiver()]
  const [alice, bob] = [await signUp(), await signUp()]
  await hook(alice, home.url, { filter: '#home' })
  await hook(alice, all.url)
  await hook(bob, none.url, { filter: '#home' })
  const tasks = [
    await alice.create({ title: 'At home', tags: ['home'] }),
    await alice.create({ title: 'At work', tags: ['work'] }),
  ]

  await remind(alice, ...tasks)
  await remind(bob, await bob.create({ tags: ['work'] }))
  await eventually(() => all.received.length === 2 && home.received.length === 1)
  await eventually(async () => {
    const left =
      await sql`select from docket.alarms where user_id in (${alice.id}, ${bob.id}) and fires_at < now()`
    return left.length === 0
  })

  expect(JSON.parse(home.received[0]?.body ?? '').data.task.title).toBe('At home')
  expect(none.received).toEqual([])
})
