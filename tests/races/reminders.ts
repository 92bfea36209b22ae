import { expect, setDefaultTimeout, test } from 'bun:test'
import { startReceiver } from '../deliveries/support.ts'
import { callerOf, report, setting, startUnlimited } from '../harden/support.ts'
import { emptyDatabase, serverEnvironment } from '../support/database.ts'
import type { Server } from '../support/process.ts'

// Several servers on one database, of which some die by kill -9 while reminders come: whether each is told, and none under two ids.
// `bun run races`; not part of `bun test`.

setDefaultTimeout(240_000)

const count = setting('RACE_REMINDERS', 3000)

type Told = { data: { id: string; task: { id: string }; reminder: string }; timestamp: string }

const momentOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}+00:00`

test.skipIf(serverEnvironment() === null)('three servers remind, and two of them die', async () => {
  const { sql, url, close } = await emptyDatabase()
  const env = { ...serverEnvironment(), DATABASE_URL: url ?? '', WEBHOOKS_PRIVATE: 'on' }
  const start = () => startUnlimited({ env })
  const servers: Server[] = await Promise.all([start(), start(), start()])
  const alive = new Set(servers)
  const anyOf = () => {
    const list = [...alive]
    return list[Math.floor(Math.random() * list.length)]?.address ?? ''
  }
  const hook = startReceiver(
    (_received, nth) => new Response('', { status: nth % 17 === 0 ? 503 : 200 }),
  )
  const users = Array.from({ length: 20 }, (_, n) => `user-${n}`)
  const calls = await Promise.all(users.map((user) => callerOf(anyOf, user)))
  for (const [n, call] of calls.entries()) {
    // Some have a filter, which has to be asked for while reminders wait.
    const filter = n % 4 === 0 ? { filter: '#remind' } : {}
    const body = { url: hook.url, events: ['reminder.due'], ...filter }
    expect((await call('POST', '/api/webhooks', body)).status).toBe(201)
  }

  // They come within twelve seconds, and are made by whichever server.
  const begin = Math.ceil((Date.now() + 15_000) / 1000) * 1000
  const wanted = new Set<string>()
  for (let from = 0; from < count; from += 100) {
    const call = calls[(from / 100) % calls.length]
    const tasks = Array.from({ length: Math.min(100, count - from) }, (_, n) => {
      const moment = momentOf(begin + ((from + n) % 12) * 1000)
      const id = crypto.randomUUID()
      wanted.add(`${id} ${moment}`)
      return { id, title: `${from + n}`, tags: ['remind'], reminders: [moment] }
    })
    expect((await call?.('POST', '/api/tasks/batch', { tasks }))?.status).toBe(201)
  }
  for (const [n, victim] of servers.slice(0, 2).entries()) {
    await Bun.sleep(Math.max(0, begin + 3000 + 3000 * n - Date.now()))
    alive.delete(victim)
    await victim.end('SIGKILL')
  }
  alive.add(await start())

  const told = () =>
    hook.received.map(({ body, headers }) => ({
      ...(JSON.parse(body) as Told),
      delivery: headers.get('webhook-id') ?? '',
    }))
  const missing = () => {
    const rest = new Set(wanted)
    for (const { data } of told()) rest.delete(`${data.task.id} ${data.reminder}`)
    return rest
  }
  // What was in the hands of who died is free again when its lease is over.
  for (let n = 0; n < 90 && missing().size > 0; n += 1) await Bun.sleep(1000)
  await Promise.all([...alive].map((server) => server.end('SIGTERM')))
  void hook.stop()
  const [{ alarms, deadlocks } = { alarms: -1, deadlocks: -1 }] = await sql<
    { alarms: number; deadlocks: number }[]
  >`
      select (select count(*)::integer from docket.alarms) as alarms, deadlocks::integer as deadlocks
      from pg_stat_database
      where datname = current_database()`
  await close()

  // Of each reminder the ids under which it came.
  const ids = new Map<string, Set<string>>()
  for (const { data, timestamp, delivery } of told()) {
    expect(data.reminder).toBe(timestamp.replace(/\.0+(?=\+)/, ''))
    const own = ids.get(`${data.task.id} ${data.reminder}`) ?? new Set()
    ids.set(`${data.task.id} ${data.reminder}`, own.add(`${data.id} ${delivery}`))
  }
  const again = hook.received.length - ids.size
  report('reminders', { reminders: wanted.size, sent: hook.received.length, again, deadlocks })
  expect([...missing()]).toEqual([])
  expect([...ids.values()].filter(({ size }) => size > 1)).toEqual([])
  expect(new Set([...ids.values()].flatMap((own) => [...own])).size).toBe(wanted.size)
  expect([alarms, deadlocks]).toEqual([0, 0])
})
