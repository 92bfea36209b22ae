import { expect, setDefaultTimeout, test } from 'bun:test'
import { connectEmbedded, type Sql } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import type { Gate } from '../../src/database/gate/gate.ts'
import { copy, leave } from '../../src/lists/adoption.ts'
import { deleteUser } from '../../src/me/queries.ts'
import { adopting } from '../../src/tasks/adoption.ts'
import { importTasks } from '../../src/tasks/transfer.ts'
import { completeTask, deleteTask, insertTask } from '../../src/tasks/writes.ts'
import { type Call, callerOf, report, setting, startUnlimited } from '../harden/support.ts'
import {
  connectTo,
  emptyDatabase,
  gateOf,
  layOut,
  serverEnvironment,
  temporaryFolder,
} from '../support/database.ts'
import { faultsOf, type Log, readLog } from '../support/log.ts'
import type { Server } from '../support/process.ts'
import { author } from '../support/tasks.ts'
import {
  type Follow,
  followEvents,
  followFeed,
  followLog,
  followTables,
  startReader,
} from './readers.ts'
import { keyOf, randomOf, type Storm, startStorm } from './storm.ts'

// Several servers on one database, which die one after the other by kill -9, under a storm of writes that are all to the same
// tasks: whether the log has every change once, with what was there before it, and whoever follows misses none. On the server of
// TEST_DATABASE_URL, or one server on the embedded database. `bun run races`; not part of `bun test`.

setDefaultTimeout(240_000)

const seconds = setting('RACE_SECONDS', 30)
const seed = setting('RACE_SEED', Math.floor(Math.random() * 1e6))

/** Kills one server after the other, and starts it anew. */
async function killInTurn(
  servers: Server[],
  start: () => Promise<Server>,
  afterwards: () => Promise<void>,
): Promise<number> {
  const end = performance.now() + seconds * 1000
  let kills = 0
  for (; performance.now() < end; kills += 1) {
    await Bun.sleep(3000 + Math.random() * 2000)
    const index = kills % servers.length
    await servers[index]?.end('SIGKILL')
    await afterwards()
    servers[index] = await start()
  }
  return kills
}

/** Holds the log against what was answered. */
function compare({ changes, tasks }: Log, { users, answered }: Storm): string[] {
  const wrong: string[] = []
  const made = new Set(changes.map(({ user_id, id, at }) => keyOf(user_id, { id, updated_at: at })))
  for (const key of answered.keys()) if (!made.has(key)) wrong.push(`${key} is lost`)

  const rest = new Map(tasks.map(({ user_id, seq, task }) => [`${user_id} ${seq}`, task]))
  const next = new Map(changes.map((change) => [`${change.user_id} ${change.previous}`, change]))
  const last = new Map<string, string>()
  for (const { user_id, seq, id, action, at } of changes) {
    if (at <= (last.get(user_id) ?? '')) wrong.push(`${user_id} ${seq} is no later than before`)
    last.set(user_id, at)
    const where = `${user_id} ${seq}`
    const after = next.get(where)?.before ?? rest.get(where)
    // Purged, or on its way to another user, who has it anew.
    if (after == null) {
      if (action !== 'purged' && next.get(where)?.action !== 'purged') {
        wrong.push(`nobody knows what ${where} made of ${id}`)
      }
      continue
    }
    if (after['updated_at'] !== at) wrong.push(`what came after ${where} is of another change`)
    const told = answered.get(keyOf(user_id, { id, updated_at: at }))
    // A long description is left out where it did not change.
    const { description } = after
    const said = told && { ...told, ...(description === undefined && { description }) }
    if (said !== undefined && !Bun.deepEquals(said, after)) {
      wrong.push(`what ${where} was answered is not what came before the next`)
    }
  }
  return users.length === 0 ? ['nobody'] : wrong
}

/** The first of them are enough to see what it is. */
const few = (wrong: string[]) => [...wrong.slice(0, 5), ...(wrong.length > 5 ? [wrong.length] : [])]

