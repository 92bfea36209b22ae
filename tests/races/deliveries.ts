import { expect, setDefaultTimeout, test } from 'bun:test'
import { startReceiver } from '../deliveries/support.ts'
import { callerOf, report, setting, startUnlimited } from '../harden/support.ts'
import { emptyDatabase, serverEnvironment } from '../support/database.ts'
import type { Server } from '../support/process.ts'

// Several servers on one database, of which some die by kill -9 while they send: whether every change is told, and none under two ids.
// `bun run races`; not part of `bun test`.

setDefaultTimeout(480_000)

const changes = setting('RACE_DELIVERIES', 3000)

type Told = { type: string; data: { task: { id: string; version: number } } }

test.skipIf(serverEnvironment() === null)(
  'three servers send what has changed, and two of them die',
  async () => {
    const { sql, url, close } = await emptyDatabase()
    const env = { ...serverEnvironment(), DATABASE_URL: url ?? '', WEBHOOKS_PRIVATE: 'on' }
    const start = () => startUnlimited({ env })
    const servers: Server[] = await Promise.all([start(), start(), start()])
    const alive = new Set(servers)
    const anyOf = () => {
      const list = [...alive]
      return list[Math.floor(Math.random() * list.length)]?.address ?? ''
    }
    // Now and then it is busy, and now and then slow.
    const hook = startReceiver(async (_received, count) => {
      if (count % 53 === 0) await Bun.sleep(500)
      return new Response('', { status: count % 17 === 0 ? 503 : 200 })
    })
    const dead = startReceiver(() => Bun.sleep(60_000).then(() => new Response('')))
    const users = Array.from({ length: 6 }, (_, n) => `user-${n}`)
    const calls = await Promise.all(users.map((user) => callerOf(anyOf, user)))
    for (const call of calls) {
      for (const { url: target } of [hook, dead]) {
        const { status } = await call('POST', '/api/webhooks', {
          url: target,
          events: ['task.created', 'task.updated'],
        })
        expect(status).toBe(201)
      }
    }
    // Every server knows of all of them by now.
    for (const server of servers) {
      await server.end('SIGTERM')
      alive.delete(server)
      alive.add(await start())
    }

    const answered = new Set<string>()
    let count = 0
    const client = async (number: number): Promise<void> => {
      const call = calls[number % calls.length]
      if (call === undefined) return
      for (let nth = count++; nth < changes; nth = count++) {
        const id = crypto.randomUUID()
        for (;;) {
          const answer = await call('POST', '/api/tasks', { id, title: `${nth}` }).catch(() => null)
          const text = await answer?.text().catch(() => null)
          if (answer?.status === 201 && text != null) break
          await Bun.sleep(50)
        }
        answered.add(id)
      }
    }
    const killing = (async () => {
      const [first, second] = alive
      for (const [victim, part] of [
        [first, 0.3],
        [second, 0.6],
      ] as const) {
        while (answered.size < changes * part) await Bun.sleep(20)
        if (victim === undefined) continue
        alive.delete(victim)
        await victim.end('SIGKILL')
      }
      alive.add(await start())
    })()
    await Promise.all([...Array.from({ length: 24 }, (_, n) => client(n)), killing])

    const arrived = () =>
      new Set(hook.received.map(({ body }) => (JSON.parse(body) as Told).data.task.id))
    // Whoever is left looks once a minute after a write, for what the others have left.
    const [call] = calls
    for (let n = 0; n < 90 && arrived().size < answered.size; n += 1) {
      if (n === 60) await call?.('PATCH', `/api/tasks/${[...answered][0]}`, { title: 'again' })
      await Bun.sleep(1000)
    }
    for (const server of alive) await server.end('SIGTERM')
    void hook.stop()
    void dead.stop()

    // Of each change the ids under which it came.
    const ids = new Map<string, Set<string>>()
    for (const { body, headers } of hook.received) {
      const { type, data } = JSON.parse(body) as Told
      const change = `${type} ${data.task.id} ${data.task.version}`
      const own = ids.get(change) ?? new Set()
      ids.set(change, own.add(headers.get('webhook-id') ?? ''))
    }
    const [{ deadlocks } = { deadlocks: -1 }] = await sql<{ deadlocks: number }[]>`
      select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()`
    await close()
    const again = hook.received.length - ids.size
    report('webhooks', { changes: answered.size, sent: hook.received.length, again, deadlocks })

    expect([...answered].filter((id) => !arrived().has(id))).toEqual([])
    expect([...ids.values()].filter(({ size }) => size > 1)).toEqual([])
    expect(deadlocks).toBe(0)
  },
)
