import { mkdirSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { chart } from './chart.ts'
import { type Claim, holds } from './claims.ts'
import type { Context } from './context.ts'
import type { Embedded, Rest } from './embedded.ts'
import type { Followed } from './follow.ts'
import type { Grown, Heavy } from './growth.ts'
import type { Memory, Scaled, Starts } from './process.ts'
import type { Measured, Medians } from './results.ts'
import { parts, peerNames, type Settings, workloads } from './settings.ts'

/** Everything that a run found. */
export type Findings = {
  claims: Claim[]
  embedded: Embedded[]
  rest: Rest[]
  following: Followed[]
  /** Milliseconds. */
  sync: number[]
  load: Measured[]
  growth: Grown[]
  heavy: Heavy[]
  scale: Scaled[]
  starts: Starts | null
  memory: Memory | null
}

/** Whether everything is measured, as it is by default. */
export const isWhole = (settings: Settings): boolean =>
  settings.parts.length === parts.length &&
  settings.only.length === workloads.length &&
  settings.peers.length === peerNames.length &&
  settings.connections === null &&
  settings.tasks === 1_000_000

/** The files that are kept: every single run, and a picture. */
export async function write(
  { settings, postgres, busy }: Context,
  medians: Medians,
  { claims, ...runs }: Findings,
): Promise<void> {
  const folder = resolve('tests/bench/results')
  mkdirSync(folder, { recursive: true })
  const { seconds, rounds, tasks, cores } = settings
  const results = {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores,
    memory_gb: Math.round(totalmem() / 2 ** 30),
    taken_by_others: busy,
    bun: Bun.version,
    postgresql: { version: postgres.version, settings: postgres.settings },
    settings: { seconds, rounds, tasks },
    claims: claims.map((claim) => ({ ...claim, holds: holds(claim) })),
    runs,
  }
  // Three places are more than any run is exact to.
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
  const text = JSON.stringify(results, rounded, 2)
    // One run, claim or start a line, so that a difference can be read.
    .replace(/\{[^{}[\]]*\}|\[[^{}[\]]*\]/g, (innermost) => innermost.replace(/\s*\n\s*/g, ' '))
  await Bun.write(join(folder, 'results.json'), `${text}\n`)
  await Bun.write(join(folder, 'results.svg'), chart(medians, settings))
  console.log(`Written to ${folder}.`)
}