async function settle(name: string, storm: Storm, log: Log, more: Record<string, number>) {
  const figures = Object.fromEntries(
    Array.from(storm.statuses, ([status, count]) => [`answers_${status}`, count]),
  )
  report(name, { seed, ...more, changes: log.changes.length, ...figures })
  expect({
    storm: few(storm.wrong),
    log: few(faultsOf(log)),
    chain: few(compare(log, storm)),
  }).toEqual({ storm: [], log: [], chain: [] })
  expect(log.changes.length).toBeGreaterThan(seconds * 10)
}

const consistent = (sql: Sql, users: string[]) =>
  sql.begin('isolation level repeatable read', (transaction) => readLog(transaction, users))

test.skipIf(serverEnvironment() === null)('three servers on one database', async () => {
  // Its own order of text is not that of the ids.
  const { sql, url, close } = await emptyDatabase(`locale_provider icu icu_locale 'en' locale 'C'`)
  const env = { ...serverEnvironment(), DATABASE_URL: url ?? '', EVENTS: 'poll' }
  const start = () => startUnlimited({ env })
  const servers = [await start(), await start(), await start()]
  const storm = startStorm(() => servers.map(({ address }) => address), seed, 32)
  const entries = startReader(followLog(sql), storm.users)
  const replicas = [
    startReader(followTables(sql), storm.users),
    ...followersOf(servers).map((follow) => startReader(follow, storm.users, quiet)),
  ]

  const faults: string[] = []
  const kills = await killInTurn(servers, start, async () => {
    faults.push(...faultsOf(await consistent(sql, storm.users)))
  })
  await storm.end()
  await Promise.all([entries, ...replicas].map((reader) => reader.end()))
  await Promise.all(servers.map((server) => server.end('SIGTERM')))
  const log = await readLog(sql, storm.users)
  const [{ deadlocks } = { deadlocks: -1 }] = await sql<{ deadlocks: number }[]>`
      select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()`
  await close()

  await settle('races on PostgreSQL', storm, log, { kills, deadlocks })
  expect(few(faults)).toEqual([])
  expect(deadlocks).toBe(0)
  expect(few(entries.wrong)).toEqual([])
  for (const user of storm.users) {
    const own = log.changes.filter(({ user_id }) => user_id === user)
    expect(entries.numbers.get(user)).toEqual(own.map(({ seq }) => seq))
  }
  expect(replicas.map((replica) => few(differences(replica, log)))).toEqual([[], [], []])
})

/** Milliseconds after which events that have not come are missing. */
const quiet = 4000

/** Who follows over HTTP, on whatever server is up. */
function followersOf(servers: Server[]): Follow[] {
  const calls = new Map<string, Promise<Call>>()
  let turn = 0
  const next = () => servers[(turn += 1) % servers.length]?.address ?? ''
  const ask = async (user: string, path: string) => {
    const call = calls.get(user) ?? callerOf(next, user)
    calls.set(user, call)
    return (await call)('GET', path)
  }
  return [followFeed(ask), followEvents(ask)]
}

/** What is wrong with what a reader has put together. */
function differences({ wrong, replicas }: ReturnType<typeof startReader>, { tasks }: Log) {
  const there = new Map(tasks.map(({ user_id, id, task }) => [`${user_id} ${id}`, task]))
  const seen = new Map<string, object>()
  for (const [user, replica] of replicas) {
    for (const [id, task] of replica) seen.set(`${user} ${id}`, task)
  }
  const different = [...new Set([...there.keys(), ...seen.keys()])].filter(
    (key) => !Bun.deepEquals(there.get(key), seen.get(key)),
  )
  const versionOf = (task?: object) =>
    task && 'version' in task ? `version ${Number(task.version)}` : 'missing'
  return [
    ...wrong,
    ...different.map(
      (key) => `${key}: ${versionOf(seen.get(key))}, not ${versionOf(there.get(key))}`,
    ),
  ]
}

