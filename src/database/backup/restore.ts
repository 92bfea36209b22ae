import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { appendFile, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OperatorError } from '../../config.ts'
import { connectEmbedded } from '../connect.ts'
import { chooseBuffers } from '../embedded/buffers.ts'
import { prepareCluster, sync, syncAll } from '../embedded/cluster.ts'
import { lockFolder } from '../embedded/lock.ts'
import { explain, Refusal } from '../embedded/refusal.ts'
import { startWorker } from '../embedded/worker.ts'
import { createCheck, Damage, type Entry, portion, unpack } from './archive.ts'
import { endName, format, type Manifest, manifestName } from './backup.ts'

/** In the data folder: what is unpacked, what waits to be put in place, and what was in place before. */
const names = { unpacked: 'restored.new', ready: 'restored', replaced: 'replaced' } as const

/** As the engine has to be opened, but for so short that nothing is looked after. */
const noUpkeep = {
  lookEvery: 3_600_000,
  quietAfter: 3_600_000,
  checkpointEvery: 3_600_000,
  checkpointAfter: Number.POSITIVE_INFINITY,
  tidyWithin: 3_600_000,
}

/**
 * Makes the database of a backup, and its secret, those of a folder. Stopped at any point, by a kill or a loss of power, it leaves
 * what was there or what is in the backup: the next start ends what had begun to take its place.
 * @param isReplacing whether there may be a database already
 * @throws OperatorError
 */
export async function restore(
  path: string,
  folder: string,
  isReplacing: boolean,
): Promise<Manifest> {
  await check(path)
  const unlock = await enter(folder)
  const unpacked = join(folder, names.unpacked)
  try {
    putInPlace(folder)
    const there = ['postgres', 'secret'].filter((name) => existsSync(join(folder, name)))
    if (there.length > 0 && !isReplacing) {
      throw new OperatorError(
        `Cannot restore into ${folder}: there is a database or a secret already. Set DATA_DIR to another folder, or say --replace.`,
      )
    }
    await rm(unpacked, { recursive: true, force: true })
    const manifest = await unpackTo(unpacked, path)
    await recover(unpacked)
    await syncAll(unpacked)
    await rename(unpacked, join(folder, names.ready))
    await sync(folder)
    putInPlace(folder)
    await sync(folder)
    await rm(join(folder, names.replaced), { recursive: true, force: true })
    return manifest
  } catch (error) {
    if (error instanceof OperatorError) throw error
    const why = error instanceof Damage ? `it ${error.message}` : reasonOf(error)
    throw new OperatorError(`Cannot restore ${path}: ${why}. Nothing was changed.`)
  } finally {
    await rm(unpacked, { recursive: true, force: true }).catch(() => {})
    unlock()
  }
}

/**
 * What was restored takes its place, if something was: it is whole, and on the disk. What a restore has left is removed. Call it
 * before the folder is used for anything.
 */
export function endRestore(folder: string): void {
  if (!Object.values(names).some((name) => existsSync(join(folder, name)))) return
  let unlock: () => void
  try {
    unlock = lockFolder(folder)
  } catch {
    // Who has it is at it, or has done it.
    return
  }
  try {
    putInPlace(folder)
    syncSync(folder)
    for (const name of [names.replaced, names.unpacked]) {
      rmSync(join(folder, name), { recursive: true, force: true })
    }
  } finally {
    unlock()
  }
}

/** So that no loss of power brings back what is removed next in place of what is there. */
function syncSync(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Each step may be the last one of this process, and is not done twice by the next. */
function putInPlace(folder: string): void {
  const [ready, replaced] = [join(folder, names.ready), join(folder, names.replaced)]
  if (!existsSync(ready)) return
  const cluster = join(folder, 'postgres')
  const restored = join(ready, 'postgres')
  if (existsSync(join(ready, 'secret'))) renameSync(join(ready, 'secret'), join(folder, 'secret'))
  if (existsSync(restored)) {
    if (existsSync(cluster)) {
      rmSync(replaced, { recursive: true, force: true })
      renameSync(cluster, replaced)
    }
    renameSync(restored, cluster)
  }
  rmSync(ready, { recursive: true, force: true })
}

async function check(path: string): Promise<void> {
  const checked = createCheck()
  try {
    for await (const chunk of read(path)) checked.add(chunk)
    checked.finish()
  } catch (error) {
    const why = error instanceof Damage ? `it ${error.message}` : reasonOf(error)
    throw new OperatorError(`Cannot restore ${path}: ${why}.`)
  }
}

const read = (path: string): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: portion })

async function enter(folder: string): Promise<() => void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return lockFolder(folder)
  } catch (error) {
    throw new OperatorError(explain(folder, error).message)
  }
}

async function unpackTo(folder: string, path: string): Promise<Manifest> {
  await mkdir(folder, { mode: 0o700 })
  let manifest: Manifest | undefined
  for await (const entry of unpack(read(path))) {
    if (entry.name === manifestName) manifest = await readManifest(entry)
    else if (manifest === undefined) throw new Damage('is no backup of Docket')
    else if (entry.name.endsWith('/')) await mkdir(join(folder, entry.name), { mode: 0o700 })
    else await write(join(folder, entry.name), entry)
  }
  if (manifest === undefined) throw new Damage('is no backup of Docket')
  return manifest
}

async function readManifest({ bytes }: Entry): Promise<Manifest> {
  // It is covered by the checksum.
  const manifest = JSON.parse(Buffer.concat(await Array.fromAsync(bytes)).toString()) as Manifest
  if (manifest.format === format) return manifest
  throw new Damage(`was made by Docket ${manifest.docket}, in a format that this one does not know`)
}

async function write(path: string, { bytes }: Entry): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of bytes) await file.writeFile(chunk)
  } finally {
    await file.close()
  }
}

/** Opens it for the first time, when PostgreSQL makes one moment of it, and refuses what does not come to the end of its log. */
async function recover(unpacked: string): Promise<void> {
  const cluster = join(unpacked, 'postgres')
  prepareCluster(cluster)
  // For the numbers of its changes: epoch.ts.
  await appendFile(
    join(cluster, 'postgresql.auto.conf'),
    `docket.restored = '${crypto.randomUUID()}'\n`,
  )
  const end = await readFile(join(unpacked, endName), 'utf8')
  const engine = await startWorker(cluster, chooseBuffers(cluster), noUpkeep, () => {})
  try {
    const sql = connectEmbedded(engine.connect)
    // The checkpoint that ends a recovery begins where that has come to.
    const [row] = await sql<{ is_whole: boolean }[]>`
      select redo_lsn >= ${end}::pg_lsn as is_whole from pg_control_checkpoint()`
    await sql.end()
    if (row?.is_whole !== true) throw new Damage('is not whole: its log ends too early')
  } finally {
    await engine.stop()
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message.replace(/\.$/, '')
  if (!(error instanceof Error)) return String(error)
  if (!('code' in error)) return error.message.replace(/\.$/, '')
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder',
    EACCES: 'this user may not read it, or not write to the folder',
    ENOSPC: 'the disk is full',
  }
  return known[String(error.code)] ?? error.message
}
