import type { Gate } from '../database/gate/gate.ts'
import { createClock } from '../deliveries/clock.ts'
import { createTurns } from '../deliveries/turns.ts'
import { type Event, fire, listReminded, type Makings } from './queries.ts'

export type RemindingOptions = {
  db: Gate
  /** What reminders become. */
  makings: Makings
  /** What more they become, of what was in question. */
  answer?: (question: string) => Promise<Makings>
  /** Is told of each that has come, more than once where nobody knows whether it was told. */
  onEvent: (event: Event) => void
  /** Something was made of some of them. */
  onFired: () => void
  /** How many were told, and how many were too late for that. */
  onCount?: ((told: number, dropped: number) => void) | undefined
  /** Whose reminders anybody here listens to. */
  listeners: () => string[]
  /** Is told of a look that failed. There will be another one. */
  onFailure: (error: unknown) => void
}

/**
 * Milliseconds: until what others have in hand is looked at; after a failure; in which a statement that has set an alarm is committed; and how
 * far back is looked where it is unknown what was told.
 */
const times = { others: 1000, failure: 5000, commit: 250, back: 60_000 }

/**
 * Has reminders come in time. Nothing polls: it looks at the start, when the next one is due, and sooner when a statement of this process says
 * that it has set an earlier one. What another process has set, and did not live to see, is found by a look in the next round
 * (src/deliveries/rounds.ts).
 */
export function createReminding(options: RemindingOptions) {
  const {
    db,
    makings,
    answer,
    onEvent,
    onFired,
    onCount = () => {},
    listeners,
    onFailure,
  } = options
  const clock = createClock(() => wake())
  let isStopped = false
  let isUnsure = false

  const { wake, settled } = createTurns(async () => {
    if (isStopped) return
    try {
      const question = await come(makings)
      if (question !== null && answer !== undefined) await come(await answer(question))
      if (isUnsure) await catchUp()
      isUnsure = false
    } catch (error) {
      // It may have been done, and only its answer lost.
      isUnsure = true
      onFailure(error)
      clock.set(Date.now() + times.failure)
    }
  })

  /** @returns what has to be asked before the rest comes */
  async function come(to: Makings): Promise<string | null> {
    const { events, dropped, isMore, wait, question } = await fire(db, to)
    for (const event of events) onEvent(event)
    if (events.length > 0) onFired()
    if (events.length + dropped > 0) onCount(events.length, dropped)
    if (isMore && events.length + dropped > 0) wake()
    else if (isMore) clock.set(Date.now() + times.others)
    if (wait !== null) clock.set(Date.now() + wait)
    return question
  }

  /** Tells those who listen here what has come elsewhere. */
  async function catchUp(): Promise<void> {
    const users = listeners()
    if (users.length === 0) return
    for (const event of await listReminded(db, users, times.back / 1000)) onEvent(event)
  }

  return {
    /** Looks now. */
    wake,
    /** An alarm is set, for so many milliseconds later. */
    heard: (milliseconds: number): void =>
      clock.set(Date.now() + Math.max(milliseconds, times.commit)),
    catchUp,
    /** Resolves when no look is under way. */
    settled,
    async stop(): Promise<void> {
      isStopped = true
      clock.stop()
      await settled()
    },
  }
}

export type Reminding = ReturnType<typeof createReminding>
