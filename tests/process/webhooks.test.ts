import { afterEach, expect, test } from 'bun:test'
import { type Receiver, startReceiver } from '../deliveries/support.ts'
import { callerOf, startUnlimited } from '../harden/support.ts'
import {
  connectTo,
  emptyDatabase,
  serverEnvironment,
  temporaryFolder,
} from '../support/database.ts'

// What a server that is killed has not sent is sent by the next one, and one that has nothing to do asks the database nothing.

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A database that several servers have after each other, and a server on it. */
async function start() {
  const cwd = temporaryFolder()
  const more = serverEnvironment()
  const database = more === null ? null : await emptyDatabase()
  if (database !== null) closing.push(database.close)
  const env = {
    WEBHOOKS_PRIVATE: 'on',
    ...more,
    ...(database === null ? {} : { DATABASE_URL: database.url ?? '' }),
  }
  let server = await startUnlimited({ cwd, env })
  closing.push(() => server.end('SIGKILL'))
  const call = await callerOf(() => server.address, 'alice')
  return {
    url: database?.url ?? null,
    call: async (method: string, path: string, body?: object) => {
      const answer = await call(method, path, body)
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return JSON.parse(text)
    },
    kill: () => server.end('SIGKILL'),
    again: async () => {
      server = await startUnlimited({ cwd, env })
    },
    end: () => server.end('SIGTERM'),
  }
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

// The embedded database tells nobody what it was asked.
test.skipIf(serverEnvironment() === null)(
  'asks the database nothing while nobody writes',
  async () => {
    const { call, url } = await start()
    const hook = receiver()
    await call('POST', '/api/webhooks', { url: hook.url })
    await call('POST', '/api/tasks', { title: 'A task' })
    await hook.until((received) => received.length === 1)
    const sql = connectTo(url ?? '')
    const lastQuery = async (): Promise<string> => {
      const [row] = await sql<{ at: string }[]>`
        select coalesce(max(state_change), '-infinity')::text as at
        from pg_stat_activity
        where datname = current_database()
          and pid <> pg_backend_pid()`
      return row?.at ?? ''
    }
    // Until it has said what became of it.
    let before = ''
    while (before !== (before = await lastQuery())) await Bun.sleep(1000)
    await Bun.sleep(5000)

    expect(await lastQuery()).toBe(before)
    await sql.end()
  },
  60_000,
)
