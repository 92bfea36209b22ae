import postgres from 'postgres'
import type { Db } from '../database/gate/gate.ts'
import { untilMade } from '../database/log/holding.ts'
import type { Author } from '../database/log/log.ts'
import { findAnswer, type Once } from '../database/log/once.ts'
import {
  answeredWithKept,
  type Change,
  changeTogether,
  type Kind,
} from '../database/log/together.ts'
import { answerOf } from '../http/once.ts'
import { contended, Problem } from '../http/problem.ts'
import { type Chains, most, readChains } from './queries.ts'
import { type Chain, type Course, faultsOf, inverseOf, isBroken, type Wanted } from './rules.ts'

/** What adds to what a user has. */
export type Reservation = { settle: (added: Amount | null) => void }
export type Amount = { tasks: number; bytes: number }
export type SetAside = (
  db: Db,
  userId: string,
  amount: Amount,
) => Reservation | Promise<Reservation>

/**
 * Takes back what was changed, and gives what is changed by that, as the feed has it. Read at one moment, reckoned, and written in one
 * statement if nobody has changed anything of it since.
 * @throws Problem 404, 409, 410, 422
 */
export async function undo(
  db: Db,
  author: Author,
  kinds: readonly Kind[],
  wanted: Wanted,
  course: Course,
  once: Once | null,
  setAside: SetAside,
): Promise<{ text: string; isReplayed: boolean }> {
  let isPlaceless = false
  const undone = await untilMade(db, author.user_id, async (to) => {
    const read = await readChains(
      to,
      author.user_id,
      kinds.map(({ table }) => table),
      wanted,
    )
    // Afterwards: where its effect was seen it is there.
    const made = once && (await findAnswer(to, author.user_id, once.key))
    if (made) return answerOf(made, once)
    refuse(read, wanted)
    const { changes: reckoned, kept } = reckon(read.chains, kinds, course)
    const changes = isPlaceless ? reckoned.flatMap(withoutPlace) : reckoned
    const others = kept.filter(({ id }) => !changes.some((change) => change.id === id))
    const rest = others.map((one) => JSON.stringify(keptAsItIs(one))).join(',')
    if (changes.length === 0) return { text: `[${rest}]`, isReplayed: false }
    const named = Object.fromEntries(kept.map(({ id, names }) => [id, names]))
    const answered = kept.length === 0 ? undefined : answeredWithKept(named, rest || null)

    const bytes = changes.reduce((sum, { growth }) => sum + growth, 0)
    const reservation = await setAside(to, author.user_id, { tasks: 0, bytes })
    let isMade = false
    try {
      const written = changeTogether(to, author, changes, once, answered)
      const changed = await written.catch((error: unknown) => {
        if (!isElsewhere(error)) throw error
        if (course === 'refuse' || isPlaceless) throw elsewhere()
        // All but where it was.
        isPlaceless = true
        return undefined
      })
      isMade = changed?.request === null
      return changed && answerOf(changed, once)
    } finally {
      reservation.settle(isMade ? null : { tasks: 0, bytes: 0 })
    }
  })
  if (undone !== undefined) return undone
  throw contended('things')
}

/** Throws where there is nothing to undo, or too much, or where the log does not go back so far. */
function refuse({ last, first, isBeyond, isMissing, chains }: Chains, wanted: Wanted): void {
  if (isBeyond) {
    throw new Problem(
      422,
      `This would undo too much at once: at most ${most.things} things are undone, and ${most.changes} changes looked at.`,
    )
  }
  const isPruned =
    isMissing ||
    chains.some((chain) => isBroken(chain, wanted)) ||
    ('seq' in wanted &&
      chains.length === 0 &&
      wanted.seq <= last &&
      (first ?? last + 1) > wanted.seq)
  if (isPruned) throw new Problem(410, 'This is older than what is kept of your changes.')
  if (chains.length > 0) return
  throw new Problem(
    404,
    'There is nothing to undo: no change of yours is the one, or of the request or the time, that you have named.',
  )
}

