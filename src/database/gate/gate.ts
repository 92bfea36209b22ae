import type { Sql } from '../connect.ts'
import { type Pool, poolOf } from './pool.ts'
import type { Line } from './queue.ts'
import { createScheduler } from './scheduler.ts'
import { type Shared, sender, textOf } from './share.ts'

// The one way of a request to the database. In this folder: what a request sees (gate), statements that answer many of them (share), who
// waits (queue) and for whom it is next (fairness), at what price (costs), the loop that gives statements out (scheduler); the server
// that they go to (pool); what an error means (faults, sqlstates), and what keeps requests away from a database that does not answer
// (circuit-breaker), or takes no writes (write-guard).

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
  /**
   * The same for one request, or for whatever else a user wants: the statements share one deadline, and leave when the client
   * does. They wait behind other ones of the same user, and of another one not for long.
   */
  for: (request: { signal: AbortSignal } | null, user?: string) => Db
  /**
   * What the last statement found, and when by performance.now(): a database that answers, or not. And the last one that
   * tells whether it takes writes.
   */
  seen: () => { reachable: boolean; at: number; readOnly: boolean; writesAt: number }
  /** Somebody has asked the server whether it takes writes. Gives whether it does, or another one to which they go now. */
  learn: (takesWrites: boolean) => Promise<boolean>
}

export type GateOptions = {
  /** How many statements are under way at a time. */
  permits: number
  /** Whether statements run one after the other, in the order in which they were sent. */
  isRow?: boolean
  /** Milliseconds that a request may wait for the database in all. */
  deadline: number
  /** How many asks may wait for a statement. */
  room?: number
  /** Is told how many milliseconds of the database a user has taken. */
  onCost?: ((user: string, milliseconds: number) => void) | undefined
  /** Is told of users for whom something was written. */
  onWrite?: ((users: ReadonlySet<string>) => void) | undefined
}

/** The database as requests have it: with a deadline, in their turn, and none of them waits for ever. */
export function createGate(to: Pool | Sql, options: GateOptions): Gate {
  const {
    permits,
    isRow = false,
    deadline,
    room = 256,
    onCost = () => {},
    onWrite = () => {},
  } = options
  const pool = 'look' in to ? to : poolOf(to)
  const scheduler = createScheduler(pool, { permits, isRow, room, onCost, onWrite })
  const lines = new Map<object, Line>()
  const reads = ownLine(true, false)
  const writes = ownLine(false, true)
  const repeatableWrites = ownLine(true, true)

  function lineOf<Ask extends object, Row extends object>(shared: Shared<Ask, Row>): Line {
    const known = lines.get(shared)
    if (known !== undefined) return known
    const made = sharedLine(shared)
    lines.set(shared, made)
    return made
  }

  /** A class, because there is one for each request, which most often wants but one of its methods. */
  class Way implements Db {
    readonly until = performance.now() + deadline
    readonly #request: { signal: AbortSignal } | null
    readonly #user: string | null

    constructor(request: { signal: AbortSignal } | null, user: string | null) {
      this.#request = request
      this.#user = user
    }

    signal(): AbortSignal | undefined {
      return this.#request?.signal
    }

    read<T>(statement: Statement<T>): Promise<T> {
      return this.#own(reads, statement)
    }

    write<T>(statement: Statement<T>): Promise<T> {
      return this.#own(writes, statement)
    }

    idempotentWrite<T>(statement: Statement<T>): Promise<T> {
      return this.#own(repeatableWrites, statement)
    }

    share<Ask extends object, Row extends object>(
      shared: Shared<Ask, Row>,
      ask: Ask,
    ): Promise<Row | undefined> {
      const line = lineOf(shared)
      const claims = shared.claims?.(ask) ?? none
      const isLong = shared.isLong?.(ask) ?? false
      const user = this.#user
      const owner = line.writes ? ownerOf(ask) : null
      const wanted = { line, ask, claims, owner, isLong, caller: this, user }
      // It is the row of its own statement.
      return scheduler.want(wanted) as Promise<Row | undefined>
    }

    #own<T>(line: Line, statement: Statement<T>): Promise<T> {
      const wanted = {
        line,
        ask: statement,
        claims: none,
        owner: line.writes ? this.#user : null,
        isLong: false,
        caller: this,
      }
      // It is what the statement gives.
      return scheduler.want({ ...wanted, user: this.#user }) as Promise<T>
    }
  }

  const anybody = () => new Way(null, null)
  return {
    read: (statement) => anybody().read(statement),
    write: (statement) => anybody().write(statement),
    idempotentWrite: (statement) => anybody().idempotentWrite(statement),
    share: (shared, ask) => anybody().share(shared, ask),
    for: (request, user) => new Way(request, user ?? null),
    seen: scheduler.seen,
    learn: scheduler.learn,
  }
}

const none: readonly string[] = []

/** Whatever writes says for whom, whoever asks for it. */
const ownerOf = (ask: { user_id?: string }): string | null => ask.user_id ?? null

const empty = { waiting: 0, running: 0, look: 0, cost: 0, fastest: Number.POSITIVE_INFINITY }

/** Of statements that nobody shares: the ask is the statement. */
const ownLine = (isIdempotent: boolean, writes: boolean): Line => ({
  ...empty,
  run: (sql, jobs) => Promise.all(jobs.map(({ ask }) => (ask as Statement<unknown>)(sql))),
  most: 1,
  isIdempotent,
  writes,
})

function sharedLine<Ask extends object, Row extends object>(shared: Shared<Ask, Row>): Line {
  const send = sender(shared.statement)
  return {
    ...empty,
    run: async (sql, jobs) => {
      // What is asked of a shared statement is an object.
      const asks = jobs.map(({ ask }) => ask as object)
      const rows = await send(sql, textOf(shared, asks))
      const values: (Row | undefined)[] = Array(jobs.length).fill(undefined)
      for (const row of rows) values[row.n] = row
      return values
    },
    most: shared.most,
    isIdempotent: shared.isIdempotent,
    writes: shared.writes ?? false,
  }
}
