import { resolve } from 'node:path'
import { type Context, commonWords, fileOf, startDocket } from './context.ts'
import { databaseOf } from './fill.ts'
import { residentMemory } from './processes.ts'
import { tokenOf } from './requests.ts'
import { median } from './results.ts'
import { type Dataset, idOf, userOf } from './rows.ts'
import { docket, type Server, startServer } from './servers.ts'
import { usual, type Workload } from './settings.ts'
import { figure, table, tell } from './table.ts'
import { measure, type Run } from './wrk.ts'

// What the process is like: how it starts, how it fills its memory, and what a second one is good for.

export type Scaled = { workers: number; workload: Workload; round: number } & Run

/** Docket as two processes against Docket as one, in turns. Processor time and memory are those of all. */
export async function measureScale(context: Context): Promise<Scaled[]> {
  const { settings, postgres, data } = context
  const words = await commonWords(context, data)
  const servers = [
    { workers: 1, server: await startDocket(context, data) },
    { workers: 2, server: await startPair(context, data) },
  ]
  const measured: Scaled[] = []
  for (const workload of ['get', 'page'] as const) {
    const file = await fileOf(context, workload, data, words)
    for (let round = 0; round < settings.rounds; round += 1) {
      for (const { workers, server } of servers) {
        const load = { file, connections: usual, seconds: settings.seconds, offset: round * 7919 }
        const run = await measure(server, load, postgres.id())
        measured.push({ workers, workload, round, ...run })
        tell(workload, workers === 1 ? '1 process' : `${workers} processes`, usual, run)
      }
    }
  }
  for (const { server } of servers) await server.stop()
  return measured
}

/** Two that listen on one port, under a shell that ends them with itself. */
const startPair = ({ postgres, binary }: Context, data: Dataset): Promise<Server> => {
  const pair = `"$0" & a=$!; "$0" & b=$!; trap 'kill $a $b' TERM; wait $a $b; wait $a $b`
  const command = docket(postgres.folder, ['sh', '-c', pair, binary], { REUSE_PORT: 'on' })
  return startServer('docket-pair', command, postgres.folder, postgres.url(databaseOf(data)))
}

export function scaleTable(runs: Scaled[]): string {
  const rows = (['get', 'page'] as const).flatMap((workload) =>
    [1, 2].map((workers) => {
      const those = runs.filter((run) => run.workload === workload && run.workers === workers)
      const of = (name: 'rate' | 'p50' | 'cpu' | 'memory') =>
        figure(median(those.map((run) => run[name] ?? Number.NaN)))
      const fault = those.find((run) => run.fault !== null)?.fault ?? ''
      return [workload, String(workers), of('rate'), of('p50'), of('cpu'), of('memory'), fault]
    }),
  )
  return table([['workload', 'processes', 'requests/s', 'p50 ms', 'CPU µs', 'RSS MB', ''], ...rows])
}

/** Milliseconds to the first task that was read from the database, start by start. */
export type Starts = { binary: number[]; source: number[] }

/** From the start of the process to the first task out of a database that is there, in turns. */
export async function measureStarts({ postgres, binary, data }: Context): Promise<Starts> {
  const url = postgres.url(databaseOf(data))
  const authorization = `Bearer ${await tokenOf(userOf(data, 1))}`
  const hasTask = (port: number) =>
    fetch(`http://127.0.0.1:${port}/api/tasks/${idOf(1)}`, { headers: { authorization } }).then(
      async (answer) => {
        await answer.text()
        return answer.status === 200
      },
      () => false,
    )
  const starts: Starts = { binary: [], source: [] }
  const commands = { binary: [binary], source: [process.execPath, resolve('src/index.ts')] }
  for (let turn = 0; turn < 20; turn += 1) {
    const name = turn % 2 === 0 ? 'binary' : 'source'
    const command = docket(postgres.folder, commands[name])
    const server = await startServer(`docket-${name}`, command, postgres.folder, url, hasTask)
    starts[name].push(server.began)
    console.log(`start     ${name.padEnd(9)} ${server.began.toFixed(0)} ms`)
    await server.stop()
  }
  return starts
}

/** Megabytes resident. */
export type Memory = { idle: number; busy: number; requests: number }

/** Three seconds after the start, and after a million times `get`. */
export async function measureMemory(context: Context): Promise<Memory> {
  const { settings, postgres, data } = context
  const words = await commonWords(context, data)
  const file = await fileOf(context, 'get', data, words)
  const server = await startDocket(context, data)
  await Bun.sleep(3000)
  const idle = residentMemory(server.id)
  // In a trial as many as there are tasks.
  const enough = Math.min(1_000_000, settings.tasks)
  let requests = 0
  while (requests < enough) {
    const load = { file, connections: usual, seconds: 10, offset: requests }
    const run = await measure(server, load, postgres.id())
    if (run.fault !== null) throw new Error(`Cannot measure the memory: ${run.fault}.`)
    requests += run.requests
    tell('get', 'docket', usual, run)
  }
  const busy = residentMemory(server.id)
  await server.stop()
  return { idle, busy, requests }
}
