import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { asPostgres, freePort } from '../support/postgres.ts'
import { giveToPostgres } from './postgres.ts'

const program = [Bun.which('pgbouncer'), '/usr/sbin/pgbouncer'].find(
  (path) => path !== null && existsSync(path),
)

export const hasPgBouncer = program !== undefined

export type PgBouncer = { port: number; stop: () => Promise<void> }

/** In front of a PostgreSQL of our own, in transaction mode, and otherwise as it is by default. */
export async function startPgBouncer(serverPort: string, user: string): Promise<PgBouncer> {
  const folder = temporaryFolder()
  const port = freePort()
  const users = join(folder, 'users')
  const ini = join(folder, 'ini')
  await Bun.write(users, `"${user}" ""\n`)
  await Bun.write(
    ini,
    `[databases]
* = host=127.0.0.1 port=${serverPort}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
`,
  )
  for (const path of [folder, users, ini]) await giveToPostgres(path)
  const child = Bun.spawn([...asPostgres, program ?? '', ini], {
    cwd: folder,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  })
  process.on('exit', () => child.kill('SIGKILL'))
  return {
    port,
    stop: async () => {
      child.kill('SIGQUIT')
      await child.exited
    },
  }
}
