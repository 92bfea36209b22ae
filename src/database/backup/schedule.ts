import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackupsConfig } from '../../config.ts'
import type { Backup } from './backup.ts'
import { unfinished, writeBackup } from './file.ts'

export type BackupsOptions = BackupsConfig & {
  dataDir: string
  backup: Backup
  /** Is told of each that is made. */
  onDone: (path: string, bytes: number) => void
  /** Is told of each that fails. It is tried again. */
  onFailure: (error: unknown) => void
  /** Is told when the newest that is there was made. */
  onNewest: (at: Date) => void
}

/** Milliseconds until one that failed is tried again, at most. */
const patience = 600_000

/** Milliseconds from one look at the clock to the next, at most: it may be put forward. */
const longestSleep = 3_600_000

/** Makes backups of the embedded database from time to time, and removes the oldest. It goes by the files that are there. */
export function createBackups(options: BackupsOptions) {
  const { folder, dataDir, backup, onDone, onFailure, onNewest } = options
  const every = options.every * 1000
  let timer: ReturnType<typeof setTimeout> | undefined
  /** By a clock that nobody puts back. */
  let failed = Number.NEGATIVE_INFINITY
  let isStopped = false
  let underWay = Promise.resolve()

  async function make(): Promise<void> {
    const at = new Date()
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      // Before too: what was left takes the room. And what cannot be read here cannot be removed later.
      await tidy()
      const path = join(folder, nameOf(at))
      const bytes = await writeBackup(path, untilStopped(), dataDir)
      onDone(path, bytes)
      await tidy()
    } catch (error) {
      if (isStopped) return
      failed = performance.now()
      onFailure(error)
    }
  }

  async function* untilStopped(): AsyncGenerator<Uint8Array> {
    for await (const chunk of backup()) {
      if (isStopped) throw new Error('The server stops.')
      yield chunk
    }
  }

  /** The oldest go, and what a process that was killed has left. */
  async function tidy(): Promise<void> {
    for (const { name } of (await ownIn(folder)).slice(options.keep)) await rm(join(folder, name))
    for (const name of await readdir(folder)) {
      if (!unfinished.test(name) || timeOf(name.replace(unfinished, '')) === null) continue
      const { mtimeMs } = await stat(join(folder, name))
      // One that is written to is of now.
      if (Math.abs(Date.now() - mtimeMs) > patience) await rm(join(folder, name))
    }
  }

  /** Milliseconds until the next is due. */
  async function wait(): Promise<number> {
    const now = Date.now()
    const [newest] = (await ownIn(folder).catch(() => [])).filter(({ at }) => at.getTime() <= now)
    if (newest !== undefined) onNewest(newest.at)
    const due = newest === undefined ? now : newest.at.getTime() + every
    const pause = failed + Math.min(every, patience) - performance.now()
    return Math.max(due - now, pause)
  }

  async function plan(): Promise<void> {
    const left = await wait()
    if (isStopped) return
    if (left <= 0) {
      underWay = make()
      await underWay
      return plan()
    }
    timer = setTimeout(() => void plan(), Math.min(left, longestSleep))
    timer.unref()
  }

  return {
    begin: (): void => void plan(),
    /** One that is under way is given up. */
    stop: async (): Promise<void> => {
      isStopped = true
      clearTimeout(timer)
      await underWay
    },
  }
}

/** As `docket-2026-11-27T21-10-00Z.tar.zst`: in the order of time. */
const nameOf = (at: Date): string =>
  `docket-${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z.tar.zst`

function timeOf(name: string): Date | null {
  const [, day, hour, minute, second] =
    /^docket-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z\.tar\.zst$/.exec(name) ?? []
  const at = new Date(`${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at.getTime()) ? null : at
}

/**
 * Those of ours by their names, the newest first. One of the future was made by a clock that was wrong: it keeps no other from being made,
 * and none from staying.
 */
async function ownIn(folder: string): Promise<{ name: string; at: Date }[]> {
  const now = Date.now()
  const age = (at: Date) => (at.getTime() > now ? Number.POSITIVE_INFINITY : now - at.getTime())
  return (await readdir(folder, { withFileTypes: true }))
    .flatMap((entry) => {
      const at = entry.isFile() ? timeOf(entry.name) : null
      return at === null ? [] : { name: entry.name, at }
    })
    .toSorted((a, b) => (age(a.at) === age(b.at) ? 0 : age(a.at) - age(b.at)))
}
