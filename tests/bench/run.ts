// The benchmark of Docket: `bun run bench`. It measures the compiled binary against other servers that answer the same, and
// against the database alone, on one machine, in turns. It needs Linux, PostgreSQL with pgbench (Debian: postgresql), and
// wrk; Node.js and Python for the peers that run on them. All of it takes about an hour, and about 25 GB of disk. The
// results are written to tests/bench/results: those on the embedded database by themselves, all the others together; a run of less
// only prints them.
//
// What is measured is Docket at its defaults, with its log (LOG_LEVEL=info) in a file and a RATE_LIMIT that counts every
// request and refuses none. PostgreSQL has fsync and synchronous_commit on. Loads, servers and the database share
// the machine, and every run follows a second that is not measured. Latencies are those that wrk gives, which corrects them
// for requests that could not be sent while others were late.
//
//   BENCH_PARTS=embedded,follow,load,growth,scale,start,memory
//                               embedded: Docket as it comes, on the embedded database, beside PocketBase (which needs Go).
//                               follow: what it costs to hear of changes. load: every workload through every server. growth: databases of a thousandth, a tenth, all and
//                               ten times the tasks, and one user with many. scale: two processes. start, memory: the process.
//   BENCH_ONLY=get,page         of the part load, only these workloads: get, page, filtered, searched, patch, complete, mix, post
//   BENCH_PEERS=docket,straight of the part load, only these: docket, straight, mended, pgbench, hono, fastify, fastapi
//   BENCH_CONNECTIONS=64        of the part load, only with so many
//   BENCH_SECONDS=4             of one run
//   BENCH_ROUNDS=3              how often each run is made; the median counts
//   BENCH_TASKS=1000000         in the main database
//   BENCH_BINARY=dist/docket    measures this one; without it Docket is built first
//   BENCH_BEFORE=old/docket     of the part embedded, another Docket to hold it against
//   BENCH_DATA=folder           keeps the loaded databases there, and takes them from there
//
// To try a change quickly:
//   BENCH_DATA=/var/tmp/bench BENCH_PARTS=load BENCH_PEERS=docket,straight BENCH_ONLY=get,page BENCH_CONNECTIONS=64 bun run bench

import { resolve } from 'node:path'
import { claimsOf, connectionsOf } from './claims.ts'
import type { Context } from './context.ts'
import { embeddedTable, measureEmbedded, measureRest, restTable } from './embedded.ts'
import { fill, migrateWith } from './fill.ts'
import { followTable, measureFollowing, measureSync } from './follow.ts'
import {
  growthTable,
  heavyTable,
  measureGrowth,
  measureHeavy,
  pageGrowth,
  sizesOf,
} from './growth.ts'
import { measureLoad } from './load.ts'
import { startPostgres } from './postgres.ts'
import {
  type Memory,
  measureMemory,
  measureScale,
  measureStarts,
  type Starts,
  scaleTable,
} from './process.ts'
import { busyProcessors, endAll, endWithUs, run } from './processes.ts'
import { type Findings, isEmbeddedWhole, isWhole, write, writeEmbedded } from './report.ts'
import { secret } from './requests.ts'
import { median, mediansOf } from './results.ts'
import { datasetOf } from './rows.ts'
import { type Part, readSettings, type Settings } from './settings.ts'
import { claimsTable, loadTable } from './table.ts'

endWithUs()
try {
  await bench(readSettings())
} finally {
  await endAll()
}

