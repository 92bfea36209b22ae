import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { OperatorError } from '../config.ts'
import { describeAddress, parseDatabaseUrl, type ServerAddress } from './address/url.ts'
import { findAuthTables, type Wanted } from './auth-tables/find.ts'
import { forgetWithAccount } from './auth-tables/forget.ts'
import type { AuthTables } from './auth-tables/tables.ts'
import { type Backup, createBackup, letGo } from './backup/backup.ts'
import {
  type ConnectOptions,
  connect,
  connectEmbedded,
  type OnAlarm,
  type Session,
  type Sql,
} from './connect.ts'
import { startEmbedded } from './embedded/start.ts'
import { createEpoch, type Epoch } from './epoch.ts'
import { codeOf, explain, isReadOnly, mayCome, reason } from './gate/faults.ts'
import { createGate, type Db, type Gate, type GateOptions } from './gate/gate.ts'
import { createPool } from './gate/pool.ts'
import { schemaFiles, schemaFilesWithoutAccounts } from './schema/files.ts'
import { applySchema, readLedger } from './schema/ledger.ts'
import { quote, usualSchema } from './schema-name.ts'
import { isolation, settingsFor } from './settings.ts'

export type Database = {
  db: Gate
  /** Where the data is, for the operator. */
  location: string
  /** The schema files that were applied on opening. */
  applied: string[]
  accounts: Accounts
  epoch: Epoch
  /** Null: it is on a server, which has ways of its own. */
  backup: Backup | null
  close: () => Promise<void>
}

/** Better Auth's tables. */
export type Accounts = {
  /** As they were found on opening; null: there are none, or nobody wants them. */
  tables: AuthTables | null
  /** Looks again, as a frontend may make them later. */
  find: (db: Db) => Promise<AuthTables | null>
  /** What this role may not do with them, for the operator. */
  faults: string[]
  /** Whether the tables are Docket's own, with those of programs beside them. */
  hasPrograms: boolean
}

export type Listeners = {
  /** Is told when the embedded database dies. */
  onFailure: (error: Error) => void
  /** Is told how many milliseconds of the database a user has taken. */
  onCost?: GateOptions['onCost']
  /** Is told of users for whom something was written. */
  onWrite?: GateOptions['onWrite']
  /** Is told that a reminder is to come, and in how many milliseconds. */
  onAlarm?: OnAlarm
}

/** How many statements run on the server at a time. */
const connections = 8

/**
 * How many statements are on their way to the embedded database or back, one behind the other on its one connection: the engine has the
 * next one at hand when it is done with one.
 */
const piped = 3

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
  { onCost, onWrite, onAlarm }: Listeners,
): Promise<Database> {
  const options = { prepare: config.prepareStatements, ca: readAuthorities(config.databaseCaFile) }
  // In all less than the deadline: who waited for the statement before it is still there to hear.
  const seconds = config.databaseDeadline / 2
  const { told, ...prepared } = await prepareWhenThere(config, address, { ...options, seconds })

  const longest = config.databaseDeadline * 0.6
  const pool = createPool(address, {
    ...options,
    connectTimeout: Math.min(longest, address.connectTimeout ?? longest),
    // After the server: a connection that is given up before has its statement running on.
    queryTimeout: seconds + Math.max(0.25, config.databaseDeadline / 10),
    max: connections,
    session: { seconds, told },
    schema: config.databaseSchema,
    onAlarm,
  })
  if (pool.hasOthers) await pool.look()
  const db = createGate(pool, {
    permits: connections,
    deadline: config.databaseDeadline * 1000,
    onCost,
    onWrite,
  })
  return {
    db,
    epoch: createEpoch(pool.sql),
    location: describeAddress(address),
    backup: null,
    ...prepared,
    close: () => pool.end(5),
  }
}

function readAuthorities(file: string | null): string | null {
  try {
    return file === null ? null : readFileSync(file, 'utf8')
  } catch (error) {
    throw new OperatorError(`Cannot read DATABASE_CA_FILE, ${file} (${codeOf(error)}).`)
  }
}

type Way = Pick<ConnectOptions, 'prepare' | 'ca'> & Pick<Session, 'seconds'>

type Prepared = Pick<Database, 'applied' | 'accounts'>