/** As many users in a statement as there may be, which the requests of a test do not come to. */
test.skipIf(serverEnvironment() === null)(
  'statements of many users, which make, change, move, adopt and delete',
  async () => {
    const { sql, url, close } = await emptyDatabase(
      `locale_provider icu icu_locale 'en' locale 'C'`,
    )
    await layOut(sql)
    const pools = Array.from({ length: 3 }, () => connectTo(url ?? ''))
    const random = randomOf(seed)
    const users = Array.from({ length: 24 }, (_, index) => `${index % 2 ? 'B' : 'a'}${index}`)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
    const idOf = () => `00000000-0000-4000-8000-00000000000${Math.floor(random() * 4)}`
    const end = performance.now() + (seconds * 1000) / 3
    let changed = 0

    const each = (write: (user: string) => Promise<unknown>) => Promise.all(users.map(write))
    const client = async (db: Gate): Promise<void> => {
      const writes: (() => Promise<unknown>)[] = [
        () => each((user) => insertTask(db, author(user), idOf(), { title: 'A' })),
        () => each((user) => completeTask(db, author(user), idOf(), null, null)),
        () => each((user) => deleteTask(db, author(user), idOf(), null)),
        () =>
          importTasks(
            db,
            users.map((user) => movingTo(user, pick([1, 9, 99]))),
            'moved',
          ),
        () => {
          const user = pick(users)
          return adopting({ copy, leave })(
            db,
            author(user),
            pick(users.filter((other) => other !== user)),
          )
        },
        () => deleteUser(db, null, pick(users)),
      ]
      while (performance.now() < end) {
        const index = random() < 0.9 ? Math.floor(random() * 4) : 4 + Math.floor(random() * 2)
        await writes[index]?.()
        changed += 1
      }
    }
    const clients = pools.flatMap((pool) => {
      const gate = gateOf(pool)
      return Array.from({ length: 4 }, () => client(gate))
    })
    const outcomes = await Promise.allSettled(clients)
    const log = await readLog(sql, users)
    await Promise.all(pools.map((pool) => pool.end()))
    const deadlocks = await deadlocksOf(sql)
    await close()

    report('races of statements', {
      seed,
      statements: changed,
      changes: log.changes.length,
      deadlocks,
    })
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    expect({ deadlocks, log: few(faultsOf(log)) }).toEqual({ deadlocks: 0, log: [] })
  },
)

const movingTo = (user_id: string, version: number) => ({
  task: {
    id: '00000000-0000-4000-8000-000000000000',
    user_id,
    title: 'Moved',
    description: null,
    completed: false,
    completed_at: null,
    priority: 'none' as const,
    tags: [],
    due_date: null,
    due_time: null,
    time_zone: null,
    version,
    created_at: '2026-01-01T00:00:00+00:00',
    updated_at: '2026-01-01T00:00:00+00:00',
    deleted_at: null,
  },
})

const deadlocksOf = async (sql: Sql): Promise<number> => {
  const [row] = await sql<{ deadlocks: number }[]>`
    select deadlocks::integer as deadlocks from pg_stat_database where datname = current_database()`
  return row?.deadlocks ?? -1
}

test.skipIf(serverEnvironment() !== null)('one server on the embedded database', async () => {
  const folder = temporaryFolder()
  const start = () => startUnlimited({ env: { DATA_DIR: folder } })
  const servers = [await start()]
  const storm = startStorm(() => servers.map(({ address }) => address), seed, 24)
  const readers = followersOf(servers).map((follow) => startReader(follow, storm.users, quiet))
  const read = async () => {
    const embedded = await startEmbedded(folder, (error) => {
      throw error
    })
    const sql = connectEmbedded(embedded.socket)
    const log = await readLog(sql, storm.users)
    await sql.end()
    await embedded.stop()
    return log
  }

  const faults: string[] = []
  const kills = await killInTurn(servers, start, async () => {
    faults.push(...faultsOf(await read()))
  })
  await storm.end()
  await Promise.all(readers.map((reader) => reader.end()))
  await servers[0]?.end('SIGTERM')
  const log = await read()

  await settle('races on the embedded database', storm, log, { kills })
  expect(few(faults)).toEqual([])
  expect(readers.map((reader) => few(differences(reader, log)))).toEqual([[], []])
})
