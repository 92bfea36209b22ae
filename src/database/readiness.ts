import type { Gate } from './gate/gate.ts'
import { whetherReadOnly } from './gate/pool.ts'

/** What the database can be asked for. */
export type Readiness = 'ok' | 'read_only' | 'unavailable'

/** For how many milliseconds what was seen holds: a probe every second must not become a query every second. */
const memory = 3000

/** How many milliseconds the database has to answer in. */
const patience = 1000

/**
 * Whether the database answers and takes writes, by what the last statements saw. Where that is long ago it is asked, and then
 * not again for a while: a database that sleeps is not kept awake by who does not ask.
 */
export function readiness(gate: Gate): () => Promise<Readiness> {
  let asked = Number.NEGATIVE_INFINITY
  let answer = Promise.resolve<Readiness>('unavailable')

  return () => {
    const now = performance.now()
    const { reachable, at, readOnly, writesAt } = gate.seen()
    if (now - at <= memory && !reachable) return Promise.resolve('unavailable')
    if (now - Math.min(at, writesAt) <= memory)
      return Promise.resolve(readOnly ? 'read_only' : 'ok')
    if (now - asked > memory) {
      asked = now
      answer = Promise.race([ask(gate), Bun.sleep(patience).then(() => 'unavailable' as const)])
    }
    return answer
  }
}

async function ask(gate: Gate): Promise<Readiness> {
  try {
    const [row] = await gate.read(whetherReadOnly)
    return (await gate.learn(row?.read_only !== true)) ? 'ok' : 'read_only'
  } catch {
    return 'unavailable'
  }
}