async function bench(settings: Settings): Promise<void> {
  requirePrograms()
  const context = await prepare(settings)
  const has = (part: Part) => settings.parts.includes(part)

  const embedded = has('embedded') ? await measureEmbedded(context) : []
  const rest = has('embedded') ? await measureRest(context) : []
  // Before the load, for it needs to know the number of everybody's last change.
  const following = has('follow') ? await measureFollowing(context) : []
  const sync = has('follow') ? await measureSync(context) : []
  const load = has('load') ? await measureLoad(context) : []
  const growth = has('growth') ? await measureGrowth(context) : []
  const heavy = has('growth') ? await measureHeavy(context) : []
  const scale = has('scale') ? await measureScale(context) : []
  const starts = has('start') ? await measureStarts(context) : null
  const memory = has('memory') ? await measureMemory(context) : null

  const medians = mediansOf(load)
  const others = {
    pageGrowth: pageGrowth(growth),
    start: starts === null ? Number.NaN : median(starts.binary) / median(starts.source),
    idleMemory: memory?.idle ?? Number.NaN,
    // A trial sends fewer, and is no proof.
    busyMemory: memory !== null && memory.requests >= 1_000_000 ? memory.busy : Number.NaN,
  }
  const claims = claimsOf(medians, others, connectionsOf(settings.connections))
  const tables = [
    ...(has('embedded') ? [embeddedTable(embedded), restTable(rest)] : []),
    ...(has('follow')
      ? [followTable(following), `First sync of 10,000 tasks: ${median(sync).toFixed(0)} ms`]
      : []),
    ...(has('load') ? [loadTable(load, medians)] : []),
    ...(has('growth') ? [growthTable(growth), heavyTable(heavy)] : []),
    ...(has('scale') ? [scaleTable(scale)] : []),
    ...describe(starts, memory),
    claimsTable(claims, isWhole(settings)),
  ]
  console.log(`\n${tables.join('\n\n')}\n`)
  const findings: Findings = {
    claims,
    following,
    sync,
    load,
    growth,
    heavy,
    scale,
    starts,
    memory,
  }
  if (isEmbeddedWhole(settings)) await writeEmbedded(context, { embedded, rest })
  if (isWhole(settings)) await write(context, medians, findings)
  if (
    [...embedded, ...following, ...load, ...growth, ...heavy, ...scale].some(
      ({ fault }) => fault !== null,
    )
  ) {
    console.error('A run was refused, see above: it does not count.')
    process.exitCode = 1
  }
}

function requirePrograms(): void {
  for (const program of ['wrk', 'setsid']) {
    if (Bun.which(program) === null) throw new Error(`There is no ${program} here: install it.`)
  }
}

/** The program, and the databases that are needed, as they are while measuring. */
async function prepare(settings: Settings): Promise<Context> {
  if (settings.binary === null) await run([process.execPath, 'run', 'build'])
  const binary = resolve(settings.binary ?? 'dist/docket')
  const postgres = await startPostgres(settings.data)
  const data = datasetOf(settings.tasks, Math.min(100_000, settings.tasks / 10))
  const migrate = migrateWith(binary, { BETTER_AUTH_SECRET: secret, HOME: postgres.folder })
  const isEmbedded = settings.parts.every((part) => part === 'embedded')
  const sizes = settings.parts.includes('growth') ? sizesOf({ settings, data }) : [data]
  const needed = isEmbedded ? [] : sizes
  for (const dataset of needed) await fill(postgres, dataset, migrate)
  await postgres.restart('measuring')
  // What was loaded without fsync goes to the disk now, and not in the middle of a run.
  await run(['sync'])
  const others = await busyProcessors()
  if (others > 0.1) {
    const part = Math.round(others * 100)
    console.error(`Others take ${part} % of the processors: what is measured now says little.`)
  }
  return { settings, postgres, binary, data, busy: others }
}

function describe(starts: Starts | null, memory: Memory | null): string[] {
  const lines: string[] = []
  if (starts !== null) {
    const [binary, source] = [median(starts.binary), median(starts.source)]
    lines.push(
      `First task after the start: ${binary.toFixed(0)} ms, from source ${source.toFixed(0)} ms`,
    )
  }
  if (memory !== null) {
    const [idle, busy] = [memory.idle.toFixed(0), memory.busy.toFixed(0)]
    lines.push(`Memory: ${idle} MB idle, ${busy} MB after ${memory.requests} requests`)
  }
  return lines
}
