import type { Db } from '../database/gate/gate.ts'
import { untilMade } from '../database/log/holding.ts'
import type { Author } from '../database/log/log.ts'
import { findAnswer, type Once } from '../database/log/once.ts'
import { isLong, type Spot, spotBetween } from '../database/log/positions.ts'
import { type Change, changeTogether, onlyAnswered, outcomeOf } from '../database/log/together.ts'
import type { Outcome } from '../database/log/writes.ts'
import { contended, invalid } from '../http/problem.ts'
import { type Placed, readPlaces } from './queries.ts'
import type { ListMove } from './schema.ts'
import { listKind, placeList } from './writes.ts'

type Asked = { id: string; versions: number[] | null; once: Once | null }

/** To another place among the others: before or after one of them, or to the end. */
export async function moveList(
  db: Db,
  author: Author,
  { id, versions, once }: Asked,
  { before, after }: ListMove,
): Promise<Outcome> {
  if (before !== undefined && after !== undefined) {
    throw invalid([{ pointer: '/after', detail: 'is not taken together with before' }])
  }
  const besides = (before ?? after)?.toLowerCase()
  if (besides === undefined) return placeList(db, author, id, versions, { spot: 'end' }, once)
  if (besides === id.toLowerCase()) {
    throw invalid([{ pointer: before ? '/before' : '/after', detail: 'is the list itself' }])
  }
  const outcome = await untilMade(db, author.user_id, async (to): Promise<Outcome | undefined> => {
    const lists = await readPlaces(to, author.user_id)
    const others = lists.filter((list) => list.id !== id.toLowerCase())
    const spot = spotBeside(others, besides, before !== undefined)
    if (spot === null) {
      const earlier = once && (await findAnswer(to, author.user_id, once.key))
      return earlier ? outcomeOf(earlier, once) : { outcome: 'not_found' }
    }
    if (!isLong(spot)) return placeList(to, author, id, versions, spot, once)
    const own = lists.find((list) => list.id === id.toLowerCase())
    if (own === undefined) return { outcome: 'not_found' }
    if (versions !== null && !versions.includes(own.version)) return { outcome: 'stale' }
    const changes = spread(others, own, besides, before !== undefined)
    const changed = await changeTogether(to, author, changes, once, onlyAnswered(listKind, own.id))
    return changed && outcomeOf(changed, once)
  })
  if (outcome === undefined) throw contended('lists')
  return outcome
}

/** Where one goes that is beside another; null: that is not there. Two can have one position, if they came from elsewhere. */
function spotBeside(lists: Placed[], besides: string, isBefore: boolean): Spot | null {
  const anchor = lists.find(({ id }) => id === besides)
  if (anchor === undefined) return null
  const { position: at } = anchor
  return isBefore
    ? spotBetween(lists.findLast(({ position }) => position < at)?.position ?? null, at)
    : spotBetween(at, lists.find(({ position }) => position > at)?.position ?? null)
}

/** New positions of the list that is to be beside another one, and of all that come after it: to the end, one after the other. */
function spread(others: Placed[], own: Placed, besides: string, isBefore: boolean): Change[] {
  const at = others.findIndex(({ id }) => id === besides) + (isBefore ? 0 : 1)
  // The one that is asked for comes first, with the key.
  return [own, ...others.slice(at)].map(
    ({ id, version }): Change => ({
      kind: listKind,
      id,
      version,
      fields: { position: null },
      isDiscarded: false,
      more: { spot: 'end' },
    }),
  )
}
