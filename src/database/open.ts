import { join } from 'node:path'
import type { Config } from '../config.ts'
import { OperatorError } from '../config.ts'
import { connect, connectEmbedded, type Sql } from './connect.ts'
import { startEmbedded } from './embedded/start.ts'
import { applySchema } from './ledger.ts'
import { schemaFiles } from './schema-files.ts'
import { parseDatabaseUrl } from './url.ts'

export type Database = {
  sql: Sql
  /** Where the data is, for the operator. */
  location: string
  /** The schema files that were applied on opening. */
  applied: string[]
  close: () => Promise<void>
}

/**
 * Opens the database of the configuration, embedded without a DATABASE_URL, and brings its schema up to date.
 * @param onFailure is told when the embedded database dies
 * @throws OperatorError
 */
export async function openDatabase(
  config: Config,
  onFailure: (error: Error) => void,
): Promise<Database> {
  if (config.databaseUrl === null) return openEmbedded(config.dataDir, onFailure)

  const sql = connect(config.databaseUrl, config.prepareStatements)
  const { host, port, database } = parseDatabaseUrl(config.databaseUrl)
  const location = `${database} on ${host}:${port}`
  try {
    const applied = await applySchema(sql, schemaFiles)
    return { sql, location, applied, close: () => sql.end({ timeout: 5 }) }
  } catch (error) {
    await sql.end({ timeout: 0 })
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`Cannot use the database ${location}: ${messageOf(error)}.`)
  }
}

async function openEmbedded(dataDir: string, onFailure: (error: Error) => void): Promise<Database> {
  const embedded = await startEmbedded(dataDir, onFailure).catch((error: unknown) => {
    throw new OperatorError(messageOf(error))
  })
  const sql = connectEmbedded(embedded.socket)
  const close = async () => {
    await sql.end({ timeout: 5 })
    await embedded.stop()
  }
  try {
    const applied = await applySchema(sql, schemaFiles)
    return { sql, location: `${join(dataDir, 'postgres')} (embedded PostgreSQL)`, applied, close }
  } catch (error) {
    await close()
    throw error
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
