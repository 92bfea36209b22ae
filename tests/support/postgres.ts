import { readdirSync } from 'node:fs'
import { join } from 'node:path'

// What it takes to run a PostgreSQL of one's own, for whatever needs one: the faults, the long runs, the benchmark.

/** Before the command of a server: it refuses to run as root. */
export const asPostgres =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', '--']
    : []

/** The folder of PostgreSQL's programs, or null. Debian keeps those of each version in a folder of its own. */
export function findPostgres(): string | null {
  const versions = '/usr/lib/postgresql'
  try {
    const [newest] = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))
    if (newest !== undefined) return join(versions, newest, 'bin')
  } catch {} // Not Debian: wherever the PATH says.
  const found = Bun.which('initdb')
  return found === null ? null : join(found, '..')
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}
