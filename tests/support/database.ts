import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDatabaseUrl } from '../../src/database/address/url.ts'
import { findAuthTables } from '../../src/database/auth-tables/find.ts'
import { forgetWithAccount } from '../../src/database/auth-tables/forget.ts'
import type { AuthTables } from '../../src/database/auth-tables/tables.ts'
import {
  connect,
  connectEmbedded,
  type OnAlarm,
  type Session,
  type Sql,
} from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import { createGate, type Gate, type GateOptions } from '../../src/database/gate/gate.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { usualSchema } from '../../src/database/schema-name.ts'

// The suite runs on the embedded database, or on the server of TEST_DATABASE_URL.
const url = process.env['TEST_DATABASE_URL']
const prepare = process.env['TEST_DATABASE_PREPARE'] !== 'off'

/** A folder that is gone some time after the tests: setup.ts finds it by its name. */
export const temporaryFolder = (): string =>
  mkdtempSync(join(tmpdir(), `docket-test-${process.pid}-`))

/** `url`: where others find it, if it is on a server. */
export type TestDatabase = { sql: Sql; db: Gate; url: string | null; close: () => Promise<void> }

/** Longer than any test: none of them is about it. */
const deadline = 60_000

/** As the program finds that it has to tell them: through a pooler in front of each statement. */
const usual: Session = { seconds: 60, told: prepare ? 'once' : 'each time' }

/** A gate as the program has it, before a pool of one's own. */
export const gateOf = (sql: Sql, onWrite?: GateOptions['onWrite']): Gate =>
  createGate(sql, { permits: sql.options.max, deadline, onWrite })

export const connectTo = (
  databaseUrl: string,
  session: Session = usual,
  max = 8,
  onAlarm?: OnAlarm,
): Sql =>
  connect(parseDatabaseUrl(databaseUrl), {
    prepare,
    connectTimeout: 10,
    queryTimeout: 60,
    max,
    session,
    schema: usualSchema,
    onAlarm,
  })

/**
 * A database that nobody else uses, without a schema.
 * @param more how it is made on a server
 */
export async function emptyDatabase(more = '', onAlarm?: OnAlarm): Promise<TestDatabase> {
  if (url === undefined) {
    const embedded = await startEmbedded(temporaryFolder(), (error) => {
      throw error
    })
    const sql = connectEmbedded(embedded.socket, usualSchema, onAlarm)
    const close = async () => {
      await sql.end({ timeout: 5 })
      await embedded.stop()
    }
    return { sql, db: gateOf(sql), url: null, close }
  }
  const name = `docket_test_${crypto.randomUUID().replaceAll('-', '')}`
  const server = connectTo(url)
  await server.unsafe(`create database ${name} template template0 ${more}`).simple()
  const own = new URL(url)
  own.pathname = `/${name}`
  const sql = connectTo(own.href, usual, 8, onAlarm)
  const close = async () => {
    await sql.end({ timeout: 5 })
    await dropDatabase(server, name)
    await server.end({ timeout: 5 })
  }
  return { sql, db: gateOf(sql), url: own.href, close }
}

/**
 * With whatever is connected to it still: a pooler keeps connections, and opens new ones. By force, which fails while the server vacuums it, as
 * only a superuser may end that; without force the server ends it by itself, but not what the role has connected.
 */
export async function dropDatabase(server: Sql, name: string): Promise<void> {
  const isDropped = await server.unsafe(`drop database ${name} with (force)`).then(
    () => true,
    () => false,
  )
  if (isDropped) return
  await server`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = ${name} and usename = current_user`
  await server.unsafe(`drop database ${name}`).simple()
}

/** Better Auth's tables in a database: those in `public`, or Docket's own. */
export async function accountsIn(sql: Sql, isIssuer = true): Promise<AuthTables> {
  const wanted = { schema: usualSchema, searchPath: ['public'], named: null, isIssuer }
  const { tables } = await findAuthTables(sql, wanted)
  if (tables === null) throw new Error('There are no accounts.')
  return tables
}

/** Applies the schema, that of the accounts too, which it gives. */
export async function layOut(sql: Sql): Promise<AuthTables> {
  await applySchema(sql, schemaFiles)
  const tables = await accountsIn(sql)
  await forgetWithAccount(sql, tables, usualSchema)
  return tables
}

/** The connection string of the real server, with what else its processes need, or null. */
export const serverEnvironment = (): Record<string, string> | null =>
  url === undefined ? null : { DATABASE_URL: url, DATABASE_PREPARE: prepare ? 'on' : 'off' }
