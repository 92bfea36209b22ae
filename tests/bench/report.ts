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

/** What a run found, but for the embedded database. */
export type Findings = {
  claims: Claim[]
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

/** Whether everything is measured, as it is by default, but for the embedded database. */
export const isWhole = (settings: Settings): boolean =>
  parts.every((part) => part === 'embedded' || settings.parts.includes(part)) &&
  settings.only.length === workloads.length &&
  settings.peers.length === peerNames.length &&
  settings.connections === null &&
  settings.tasks === 1_000_000

/** Whether the part on the embedded database is, all of it. */
export const isEmbeddedWhole = (settings: Settings): boolean =>
  settings.parts.includes('embedded') &&
  settings.only.length === workloads.length &&
  settings.connections === null &&
  settings.tasks === 1_000_000

/** The files that are kept: every single run, and a picture. */
export async function write(
  context: Context,
  medians: Medians,
  { claims, ...runs }: Findings,
): Promise<void> {
  const { settings, postgres } = context
  const { tasks } = settings
  await save('results.json', {
    ...conditions(context),
    postgresql: { version: postgres.version, settings: postgres.settings },
    tasks,
    claims: claims.map((claim) => ({ ...claim, holds: holds(claim) })),
    runs,
  })
  await Bun.write(join(folder, 'results.svg'), chart(medians, settings))
}

/** Of the embedded database, by itself: another run than that of all the others. */
export const writeEmbedded = (
  context: Context,
  runs: { embedded: Embedded[]; rest: Rest[] },
): Promise<void> => save('embedded.json', { ...conditions(context), runs })

const folder = resolve('tests/bench/results')

const conditions = ({ settings: { seconds, rounds, cores }, busy }: Context): object => ({
  date: new Date().toISOString(),
  processor: cpus()[0]?.model ?? 'unknown',
  cores,
  memory_gb: Math.round(totalmem() / 2 ** 30),
  taken_by_others: busy,
  bun: Bun.version,
  seconds,
  rounds,
})

async function save(name: string, results: object): Promise<void> {
  mkdirSync(folder, { recursive: true })
  // Three places are more than any run is exact to.
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
  const text = JSON.stringify(results, rounded, 2)
    // One run, claim or start a line, so that a difference can be read.
    .replace(/\{[^{}[\]]*\}|\[[^{}[\]]*\]/g, (innermost) => innermost.replace(/\s*\n\s*/g, ' '))
  await Bun.write(join(folder, name), `${text}\n`)
  console.log(`Written to ${join(folder, name)}.`)
}
