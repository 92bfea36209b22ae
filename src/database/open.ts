import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { OperatorError } from '../config.ts'
import { type ConnectOptions, connect, connectEmbedded, type Session } from './connect.ts'
import { startEmbedded } from './embedded/start.ts'
import { codeOf, explain, mayCome, reason } from './faults.ts'
import { createGate, type Gate, type GateOptions } from './gate.ts'
import { applySchema } from './ledger.ts'
import { schemaFiles } from './schema-files.ts'
import { settingsFor } from './settings.ts'
import { describeAddress, parseDatabaseUrl, type ServerAddress } from './url.ts'

export type Database = {
  db: Gate
  /** Where the data is, for the operator. */
  location: string
  /** The schema files that were applied on opening. */
  applied: string[]
  close: () => Promise<void>
}

export type Listeners = {
  /** Is told when the embedded database dies. */
  onFailure: (error: Error) => void
  /** Is told how many milliseconds of the database a user has taken. */
  onCost?: GateOptions['onCost']
}

/** How many statements run on the server at a time. */
const connections = 8

/**
 * Opens the database of the configuration, embedded without a DATABASE_URL, and brings its schema up to date.
 * @param way direct: by DATABASE_DIRECT_URL, if there is one
 * @throws OperatorError
 */
export async function openDatabase(
  config: Config,
  listeners: Listeners,
  way: 'usual' | 'direct' = 'usual',
): Promise<Database> {
  if (way === 'direct' && config.databaseDirectUrl !== null) {
    const address = parseDatabaseUrl(config.databaseDirectUrl, 'DATABASE_DIRECT_URL')
    return openServer(config, address, listeners)
  }
  return config.databaseUrl === null
    ? openEmbedded(config, listeners)
    : openServer(config, parseDatabaseUrl(config.databaseUrl), listeners)
}

async function openServer(
  config: Config,
  address: ServerAddress,
  { onCost }: Listeners,
): Promise<Database> {
  const options = { prepare: config.prepareStatements, ca: readAuthorities(config.databaseCaFile) }
  // In all less than the deadline: who waited for the statement before it is still there to hear.
  const seconds = config.databaseDeadline / 2
  const { applied, told } = await applyWhenThere(config, address, { ...options, seconds })

  const sql = connect(address, {
    ...options,
    connectTimeout: config.databaseDeadline * 0.6,
    // After the server: a connection that is given up before has its statement running on.
    queryTimeout: seconds + Math.max(0.25, config.databaseDeadline / 10),
    max: connections,
    session: { seconds, told },
  })
  const db = createGate(sql, {
    permits: connections,
    deadline: config.databaseDeadline * 1000,
    onCost,
  })
  return { db, location: describeAddress(address), applied, close: () => sql.end({ timeout: 5 }) }
}

function readAuthorities(file: string | null): string | null {
  try {
    return file === null ? null : readFileSync(file, 'utf8')
  } catch (error) {
    throw new OperatorError(`Cannot read DATABASE_CA_FILE, ${file} (${codeOf(error)}).`)
  }
}

type Way = Pick<ConnectOptions, 'prepare' | 'ca'> & Pick<Session, 'seconds'>

/** Applies the schema, on a connection of its own that may take its time, as soon as there is a database. */
async function applyWhenThere(
  { databaseWait }: Config,
  address: ServerAddress,
  way: Way,
): Promise<{ applied: string[]; told: Session['told'] }> {
  const until = performance.now() + databaseWait * 1000
  const patient = { ...way, connectTimeout: 10, queryTimeout: 600, max: 1, session: null }
  const sql = connect(address, patient)
  let said = ''
  try {
    for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
      try {
        const applied = await applySchema(sql, schemaFiles)
        return { applied, told: await howToTell(address, way) }
      } catch (error) {
        if (error instanceof OperatorError) throw error
        if (!mayCome(error) || performance.now() + pause > until) {
          throw new OperatorError(explain(error, address))
        }
        const why = reason(error, address)
        if (why !== said) {
          console.error(
            `Waiting up to ${databaseWait} s for the database ${describeAddress(address)}: ${why}.`,
          )
        }
        said = why
        await Bun.sleep(pause * (0.5 + Math.random() / 2))
      }
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Tries whether a connection keeps what is asked of it when it opens. */
async function howToTell(address: ServerAddress, way: Way): Promise<Session['told']> {
  const session = { seconds: way.seconds, told: 'once' } as const
  const wanted = settingsFor(way.seconds)
  const sql = connect(address, { ...way, connectTimeout: 10, queryTimeout: 10, max: 1, session })
  try {
    const settings = await sql<{ name: string; value: string }[]>`
      select name, setting as value
      from pg_settings
      where name = any(${sql.typed.text_array(Object.keys(wanted))})`
    const kept = Object.fromEntries(settings.map(({ name, value }) => [name, value]))
    return Bun.deepEquals(kept, wanted) ? 'once' : 'each time'
  } catch (error) {
    // In PgBouncer's words: unsupported startup parameter.
    if (codeOf(error) === '08P01') return 'each time'
    throw error
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function openEmbedded(
  { dataDir, databaseDeadline }: Config,
  { onFailure, onCost }: Listeners,
): Promise<Database> {
  const embedded = await startEmbedded(dataDir, onFailure).catch((error: unknown) => {
    throw new OperatorError(error instanceof Error ? error.message : String(error))
  })
  const sql = connectEmbedded(embedded.socket)
  const close = async () => {
    await sql.end({ timeout: 5 })
    await embedded.stop()
  }
  try {
    const applied = await applySchema(sql, schemaFiles)
    embedded.limit(databaseDeadline / 2)
    const db = createGate(sql, { permits: 1, deadline: databaseDeadline * 1000, onCost })
    return { db, location: `${join(dataDir, 'postgres')} (embedded PostgreSQL)`, applied, close }
  } catch (error) {
    await close()
    throw error
  }
}
