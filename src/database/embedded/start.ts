import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { chooseBuffers } from './buffers.ts'
import { createCluster, prepareCluster, waiting } from './cluster.ts'
import { lockFolder } from './lock.ts'
import type { Upkeep } from './messages.ts'
import { explain, Refusal } from './refusal.ts'
import { readSnapshot } from './snapshot.ts'
import { startWorker } from './worker.ts'

/** A PostgreSQL inside of this process. */
export type Embedded = {
  /** A new connection to it, for the `socket` option of postgres.js. One at a time is served. */
  socket: () => Duplex
  /** From now on a statement ends when it has taken so many seconds, as by statement_timeout on a server. */
  limit: (seconds: number) => void
  /** Checkpoints, closes the engine, ends its thread, lets go of the folder. */
  stop: () => Promise<void>
}

const defaultUpkeep: Upkeep = {
  lookEvery: 1000,
  quietAfter: 5000,
  checkpointEvery: 60_000,
  checkpointAfter: 256 * 1024 * 1024,
  tidyWithin: 120_000,
}

/**
 * Opens the PostgreSQL that lives in `folder`, or creates it. Throws an Error whose message is for
 * the operator. `onFailure` is told, at most once, when the engine dies while it runs: nothing
 * works from then on, and what was not yet answered may or may not be stored. `buffers` are megabytes
 * of pages to keep at hand; null: as many as fit the data and the machine.
 */
export async function startEmbedded(
  folder: string,
  onFailure: (error: Error) => void,
  upkeep = defaultUpkeep,
  buffers: number | null = null,
): Promise<Embedded> {
  let unlock: (() => void) | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const release = lockFolder(folder)
    unlock = release
    // Of one that was killed since anybody looked.
    if (existsSync(join(folder, waiting))) {
      throw new Refusal('a restore was stopped half way. Start it again, which ends that')
    }
    const cluster = join(folder, 'postgres')
    if (!existsSync(cluster)) await createCluster(cluster, await readSnapshot())
    prepareCluster(cluster)
    const engine = await startWorker(cluster, buffers ?? chooseBuffers(cluster), upkeep, onFailure)
    let stopping: Promise<void> | undefined
    const stop = () => (stopping ??= engine.stop().finally(release))
    return { socket: engine.connect, stop, limit: engine.limit }
  } catch (error) {
    unlock?.()
    throw explain(folder, error)
  }
}
