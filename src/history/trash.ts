import { Unavailable } from '../database/gate/faults.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import type { Once } from '../database/log/once.ts'
import type { Purge } from '../database/log/purging.ts'
import type { Kind } from '../database/log/together.ts'
import { type Outcome, write } from '../database/log/writes.ts'
import { listTrash, type Place } from './queries.ts'
import type { Purged } from './schema.ts'
import type { Amount, SetAside } from './undo.ts'

/** Things whose ids are read at a time, and that go at a time. */
const batch = 64

/** Milliseconds after which the rest is left for the next request. */
const patience = 3000

/** How often one is asked for that somebody else has changed just now, or that has a long history, a part of which goes each time. */
const mostAttempts = 1000

/** Purges one thing. Of one with a very long history a part of that goes first. */
export async function purge(
  db: Db,
  { purging }: Kind,
  asked: Purge,
  once: Once | null = null,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await write(db, purging, { ...asked }, once)
    if (outcome.outcome !== 'unlike' || attempt === mostAttempts) return outcome
  }
}

/** Purges one thing within what its user has. */
export async function purgeOne(
  db: Db,
  author: Author,
  kind: Kind,
  id: string,
  versions: number[] | null,
  once: Once | null,
  setAside: SetAside,
): Promise<Outcome> {
  const nothing = { tasks: 0, bytes: 0 }
  const reservation = await setAside(db, author.user_id, nothing)
  let added: Amount | null = nothing
  try {
    const outcome = await purge(db, kind, { ...author, id, versions }, once)
    if (outcome.outcome === 'changed') {
      // What is not counted may have been in what is, which is measured anew.
      added = kind.isCounted ? { tasks: -1, bytes: -bytesIn(outcome.row.text) } : null
    }
    return outcome
  } finally {
    reservation.settle(added)
  }
}

const bytesIn = (text: string): number => JSON.parse(text).bytes

/** Purges one thing of whatever kind. */
export async function purgeAny(
  db: Db,
  author: Author,
  kinds: readonly Kind[],
  id: string,
  versions: number[] | null,
  once: Once | null,
  setAside: SetAside,
): Promise<Outcome> {
  for (const kind of kinds) {
    const outcome = await purgeOne(db, author, kind, id, versions, once, setAside)
    if (outcome.outcome !== 'not_found') return outcome
  }
  return { outcome: 'not_found' }
}

/** Purges what is in the trash, for as long as there is time. */
export async function emptyTrash(
  db: Db,
  author: Author,
  kinds: readonly Kind[],
  setAside: SetAside,
): Promise<Purged> {
  const until = performance.now() + patience
  let purged = 0
  for (const kind of kinds) {
    for (let after: Place | null = null; ; ) {
      if (performance.now() > until) return { purged, more: true }
      try {
        const found: Place[] = await listTrash(db, author.user_id, kind.table, after, batch)
        const outcomes = await Promise.all(
          found.map(({ id }) => purgeOne(db, author, kind, id, null, null, setAside)),
        )
        purged += outcomes.filter(({ outcome }) => outcome === 'changed').length
        after = found.at(-1) ?? null
        if (found.length < batch) break
      } catch (error) {
        // What is gone is gone, and said.
        if (purged > 0 && error instanceof Unavailable) return { purged, more: true }
        throw error
      }
    }
  }
  return { purged, more: false }
}
