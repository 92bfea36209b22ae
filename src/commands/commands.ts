import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Config, OperatorError } from '../config.ts'
import { createCheck, Damage } from '../database/backup/archive.ts'
import { backupAtRest } from '../database/backup/backup.ts'
import { writeBackup } from '../database/backup/file.ts'
import { restore } from '../database/backup/restore.ts'
import { openDatabase } from '../database/open.ts'
import type { SourceName } from '../imports/schema.ts'
import { analyze } from '../tasks/transfer.ts'
import { readImport } from '../transfer/import-file.ts'
import { type Errand, noBackup, run } from './errands.ts'
import { ask } from './socket.ts'

// The commands that need the database, whether a server has it open or not.

/** Writes all that a user has to standard output. */
export const exportUser = (config: Config, user: string, hasHistory: boolean): Promise<void> =>
  print(perform(config, { name: 'export', user, hasHistory }))

/** Reads what export wrote from standard input. */
export const importUsers = (config: Config): Promise<void> =>
  print(perform(config, { name: 'import' }, () => Bun.stdin.stream()))

/** Imports a file of another program for a user, or only says what would become of it. */
export async function importFile(
  config: Config,
  user: string,
  { from, path }: { from: SourceName; path: string },
  isDry: boolean,
): Promise<void> {
  const bytes = await readImport(path)
  const errand: Errand = { name: 'import-file', user, from, path, isDry }
  await print(perform(config, errand, () => new Blob([bytes]).stream()))
}

/** Writes a backup of the embedded database to a file, or to standard output (`-`). */
export async function backUp(config: Config, path: string): Promise<void> {
  const { databaseUrl, dataDir } = config
  if (databaseUrl !== null) throw new OperatorError(noBackup)
  if (!existsSync(join(dataDir, 'postgres'))) {
    throw new OperatorError(`There is no database in ${dataDir}: set DATA_DIR to its folder.`)
  }
  if (path === '-' && process.stdout.isTTY) {
    throw new OperatorError('A backup is nothing for a terminal: say which file, or redirect it.')
  }
  const folder = dirname(resolve(path))
  if (!existsSync(folder)) throw new OperatorError(`There is no folder ${dirname(path)}.`)
  try {
    const backup = (await ask(dataDir, { name: 'backup' }, null)) ?? backupAtRest(dataDir)
    if (path === '-') return await print(checked(backup))
    const size = await writeBackup(path, backup, dataDir)
    console.log(`Backed up ${dataDir} to ${path}: ${(size / 1e6).toFixed(1)} MB.`)
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`Cannot back up ${dataDir} to ${path}: ${reasonOf(error)}.`)
  }
}

/** Makes the database of a backup that of DATA_DIR. */
export async function restoreFrom(
  config: Config,
  path: string,
  isReplacing: boolean,
): Promise<void> {
  const { databaseUrl, dataDir } = config
  if (databaseUrl !== null) {
    throw new OperatorError(
      'docket restore is for the embedded database: leave DATABASE_URL out, or restore that one with its own means.',
    )
  }
  const { docket, made_at } = await restore(path, dataDir, isReplacing)
  console.log(`Restored ${dataDir} from a backup of ${made_at}, by Docket ${docket}.`)
}

/** By the server that has the embedded database open, if there is one, or else by this process. */
async function* perform(
  config: Config,
  errand: Errand,
  input: (() => ReadableStream<Uint8Array>) | null = null,
): AsyncGenerator<Uint8Array | string> {
  const given = input?.() ?? null
  const answer = config.databaseUrl === null ? await ask(config.dataDir, errand, given) : null
  if (answer !== null) return yield* answer

  // Nobody waits for an answer: it may take its time.
  const database = await openDatabase(
    { ...config, databaseDeadline: 60 },
    {
      onFailure: (error) => {
        throw error
      },
    },
  )
  try {
    yield* run({ ...database, onWrite: () => {} }, errand, given ?? new Blob().stream())
  } finally {
    // Without it plans may be worse, but nothing is lost.
    if (errand.name === 'import') await analyze(database.db).catch(() => {})
    await database.close()
  }
}

async function* checked(backup: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const check = createCheck()
  for await (const chunk of backup) {
    check.add(chunk)
    yield chunk
  }
  check.finish()
}

async function print(pieces: AsyncIterable<Uint8Array | string>): Promise<void> {
  const output = Bun.stdout.writer()
  for await (const piece of pieces) {
    await written(async () => {
      await output.write(piece)
      await output.flush()
    })
  }
  await written(async () => output.end())
}

async function written(write: () => Promise<unknown>): Promise<void> {
  try {
    await write()
  } catch (error) {
    throw new OperatorError(`Cannot write to standard output: ${reasonOf(error)}.`)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Damage) return `it ${error.message}. The log of the server says why`
  if (!(error instanceof Error)) return String(error)
  const known: Record<string, string> = {
    ENOSPC: 'the disk has no room for it',
    EDQUOT: 'the disk has no room for it',
    EFBIG: 'the file would be larger than it may be',
    EACCES: 'this user may not write there',
    EROFS: 'nothing can be written there',
    ENOTDIR: 'a part of its path is a file',
    EPIPE: 'nobody reads it any more',
  }
  const code = 'code' in error ? String(error.code) : ''
  return known[code] ?? error.message.replace(/\.$/, '')
}
