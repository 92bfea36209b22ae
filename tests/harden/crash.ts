import { afterAll, expect, test } from 'bun:test'
import { temporaryFolder } from '../support/database.ts'
import type { Server } from '../support/process.ts'
import { hasPostgres, startPostgres } from './postgres.ts'
import { type Call, callerOf, report, startUnlimited, titlesOf } from './support.ts'

const postgres = hasPostgres ? await startPostgres() : null
afterAll(() => postgres?.stop())

type Storm = {
  acknowledged: string[]
  ambiguous: number
  retries: number
  stop: () => Promise<void>
}

/** Eight writers, each of which sends a task with one key until it is acknowledged. */
function storm(call: Call, done: () => boolean): Storm {
  const result: Storm = { acknowledged: [], ambiguous: 0, retries: 0, stop: async () => {} }
  let count = 0
  const write = async (): Promise<void> => {
    while (!done()) {
      const title = `Task ${(count += 1)}`
      const key = { 'idempotency-key': title }
      for (let attempt = 0; ; attempt += 1) {
        const answer = await call('POST', '/api/tasks', { title }, key).catch(
          (error: unknown) => error,
        )
        if (answer instanceof Response) {
          await answer.text().catch(() => '')
          if (answer.status === 201) break
          if (answer.status !== 503) throw new Error(`${title} was answered ${answer.status}.`)
        } else if (!/refused/i.test(String(answer))) result.ambiguous += 1
        result.retries += 1
        if (attempt > 1000) throw new Error(`${title} was never acknowledged.`)
        await Bun.sleep(10 + Math.random() * 20)
      }
      result.acknowledged.push(title)
    }
  }
  const writers = Array.from({ length: 8 }, write)
  result.stop = async () => {
    await Promise.all(writers)
  }
  return result
}

/** Kills something again and again under the storm, and compares what was acknowledged with what is there. */
async function survive(
  measure: string,
  rounds: number,
  env: Record<string, string>,
  kill: (server: Server, start: () => Promise<Server>) => Promise<Server>,
): Promise<void> {
  const cwd = temporaryFolder()
  const start = () => startUnlimited({ cwd, env })
  let server = await start()
  const call = await callerOf(() => server.address, crypto.randomUUID())
  let stopped = false
  const writing = storm(call, () => stopped)

  for (let round = 0; round < rounds; round += 1) {
    const enough = writing.acknowledged.length + 20
    const began = performance.now()
    // At least so many between two kills, and at no fixed moment.
    while (writing.acknowledged.length < enough && performance.now() - began < 20_000)
      await Bun.sleep(5)
    await Bun.sleep(Math.random() * 100)
    server = await kill(server, start)
  }
  stopped = true
  await writing.stop()
  const titles = await titlesOf(call)
  await server.end('SIGTERM')

  const found = new Set(titles)
  const lost = writing.acknowledged.filter((title) => !found.has(title)).length
  const doubled = titles.length - found.size
  const { ambiguous, retries } = writing
  const acknowledged = writing.acknowledged.length
  report(measure, { kills: rounds, acknowledged, lost, doubled, ambiguous, retries })
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 })
  expect(acknowledged).toBeGreaterThanOrEqual(rounds * 10)
}

const killServer = async (server: Server, start: () => Promise<Server>): Promise<Server> => {
  await server.end('SIGKILL')
  return start()
}

test('kill -9 of the server loses nothing and doubles nothing, on the embedded database', async () => {
  await survive('kill -9 of the server, embedded', 20, {}, killServer)
}, 240_000)

test.skipIf(postgres === null)(
  'kill -9 of the server, on PostgreSQL',
  async () => {
    await survive(
      'kill -9 of the server, PostgreSQL',
      20,
      { DATABASE_URL: postgres?.url ?? '' },
      killServer,
    )
  },
  240_000,
)

test.skipIf(postgres === null)(
  'kill -9 of PostgreSQL',
  async () => {
    await survive(
      'kill -9 of PostgreSQL',
      10,
      { DATABASE_URL: postgres?.url ?? '' },
      async (server) => {
        await postgres?.crash()
        return server
      },
    )
  },
  240_000,
)

test('SIGTERM under load loses no acknowledged write and cuts no request', async () => {
  const figures = {
    trials: 12,
    acknowledged: 0,
    lost: 0,
    cut: 0,
    refused: 0,
    reset: 0,
    slowest_ms: 0,
  }
  for (let trial = 0; trial < figures.trials; trial += 1) {
    const cwd = temporaryFolder()
    const env = trial % 2 === 1 && postgres !== null ? { DATABASE_URL: postgres.url } : {}
    const server = await startUnlimited({ cwd, env })
    const user = crypto.randomUUID()
    const call = await callerOf(() => server.address, user)
    const acknowledged: string[] = []
    let ended = false
    let readySaid = 200

    const write = async (writer: number): Promise<void> => {
      for (let count = 0; ; count += 1) {
        const title = `${writer} ${count}`
        try {
          const answer = await call('POST', '/api/tasks', { title })
          await answer.text()
          expect([201, 503]).toContain(answer.status)
          if (answer.status === 201) acknowledged.push(title)
        } catch (error) {
          if (/refused/i.test(String(error))) figures.refused += 1
          else figures.reset += 1
          if (ended) return
          await Bun.sleep(5)
        }
      }
    }
    const writers = Array.from({ length: 12 }, (_, index) => write(index))
    await Bun.sleep(300 + Math.random() * 200)
    const began = performance.now()
    const exit = server.end('SIGTERM')
    while (readySaid === 200) {
      const ready = await call('GET', '/ready').catch(() => null)
      if (ready === null) break
      readySaid = ready.status
      await ready.text()
    }
    expect(readySaid).toBe(503)
    expect(await exit).toBe(0)
    figures.slowest_ms = Math.max(figures.slowest_ms, Math.round(performance.now() - began))
    ended = true
    await Promise.all(writers)

    const again = await startUnlimited({ cwd, env })
    const titles = await titlesOf(await callerOf(() => again.address, user))
    await again.end('SIGTERM')
    const found = new Set(titles)
    figures.acknowledged += acknowledged.length
    figures.lost += acknowledged.filter((title) => !found.has(title)).length
    // Done, but nobody was told: its answer was cut.
    figures.cut += titles.length - acknowledged.length
  }
  report('SIGTERM under load', figures)
  expect(figures).toMatchObject({ lost: 0, cut: 0 })
}, 240_000)