/** Applies the schema, on a connection of its own that may take its time, as soon as there is a database. */
async function prepareWhenThere(
  config: Config,
  address: ServerAddress,
  way: Way,
): Promise<Prepared & Pick<Session, 'told'>> {
  const { databaseWait, databaseSchema: schema } = config
  const until = performance.now() + databaseWait * 1000
  const connectTimeout = address.connectTimeout ?? 10
  const session = { seconds: 600, told: 'each time' } as const
  const patient = { ...way, connectTimeout, queryTimeout: 600, max: 1, session, schema }
  const pool = createPool(address, patient)
  let said = ''
  try {
    for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
      try {
        if (pool.hasOthers) await pool.look()
        await refuseServer(pool.sql(), pool.server())
        const prepared = await prepare(pool.sql(), config, address)
        return { ...prepared, told: await howToTell(pool.server(), way) }
      } catch (error) {
        if (error instanceof OperatorError) throw error
        if (!mayCome(error) || performance.now() + pause > until) {
          throw new OperatorError(explain(error, address, pool.server()))
        }
        const why = reason(error, pool.server())
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
    await pool.end(1)
  }
}

/** Brings the schema up to date, and looks for accounts: where there are none, the built-in issuer gets its own tables. */
async function prepare(
  sql: Sql,
  config: Config,
  address: Pick<ServerAddress, 'searchPath' | 'user'> | null = null,
): Promise<Prepared> {
  const { databaseSchema: schema, hasSessions } = config
  const applied = await applySchema(sql, schemaFilesWithoutAccounts, schema)
  if (!hasSessions) {
    return {
      applied,
      accounts: { tables: null, find: async () => null, faults: [], hasPrograms: false },
    }
  }

  // A simple message: without our settings, of which the search path is one.
  const [row] = await sql
    .unsafe<{ searchPath: string[] }[]>(
      'select pg_catalog.current_schemas(false)::pg_catalog.text[] as "searchPath"',
    )
    .simple()
  const asked = address?.searchPath?.map((name) => (name === '$user' ? address.user : name))
  const searchPath = asked ?? row?.searchPath ?? []
  const isIssuer = config.issuer !== null
  const wanted: Wanted = { schema, searchPath, named: config.authTables, isIssuer }
  let found = await findAuthTables(sql, wanted)
  const isNone = found.tables === null && found.unreadable.length === 0
  const isOwn = isIssuer && (isNone || (await hasOwnAccounts(sql, schema)))
  if (isOwn) {
    applied.push(...(await applySchema(sql, schemaFiles, schema)))
    found = await findAuthTables(sql, wanted)
  }
  const { tables, unreadable } = found
  const faults = unreadable.map((path) => `this role may not read ${path}: grant select on it`)
  const fault = tables === null ? null : await forgetWithAccount(sql, tables, schema)
  if (fault !== null) faults.push(`who deletes an account leaves the tasks here: ${fault}`)
  const find = async (db: Db) => {
    const { tables: later } = await db.read((pool) => findAuthTables(pool, wanted))
    if (later === null) return null
    try {
      await db.idempotentWrite((pool) => forgetWithAccount(pool, later, schema))
    } catch (error) {
      if (!isReadOnly(error)) throw error // Who signs in only reads. The next start tries again.
    }
    return later
  }
  const hasPrograms = isOwn && tables?.user.path === `${quote(schema)}."user"`
  return { applied, accounts: { tables, find, faults, hasPrograms } }
}

/** In a schema that others use too the tables may be theirs. */
async function hasOwnAccounts(sql: Sql, schema: string): Promise<boolean> {
  const applied = await readLedger(sql, schema)
  const others = new Set(schemaFilesWithoutAccounts.map(({ version }) => version))
  return schemaFiles.some(
    ({ version }) => !others.has(version) && applied.some((row) => row.version === version),
  )
}

/**
 * What no session of ours can change. Only one encoding takes whatever is written; and where it is taken for a replica no trigger
 * and no foreign key has an effect, so that what is deleted stays.
 */
async function refuseServer(sql: Sql, address: ServerAddress): Promise<void> {
  const [row] = await sql<{ encoding: string; replication: string }[]>`
    select pg_catalog.current_setting('server_encoding') as encoding,
      pg_catalog.current_setting('session_replication_role') as replication`
  const cannot = `Cannot use the database ${describeAddress(address)}`
  if (row?.encoding !== 'UTF8') {
    throw new OperatorError(
      `${cannot}: its encoding is ${row?.encoding}, and has to be UTF8. Make one with: create database … encoding 'UTF8' template template0`,
    )
  }
  if (row.replication === 'replica') {
    throw new OperatorError(
      `${cannot}: session_replication_role is replica, with which deletions are incomplete. Have whoever set it for the server, the database or the role reset it.`,
    )
  }
}

/** Tries whether a connection keeps what is asked of it when it opens. */
async function howToTell(address: ServerAddress, way: Way): Promise<Session['told']> {
  const session = { seconds: way.seconds, told: 'once' } as const
  const wanted: Record<string, string> = {
    ...settingsFor(way.seconds),
    default_transaction_isolation: isolation,
  }
  const connectTimeout = address.connectTimeout ?? 10
  const options = { connectTimeout, queryTimeout: 10, max: 1, session, schema: usualSchema }
  const sql = connect(address, { ...way, ...options })
  try {
    const settings = await sql<{ name: string; value: string }[]>`
      select name, setting as value
      from pg_catalog.pg_settings
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
  config: Config,
  { onFailure, onCost, onWrite, onAlarm }: Listeners,
): Promise<Database> {
  const { dataDir, databaseDeadline, databaseSchema, embeddedMemory } = config
  const embedded = await startEmbedded(dataDir, onFailure, undefined, embeddedMemory).catch(
    (error: unknown) => {
      throw new OperatorError(error instanceof Error ? error.message : String(error))
    },
  )
  const sql = connectEmbedded(embedded.socket, databaseSchema, onAlarm)
  const close = async () => {
    await sql.end({ timeout: 5 })
    await embedded.stop()
  }
  try {
    const prepared = await prepare(sql, config)
    await letGo(sql)
    embedded.limit(databaseDeadline / 2)
    const db = createGate(sql, {
      permits: piped,
      isRow: true,
      deadline: databaseDeadline * 1000,
      onCost,
      onWrite,
    })
    const location = `${join(dataDir, 'postgres')} (embedded PostgreSQL)`
    const backup = createBackup(sql, dataDir)
    return { db, location, backup, ...prepared, epoch: createEpoch(() => sql), close }
  } catch (error) {
    await close()
    throw error
  }
}
