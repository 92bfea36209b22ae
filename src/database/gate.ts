import type { Sql } from './connect.ts'
import { codeOf, remedyOf, Unavailable } from './faults.ts'
import { type Caller, createShare, type Shared } from './share.ts'

/** Every statement of a request goes through one of these, which says what a lost connection means to it. */
export type Db = {
  /** Changes nothing, so that it is run again. */
  read: Run
  /** Run again only when it surely did not run: twice would not be once. */
  write: Run
  /** Twice is once, by the way that the statement is written: run again like a read. */
  idempotentWrite: Run
  /** One statement for many requests, each of which gets its row. The statement says which asks are run again. */
  share: <Ask extends object, Row extends object>(
    shared: Shared<Ask, Row>,
    ask: Ask,
  ) => Promise<Row | undefined>
}

type Statement<T> = (sql: Sql) => PromiseLike<T>

type Run = <T>(statement: Statement<T>) => Promise<T>

export type Gate = Db & {
  /** The same for one request: its statements share one deadline, and leave when the client does. */
  for: (request: { signal: AbortSignal }) => Db
  /** What the last statement found, and when by performance.now(): a database that answers, or not. */
  seen: () => { reachable: boolean; at: number }
}

export type GateOptions = {
  /** As many as there are connections. */
  permits: number
  /** Milliseconds that a request may wait for the database in all. */
  deadline: number
  /** How many statements may wait for a permit. */
  room?: number
}

/** `since` is a time of performance.now(). */
type Waiting = { since: number; enter: () => void }

/** Milliseconds between two attempts at a database that is in doubt: 10 to 500, with jitter. */
const pauseAfter = (attempts: number): number =>
  Math.min(500, 20 * 3 ** attempts) * (0.5 + Math.random() / 2)

/**
 * How many statements are under way at a time where the database is near: more would only take its processors from each
 * other, and fewer requests would share each. Where the way is long, every permit is of use.
 */
const few = 3

/** Milliseconds: a database whose fastest statement of late took less is near. */
const near = 2

/** Milliseconds: who has waited for so long goes anyway, as the few may be slow ones. */
const enough = 25

/**
 * The one way to the database: no more statements at a time than permits, the others in a bounded room, each with a
 * deadline. While the database does not answer, one statement is let through now and then, until one succeeds.
 */
