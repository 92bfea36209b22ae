import { readFileSync } from 'node:fs'
import type postgres from 'postgres'
import type { Server } from '../../support/process.ts'
import { tokenOf } from '../support.ts'

/** What was the highest while it was looked at. */
export type Highest = {
  /** Megabytes of the process. */
  rss: number
  /**
   * Of the role on PostgreSQL: all, those with a statement under way, those that are held between two statements of a
   * transaction, and megabytes of the largest that it shares with nobody. Null where the database is embedded.
   */
  sessions: { all: number; active: number; held: number; largest_mb: number } | null
}

/** The role that the server under attack has on PostgreSQL, and nobody else. */
export const role = 'docket'

/** Megabytes of a process. */
function memoryOf(id: number, kind: 'VmRSS' | 'RssAnon'): number {
  try {
    const status = readFileSync(`/proc/${id}/status`, 'utf8')
    return Number(new RegExp(`${kind}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0 // It has ended.
  }
}

type Session = { pid: number; state: string | null }

const sessionsOf = (sql: postgres.Sql) => sql<Session[]>`
  select pid, state
  from pg_stat_activity
  where usename = ${role}
    and backend_type = 'client backend'`

/** Looks at the process and at its sessions twenty times a second, until told to stop. */
export function watch({ id }: Server, sql: postgres.Sql | null): () => Promise<Highest> {
  const state = { stopped: false }
  const found = { all: 0, active: 0, held: 0, largest_mb: 0 }
  let rss = 0

  async function look(): Promise<void> {
    while (!state.stopped) {
      rss = Math.max(rss, memoryOf(id, 'VmRSS'))
      if (sql !== null) {
        const sessions = await sessionsOf(sql)
        found.all = Math.max(found.all, sessions.length)
        found.active = Math.max(found.active, sessions.filter(isActive).length)
        found.held = Math.max(found.held, sessions.filter(isHeld).length)
        const sizes = sessions.map(({ pid }) => memoryOf(pid, 'RssAnon'))
        found.largest_mb = Math.max(found.largest_mb, ...sizes)
      }
      await Bun.sleep(50)
    }
  }
  const looking = look()

  return async () => {
    state.stopped = true
    await looking
    return { rss, sessions: sql === null ? null : found }
  }
}

const isActive = ({ state }: Session): boolean => state === 'active'
const isHeld = ({ state }: Session): boolean => state?.startsWith('idle in transaction') ?? false

/** Looks until something is true, and gives the milliseconds that it took: at most `most`. */
async function millisecondsUntil(most: number, isTrue: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (performance.now() - began < most && !(await isTrue())) await Bun.sleep(10)
  return performance.now() - began
}

/** Nobody waits any more: how long something still runs on PostgreSQL. */
export const untilQuiet = (sql: postgres.Sql, most: number): Promise<number> =>
  millisecondsUntil(most, async () => !(await sessionsOf(sql)).some(isActive))

/** Likewise where nobody can look inside: how long it takes until one small thing is answered in 100 ms. */
export async function untilPrompt(address: string, most: number): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf(crypto.randomUUID())}` }
  return millisecondsUntil(most, async () => {
    const signal = AbortSignal.timeout(100)
    const answer = await fetch(`${address}/api/tasks?limit=1`, { headers, signal }).catch(
      () => null,
    )
    return answer?.status === 200
  })
}

/** Ends whatever still runs, so that it is not taken for the work of the next attack. */
export async function endAll(sql: postgres.Sql): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${role}`
  await untilQuiet(sql, 5000)
}
