import { afterEach, expect, test } from 'bun:test'
import { type Receiver, startReceiver } from '../deliveries/support.ts'
import { callerOf, startUnlimited } from '../harden/support.ts'
import { emptyDatabase, serverEnvironment, temporaryFolder } from '../support/database.ts'

// What a server that is killed has not sent is sent by the next one, and one that has nothing to do asks the database nothing.

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A database that several servers have after each other, and a server on it. */
async function start(variables: Record<string, string> = {}) {
  const cwd = temporaryFolder()
  const more = serverEnvironment()
  const database = more === null ? null : await emptyDatabase()
  if (database !== null) closing.push(database.close)
  const env = {
    WEBHOOKS_PRIVATE: 'on',
    ...variables,
    ...more,
    ...(database === null ? {} : { DATABASE_URL: database.url ?? '' }),
  }
  let server = await startUnlimited({ cwd, env })
  closing.push(() => server.end('SIGKILL'))
  const call = await callerOf(() => server.address, 'alice')
  return {
    call: async (method: string, path: string, body?: object) => {
      const answer = await call(method, path, body)
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return JSON.parse(text)
    },
    said: () => server.said(),
    kill: () => server.end('SIGKILL'),
    again: async () => {
      server = await startUnlimited({ cwd, env })
    },
    end: () => server.end('SIGTERM'),
  }
}

function freePort(): number {
  const taken = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  taken.stop(true)
  return taken.port
}

function receiver(...parameters: Parameters<typeof startReceiver>): Receiver {
  const made = startReceiver(...parameters)
  closing.push(made.stop)
  return made
}

const titlesOf = ({ received }: Receiver): string[] =>
  received.map(({ body }) => JSON.parse(body).data.task.title)

test('sends after a kill -9 what was written before it', async () => {
  const { call, kill, again, end } = await start()
  const hook = receiver()
  await call('POST', '/api/webhooks', { url: hook.url })
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, n) => call('POST', '/api/tasks', { title: `Task ${n}` })),
  )

  // Somewhere between the writes and what tells of them.
  await kill()
  await again()
  await hook.until(() => new Set(hook.ids()).size === 40)

  expect(new Set(titlesOf(hook))).toEqual(new Set(made.map(({ title }) => title)))
  // The same thing twice has the same id.
  const pairs = new Set(hook.received.map(({ body }, n) => `${hook.ids()[n]} ${body}`))
  expect(pairs.size).toBe(40)
  expect(await end()).toBe(0)
}, 60_000)

test('ends what it sends when it is told to stop', async () => {
  const { call, end } = await start()
  const hook = receiver(async () => {
    await Bun.sleep(300)
    return new Response('late')
  })
  await call('POST', '/api/webhooks', { url: hook.url })
  await call('POST', '/api/tasks', { title: 'A task' })
  await hook.until((received) => received.length === 1)

  expect(await end()).toBe(0)
  expect(hook.received).toHaveLength(1)
}, 60_000)

test('says nothing of addresses, secrets and bodies in its log', async () => {
  const { call, said, end } = await start({ LOG_LEVEL: 'trace' })
  const hook = receiver(() => new Response('an answer', { status: 500 }))
  const { secret } = await call('POST', '/api/webhooks', { url: `${hook.url}?key=sesame` })
  await call('POST', '/api/tasks', { title: 'A title' })
  await hook.until((received) => received.length === 1)

  expect(await end()).toBe(0)
  expect(said()).toContain('/api/webhooks')
  for (const word of ['sesame', secret, secret.slice(6), 'A title', 'an answer']) {
    expect(said()).not.toContain(word)
  }
}, 60_000)

test('asks the database nothing while nobody writes', async () => {
  const port = freePort()
  const { call } = await start({ METRICS_PORT: String(port) })
  const hook = receiver()
  const statements = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const counts = text.matchAll(/^docket_statement_seconds_count\{.*\} (\d+)$/gm)
    return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)
  }
  // What was left of before is looked for at the start, on a slow machine twice.
  expect(await statements()).toBeLessThanOrEqual(6)

  await call('POST', '/api/webhooks', { url: hook.url })
  await call('POST', '/api/tasks', { title: 'A task' })
  await hook.until((received) => received.length === 1)
  // Until it has said what became of it.
  let before = -1
  for (let now = await statements(); now !== before; now = await statements()) {
    before = now
    await Bun.sleep(500)
  }
  await Bun.sleep(4000)

  expect(await statements()).toBe(before)
}, 60_000)
