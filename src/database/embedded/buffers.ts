import { readdirSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'

const megabyte = 1024 * 1024

/** What is read and written without a detour through the file system; all of it is touched at the start. */
const least = 32

/** All of it may have to be written by a checkpoint, while everybody waits. Who is told of it, by EMBEDDED_MEMORY, may have more. */
const most = 96

/**
 * How many megabytes of pages PostgreSQL keeps at hand (`shared_buffers`): a quarter of what there is, the rest being what nobody
 * has asked for of late; and no more than an eighth of the machine, or of the container.
 */
export function chooseBuffers(cluster: string): number {
  const limit = process.constrainedMemory()
  const machine = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return buffersFor(sizeOf(join(cluster, 'base')), machine)
}

/** @param data and @param machine in bytes */
export function buffersFor(data: number, machine: number): number {
  const wanted = Math.ceil(data / 4 / megabyte / 16) * 16
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
