import { chmodSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { asPostgres, findPostgres, freePort } from '../support/postgres.ts'
import { end, remember, rememberFolder, run, type Spawned } from './processes.ts'

/** While measuring, every acknowledged write is on the disk, and no checkpoint falls into a run. */
const measuring = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  max_connections: '200',
  shared_buffers: '2GB',
  min_wal_size: '8GB',
  max_wal_size: '64GB',
  checkpoint_timeout: '1d',
  fsync: 'on',
  synchronous_commit: 'on',
  // Between the rounds instead, for all alike.
  autovacuum: 'off',
  maintenance_work_mem: '512MB',
}

/** Files of the log, of 16 MB, that lie ready when measuring begins: so many as `min_wal_size` keeps, and more than a run fills. */
const logFiles = 512

/** While loading, what is lost in a crash is loaded again: and what fills a new table needs no log. */
const loading = { ...measuring, fsync: 'off', wal_level: 'minimal', max_wal_senders: '0' }

export type Postgres = {
  /** Where everything of this run is. */
  folder: string
  port: number
  version: string
  settings: Record<string, string>
  /** psql, pgbench and the others. */
  program: (name: string) => string
  url: (database: string) => string
  connect: (database: string) => postgres.Sql
  restart: (how: 'loading' | 'measuring') => Promise<void>
  id: () => number
}

/** Starts a PostgreSQL in a temporary folder, or on what an earlier run left in `data`, set up for loading. */
export async function startPostgres(data: string | null): Promise<Postgres> {
  const programs = findPostgres()
  if (programs === null) throw new Error('There is no PostgreSQL here: install postgresql.')
  const folder = data === null ? mkdtempSync(join(tmpdir(), 'docket-bench-')) : resolve(data)
  if (data === null) rememberFolder(folder)
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755) // The server may be another user.
  const cluster = join(folder, 'cluster')
  if (!existsSync(cluster)) await initialize(programs, cluster)

  const port = freePort()
  const url = (database: string) => `postgres://docket@127.0.0.1:${port}/${database}`
  const connect = (database: string) =>
    postgres(url(database), { max: 1, onnotice: () => {}, connect_timeout: 5 })
  let server: Spawned | null = null

  async function restart(how: 'loading' | 'measuring'): Promise<void> {
    if (server !== null) await end(server)
    const settings = Object.entries(how === 'loading' ? loading : measuring)
    const options = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])
    server = remember(
      Bun.spawn(
        // In a session of its own: Ctrl-C is for us, and we end it in our order.
        ['setsid', ...asPostgres, join(programs ?? '', 'postgres'), '-D', cluster].concat(
          '-p',
          String(port),
          options,
        ),
        { stdin: 'ignore', stdout: 'ignore', stderr: Bun.file(join(folder, 'postgres.log')) },
      ),
      'SIGINT',
    )
    await ready(server)
    if (how === 'measuring') await layInLog()
  }

  /**
   * Makes files of the log to be used again, as a server has them that has run for a while. To make one takes 40 ms, for which
   * every write waits: here that was once or twice a second.
   */
  async function layInLog(): Promise<void> {
    const sql = connect('postgres')
    await sql`checkpoint`
    const [{ files } = { files: 0 }] = await sql<{ files: number }[]>`
      select count(*)::integer as files from pg_ls_waldir()`
    const wanted = files < logFiles ? logFiles : 0
    for (let begun = 0; begun < wanted; begun += 1) {
      await sql`select pg_logical_emit_message(false, 'bench', 'one more')`
      await sql`select pg_switch_wal()`
    }
    await sql`checkpoint`
    await sql.end()
  }

  async function ready(child: Spawned): Promise<void> {
    for (let tries = 0; tries < 1200 && child.exitCode === null; tries += 1) {
      const probe = ['-q', '-h', '127.0.0.1', '-p', String(port)]
      const { exitCode } = Bun.spawnSync([join(programs ?? '', 'pg_isready'), ...probe])
      if (exitCode === 0) return
      await Bun.sleep(50)
    }
    throw new Error(`PostgreSQL did not start: see ${join(folder, 'postgres.log')}.`)
  }

  await restart('loading')
  const sql = connect('postgres')
  const [{ version } = { version: '' }] = await sql<{ version: string }[]>`
    select current_setting('server_version') as version`
  await sql.end()
  return {
    folder,
    port,
    version,
    settings: measuring,
    program: (name) => join(programs, name),
    url,
    connect,
    restart,
    id: () => server?.pid ?? 0,
  }
}

async function initialize(programs: string, cluster: string): Promise<void> {
  mkdirSync(cluster, { recursive: true })
  if (asPostgres.length > 0) await run(['chown', '-R', 'postgres:', cluster])
  const options = ['-U', 'docket', '-E', 'UTF8', '--locale=C.UTF-8', '--auth=trust']
  const command = [...asPostgres, join(programs, 'initdb'), '-D', cluster, ...options]
  await run(command, { cwd: cluster })
}
