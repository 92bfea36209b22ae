import { expect, test } from 'bun:test'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connectEmbedded } from '../../src/database/connect.ts'
import { createCluster } from '../../src/database/embedded/cluster.ts'
import { findMessage, kind, simpleQuery } from '../../src/database/embedded/protocol.ts'
import { readSnapshot } from '../../src/database/embedded/snapshot.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import { temporaryFolder } from '../support/database.ts'
import { type Fate, replay, watchDisk } from './disk.ts'
import { report, setting } from './support.ts'

// The embedded database after a loss of power, at any moment of a load with checkpoints, segments of the log that get other names, and
// processes that were killed. POWER_SEED has the same load and the same cuts again.

/** The same numbers again for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const seed = setting('POWER_SEED', Math.floor(Math.random() * 2 ** 31))
const random = createRandom(seed)

const root = join(temporaryFolder(), 'postgres')
await createCluster(root, await readSnapshot())
const kept = join(temporaryFolder(), 'postgres')
cpSync(root, kept, { recursive: true })
const disk = watchDisk(root, kept)
const { openEngine } = await import('../../src/database/embedded/engine.ts')

/** Rows that are changed again and again. */
const rows = 40

/** Each commit has a number, which is in a row of its own and in one of those that are changed. */
const commit = (n: number, size: number) => `
  insert into public.log
    select ${n}, string_agg(md5(i::text || ${n}), '') from generate_series(1, ${Math.ceil(size / 32)}) as i;
  update public.counts set n = ${n}, padding = repeat('${n} ', 50) where k = ${n % rows}`

/** What else happens, and how often after a commit. */
const others: [chance: number, statement: (n: number) => string][] = [
  [0.004, () => 'vacuum public.log, public.counts'],
  [
    0.01,
    () => `drop table if exists public.other;
      create table public.other as select md5(n::text) from generate_series(1, 5000) as n`,
  ],
  [0.01, () => 'truncate public.other'],
  [0.02, (n) => `delete from public.log where n < ${n - 300}`],
  [0.02, () => 'checkpoint'],
]

/** Fills the log of the disk. Gives from where on there is something to look for. */
async function load(commits: number): Promise<number> {
  let engine = await openEngine(root, 32)
  const run = async (sql: string) => {
    const answer = await engine.run(simpleQuery(sql))
    if (findMessage(answer, kind.errorResponse)) throw new Error(Buffer.from(answer).toString())
  }
  await run(`
    create table public.counts (k integer primary key, n integer not null, padding text);
    insert into public.counts select k, 0, '' from generate_series(0, ${rows - 1}) as k;
    create table public.log (n integer primary key, padding text);
    create table public.other (body text)`)
  const began = disk.length()

  for (let n = 1; n <= commits; n += 1) {
    const dice = random()
    await run(commit(n, dice < 0.02 ? 3_000_000 : dice < 0.1 ? 60_000 : 200))
    disk.mark(n)
    for (const [chance, statement] of others) if (random() < chance) await run(statement(n))
    // As after kill -9: the next one finds what the operating system has.
    if (random() < 0.003) {
      rmSync(join(root, 'postmaster.pid'), { force: true })
      engine = await openEngine(root, 32)
    }
  }
  await engine.close()
  return began
}

/** Half of them anywhere, the others where something is forced to the disk or has another name, or just after that. */
function chooseCuts(count: number, began: number): number[] {
  const moments = disk.log.flatMap(({ kind: what }, index) =>
    index > began && (what === 'sync' || what === 'rename') ? [index] : [],
  )
  const cuts = Array.from({ length: count }, (_, index) =>
    index % 2 === 0
      ? began + Math.floor(random() * (disk.length() - began))
      : (moments[Math.floor(random() * moments.length)] ?? began) + Math.floor(random() * 4),
  )
  return cuts.toSorted((one, other) => one - other)
}

const fates: [name: string, fate: Fate][] = [
  ['nothing', () => false],
  ['everything', () => true],
  ['half', () => random() < 0.5],
  ['names alone', (what) => what === 'name'],
  ['pages alone', (what) => what === 'page'],
  ['most pages, few names', (what) => random() < (what === 'page' ? 0.9 : 0.1)],
]

/** What is wrong with what is found in a folder after these commits were acknowledged. The next one may be there too. */
async function faultsOf(folder: string, acknowledged: readonly number[]): Promise<string[]> {
  const faults: string[] = []
  const embedded = await startEmbedded(folder, ({ message }) => faults.push(message))
  const sql = connectEmbedded(embedded.socket)
  const counts = await sql<{ k: number; n: number }[]>`select k, n from public.counts`
  const last = acknowledged.at(-1) ?? 0
  const wanted = new Map(acknowledged.map((n) => [n % rows, n]))
  const found = new Map(counts.map(({ k, n }) => [k, n]))
  for (const [k, n] of wanted) {
    const is = found.get(k)
    const isNext = is === last + 1 && is % rows === k
    if (is !== n && !isNext) faults.push(`${k} is ${is} in place of ${n}`)
  }
  const [log] = await sql<{ most: number | null }[]>`select max(n) as most from public.log`
  if ((log?.most ?? 0) < last) faults.push(`the last row is ${log?.most} in place of ${last}`)
  const count = sql`select count(*)::integer as count from public.log where n > 0 and padding <> ''`
  const scanned = await count
  await sql`set enable_seqscan = off`
  const indexed = await sql`select count(*)::integer as count from public.log where n > 0`
  if (!Bun.deepEquals([...scanned], [...indexed])) faults.push('an index differs from its table')
  await sql.end()
  await embedded.stop()
  return faults
}

test('loses nothing that was acknowledged when the power goes', async () => {
  const began = await load(setting('POWER_COMMITS', 300))
  const cuts = chooseCuts(setting('POWER_CUTS', 24), began)
  const lost: string[] = []
  let count = 0

  await replay(disk, cuts, 'pg_wal', async (cut, marks, write) => {
    const [name, fate] = fates[count++ % fates.length] ?? ['', () => true]
    const folder = temporaryFolder()
    write(join(folder, 'postgres'), fate)
    const faults = await faultsOf(folder, marks).catch((error: unknown) => [String(error)])
    lost.push(...faults.map((fault) => `${cut}, ${name}: ${fault}`))
    rmSync(folder, { recursive: true, force: true })
  })

  report('power cuts', {
    seed,
    cuts: cuts.length,
    writes: disk.length(),
    commits: setting('POWER_COMMITS', 300),
    lost: lost.length,
  })
  expect(lost).toEqual([])
}, 1_200_000)
