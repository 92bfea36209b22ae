import { existsSync, renameSync, rmSync } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OperatorError } from '../../config.ts'
import { connectEmbedded } from '../connect.ts'
import { giveOrigin, sync, syncAll, waiting } from '../embedded/cluster.ts'
import { lockFolder } from '../embedded/lock.ts'
import { explain, Refusal } from '../embedded/refusal.ts'
import { startEmbedded } from '../embedded/start.ts'
import { createCheck, Damage, type Entry, portion, unpack } from './archive.ts'
import { endName, format, type Manifest, manifestName } from './backup.ts'

/** In the data folder: what is unpacked, what waits to be put in place, and what was in place before. */
const names = { unpacked: 'restored.new', ready: waiting, replaced: 'replaced' } as const

/** What is in a backup beside its manifest, and how much of that is read at most. */
const isKnown = /^(?:postgres\/.*|secret|end)$/
const longestManifest = 4096

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
  const file = await openChecked(path)
  let unlock: () => void
  try {
    unlock = await enter(folder)
  } catch (error) {
    await file.close()
    throw error
  }
  const unpacked = join(folder, names.unpacked)
  let isReady = false
  try {
    putInPlace(folder)
    const there = ['postgres', 'secret'].filter((name) => existsSync(join(folder, name)))
    if (there.length > 0 && !isReplacing) {
      throw new OperatorError(
        `Cannot restore into ${folder}: there is a database or a secret already. Set DATA_DIR to another folder, or say --replace.`,
      )
    }
    await rm(unpacked, { recursive: true, force: true })
    const manifest = await unpackTo(unpacked, file)
    await recover(unpacked)
    await syncAll(unpacked)
    await rename(unpacked, join(folder, names.ready))
    isReady = true
    await sync(folder)
    putInPlace(folder)
    await sync(folder)
    await rm(join(folder, names.replaced), { recursive: true, force: true })
    return manifest
  } catch (error) {
    if (error instanceof OperatorError) throw error
    const why = error instanceof Damage ? `it ${error.message}` : reasonOf(error)
    const state =
      !isReady || takeBack(folder)
        ? 'Nothing was changed'
        : 'What is in it takes its place with the next start'
    throw new OperatorError(`Cannot restore ${path}: ${why}. ${state}.`)
  } finally {
    await file.close()
    await rm(unpacked, { recursive: true, force: true }).catch(() => {})
    unlock()
  }
}

/**
 * What was restored takes its place, if something was: it is whole, and on the disk. What a restore has left is removed. Call it
 * before the folder is used for anything.
 */
export async function endRestore(folder: string): Promise<void> {
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
    // So that no loss of power brings back what is removed next in place of what is there.
    await sync(folder)
    for (const name of [names.replaced, names.unpacked]) {
      rmSync(join(folder, name), { recursive: true, force: true })
    }
  } catch (error) {
    throw new OperatorError(
      `Cannot end the restore that was stopped half way in ${folder}: ${reasonOf(error)}.`,
    )
  } finally {
    unlock()
  }
}

/** Each step may be the last one of this process, and is not done twice by the next. */
function putInPlace(folder: string): void {
  const [ready, replaced] = [join(folder, names.ready), join(folder, names.replaced)]
  if (!existsSync(ready)) return
  const cluster = join(folder, 'postgres')
  const restored = join(ready, 'postgres')
  // First what may fail, while it can be taken back.
  if (existsSync(restored)) {
    if (existsSync(cluster)) {
      rmSync(replaced, { recursive: true, force: true })
      renameSync(cluster, replaced)
    }
    renameSync(restored, cluster)
  }
  if (existsSync(join(ready, 'secret'))) renameSync(join(ready, 'secret'), join(folder, 'secret'))
  rmSync(ready, { recursive: true, force: true })
}

/** Before the first step: the database of before stays. */
function takeBack(folder: string): boolean {
  const ready = join(folder, names.ready)
  if (!existsSync(join(folder, 'postgres')) || !existsSync(join(ready, 'postgres'))) return false
  renameSync(ready, join(folder, names.unpacked))
  return true
}

/** It stays open: what is unpacked is what was looked at, whatever has its name by then. */
async function openChecked(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined
  try {
    // To open a pipe may take forever.
    const there = await stat(path)
    if (there.isDirectory()) throw new Damage('is a folder')
    if (!there.isFile()) throw new Damage('is no file: put it in one first')
    file = await open(path)
    const checked = createCheck()
    for await (const chunk of read(file)) checked.add(chunk)
    checked.finish()
    return file
  } catch (error) {
    await file?.close()
    const why = error instanceof Damage ? `it ${error.message}` : reasonOf(error)
    throw new OperatorError(`Cannot restore ${path}: ${why}.`)
  }
}

async function* read(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(portion), 0, portion, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function enter(folder: string): Promise<() => void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return lockFolder(folder)
  } catch (error) {
    throw new OperatorError(explain(folder, error).message)
  }
}

async function unpackTo(folder: string, file: FileHandle): Promise<Manifest> {
  await mkdir(folder, { mode: 0o700 })
  let manifest: Manifest | undefined
  for await (const entry of unpack(read(file))) {
    if (entry.name === manifestName) manifest = await readManifest(entry)
    else if (manifest === undefined || !isKnown.test(entry.name)) throw new Damage(isOther)
    else if (entry.name.endsWith('/')) await mkdir(join(folder, entry.name), { mode: 0o700 })
    else await write(join(folder, entry.name), entry)
  }
  if (manifest === undefined) throw new Damage(isOther)
  return manifest
}

const isOther = 'is no backup of Docket: it holds something else'

async function readManifest({ size, bytes }: Entry): Promise<Manifest> {
  if (size > longestManifest) throw new Damage(isOther)
  const text = Buffer.concat(await Array.fromAsync(bytes)).toString()
  let manifest: Partial<Manifest> | null
  try {
    manifest = JSON.parse(text) as Partial<Manifest> | null
  } catch {
    throw new Damage(isOther)
  }
  // Of this format: what else is in it is covered by the checksum.
  if (manifest?.format === format) return manifest as Manifest
  if (manifest?.docket === undefined) throw new Damage(isOther)
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
  const end = await readFile(join(unpacked, endName), 'utf8').catch(() => '')
  if (!/^[0-9A-F]+\/[0-9A-F]+$/.test(end) || !existsSync(join(cluster, 'PG_VERSION'))) {
    throw new Damage('is no backup of Docket: something is missing in it')
  }
  await giveOrigin(cluster)
  const embedded = await startEmbedded(unpacked, () => {})
  try {
    const sql = connectEmbedded(embedded.socket)
    // The checkpoint that ends a recovery begins where that has come to.
    const [row] = await sql<{ is_whole: boolean }[]>`
      select redo_lsn >= ${end}::pg_lsn as is_whole from pg_control_checkpoint()`
    await sql.end()
    if (row?.is_whole !== true) throw new Damage('is not whole: its log ends too early')
  } finally {
    await embedded.stop()
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message.replace(/\.$/, '')
  if (!(error instanceof Error)) return String(error)
  // Of the folder that it was unpacked to, which is nothing to whoever restores it.
  if (error.cause instanceof Refusal) return reasonOf(error.cause)
  if (!('code' in error)) return error.message.replace(/\.$/, '')
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'there is no such file',
    EACCES: 'this user may not read it, or not write to the folder',
    EBUSY: 'the folder "postgres" cannot be moved, as where a disk of its own is mounted',
    ENOSPC: 'the disk is full',
  }
  return known[String(error.code)] ?? error.message
}
