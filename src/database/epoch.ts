import type { Sql } from './connect.ts'

/** What the numbers of changes are of: it is another one when the database was restored, so that a number of before means nothing. */
export type Epoch = () => Promise<string | null>

/** Milliseconds for which it is known: to restore a database takes longer; and for which anybody waits for it. */
const memory = 5000
const patience = 1000

/**
 * Reads the epoch of a database, when it was not read of late: past the gate, so ask first for something else, and wait for it last. A cluster has an identifier, and another timeline after it was restored
 * to a moment or lost its primary; a table that was dumped and restored has another number; a branch of Neon has an id of its own, and
 * an embedded one has an origin, and another when it was restored. Null: nobody knows.
 * @param sql the pool of now
 */
export function createEpoch(sql: () => Sql): Epoch {
  let known: { of: Sql; until: number; epoch: Promise<string | null> } | null = null
  return () => {
    const now = performance.now()
    if (known === null || known.until < now || known.of !== sql()) {
      const of = sql()
      const unknown = Bun.sleep(patience).then(() => null)
      known = { of, until: now + memory, epoch: Promise.race([readEpoch(of), unknown]) }
    }
    return known.epoch
  }
}

async function readEpoch(sql: Sql): Promise<string | null> {
  try {
    const [row] = await sql<{ epoch: string }[]>`
      select left(md5(concat_ws(' ', cluster.system_identifier, point.timeline_id, 'docket.latest'::regclass::oid,
        current_setting('neon.timeline_id', true), current_setting('docket.origin', true))), 16) as epoch
      from pg_control_system() as cluster, pg_control_checkpoint() as point`
    return row?.epoch ?? null
  } catch {
    // Whoever asks for something else is told what is wrong.
    return null
  }
}