/** What is to be written, in the order in which it was changed. */
function reckon(
  chains: Chain[],
  kinds: readonly Kind[],
  course: Course,
): { changes: (Change & { growth: number })[]; kept: Kept[] } {
  const conflicts: Kept[] = []
  const gone: Chain[] = []
  const changes: (Change & { growth: number })[] = []

  for (const chain of chains.toSorted((a, b) => Math.min(...a.targets) - Math.min(...b.targets))) {
    const { type, id, current } = chain
    const kind = kinds.find(({ table }) => table.type === type)
    if (kind === undefined) throw new Error(`The log has a ${type}, of which nothing is known.`)
    if (current === null || chain.isPurged) gone.push(chain)
    if (current === null || chain.targets.length === 0) continue
    const { fields, isDiscarded, conflicts: names } = inverseOf(chain, kind, course)
    if (names.length > 0) conflicts.push({ type, id, names, chain })
    if (Object.keys(fields).length === 0) continue
    changes.push({
      kind,
      id,
      version: Number(current['version']),
      fields,
      isDiscarded,
      growth: kind.isCounted ? growthOf(current, fields) : 0,
    })
  }
  const isAllGone = chains.every(({ current, targets }) => current === null || targets.length === 0)
  if (gone.length > 0 && (course === 'refuse' || isAllGone)) throw purged(gone, isAllGone)
  if (conflicts.length > 0 && course === 'refuse') throw changedSince(conflicts)
  return { changes, kept: course === 'keep' ? conflicts : [] }
}

/** What somebody has made otherwise since. */
type Kept = Parameters<typeof faultsOf>[0][number] & { chain: Chain }

/** One of which nothing is changed. */
const keptAsItIs = ({ type, id, names, chain: { changes, current } }: Kept) => ({
  seq: changes[0]?.seq,
  type,
  id,
  [type]: current,
  kept: names,
})

/** Whether the database says of things that they would be where they cannot be. */
const isElsewhere = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && (error.code === '23514' || error.code === '23503')

const elsewhere = (): Problem =>
  new Problem(
    409,
    'What this would bring back has no place any more: its list or its parent is gone or elsewhere, or something is under it since. Nothing was undone.',
  )

/** A change that leaves a thing where it is, or brings it back where it is in nothing. */
function withoutPlace<T extends Change>(change: T): T[] {
  const { kind, fields, isDiscarded } = change
  const places = kind.places ?? []
  const isRestored = !isDiscarded && trashed in fields && fields[trashed] === null
  const kept = Object.entries(fields).filter(([name]) => !places.includes(name))
  const none = isRestored ? places.map((name) => [name, null]) : []
  const left = Object.fromEntries([...kept, ...none])
  return Object.keys(left).length === 0 ? [] : [{ ...change, fields: left }]
}

const trashed = 'deleted_at'

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value ?? null))

/** Bytes that a thing has more of by a change, less than nothing where it becomes shorter. */
const growthOf = (current: Record<string, unknown>, fields: Record<string, unknown>): number =>
  Object.entries(fields).reduce(
    (sum, [name, value]) => sum + bytesOf(value) - bytesOf(current[name]),
    0,
  )

function purged(gone: Chain[], isAll: boolean): Problem {
  const errors = gone
    .slice(0, 100)
    .map(({ type, id }) => ({ pointer: `/${type}s/${id}`, detail: 'was purged, and is gone' }))
  return new Problem(
    409,
    `What was purged cannot be brought back.${isAll ? '' : ' Send keep: true to undo the rest.'}`,
    { errors },
  )
}

function changedSince(conflicts: Parameters<typeof faultsOf>[0]): Problem {
  const [first, ...others] = conflicts
  const names = first?.names.join(', ')
  const more = others.length === 0 ? '' : `, and something of ${others.length} more`
  return new Problem(
    409,
    `Somebody has changed ${names} of the ${first?.type} ${first?.id} since${more}. Nothing was undone: send keep: true to undo the rest, or force: true to undo it all the same.`,
    { errors: faultsOf(conflicts) },
  )
}