export function createGate(sql: Sql, { permits, deadline, room = 256 }: GateOptions): Gate {
  const waiting: Waiting[] = []
  let free = permits
  // Attempts since the connection was last lost, while none has succeeded; null: there is no doubt.
  let attempts: number | null = null
  let nextTurn = 0
  let wake: ReturnType<typeof setTimeout> | undefined
  /** Milliseconds that the fastest statement of late took. */
  let fastest = Number.POSITIVE_INFINITY
  let last = { reachable: false, at: Number.NEGATIVE_INFINITY }

  const isCrowded = (): boolean => fastest < near && permits - free >= few

  /** Whether who has not waited can come in. */
  const isOpen = (): boolean =>
    free > 0 && !isCrowded() && (attempts === null || nextTurn <= performance.now())

  /** When one that waits since then can come in, if nobody leaves before. */
  function turnOf(since: number): number {
    if (free === 0) return Number.POSITIVE_INFINITY
    return isCrowded() ? Math.max(nextTurn, since + enough) : nextTurn
  }

  function take(): void {
    free -= 1
    if (attempts !== null) nextTurn = performance.now() + pauseAfter(++attempts)
  }

  /** Lets in who can come in. */
  function admit(): void {
    clearTimeout(wake)
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const turn = turnOf(next.since)
      const now = performance.now()
      if (turn > now) {
        if (turn !== Number.POSITIVE_INFINITY) wake = setTimeout(admit, turn - now)
        return
      }
      take()
      waiting.shift()
      next.enter()
    }
  }

  async function permit(caller: Caller, isRetry: boolean): Promise<void> {
    const { until } = caller
    const now = performance.now()
    if (now >= until) throw new Unavailable('the deadline has passed')
    if (waiting.length === 0 && isOpen()) return take()
    if (waiting.length >= room) throw new Unavailable('too many statements wait')

    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const entry: Waiting = { since: now, enter: resolve }
    const leave = (why: string) => {
      const index = waiting.indexOf(entry)
      if (index !== -1) waiting.splice(index, 1)
      reject(new Unavailable(why))
    }
    const gone = caller.signal()
    const onGone = () => leave('the client went away')
    const timer =
      until === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(leave, until - now, 'no connection was free in time')
    gone?.addEventListener('abort', onGone, { once: true })
    // Who was inside already is the older one.
    if (isRetry) waiting.unshift(entry)
    else waiting.push(entry)
    if (gone?.aborted) onGone()
    admit()
    return promise.finally(() => {
      clearTimeout(timer)
      gone?.removeEventListener('abort', onGone)
    })
  }

  /** Keeps the permit until the driver is done, even where the caller is not there any more. */
  function attempt<T>(statement: Statement<T>): Promise<T> {
    const began = performance.now()
    const done = (reachable: boolean) => {
      last = { reachable, at: performance.now() }
      if (reachable) {
        attempts = null
        nextTurn = 0
      } else if (attempts === null) {
        attempts = 0
        nextTurn = last.at + pauseAfter(0)
      }
      free += 1
      admit()
    }
    return Promise.try(() => statement(sql)).then(
      (result) => {
        // Not one that failed: some do before they are sent.
        fastest = Math.min(performance.now() - began, fastest * 1.001)
        done(true)
        return result
      },
      (error: unknown) => {
        const remedy = remedyOf(error)
        done(remedy === 'none' || remedy === 'later')
        throw error
      },
    )
  }

  async function run<T>(statement: Statement<T>, idempotent: boolean, caller: Caller): Promise<T> {
    for (let isRetry = false; ; isRetry = true) {
      await permit(caller, isRetry)
      try {
        return await within(caller.until, attempt(statement))
      } catch (error) {
        if (error instanceof Unavailable) throw error
        const remedy = remedyOf(error)
        if (remedy === 'none') throw error
        if (remedy === 'later' || (remedy === 'again if idempotent' && !idempotent)) {
          throw new Unavailable(codeOf(error), { cause: error })
        }
      }
    }
  }

  const share = createShare({
    // Who takes part in it has a deadline, and the statement itself none.
    permit: (isRetry) =>
      permit({ until: Number.POSITIVE_INFINITY, signal: () => undefined }, isRetry),
    attempt,
    release: () => {
      free += 1
      admit()
    },
    isFree: () => waiting.length === 0 && isOpen(),
    room,
  })

  /** A class, because there is one for each request, which most often wants but one of its methods. */
  class Way implements Db {
    readonly until = performance.now() + deadline
    readonly #request: { signal: AbortSignal } | null

    constructor(request: { signal: AbortSignal } | null) {
      this.#request = request
    }

    /** Asked for only by who has to wait: it costs something to make. */
    signal(): AbortSignal | undefined {
      return this.#request?.signal
    }

    read<T>(statement: Statement<T>): Promise<T> {
      return run(statement, true, this)
    }

    write<T>(statement: Statement<T>): Promise<T> {
      return run(statement, false, this)
    }

    idempotentWrite<T>(statement: Statement<T>): Promise<T> {
      return run(statement, true, this)
    }

    share<Ask extends object, Row extends object>(
      shared: Shared<Ask, Row>,
      ask: Ask,
    ): Promise<Row | undefined> {
      return share(shared, ask, this)
    }
  }

  return {
    read: (statement) => new Way(null).read(statement),
    write: (statement) => new Way(null).write(statement),
    idempotentWrite: (statement) => new Way(null).idempotentWrite(statement),
    share: (shared, ask) => new Way(null).share(shared, ask),
    for: (request) => new Way(request),
    seen: () => last,
  }
}

async function within<T>(until: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Unavailable('the database took too long')),
    until - performance.now(),
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
