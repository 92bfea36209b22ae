import { expect, setDefaultTimeout, test } from 'bun:test'
import type { Engine } from '../../../src/database/embedded/engine.ts'
import { createInterrupts } from '../../../src/database/embedded/interrupts.ts'
import { frame, join } from '../../../src/database/embedded/protocol.ts'
import { createSharedMemory } from '../../../src/database/embedded/shared-memory.ts'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { createUpkeep } from '../../../src/database/embedded/upkeep.ts'
import { connect } from './client.ts'
import { failOnFailure, patience, temporaryFolder, until } from './support.ts'

setDefaultTimeout(patience)

const rest = { checkpointAfter: 1e9, tidyWithin: 1e9 }
const atOnce = { lookEvery: 20, quietAfter: 20, checkpointEvery: 20, ...rest }
const never = { lookEvery: 1e9, quietAfter: 1e9, checkpointEvery: 1e9, ...rest }

test('checkpoints, vacuums and analyzes after writes', async () => {
  using folder = temporaryFolder()
  const embedded = await startEmbedded(folder.path, failOnFailure, atOnce)
  const sql = connect(embedded)
  const [before] = await sql<{ redo_lsn: string }[]>`select redo_lsn from pg_control_checkpoint()`
  await sql`create table public.notes (n integer)`
  await sql`insert into public.notes select generate_series(1, 1000)`
  await sql`delete from public.notes where n <= 400`

  await until(async () => {
    const [row] = await sql<{ done: boolean }[]>`
      select
        (select reltuples = 600 and relallvisible = relpages from pg_class where relname = 'notes')
        and (select n_dead_tup = 0 from pg_stat_user_tables where relname = 'notes')
        and exists (select from pg_stats where tablename = 'notes')
        and redo_lsn > ${before?.redo_lsn ?? ''}::pg_lsn as done
      from pg_control_checkpoint()`
    // Until nobody asks, the longer part of the work has to wait.
    await Bun.sleep(atOnce.quietAfter * 2)
    return row?.done === true
  })

  await sql.end()
  await embedded.stop()
})

test('looks at what is written while the next checkpoint is far away', async () => {
  using folder = temporaryFolder()
  const embedded = await startEmbedded(folder.path, failOnFailure, {
    lookEvery: 50,
    quietAfter: 600_000,
    checkpointEvery: 600_000,
    ...rest,
  })
  const sql = connect(embedded)

  for (const table of ['first', 'second', 'third']) {
    await sql.unsafe(`create table public.${table} as select n from generate_series(1, 1000) n`)
    await until(async () => {
      await Bun.sleep(100)
      const [row] = await sql`select reltuples from pg_class where relname = ${table}`
      return row?.['reltuples'] === 1000
    })
  }

  await sql.end()
  await embedded.stop()
})

test('knows what is in a table as soon as it is opened', async () => {
  using folder = temporaryFolder()
  const before = await startEmbedded(folder.path, failOnFailure, never)
  const sql = connect(before)
  await sql`create table public.notes as select n, n % 7 as day from generate_series(1, 5000) n`
  expect(await sql`select reltuples from pg_class where relname = 'notes'`).toMatchObject([
    { reltuples: -1 },
  ])
  await sql.end()
  await before.stop()

  const after = await startEmbedded(folder.path, failOnFailure, never)
  const again = connect(after)

  expect(
    await again`select attname, n_distinct from pg_stats where tablename = 'notes' order by 1`,
  ).toMatchObject([
    { attname: 'day', n_distinct: 7 },
    { attname: 'n', n_distinct: -1 },
  ])
  await again.end()
  await after.stop()
})

type Rows = Record<string, unknown>[]

/** An engine that writes down what it is asked to do. */
function scripted(tables: () => Rows = () => []) {
  const ran: string[] = []
  let syncs = 0
  const answer = { stop: false, only: '' }
  const logged = { bytes: 0 }
  const allowed: number[] = []
  const wait = { isWanted: false, insisted: 0 }
  const run = async (messages: Uint8Array) => {
    const statement = new TextDecoder().decode(messages.subarray(5, -1))
    if (statement.includes('pg_stat_force_next_flush')) return join([])
    if (statement.includes('json_agg')) return dataRow(JSON.stringify(tables()))
    ran.push(statement)
    syncs++
    return answer.stop && statement.includes(answer.only)
      ? frame('E', 'SERROR\0C57014\0Mcanceling\0\0')
      : join([])
  }
  const engine: Engine = {
    run,
    tend: async (messages, isWanted) => (isWanted() ? undefined : run(messages)),
    syncs: () => syncs,
    logged: () => logged.bytes,
    settle: async () => void ran.push('settle'),
    rest() {},
    interrupts: createInterrupts(createSharedMemory(), { cancel: 0, pending: 4 }),
    close: async () => undefined,
  }
  const asker = {
    isWanted: () => wait.isWanted,
    insist: () => void (wait.insisted += 1),
    allow: (milliseconds: number) => void allowed.push(milliseconds),
  }
  return { engine, ran, answer, logged, allowed, wait, write: () => syncs++, asker }
}

