import { type Chore, findTables, readChores, report, statementOf, wasStopped } from './chores.ts'
import type { Engine } from './engine.ts'
import type { Upkeep } from './messages.ts'
import { type Bytes, simpleQuery } from './protocol.ts'

const checkpoint = simpleQuery('checkpoint')

/** How long those who ask have the engine for themselves after a piece of work, in times of what that took. */
const restAfterWork = 5

/** Milliseconds that what there is to do waits for a moment in which nobody asks: where many do, there is none. */
const longestDelay = 500

/**
 * Milliseconds that a piece may go on when somebody waits. A vacuum that is stopped has tidied pages, but nobody finds the room in
 * them, and it looks at them again the next time: what was stopped may have four times as many then, up to the most,
 * and more only when it has not come to its end for `tidyWithin`.
 */
const patience = { least: 50, most: 400, late: 1600 }

/** Those who ask. */
export type Askers = {
  /** Whether somebody waits for the engine. */
  isWanted: () => boolean
  /** Has a piece of work ended as soon as somebody has waited for it for a while: it begins although somebody waits. */
  insist: () => void
  /** For how many milliseconds they let the next piece go on. */
  allow: (milliseconds: number) => void
}

/** A chore, since when there is this to do, and from when on it may be done. */
type Due = Chore & { since: number; soonest: number }

/** Something to do, and when by performance.now(). */
type Task = { at: number; run: () => Promise<void> }

/**
 * What a server's background processes do, and PGlite has none of: checkpoints, which bound the log and the time to recover,
 * vacuuming, and statistics. In pieces, each of which is stopped when somebody has to wait for it: what a vacuum has done by
 * then stays done. Only after something was written: an idle database rests.
 */
export function createUpkeep(engine: Engine, times: Upkeep, { isWanted, insist, allow }: Askers) {
  const opened = performance.now()
  const last = { asked: opened, looked: opened, saved: opened }
  let restUntil = opened
  let chores: Due[] = []
  /** Of those that were stopped, by what they are. */
  const patiences = new Map<string, number>()
  let seen = engine.syncs()
  let saved = engine.logged()
  let isUnseen = false
  let isUnsaved = false
  let isSettled = false
  let isLate = false
  let isBegun = false

  /** Call it when somebody has asked for something. Every commit that wrote something syncs. */
  function notice() {
    last.asked = performance.now()
    if (engine.syncs() === seen) return
    seen = engine.syncs()
    isUnseen = true
    isUnsaved = true
  }

  /** What upkeep syncs is no write after which there would be something to do, but for a checkpoint. */
  async function run(statement: Bytes, milliseconds = patience.least): Promise<Bytes | undefined> {
    allow(milliseconds)
    const answer = await engine.tend(statement, () => {
      if (!isWanted()) return false
      if (isLate) insist()
      return !isLate
    })
    if (answer !== undefined) isBegun = true
    if (engine.syncs() !== seen) isUnsaved = true
    seen = engine.syncs()
    return answer
  }

  async function look(isOpening = false) {
    await run(report)
    const answer = await run(findTables)
    if (answer === undefined) return
    isUnseen = false
    last.looked = performance.now()
    for (const chore of readChores(answer, isOpening)) add(chore)
  }

  function add(chore: Chore, since = performance.now(), soonest = since) {
    if (chores.some(({ kind, table }) => kind === chore.kind && table === chore.table)) return
    chores.push({ ...chore, since, soonest })
  }

  async function work(chore: Due) {
    const { kind, table, since } = chore
    const name = `${kind} ${table}`
    const most = performance.now() - since > times.tidyWithin ? patience.late : patience.most
    const before = Math.min(patiences.get(name) ?? patience.least, most)
    const answer = await run(statementOf(chore), before)
    if (answer === undefined) return
    chores = chores.filter((other) => other !== chore)
    const isStopped = wasStopped(answer)
    patiences.set(
      name,
      isStopped ? Math.min(4 * before, patience.late) : Math.max(before / 2, patience.least),
    )
    if (isStopped) add({ kind, table, isStopped }, since, performance.now() + times.quietAfter)
    else if (kind === 'sweep') add({ kind: 'vacuum', table, isStopped })
  }

  async function save() {
    if ((await run(checkpoint)) === undefined) return
    isUnsaved = false
    isSettled = false
    saved = engine.logged()
    last.saved = performance.now()
  }

  /** What there is to do, the most urgent first. */
  const tasks = (): Task[] => [
    ...(isUnseen ? [{ at: last.looked + times.lookEvery, run: () => look() }] : []),
    ...(isUnsaved ? [{ at: timeOfSaving(), run: save }] : []),
    ...chores.map((chore) => ({ at: timeOf(chore), run: () => work(chore) })),
  ]

  const timeOfSaving = (): number =>
    engine.logged() - saved > times.checkpointAfter
      ? last.saved
      : last.saved + times.checkpointEvery

  /**
   * What takes long waits until nobody asks, but not for ever: what it has not cleaned away takes room. What was stopped waits until
   * they have had the engine for as long as that.
   */
  function timeOf({ kind, since, soonest }: Due): number {
    if (kind !== 'vacuum') return soonest
    return Math.min(last.asked + times.quietAfter, Math.max(soonest, since + times.tidyWithin))
  }

  /** Milliseconds until there is something to do; null: nothing, until something is written. */
  function wait(): number | null {
    const first = Math.min(...tasks().map(({ at }) => at))
    if (first === Number.POSITIVE_INFINITY) return null
    return Math.max(first, restUntil) - performance.now()
  }

  /** Call it before `tend`, while others may use the engine. */
  async function prepare() {
    if (!isUnsaved || isSettled || timeOfSaving() > performance.now()) return
    await engine.settle()
    isSettled = true
  }

  /** Does a piece of what there is to do. Call it when the session is idle. */
  async function tend() {
    const now = performance.now()
    if (restUntil > now) return
    const due = tasks().filter(({ at }) => at <= now)
    // What comes again and again would else always be before what comes once.
    const [late] = due
      .filter(({ at }) => Math.max(at, restUntil) + longestDelay <= now)
      .toSorted((one, other) => one.at - other.at)
    isLate = late !== undefined
    const task = late ?? due[0]
    isBegun = false
    await task?.run()
    if (!isBegun) return
    const after = performance.now()
    restUntil = after + (after - now) * restAfterWork
  }

  /**
   * Call it once, before anybody asks: a cluster that was copied, filled or killed may have no statistics. Of those the plans
   * need some, at once; better ones can wait.
   */
  async function open() {
    await look(true)
    for (const chore of chores.filter(({ kind }) => kind === 'analyze')) {
      await work({ ...chore, isStopped: true })
    }
  }

  return { notice, wait, prepare, tend, open }
}
