import { open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sync } from '../embedded/cluster.ts'
import { createCheck } from './archive.ts'

/** Bytes that stay free on the disk of the database: it ends when it has no room. */
const reserve = 128 * 1024 * 1024

/** How many bytes are written at a time, after which they go to the disk: all of them at the end would keep the commits of others waiting. */
const interval = 4 * 1024 * 1024

/** How the name of a file ends that is not all written. */
export const unfinished = /\.[0-9a-f]{12}\.partial$/

/**
 * Writes a backup to a file that only its owner can read. Under its name there is a whole one that is on the disk, or what was there before.
 * @param dataDir where the database is: its disk is not filled
 * @returns how many bytes it has
 */
export async function writeBackup(
  path: string,
  backup: AsyncIterable<Uint8Array>,
  dataDir: string,
): Promise<number> {
  const folder = dirname(path)
  const own = `${path}.${crypto.randomUUID().slice(-12)}.partial`
  const isBesideData = await isSameDisk(folder, dataDir)
  const check = createCheck()
  let size = 0
  let settled = Number.NEGATIVE_INFINITY
  const file = await open(own, 'wx', 0o600)
  try {
    for await (const chunk of backup) {
      if (size - settled >= interval) {
        settled = size
        if (isBesideData) await refuseFull(folder)
        await file.datasync()
      }
      await file.writeFile(chunk)
      check.add(chunk)
      size += chunk.length
    }
    check.finish()
    await file.sync()
    await file.close()
    await rename(own, path)
    await sync(folder)
    return size
  } catch (error) {
    await file.close().catch(() => {})
    await rm(own, { force: true })
    throw error
  }
}

async function isSameDisk(one: string, other: string): Promise<boolean> {
  const [{ dev: here }, { dev: there }] = await Promise.all([stat(one), stat(other)])
  return here === there
}

async function refuseFull(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < reserve) {
    throw Object.assign(new Error('the disk is almost full'), { code: 'ENOSPC' })
  }
}
