import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../../package.json' with { type: 'json' }
import { OperatorError } from '../../config.ts'
import { connectEmbedded, type Sql } from '../connect.ts'
import { startEmbedded } from '../embedded/start.ts'
import { type Entry, entryOf, isPlace, pack, portion } from './archive.ts'
import { reserve, roomIn } from './file.ts'

/** Gives the bytes of a backup as they are made. To leave it before its end is to give it up. */
export type Backup = () => AsyncGenerator<Uint8Array>

/** What is made known of a backup in its first entry. */
export type Manifest = { format: number; docket: string; made_at: string }

export const manifestName = 'docket.json'
export const format = 1

/** The entry that says how far the log of the backup goes at least. */
export const endName = 'end'

/** Keeps the write-ahead log since the beginning of a backup, whatever checkpoints there are. */
const slot = 'docket_backup'

/** Folders whose content PostgreSQL makes anew: https://www.postgresql.org/docs/18/protocol-replication.html#BASE_BACKUP */
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
/** In milliseconds: how long whoever reads a backup may take nothing of it, and how often is looked. */
const usualLimits = { stalled: 600_000, lookEvery: 1000, room: roomIn }

const isLog = /^[0-9A-F]{24}$/
const left = /^(?:postmaster\.(?:pid|opts)|pg_internal\.init.*|backup_label.*|pg_control)$/

/**
 * Backups of the cluster in a folder, while it is written to, and nobody waits for them. A copy is what a loss of power would leave, and
 * PostgreSQL makes one moment of it in the same way when it is opened: from the last checkpoint before the copying began it
 * follows the write-ahead log, which is copied last, to the end. What was written to a page meanwhile is in the log, which has each page whole at
 * its first change after a checkpoint (full_page_writes), so that one that was copied half written is mended.
 * The base backup of PostgreSQL is the same, but begins with a checkpoint, for which everybody would wait.
 */
export function createBackup(sql: Sql, folder: string, limits = usualLimits): Backup {
  const cluster = join(folder, 'postgres')
  let underWay: { hasBegun: boolean } | null = null

  async function* entries(run: { hasBegun: boolean }): AsyncGenerator<Entry> {
    run.hasBegun = true
    try {
      await letGo(sql)
      await sql`select pg_create_physical_replication_slot(${slot}, immediately_reserve => true)`
      // The engine itself reads it, between two statements: nobody else knows when it is whole.
      const [begin] = await sql<{ control: Uint8Array; first: string }[]>`
        select pg_read_binary_file('global/pg_control') as control, redo_wal_file as first
        from pg_control_checkpoint()`
      if (begin === undefined) throw new Error('PostgreSQL says nothing of its last checkpoint.')
      const manifest: Manifest = { format, docket: version, made_at: new Date().toISOString() }
      yield entryOf(manifestName, `${JSON.stringify(manifest)}\n`)
      yield* copyFolder(cluster, 'postgres/')
      yield entryOf('postgres/global/pg_control', begin.control)

      // Of what is copied everything is in the log up to here.
      const [end] = await sql<{ lsn: string; last: string }[]>`
        select lsn::text as lsn, pg_walfile_name(lsn) as last
        from pg_switch_wal() as lsn`
      if (end === undefined) throw new Error('PostgreSQL says nothing of its log.')
      const logs = (await readdir(join(cluster, 'pg_wal')))
        .filter((name) => isLog.test(name) && name >= begin.first && name <= end.last)
        .toSorted()
      for (const name of logs) {
        yield* copyFile(join(cluster, 'pg_wal', name), `postgres/pg_wal/${name}`)
      }
      const [kept] = await sql<{ wal_status: string }[]>`
        select wal_status from pg_replication_slots where slot_name = ${slot}`
      if (kept === undefined || kept.wal_status === 'lost') {
        throw new OperatorError('The backup took so long that too much was written meanwhile.')
      }
      yield entryOf(endName, end.lsn)
      const secret = await readFile(join(folder, 'secret')).catch(orNothing)
      if (secret !== undefined) yield entryOf('secret', secret)
    } finally {
      // An engine that cannot do this has died, and the next one does it.
      await letGo(sql).catch(() => {})
      underWay = null
    }
  }

  return async function* backup() {
    if (underWay !== null) {
      throw new OperatorError('A backup is being made already. Wait for its end.')
    }
    const run = { hasBegun: false }
    underWay = run
    const bytes = pack(entries(run))
    const first = await limits.room(folder).catch(() => 0)
    let taken = performance.now()
    let why: string | undefined
    const giveUp = async (reason: string) => {
      clearInterval(looking)
      why = reason
      await bytes.return(undefined)
    }
    const look = async () => {
      if (performance.now() - taken > limits.stalled) {
        await giveUp('Nobody took any of the backup for so long that it was given up.')
      } else if ((await limits.room(folder)) < Math.min(reserve, first / 2)) {
        await giveUp('The backup was given up: the log that is kept for it would fill the disk.')
      }
    }
    // What is kept for it is let go even if whoever reads it never comes back.
    const looking = setInterval(() => void look().catch(() => {}), limits.lookEvery)
    looking.unref()
    try {
      for await (const chunk of bytes) {
        taken = performance.now()
        yield chunk
        if (why !== undefined) break
        taken = performance.now()
      }
      if (why !== undefined) throw new OperatorError(why)
    } finally {
      clearInterval(looking)
      if (!run.hasBegun) underWay = null
    }
  }
}

/** The same of a folder that nobody has open. Its schema stays as it is, for it may go back to the Docket of before. */
export async function* backupAtRest(folder: string): AsyncGenerator<Uint8Array> {
  const embedded = await startEmbedded(folder, (error) => {
    throw error
  }).catch((error: unknown) => {
    throw new OperatorError(error instanceof Error ? error.message : String(error))
  })
  const sql = connectEmbedded(embedded.socket)
  try {
    await letGo(sql)
    yield* createBackup(sql, folder)()
  } finally {
    await sql.end({ timeout: 5 })
    await embedded.stop()
  }
}

/** The log need no longer be kept for a backup. Call it on opening too: one may have been killed. */
export async function letGo(sql: Sql): Promise<void> {
  await sql`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`
}

async function* copyFolder(folder: string, name: string): AsyncGenerator<Entry> {
  yield { name, size: 0, bytes: nothing }
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    // None of PostgreSQL's: `lost+found` on a disk of its own.
    if (!isPlace(entry.name)) continue
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
