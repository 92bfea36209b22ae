import type { PendingQuery } from 'postgres'
import { type ServerAddress, serversOf } from '../address/url.ts'
import { type ConnectOptions, connect, type Sql } from '../connect.ts'
import { codeOf, mayCome } from './faults.ts'

/** What a look finds: a server that takes writes, or one that can be read only, or nothing to go by. */
export type Found = 'writable' | 'read_only' | 'unknown'

/**
 * Of one server. One that has no connection left is not left, as there may be some of ours. Where none is any better, one that
 * refuses us has more to say than one that is not there.
 */
type Answer = Found | 'full' | 'refused'

const ranks: readonly Answer[] = ['writable', 'full', 'read_only', 'refused', 'unknown']

const toFound = (answer: Answer): Found =>
  answer === 'writable' || answer === 'read_only' ? answer : 'unknown'

/** Where statements go, and how to find out where they should. */
export type Pool = {
  /** On the server that was found last. */
  sql: () => Sql
  /**
   * Looks for a server that takes writes, by connections of its own, and has the next statements go there; to one that can be
   * read where there is none. Those under way end where they are.
   */
  look: () => Promise<Found>
  /** Whether there are other servers to go to. */
  hasOthers: boolean
}

/** The same on servers, of which it tells which one it is. */
export type ServerPool = Pool & {
  server: () => ServerAddress
  end: (seconds: number) => Promise<void>
}

/** Of connections that stay where they are. */
export const poolOf = (sql: Sql): Pool => ({
  sql: () => sql,
  look: async () => toFound(await takesWrites(sql)),
  hasOthers: false,
})

/** Milliseconds that the others have to answer in, after a server that takes writes, and after one that can be read. */
const grace = { writable: 250, read_only: 1000 }

/** A pool on one of the servers of an address: the first in its order that takes writes. */
export function createPool(address: ServerAddress, options: ConnectOptions): ServerPool {
  const servers = serversOf(address)
  let at = 0
  let sql = connect(address, options)

  async function look(): Promise<Found> {
    const pools = servers.map((server) => connect(server, options))
    const found = await findAll(pools, options.connectTimeout * 1000)
    const rank = Math.min(...found.map((answer) => ranks.indexOf(answer)))
    const answer = ranks[rank] ?? 'unknown'
    const best = found.indexOf(answer)
    // Where writes are taken a new connection is what is wanted; else another server, if it has more to offer.
    const isBetter = answer === 'writable' || answer !== found[at]
    const next = isBetter ? pools[best] : undefined
    for (const pool of pools) if (pool !== next) void pool.end({ timeout: 0 })
    if (next !== undefined) {
      void sql.end({ timeout: options.queryTimeout })
      sql = next
      at = best
    }
    return toFound(answer)
  }

  return {
    sql: () => sql,
    server: () => servers[at] ?? address,
    look,
    hasOthers: servers.length > 1,
    end: (timeout) => sql.end({ timeout }),
  }
}

/** What is found on each within so many milliseconds. Once one has answered, the others have a moment left. */
async function findAll(pools: Sql[], patience: number): Promise<Answer[]> {
  const all = pools.map((): Answer => 'unknown')
  const enough = Promise.withResolvers<void>()
  const timers = [setTimeout(enough.resolve, patience)]
  const asked = pools.map(async (pool, index) => {
    const found = await takesWrites(pool)
    all[index] = found
    if (found === 'writable' || found === 'read_only')
      timers.push(setTimeout(enough.resolve, grace[found]))
  })
  await Promise.race([Promise.all(asked), enough.promise])
  for (const timer of timers) clearTimeout(timer)
  return all
}

async function takesWrites(sql: Sql): Promise<Answer> {
  try {
    const [row] = await whetherReadOnly(sql)
    return row?.read_only ? 'read_only' : 'writable'
  } catch (error) {
    if (codeOf(error) === '53300') return 'full'
    return mayCome(error) ? 'unknown' : 'refused'
  }
}

/** What the server of a pool says of itself, on whichever connection. */
export const whetherReadOnly = (sql: Sql): PendingQuery<{ read_only: boolean }[]> => sql`
  select current_setting('transaction_read_only') = 'on' as read_only`
