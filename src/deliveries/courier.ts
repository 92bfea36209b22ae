import type { Gate } from '../database/gate/gate.ts'
import type { Sent } from './client.ts'
import { createClock } from './clock.ts'
import {
  claim,
  type Delivery,
  most,
  pruneDeliveries,
  type Settlement,
  settling,
  type Targets,
} from './queries.ts'
import { createTurns } from './turns.ts'

/** A kind of deliveries, as its resource hands it over. */
export type Kind = Targets & {
  /** Sends one. @param address what the statement said of its target */
  send: (delivery: Delivery, address: string) => Promise<Sent>
  /** Statuses that say that there will never be anybody there again. */
  gone: readonly number[]
}

export type CourierOptions = {
  db: Gate
  kinds: readonly Kind[]
  /** Is told of each try. */
  onTry?: ((kind: string, outcome: Settlement['outcome']) => void) | undefined
  /** Is told when one is over: there is room for another one before the same user. */
  onOver?: (userId: string) => void
  /** Is told of a look that failed. There will be another one. */
  onFailure: (error: unknown) => void
  /** Seconds from each try to the next, if not as usual. */
  pauses?: readonly number[]
}

/** Eight tries within a day. */
const usualPauses = [5, 60, 10 * 60, 3600, 4 * 3600, 8 * 3600, 8 * 3600]

/** Milliseconds: until what others have in hand is looked at; after a failure, the first time and at most. */
const times = { others: 1000, failure: 5000, longest: 3_600_000 }

/** Rows that go in one statement. */
const batch = 1000

/**
 * Sends what there is to be sent, each at least once and always with the same id. Somebody has it in hand while it is sent, and where that
 * one dies whoever looks next. Nothing polls: it looks when it is woken, and when the next one is due.
 */
export function createCourier(options: CourierOptions) {
  const {
    db,
    kinds,
    onTry = () => {},
    onOver = () => {},
    onFailure,
    pauses = usualPauses,
  } = options
  const ways = new Map(kinds.map((kind) => [kind.kind, kind]))
  const settle = settling([...kinds])
  const held = new Map<string, number>()
  const inHand = new Set<Promise<void>>()
  const clock = createClock(() => wake())
  let isBacklog = false
  let isStopped = false
  let afterFailure = times.failure

  const { wake, settled } = createTurns(async () => {
    if (isStopped) return
    const room = most.all - inHand.size
    // Each that ends asks for the next.
    if (room <= 0) return void (isBacklog = true)
    try {
      const many = [...held].map(([target, count]) => ({ target, many: count }))
      const { claimed, isMore, wait } = await claim(db, [...kinds], room, many)
      for (const delivery of claimed) take(delivery)
      afterFailure = times.failure
      isBacklog = isMore
      // A target may have had its part, and the others not yet.
      if (isMore && claimed.length > 0) wake()
      else if (isMore) clock.set(Date.now() + times.others)
      if (wait !== null) clock.set(Date.now() + wait)
    } catch (error) {
      onFailure(error)
      clock.set(Date.now() + afterFailure)
      afterFailure = Math.min(2 * afterFailure, times.longest)
    }
  })

  function take(delivery: Delivery & { address: string | null }): void {
    const { target } = delivery
    held.set(target, (held.get(target) ?? 0) + 1)
    const trying: Promise<void> = attempt(delivery)
      .catch(onFailure)
      .finally(() => {
        inHand.delete(trying)
        const count = held.get(target) ?? 1
        if (count === 1) held.delete(target)
        else held.set(target, count - 1)
        // There may be more for a target that had its part: a look leaves that out.
        if (isBacklog || count >= most.each) wake()
      })
    inHand.add(trying)
  }

  async function attempt({ address, ...delivery }: Delivery & { address: string | null }) {
    const { user_id, id, tries } = delivery
    const way = ways.get(delivery.kind)
    const sent =
      way === undefined || address === null
        ? { error: 'nobody is there any more to be told' }
        : await way.send(delivery, address)
    const code = 'status' in sent ? sent.status : null
    const isDelivered = code !== null && code >= 200 && code < 300
    const isGone = code !== null && (way?.gone.includes(code) ?? false)
    const outcome = isDelivered ? 'delivered' : 'failed'
    const isLast = isDelivered || isGone || address === null
    // Not all at once, those that failed together.
    const pause = isLast ? null : jittered(pauses[tries - 1] ?? null)
    onTry(delivery.kind, outcome)
    await db.share(settle, {
      user_id,
      id,
      tries,
      outcome,
      code,
      reason: 'error' in sent ? sent.error : null,
      is_gone: isGone,
      pause,
    })
    if (pause === null) onOver(user_id)
    else clock.set(Date.now() + pause * 1000)
  }

  return {
    /** Something was made to be sent, or is to be from now on. */
    wake,
    /** Something is to be sent at an instant, by Date.now(). */
    wakeAt: (instant: number): void => clock.set(instant),
    /** Removes what was over long ago. */
    prune: async (): Promise<void> => {
      while ((await pruneDeliveries(db, batch)) === batch);
    },
    /** What is under way ends; what is not is left to others, or to the next start. */
    async stop(): Promise<void> {
      isStopped = true
      clock.stop()
      await settled()
      await Promise.all(inHand)
    },
  }
}

export type Courier = ReturnType<typeof createCourier>

const jittered = (seconds: number | null): number | null =>
  seconds && seconds * (1 + Math.random() / 10)
