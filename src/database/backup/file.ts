import { lstat, open, realpath, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { OperatorError } from '../../config.ts'
import { sync } from '../embedded/cluster.ts'
import { createCheck } from './archive.ts'

/** Bytes that stay free on the disk of the database: it ends when it has no room. */
export const reserve = 128 * 1024 * 1024

/** How many bytes are written at a time, after which they go to the disk: all of them at the end would keep the commits of others waiting. */
const interval = 4 * 1024 * 1024

/** What is in a data folder for itself. */
const own = /^(?:postgres|secret|lock|socket|restored|replaced)(?:\.new)?$/i

/** How the name of a file ends that is not all written. */
export const unfinished = /\.[0-9a-f]{12}\.partial$/

/**
 * Writes a backup to a file that only its owner can read. Under its name there is a whole one that is on the disk, or what was there before.
 * @param dataDir where the database is: its disk is not filled
 * @returns how many bytes it has
 * @throws OperatorError where a file may not be put
 */
export async function writeBackup(
  path: string,
  backup: AsyncIterable<Uint8Array>,
  dataDir: string,
): Promise<number> {
  const place = await placeOf(path, dataDir)
  const folder = dirname(place)
  const partial = `${place}.${crypto.randomUUID().slice(-12)}.partial`
  const isBesideData = await isSameDisk(folder, dataDir)
  const check = createCheck()
  let size = 0
  let settled = Number.NEGATIVE_INFINITY
  const file = await open(partial, 'wx', 0o600)
  try {
    // Whatever the mask: its owner can read it.
    await file.chmod(0o600)
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
    await rename(partial, place)
    await sync(folder)
    return size
  } catch (error) {
    await file.close().catch(() => {})
    await rm(partial, { force: true })
    throw error
  }
}

/** Behind links. A device, a pipe and what belongs to the database is not replaced by a file. */
async function placeOf(path: string, dataDir: string): Promise<string> {
  const name = await lstat(path).catch(() => undefined)
  const place = name?.isSymbolicLink()
    ? await realpath(path).catch(() => {
        throw new OperatorError(`${path} is a link to nowhere: say which file.`)
      })
    : join(await realpath(dirname(path)), basename(path))
  const there = await stat(place).catch(() => undefined)
  if (there?.isDirectory()) throw new OperatorError(`${path} is a folder: say which file.`)
  if (there !== undefined && !there.isFile()) {
    throw new OperatorError(`${path} is no file: say which, or redirect standard output with -.`)
  }
  if (own.test(relative(await realpath(dataDir), place).split(sep)[0] ?? '')) {
    throw new OperatorError(`${path} belongs to the database itself: say another file.`)
  }
  return place
}

async function isSameDisk(one: string, other: string): Promise<boolean> {
  const [{ dev: here }, { dev: there }] = await Promise.all([stat(one), stat(other)])
  return here === there
}

async function refuseFull(folder: string): Promise<void> {
  if ((await roomIn(folder)) < reserve) {
    throw Object.assign(new Error('the disk is almost full'), { code: 'ENOSPC' })
  }
}

/** Bytes that are free on the disk of a folder. */
export async function roomIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