/** The message of a row with one column. */
function dataRow(text: string) {
  const row = Buffer.alloc(11)
  row.write('D')
  row.writeInt32BE(10 + Buffer.byteLength(text), 1)
  row.writeInt16BE(1, 5)
  row.writeInt32BE(Buffer.byteLength(text), 7)
  return join([row, Buffer.from(text)])
}

const eager = { lookEvery: 0, quietAfter: 0, checkpointEvery: 0, ...rest }
const notes = {
  name: 'notes',
  rows: 100,
  changed: 0,
  dead: 0,
  inserted: 0,
  pages: 1,
  hidden: 0,
  age: 5,
}

/** Does what there is to do until nothing is left. */
async function finish(upkeep: ReturnType<typeof createUpkeep>) {
  for (let wait = upkeep.wait(); wait !== null; wait = upkeep.wait()) {
    await Bun.sleep(Math.max(0, wait))
    await upkeep.prepare()
    await upkeep.tend()
  }
}

test('does nothing while nothing is written, its own work included', async () => {
  const { engine, ran, write, asker } = scripted()
  const upkeep = createUpkeep(engine, eager, asker)

  upkeep.notice()
  expect(upkeep.wait()).toBeNull()

  write()
  upkeep.notice()
  await finish(upkeep)
  expect(ran).toEqual(['settle', 'checkpoint'])
})

test('does nothing before its time', async () => {
  const { engine, ran, write, asker } = scripted()
  const upkeep = createUpkeep(engine, never, asker)

  write()
  upkeep.notice()
  await upkeep.prepare()
  await upkeep.tend()

  expect(upkeep.wait()).toBeGreaterThan(1e8)
  expect(ran).toEqual([])
})

test('looks after the tables that changed much, the short work first', async () => {
  const tables = [
    { ...notes, name: 'quiet', changed: 60, inserted: 40 },
    { ...notes, name: 'unknown', rows: -1 },
    { ...notes, name: 'large', rows: 1e6, changed: 3000, dead: 1000, inserted: 1001 },
    { ...notes, name: 'busy', changed: 61, dead: 56 },
    { ...notes, name: 'old', age: 200_000_001 },
  ]
  const { engine, ran, write, asker } = scripted(() => tables)
  const upkeep = createUpkeep(engine, { ...eager, checkpointEvery: 1e9 }, asker)

  write()
  upkeep.notice()
  while ((upkeep.wait() ?? 1e9) < 1e6) {
    await Bun.sleep(Math.max(0, upkeep.wait() ?? 0))
    await upkeep.tend()
  }

  expect(ran).toEqual([
    'set local default_statistics_target = 10; analyze unknown',
    'set local default_statistics_target = 10; analyze busy',
    'vacuum (index_cleanup off, truncate off) large',
    'vacuum (index_cleanup off, truncate off) busy',
    'vacuum old',
    'vacuum large',
    'vacuum busy',
  ])
})

test('does not begin while somebody waits, and forgets nothing', async () => {
  const { engine, ran, write, wait, asker } = scripted()
  const upkeep = createUpkeep(engine, eager, asker)

  write()
  upkeep.notice()
  wait.isWanted = true
  for (let turn = 0; turn < 3; turn += 1) await upkeep.tend()
  expect(ran).toEqual([])

  wait.isWanted = false
  await finish(upkeep)
  expect(ran).toEqual(['settle', 'checkpoint'])
})

test('begins in the end where somebody always waits, and says so', async () => {
  const { engine, ran, write, wait, asker } = scripted()
  const upkeep = createUpkeep(engine, eager, asker)

  write()
  upkeep.notice()
  wait.isWanted = true
  while (ran.length === 0) {
    await Bun.sleep(20)
    await upkeep.tend()
  }

  expect(ran).toEqual(['checkpoint'])
  expect(wait.insisted).toBeGreaterThan(0)
})

