import { readdirSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'

const megabyte = 1024 * 1024

/** What is read and written without a detour through the file system; all of it is touched at the start. */
const least = 32

/** The engine's memory has an end, 2 GB, and half of it is for what statements need. */
const most = 1024

/**
 * How many megabytes of pages PostgreSQL keeps at hand (`shared_buffers`): what half of the data takes, the other half being rows and
 * indexes that nobody asks for of late; and no more than an eighth of the machine, or of the container.
 */
export function chooseBuffers(cluster: string): number {
  const limit = process.constrainedMemory()
  const machine = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return buffersFor(sizeOf(join(cluster, 'base')), machine)
}

/** @param data and @param machine in bytes */
export function buffersFor(data: number, machine: number): number {
  const wanted = Math.ceil(data / 2 / megabyte / 16) * 16
  return Math.max(least, Math.min(wanted, most, Math.floor(machine / 8 / megabyte)))
}

/** Of the files in a folder. */
function sizeOf(folder: string): number {
  let size = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    size += entry.isDirectory() ? sizeOf(path) : statSync(path).size
  }
  return size
}
