import { etag } from './conditional.ts'
import { keyReused } from './once.ts'
import { Problem } from './problem.ts'
import { notAsItIs } from './sent-back.ts'

type Row = { text: string; version: number }

/** What became of a write, as database/log/writes.ts says it. */
type Outcome =
  | { outcome: 'changed' | 'replayed'; row: Row }
  | { outcome: 'unlike'; row: Row }
  | { outcome: 'stale' }
  | { outcome: 'key_reused' }
  | { outcome: 'not_found' }

type Set = { headers: Record<string, unknown> }

export const absent = (thing: string): Problem =>
  new Problem(404, `You have no ${thing} with this id.`)

/**
 * The row after a change; its new ETag goes into the headers.
 * @param said what must be so of it
 * @throws Problem 404, 412, 422
 */
export function rowAfter(change: Outcome, set: Set, thing: string, said: object = {}): Row {
  if (change.outcome === 'not_found') throw absent(thing)
  if (change.outcome === 'stale') {
    throw new Problem(412, `The ${thing} has changed since: read it again.`)
  }
  if (change.outcome === 'key_reused') throw keyReused()
  if (change.outcome === 'unlike') throw notAsItIs({ ...said }, JSON.parse(change.row.text))
  if (change.outcome === 'replayed') set.headers['idempotency-replayed'] = 'true'
  set.headers['etag'] = etag(change.row.version)
  return change.row
}
