import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { asPostgres, findPostgres, freePort } from '../../support/postgres.ts'
import { type Authority, makeAuthority, run } from './authority.ts'

// A PostgreSQL and a PgBouncer of Debian's packages, with TLS, for this run only.

export const password = 'only-for-tests'

const children = new Set<Bun.Subprocess>()
const folders: string[] = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** A folder of the user that the servers run as. */
export async function serverFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'docket-faults-'))
  folders.push(folder)
  if (asPostgres.length > 0) await run('chown', 'postgres:', folder)
  return folder
}

function start(folder: string, command: string[]): Bun.Subprocess {
  const child = Bun.spawn([...asPostgres, ...command], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' },
    stdin: 'ignore',
    stdout: Bun.file(join(folder, 'log')),
    stderr: Bun.file(join(folder, 'log')),
  })
  children.add(child)
  void child.exited.then(() => children.delete(child))
  return child
}

/** A connection that is none of Docket's. */
export const straight = (
  to: { port: number; user: string; database: string },
  tls = false,
): postgres.Sql =>
  postgres({
    ...to,
    host: '127.0.0.1',
    password,
    ssl: tls && { rejectUnauthorized: false },
    max: 1,
    fetch_types: false,
    prepare: false,
    onnotice: () => {},
    connect_timeout: 2,
    backoff: () => 0.05,
  })

/** Until the test is true, for half a minute. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`)
    await Bun.sleep(50)
  }
}

export type Postgres = {
  port: number
  authority: Authority
  /** As a superuser, straight to the server. */
  admin: postgres.Sql
  /** 'SIGINT': fast, 'SIGQUIT': immediate. */
  stop: (signal: 'SIGINT' | 'SIGQUIT') => Promise<void>
  start: () => Promise<void>
  freeze: () => void
  thaw: () => void
}

/** A server with a role and a database that are called docket. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await serverFolder()
  const authority = await makeAuthority(folder)
  await Bun.write(join(folder, 'password'), password)
  if (asPostgres.length > 0) await run('chown', '-R', 'postgres:', folder)
  await run(
    ...asPostgres,
    `${binary('initdb')} -D ${join(folder, 'data')} -U admin -E UTF8`,
    `--locale=C.UTF-8 --auth=scram-sha-256 --pwfile=${join(folder, 'password')}`,
  )
  const database = await launch(folder, authority)
  await database.admin.unsafe(`create role docket login createdb password '${password}'`)
  await database.admin.unsafe('create database docket owner docket')
  return database
}

/** A standby that follows another server, and can be read. */
export async function startStandby({ port, authority }: Postgres): Promise<Postgres> {
  const folder = await serverFolder()
  await run(
    ...asPostgres,
    `${binary('pg_basebackup')} -D ${join(folder, 'data')} -R -X stream -c fast`,
    `-d postgresql://admin:${password}@127.0.0.1:${port}/postgres`,
  )
  return launch(folder, authority)
}

function binary(name: string): string {
  const bin = findPostgres()
  if (bin === null) throw new Error('There is no PostgreSQL here: install postgresql.')
  return join(bin, name)
}

/** Starts a server on what is in a folder. */
async function launch(folder: string, authority: Authority): Promise<Postgres> {
  const port = freePort()
  const settings = {
    listen_addresses: '127.0.0.1,127.0.0.2',
    unix_socket_directories: folder,
    ssl: 'on',
    ssl_cert_file: authority.certificate,
    ssl_key_file: authority.key,
  }
  const command = [
    binary('postgres'),
    '-D',
    join(folder, 'data'),
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const admin = straight({ port, user: 'admin', database: 'postgres' })

  let server = start(folder, command)
  const ready = () =>
    until('PostgreSQL', () =>
      admin`select 1`.then(
        () => true,
        () => false,
      ),
    )
  await ready()

  return {
    port,
    authority,
    admin,
    stop: async (signal) => {
      server.kill(signal)
      await server.exited
    },
    start: async () => {
      server = start(folder, command)
      await ready()
    },
    freeze: () => {
      for (const id of family(server.pid)) process.kill(id, 'SIGSTOP')
    },
    thaw: () => {
      for (const id of family(server.pid)) process.kill(id, 'SIGCONT')
    },
  }
}

/** A process and its children. */
const family = (id: number): number[] => [
  id,
  ...readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').trim().split(' ').map(Number),
]

/** In transaction mode, with TLS to its clients. `more`: settings of its own. */
export async function startPgBouncer(
  { port, authority }: Postgres,
  more: Record<string, string> = {},
): Promise<number> {
  const program = [Bun.which('pgbouncer'), '/usr/sbin/pgbouncer'].find(
    (path) => path !== null && existsSync(path),
  )
  if (!program) throw new Error('There is no PgBouncer here: install pgbouncer.')
  const folder = await serverFolder()
  const own = freePort()
  await Bun.write(join(folder, 'users'), `"docket" "${password}"\n`)
  // `server_login_retry` is 15 s by default: for that long PgBouncer itself would not look for a database that was down.
  await Bun.write(
    join(folder, 'ini'),
    `[databases]
* = host=127.0.0.1 port=${port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, 'users')}
client_tls_sslmode = require
client_tls_cert_file = ${authority.certificate}
client_tls_key_file = ${authority.key}
pool_mode = transaction
default_pool_size = 8
server_login_retry = 5
max_client_conn = 200
${Object.entries(more)
  .map(([name, value]) => `${name} = ${value}\n`)
  .join('')}`,
  )
  start(folder, [program, join(folder, 'ini')])
  const probe = straight({ port: own, user: 'docket', database: 'docket' }, true)
  await until('PgBouncer', () =>
    probe`select 1`.then(
      () => true,
      () => false,
    ),
  )
  await probe.end()
  return own
}

export async function stopServers(): Promise<void> {
  const all = [...children]
  for (const child of all) child.kill('SIGQUIT')
  await Promise.all(all.map((child) => child.exited))
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}