test('comes back to what was stopped, with less to do', async () => {
  const { engine, ran, write, answer, asker } = scripted(() => [{ ...notes, rows: -1 }])
  const upkeep = createUpkeep(engine, { ...eager, checkpointEvery: 1e9 }, asker)

  write()
  upkeep.notice()
  answer.stop = true
  while (ran.length < 1) {
    await Bun.sleep(Math.max(0, upkeep.wait() ?? 0))
    await upkeep.tend()
  }
  answer.stop = false
  while ((upkeep.wait() ?? 1e9) < 1e6) {
    await Bun.sleep(Math.max(0, upkeep.wait() ?? 0))
    await upkeep.tend()
  }

  expect(ran).toEqual([
    'set local default_statistics_target = 10; analyze notes',
    'set local default_statistics_target = 1; analyze notes',
  ])
})

test.each([
  ['', 1e9, [50, 200, 400, 400], 200],
  [', at last for much longer', 0, [50, 200, 800, 1600], 800],
] as const)(
  'lets what was stopped go on for longer the next time%s, and for less when it was done',
  async (_, tidyWithin, stopped, after) => {
    const tables = [{ ...notes, dead: 60 }]
    const { engine, ran, allowed, write, answer, asker } = scripted(() => tables)
    const times = { ...eager, quietAfter: 20, checkpointEvery: 1e9, tidyWithin }
    const upkeep = createUpkeep(engine, times, asker)
    const sweeps = () => ran.filter((statement) => statement.includes('index_cleanup off')).length
    const sweepUntil = async (count: number) => {
      while (sweeps() < count) {
        await Bun.sleep(Math.max(1, upkeep.wait() ?? 0))
        // Else it would be quiet, which is the time of the whole vacuum.
        upkeep.notice()
        await upkeep.tend()
      }
      return allowed.at(-1)
    }
    write()
    upkeep.notice()

    answer.stop = true
    for (const [index, milliseconds] of stopped.entries()) {
      expect(await sweepUntil(index + 1)).toBe(milliseconds)
    }
    answer.stop = false
    expect(await sweepUntil(5)).toBe(stopped[3])
    write()
    expect(await sweepUntil(6)).toBe(after)
  },
)

test('vacuums the indexes too in the end, although somebody always asks', async () => {
  const { engine, ran, write, wait, asker } = scripted(() => [{ ...notes, dead: 60 }])
  const times = { ...eager, checkpointEvery: 1e9, quietAfter: 1e9, tidyWithin: 50 }
  const upkeep = createUpkeep(engine, times, asker)

  write()
  upkeep.notice()
  while (!ran.includes('vacuum notes')) {
    await Bun.sleep(5)
    wait.isWanted = !wait.isWanted
    upkeep.notice()
    await upkeep.tend()
  }

  expect(ran[0]).toContain('index_cleanup off')
})

test('saves before its time when much was written', async () => {
  const { engine, ran, logged, write, asker } = scripted()
  const upkeep = createUpkeep(engine, { ...never, checkpointAfter: 1000 }, asker)

  write()
  logged.bytes = 1000
  upkeep.notice()
  await upkeep.tend()
  expect(ran).toEqual([])

  logged.bytes = 1001
  await upkeep.prepare()
  await upkeep.tend()
  expect(ran).toEqual(['settle', 'checkpoint'])
  expect(upkeep.wait()).toBeGreaterThan(1e8)
})

test('comes back to what was stopped although there is always something else to do', async () => {
  const { engine, ran, write, answer, asker } = scripted(() => [
    { ...notes, dead: 60 },
    { ...notes, name: 'others', changed: 100 },
  ])
  const times = { ...eager, lookEvery: 5, quietAfter: 300, checkpointEvery: 1e9 }
  const upkeep = createUpkeep(engine, times, asker)
  const sweeps = () => ran.filter((statement) => statement.includes('index_cleanup off')).length
  answer.only = 'index_cleanup off'

  while (sweeps() < 2) {
    write()
    upkeep.notice()
    answer.stop = sweeps() === 0
    await upkeep.tend()
    await Bun.sleep(1)
  }

  expect(ran.filter((statement) => statement.includes('analyze others')).length).toBeGreaterThan(2)
})
