import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../../package.json' with { type: 'json' }
import { OperatorError } from '../../config.ts'
import type { Sql } from '../connect.ts'
import { type Entry, entryOf, pack, portion } from './archive.ts'

/** Gives the bytes of a backup as they are made. To leave it before its end is to give it up. */
export type Backup = () => AsyncGenerator<Uint8Array>

/** What is made known of a backup in its first entry. */
export type Manifest = { format: number; docket: string; made_at: string }

export const manifestName = 'docket.json'
export const format = 1

/** Keeps the write-ahead log since the beginning of a backup, whatever checkpoints there are. */
const slot = 'docket_backup'

/** Folders whose content PostgreSQL makes anew, by https://www.postgresql.org/docs/18/protocol-replication.html#BASE_BACKUP */
const hollow = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat',
  'pg_stat_tmp',
  'pg_subtrans',
  // Not all of it, and last: see below.
  'pg_wal',
])
const left = /^(?:postmaster\.(?:pid|opts)|pg_internal\.init.*|backup_label.*|pg_control)$/

/**
 * Backups of the cluster in a folder, while it is written to: the base backup of PostgreSQL, by us in place of pg_basebackup. What is
 * copied meanwhile is of no one moment; the log of that time, which is copied last, makes it one when the copy is opened: that
 * of the end. Nobody waits but for a checkpoint at the beginning.
 */
export function createBackup(sql: Sql, folder: string): Backup {
  const cluster = join(folder, 'postgres')
  let isUnderWay = false

  async function* entries(): AsyncGenerator<Entry> {
    if (isUnderWay) throw new OperatorError('A backup is being made already. Wait for its end.')
    isUnderWay = true
    let isOpen = false
    try {
      await settle(cluster)
      await sql`select pg_create_physical_replication_slot(${slot}, true)`
      isOpen = true
      const [begin] = await sql<{ first: string }[]>`
        select pg_walfile_name(pg_backup_start('docket', fast => true)) as first`
      const manifest: Manifest = { format, docket: version, made_at: new Date().toISOString() }
      yield entryOf(manifestName, `${JSON.stringify(manifest)}\n`)
      yield* copyFolder(cluster, 'postgres/')

      // The engine itself reads it, between two statements: nobody else knows when it is whole.
      const [end] = await sql<{ label: string; control: Uint8Array; last: string }[]>`
        select labelfile as label, pg_walfile_name(lsn) as last, pg_read_binary_file('global/pg_control') as control
        from pg_backup_stop(wait_for_archive => false)`
      isOpen = false
      if (begin === undefined || end === undefined) throw new Error('PostgreSQL made no backup.')
      yield entryOf('postgres/backup_label', end.label)
      yield entryOf('postgres/global/pg_control', end.control)
      for (const name of (await readdir(join(cluster, 'pg_wal'))).toSorted()) {
        if (!/^[0-9A-F]{24}$/.test(name) || name < begin.first || name > end.last) continue
        yield* copyFile(join(cluster, 'pg_wal', name), `postgres/pg_wal/${name}`)
      }
      const [kept] = await sql<{ wal_status: string }[]>`
        select wal_status from pg_replication_slots where slot_name = ${slot}`
      if (kept === undefined || kept.wal_status === 'lost') {
        throw new OperatorError('The backup took so long that too much was written meanwhile.')
      }
      const secret = await readFile(join(folder, 'secret')).catch(orNothing)
      if (secret !== undefined) yield entryOf('secret', secret)
    } finally {
      // An engine that cannot do this has died, and nothing of it is left.
      if (isOpen) await sql`select from pg_backup_stop(wait_for_archive => false)`.catch(() => {})
      await letGo(sql).catch(() => {})
      isUnderWay = false
    }
  }

  return () => pack(entries())
}

/** The log need no longer be kept for a backup. Call it on opening too: one may have been killed. */
export async function letGo(sql: Sql): Promise<void> {
  await sql`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`
}

/** Forces to the disk what is there, while the engine goes on: the checkpoint has less to wait for. */
async function settle(cluster: string): Promise<void> {
  for (const folder of ['base', 'global', 'pg_xact']) {
    for (const file of await readdir(join(cluster, folder), { recursive: true })) {
      const handle = await open(join(cluster, folder, file)).catch(orNothing)
      // What cannot be synced, PostgreSQL will find out.
      await handle?.datasync().catch(() => {})
      await handle?.close()
    }
  }
}

async function* copyFolder(folder: string, name: string): AsyncGenerator<Entry> {
  yield { name, size: 0, bytes: nothing }
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && hollow.has(entry.name)) {
      yield { name: `${name}${entry.name}/`, size: 0, bytes: nothing }
    } else if (entry.isDirectory()) yield* copyFolder(path, `${name}${entry.name}/`)
    else if (!left.test(entry.name)) yield* copyFile(path, `${name}${entry.name}`)
  }
}

const nothing: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} }

/** As long as it is now. What is written to it, cut off or removed from here on is in the log too. */
async function* copyFile(path: string, name: string): AsyncGenerator<Entry> {
  const file = await open(path).catch(orNothing)
  if (file === undefined) return
  try {
    const { size } = await file.stat()
    yield { name, size, bytes: readAll(file, size) }
  } finally {
    await file.close()
  }
}

async function* readAll(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const bytes = Buffer.alloc(Math.min(portion, size - at))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, at)
    // Cut off meanwhile: zeros, up to the size that was said.
    at += bytesRead || bytes.length
    yield bytesRead === 0 ? bytes : bytes.subarray(0, bytesRead)
  }
}

/** For what may be gone by now. */
function orNothing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
