import { join, resolve } from 'node:path'
import { processorTime, residentMemory, run } from './processes.ts'
import type { Server } from './servers.ts'

/** What one run found. */
export type Run = {
  /** Requests a second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Microseconds of processor time that the server took for one request; null: nobody asked. */
  cpu: number | null
  /** Of the database, likewise. */
  databaseCpu: number | null
  /** Megabytes that the server had resident at the end. */
  memory: number | null
  requests: number
  /** Why the result does not count. */
  fault: string | null
}

/** What wrk says at the end of pick.lua. */
type Said = {
  requests: number
  seconds: number
  p50: number
  p99: number
  refused: number
  broken: number
}

export type Load = {
  /** Prepared requests. */
  file: string
  connections: number
  seconds: number
  /** Where in the file to begin. */
  offset: number
}

const script = resolve('tests/bench/pick.lua')

async function wrk({ port }: Server, load: Load, seconds: number): Promise<Said> {
  const address = `http://127.0.0.1:${port}`
  const options = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '--latency', '--timeout', '30s']
  const own = ['--', load.file, String(load.offset)]
  const output = await run(['wrk', ...options, '-s', script, address, ...own])
  // The line of pick.lua is the last one with an object.
  const said = output.split('\n').findLast((line) => line.startsWith('{'))
  if (said === undefined) throw new Error(`wrk said nothing that can be read:\n${output}`)
  return JSON.parse(said)
}

/** One run, after a second that is not measured: connections open, statements are prepared, code gets warm. */
export async function measure(
  server: Server,
  load: Load,
  /** The process of the database; null: it has none of its own. */
  database: number | null,
): Promise<Run> {
  await wrk(server, { ...load, offset: load.offset + 20_000 }, 1)
  server.truncateLog()
  const timeOfDatabase = () => (database === null ? Number.NaN : processorTime(database))
  const before = [processorTime(server.id), timeOfDatabase()] as const
  const said = await wrk(server, load, load.seconds)
  const spent = (now: number, then: number) =>
    said.requests === 0 || Number.isNaN(now) ? null : ((now - then) * 1e6) / said.requests
  return {
    rate: said.requests / said.seconds,
    p50: said.p50,
    p99: said.p99,
    cpu: spent(processorTime(server.id), before[0]),
    databaseCpu: spent(timeOfDatabase(), before[1]),
    memory: residentMemory(server.id),
    requests: said.requests,
    fault: faultOf(said),
  }
}

function faultOf({ requests, refused, broken }: Said): string | null {
  if (refused > 0) return `${refused} of ${requests} answers were not 2xx`
  if (broken > 0) return `${broken} requests were not answered`
  return requests === 0 ? 'nothing was answered' : null
}

/** Writes prepared requests to a file. */
export async function prepare(folder: string, name: string, requests: string): Promise<string> {
  const file = join(folder, `${name}.requests`)
  await Bun.write(file, requests)
  return file
}
