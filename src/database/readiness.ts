import type { Gate } from './gate.ts'

/** For how many milliseconds what was seen holds: a probe every second must not become a query every second. */
const memory = 3000

/** How many milliseconds the database has to answer in. */
const patience = 1000

/**
 * Whether the database answers, by what the last statement saw. Where that is long ago it is asked, and then not again
 * for a while: a database that sleeps is not kept awake by who does not ask.
 */
export function readiness(gate: Gate): () => Promise<boolean> {
  let asked = Number.NEGATIVE_INFINITY
  let answer = Promise.resolve(false)

  return () => {
    const now = performance.now()
    const { reachable, at } = gate.seen()
    if (now - at <= memory) return Promise.resolve(reachable)
    if (now - asked > memory) {
      asked = now
      answer = Promise.race([ask(gate), Bun.sleep(patience).then(() => false)])
    }
    return answer
  }
}

const ask = (gate: Gate): Promise<boolean> =>
  gate
    .read((sql) => sql`select true as ready`)
    .then(
      () => true,
      () => false,
    )
