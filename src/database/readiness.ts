import type { Sql } from './connect.ts'

/** For how many milliseconds an answer holds: a probe every second must not become a query every second. */
const memory = 3000

/** How many milliseconds the database has to answer in. */
const patience = 1000

/** Whether the database answers. Asks it when asked, and then not again for a while. */
export function readiness(sql: Sql): () => Promise<boolean> {
  let asked = Number.NEGATIVE_INFINITY
  let answer = Promise.resolve(false)

  return () => {
    if (performance.now() - asked > memory) {
      asked = performance.now()
      answer = Promise.race([
        sql`select true as ready`.then(
          () => true,
          () => false,
        ),
        Bun.sleep(patience).then(() => false),
      ])
    }
    return answer
  }
}
