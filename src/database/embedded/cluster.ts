import { accessSync, constants, existsSync, readFileSync, rmSync } from 'node:fs'
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Refusal } from './refusal.ts'

const major = '18'

/** In the data folder: what was restored and waits for its place. The cluster that is there must not be opened any more. */
export const waiting = 'restored'

/**
 * Makes a cluster ready to be opened, which only the holder of the folder's lock may do. Throws
 * unless it is one that this engine can open.
 */
export function prepareCluster(cluster: string) {
  const versionFile = join(cluster, 'PG_VERSION')
  if (!existsSync(versionFile)) {
    throw new Refusal('its folder "postgres" holds something else. Move that away')
  }
  accessSync(versionFile, constants.R_OK | constants.W_OK)
  const version = readFileSync(versionFile, 'utf8').trim()
  if (version !== major) {
    throw new Refusal(
      `it was made by PostgreSQL ${version}, this Docket has ${major}. Use the Docket that made it`,
    )
  }
  // PostgreSQL's own lock, of a process that was killed: it refuses to start when it is cut short.
  rmSync(join(cluster, 'postmaster.pid'), { force: true })
}

/**
 * Makes the cluster out of a snapshot. Interrupted at any point, by a kill or a loss of power, it
 * leaves nothing or a whole cluster: everything is on the disk before it gets its name.
 */
export async function createCluster(cluster: string, snapshot: Uint8Array) {
  const unfinished = `${cluster}.new`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  await new Bun.Archive(Bun.zstdDecompressSync(snapshot)).extract(unfinished).catch((error) => {
    throw new Refusal('its first content could not be written. Make room on the disk', {
      cause: error,
    })
  })
  await giveOrigin(unfinished)
  await syncAll(unfinished)
  await rename(unfinished, cluster)
  await sync(dirname(cluster))
  await syncAbove(resolve(dirname(cluster)))
}

/** The names of folders that were made on the way, as far as this user may look: a cluster is lost with any of them. */
async function syncAbove(folder: string) {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    await sync(dirname(at)).catch(() => undefined)
  }
}

/** Tells the numbers of its changes from those of any other, with which it has its system identifier in common: epoch.ts. */
export const giveOrigin = (cluster: string): Promise<void> =>
  appendFile(join(cluster, 'postgresql.auto.conf'), `docket.origin = '${crypto.randomUUID()}'\n`)

/** Forces a folder and all that is in it to the disk. */
export async function syncAll(folder: string) {
  const names = await readdir(folder, { recursive: true })
  await Promise.all([folder, ...names.map((name) => join(folder, name))].map(sync))
}

/** Forces a file, or the list of names that is a folder, to the disk. Windows does it for what is open for writing alone, so no folder. */
export async function sync(path: string) {
  const isFolder = (await stat(path)).isDirectory()
  if (isFolder && process.platform === 'win32') return
  const file = await open(path, isFolder ? 'r' : 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
