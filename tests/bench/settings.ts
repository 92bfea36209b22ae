import { availableParallelism } from 'node:os'

// What the environment says of a run: run.ts tells what each variable is for.

export const workloads = [
  'get',
  'page',
  'filtered',
  'searched',
  'patch',
  'complete',
  'mix',
  'post',
] as const
export type Workload = (typeof workloads)[number]

export const peerNames = [
  'docket',
  'straight',
  'mended',
  'pgbench',
  'hono',
  'fastify',
  'fastapi',
] as const
export type PeerName = (typeof peerNames)[number]

export const parts = ['embedded', 'follow', 'load', 'growth', 'scale', 'start', 'memory'] as const
export type Part = (typeof parts)[number]

/** Connections at which everybody is compared. */
export const usual = 64

/** Clients with which pgbench is at its best. */
export const few = 10

export type Settings = {
  only: Workload[]
  peers: PeerName[]
  /** Connections of the runs; null: 64 for everybody, and others for those that are compared at others. */
  connections: number | null
  /** Of one run, without the second before it that is not measured. */
  seconds: number
  rounds: number
  /** Of the main database. */
  tasks: number
  /** Of the databases of the growth curve. */
  sizes: number[]
  /** A binary to measure; null: the one that is built first. */
  binary: string | null
  /** Another one to hold it against, in the part embedded; null: none. */
  before: string | null
  /** Where the data stays for the next run; null: nowhere. */
  data: string | null
  parts: Part[]
  cores: number
}

/** @throws Error that names the first variable that cannot be understood */
export function readSettings(env: Record<string, string | undefined> = process.env): Settings {
  const tasks = positive('BENCH_TASKS', env['BENCH_TASKS'], 1_000_000)
  return {
    only: chosen('BENCH_ONLY', env['BENCH_ONLY'], workloads),
    peers: chosen('BENCH_PEERS', env['BENCH_PEERS'], peerNames),
    connections: env['BENCH_CONNECTIONS']
      ? positive('BENCH_CONNECTIONS', env['BENCH_CONNECTIONS'], 64)
      : null,
    seconds: positive('BENCH_SECONDS', env['BENCH_SECONDS'], 4),
    rounds: positive('BENCH_ROUNDS', env['BENCH_ROUNDS'], 3),
    tasks,
    sizes: [...new Set([0.001, 0.1, 1, 10].map((share) => Math.max(1000, tasks * share)))],
    binary: env['BENCH_BINARY'] ?? null,
    before: env['BENCH_BEFORE'] ?? null,
    data: env['BENCH_DATA'] ?? null,
    parts: chosen('BENCH_PARTS', env['BENCH_PARTS'], parts),
    cores: availableParallelism(),
  }
}

function chosen<T extends string>(name: string, text: string | undefined, all: readonly T[]): T[] {
  if (!text) return [...all]
  const words = text.split(',')
  const unknown = words.find((word) => !all.some((one) => one === word))
  if (unknown !== undefined) {
    throw new Error(`${name}: "${unknown}" is none of ${all.join(', ')}.`)
  }
  return all.filter((one) => words.includes(one))
}

function positive(name: string, text: string | undefined, fallback: number): number {
  const value = Number(text ?? fallback)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number.`)
  return value
}
