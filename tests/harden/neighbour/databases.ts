import postgresClient from 'postgres'
import { temporaryFolder } from '../../support/database.ts'
import { docket } from '../../support/process.ts'
import { hasPgBouncer, startPgBouncer } from '../pgbouncer.ts'
import { startPostgres } from '../postgres.ts'
import { secret } from '../support.ts'
import { copyColumns, copyLine, importLines, sizes, tasksOf } from './data.ts'
import { role } from './measure.ts'
import type { Stage } from './scene.ts'

// The databases with all that is stored before the attacks.

export type Servers = {
  stages: {
    /** Straight to PostgreSQL. No statistics, as after any load, and no vacuum that would make them. */
    postgres: Stage
    /** Through PgBouncer, to a copy that has statistics: they say that people have one or two tasks. */
    pgbouncer?: Stage
  }
  stop: () => Promise<void>
}

export async function startServers(): Promise<Servers> {
  const postgres = await startPostgres()
  const sql = connectTo(postgres.url)
  await sql.unsafe(`create role ${role} login`)
  await sql.unsafe(`create database fresh owner ${role}`)
  const fresh = urlOf(postgres.url, 'fresh')
  const env = { DATABASE_URL: fresh, BETTER_AUTH_SECRET: secret }
  const { exitCode, stderr } = await docket(['migrate'], { env })
  if (exitCode !== 0) throw new Error(`docket migrate: ${stderr}`)
  await fill(fresh)

  await sql.unsafe(`create database pooled template fresh owner ${role}`)
  const pooled = urlOf(postgres.url, 'pooled')
  const copy = connectTo(pooled)
  await copy.unsafe('analyze')
  await copy.end()
  const pooler = hasPgBouncer ? await startPgBouncer(new URL(pooled).port, role) : null
  const behind = pooler === null ? null : urlOf(pooled, 'pooled', pooler.port)
  return {
    stages: {
      postgres: { env: { DATABASE_URL: fresh }, sql },
      ...(behind === null
        ? {}
        : { pgbouncer: { env: { DATABASE_URL: behind, DATABASE_PREPARE: 'off' }, sql } }),
    },
    stop: async () => {
      await sql.end()
      await pooler?.stop()
      await postgres.stop()
    },
  }
}

/** Of a database on a server, as the role of the server under attack. */
function urlOf(server: string, database: string, port = Number(new URL(server).port)): string {
  const url = new URL(server)
  url.username = role
  url.port = String(port)
  url.pathname = database
  return url.href
}

const connectTo = (url: string, max = 1): postgresClient.Sql =>
  postgresClient(url, { max, onnotice: () => {} })

/** Two sessions at a time: most of it is the work of the database. */
async function fill(url: string): Promise<void> {
  const sql = connectTo(url, 2)
  const tasks = [...tasksOf(sizes.server)]
  const users = [...new Set(tasks.map(({ user_id }) => user_id))]
  await sql`alter table docket.tasks set (autovacuum_enabled = off)`
  await sql`insert into docket.users (id) select unnest(${users}::text[])`
  const copy = async (part: number): Promise<void> => {
    const stream = await sql.unsafe(`copy docket.tasks (${copyColumns}) from stdin`).writable()
    for (let index = part; index < tasks.length; index += 2) {
      const task = tasks[index]
      if (task !== undefined && !stream.write(copyLine(task))) {
        await new Promise((resolve) => stream.once('drain', resolve))
      }
    }
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject)
      stream.end(resolve)
    })
  }
  await Promise.all([copy(0), copy(1)])
  await sql.end()
}

/** An embedded database with everything imported, and no statistics but those that the import makes. */
export async function fillEmbedded(): Promise<{ embedded: Stage }> {
  const cwd = temporaryFolder()
  const { exitCode, stderr } = await docket(['import'], { cwd, input: importLines(sizes.embedded) })
  if (exitCode !== 0) throw new Error(`docket import: ${stderr}`)
  return { embedded: { env: {}, cwd, sql: null } }
}
