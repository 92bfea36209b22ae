import { Database } from 'bun:sqlite'
import { join } from 'node:path'

/**
 * Keeps every other process out of the folder until it is released or this process ends, however it
 * ends: PGlite itself lets two write, and they destroy each other's data (electric-sql/pglite#1106).
 * SQLite's exclusive lock is one that the kernel drops with the process. Throws SQLITE_BUSY.
 */
export function lockFolder(folder: string): () => void {
  const database = new Database(join(folder, 'lock'), { create: true })
  try {
    database.run('pragma busy_timeout = 0')
    // Nothing is ever written, so there need not be a journal beside it.
    database.run('pragma journal_mode = memory')
    database.run('begin exclusive')
  } catch (error) {
    database.close()
    throw error
  }
  // The caller's reference to this function keeps the database from being collected and unlocked.
  return () => database.close()
}
