import type { Row as AnyRow, PendingQuery } from 'postgres'
import type { Sql } from './connect.ts'
import { codeOf, remedyOf, Unavailable } from './faults.ts'

/**
 * A statement that answers many requests at once. It gets what they ask for as JSON: an array of objects, each with the
 * fields of one ask and its number, `n`. It has one row for an ask, or none, which says by `n` whose it is. What goes wrong
 * for one request is said in its row, and is no error of the statement.
 */
export type Shared<Ask extends object, Row extends object> = {
  statement: (sql: Sql, asked: string) => PromiseLike<readonly (Row & { n: number })[]>
  /** How many requests one statement answers at most. */
  most: number
  /** What an ask writes to: of two that claim the same, one goes into another statement. Absent: it only reads. */
  claims?: (ask: Ask) => string[]
  /** Whether it may be run again where nobody knows whether it ran. */
  isIdempotent: boolean
}

/** Any of them. What is asked was checked against its own type where it came in. */
type Statement = Pick<Shared<never, object>, 'statement' | 'most' | 'isIdempotent' | 'claims'>

/** What one request wants of a statement. */
type Part = {
  line: Line
  ask: object & { n?: number }
  claims: readonly string[]
  caller: Caller
  /** Its request waits no longer: it has its row, or an error. */
  isDone: boolean
  resolve: (row: object | undefined) => void
  reject: (error: unknown) => void
}

/** Those that are in one statement, or will be. Until it has a connection, others may join. */
type Party = {
  parts: Part[]
  claimed: Set<string>
  /** Until when it waits for company; null: it has gone for a connection. */
  timer: ReturnType<typeof setTimeout> | null
  /** The database has the statement: what it does is done, whoever is still there. */
  isUnderWay: boolean
}

/** Those that want the same statement. */
type Line = {
  shared: Statement
  /** Parties that others may join. */
  parties: Party[]
  /** Statements under way, or on their way to a connection. */
  running: number
  /** How many a statement answers at most, at the moment. */
  most: number
  /** Milliseconds that the fastest of late took; 0: not known. */
  fastest: number
}

/** What the gate does for a statement. */
type Passage = {
  permit: (isRetry: boolean) => Promise<void>
  /** Runs it, and gives the permit back when the driver is done. */
  attempt: <T>(statement: (sql: Sql) => PromiseLike<T>) => Promise<T>
  /** Gives back a permit that nobody needs any more. */
  release: () => void
  /** Whether a permit can be had now. */
  isFree: () => boolean
  /** How many may wait for one. */
  room: number
}

/** A request: until when it waits, by performance.now(), and what tells that its client is gone. */
export type Caller = { readonly until: number; signal(): AbortSignal | undefined }

/** While a statement of its kind is under way, the next one waits until it is full, but for so many milliseconds at most. */
const patience = 2

/** Milliseconds between two looks at whether the clients of those that wait are still there. */
const glance = 100

/** Where they wait for each other for more than so many milliseconds, fewer go together, until they do not. */
const longest = 100

/**
 * Has requests share statements. Whoever comes while there is nothing to do gets a statement at once, with those who came
 * in the same turn of the event loop. While one of its kind is under way, those who want the same gather until it is done, or
 * there are as many as a statement answers, and the next one answers them all.
 * @returns the row of an ask, which is numbered in its place
 */
export function createShare({ permit, attempt, release, isFree, room }: Passage) {
  const lines = new Map<object, Line>()
  /** Those that gather, and those that have gone. */
  const parties = new Set<Party>()
  /** One timer for all of them, set for the first that is due: to make one for each would cost more than its share. */
  let alarm: ReturnType<typeof setTimeout> | undefined
  let alarmAt = Number.POSITIVE_INFINITY
  /** How many parts are in no statement yet. */
  let waiting = 0

  function lineOf(shared: Statement): Line {
    const known = lines.get(shared)
    if (known !== undefined) return known
    const made: Line = { shared, parties: [], running: 0, most: shared.most, fastest: 0 }
    lines.set(shared, made)
    return made
  }

  /** Goes with a party that has not left yet, or begins one. */
  function join(part: Part): void {
    const { line } = part
    const most = Math.floor(line.most)
    const party = line.parties.find((other) => hasRoom(other, most, part)) ?? gather(line)
    party.parts.push(part)
    waiting += 1
    for (const claim of part.claims) party.claimed.add(claim)

    const { length } = party.parts
    if (length >= most) go(line, party)
    else if (line.running === 0 && length === 1) setImmediate(go, line, party)
  }

  function gather(line: Line): Party {
    const party = found([])
    party.timer = setTimeout(go, patience, line, party)
    line.parties.push(party)
    return party
  }

  function found(parts: Part[]): Party {
    const party: Party = { parts, claimed: new Set(), timer: null, isUnderWay: false }
    parties.add(party)
    return party
  }

  function go(line: Line, party: Party): void {
    if (party.timer === null) return
    clearTimeout(party.timer)
    party.timer = null
    void run(line, party, false)
  }

  /** Never rejects: what goes wrong is told to the parts. */
  async function run(line: Line, party: Party, isRetry: boolean): Promise<void> {
    line.running += 1
    try {
      await permit(isRetry)
      depart(line, party)
      const parts = party.parts.filter(isAwaited)
      if (parts.length === 0) return release()

      // In one order everywhere, so that no two statements wait for each other's rows.
      if (line.shared.claims !== undefined) parts.sort(byClaim)
      const asked = JSON.stringify(parts.map(numbered))
      const began = performance.now()
      party.isUnderWay = true
      deliver(parts, await attempt((sql) => line.shared.statement(sql, asked)))
      learn(line, parts.length, performance.now() - began)
    } catch (error) {
      depart(line, party)
      recover(line, party.parts.filter(isAwaited), error)
    } finally {
      line.running -= 1
      parties.delete(party)
      const next = line.parties.find(({ timer }) => timer !== null)
      if (next !== undefined && line.running === 0) go(line, next)
    }
  }

  /** What a statement of one takes as well, as the way to the database, is no reason to share less. */
  function learn(line: Line, parts: number, milliseconds: number): void {
    const wait = milliseconds - line.fastest
    line.fastest = line.fastest === 0 ? milliseconds : Math.min(milliseconds, line.fastest * 1.001)
    if (wait > longest && parts > 1) line.most = Math.max(1, (longest / wait) * (parts - 1))
    else if (wait < longest / 2) line.most = Math.min(line.shared.most, line.most + parts / 16)
  }

  function depart(line: Line, party: Party): void {
    const index = line.parties.indexOf(party)
    if (index === -1) return
    line.parties.splice(index, 1)
    waiting -= party.parts.length
  }

  function sweep(): void {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const { parts, isUnderWay } of parties) {
      for (const part of parts.filter(isAwaited)) {
        const { caller } = part
        if (caller.until <= now) leave(part, 'the database took too long')
        else if (!isUnderWay && caller.signal()?.aborted) leave(part, 'the client went away')
        else next = Math.min(next, caller.until, now + glance)
      }
    }
    setAlarm(next)
  }

  function setAlarm(at: number): void {
    clearTimeout(alarm)
    alarmAt = at
    alarm = at === Number.POSITIVE_INFINITY ? undefined : setTimeout(sweep, at - performance.now())
  }

  /** Its request waits no longer. Out of the party too: while the database is away nobody may be left in there. */
  function leave(part: Part, why: string): void {
    refuse(part, new Unavailable(why))
    for (const party of part.line.parties) {
      if (!party.parts.includes(part)) continue
      party.parts = party.parts.filter((other) => other !== part)
      waiting -= 1
      party.claimed = new Set(party.parts.flatMap(({ claims }) => claims))
    }
  }

  function refuseAll(parts: Part[], error: unknown): void {
    for (const part of parts) refuse(part, error)
  }

  /** After an error: once more with whom that can do no harm, or in halves until the one that is at fault is alone. */
  function recover(line: Line, parts: Part[], error: unknown): void {
    const again = (some: Part[]) => {
      if (some.length > 0) void run(line, found(some), true)
    }
    if (error instanceof Unavailable) return refuseAll(parts, error)
    switch (remedyOf(error)) {
      case 'again':
        return again(parts)
      case 'again if idempotent':
        return line.shared.isIdempotent ? again(parts) : refuseAll(parts, unavailable(error))
      case 'later':
        return refuseAll(parts, unavailable(error))
      case 'none': {
        if (parts.length === 1) return refuseAll(parts, error)
        const half = Math.ceil(parts.length / 2)
        again(parts.slice(0, half))
        return again(parts.slice(half))
      }
    }
  }

  return <Ask extends object, Row extends object>(
    shared: Shared<Ask, Row>,
    ask: Ask,
    caller: Caller,
  ): Promise<Row | undefined> =>
    new Promise((resolve, reject) => {
      const isDelayed = !isFree()
      if (isDelayed && waiting >= room) {
        return reject(new Unavailable('too many statements wait'))
      }
      const part: Part = {
        line: lineOf(shared),
        ask,
        claims: shared.claims?.(ask) ?? none,
        caller,
        isDone: false,
        resolve: resolve as Part['resolve'], // It is one of its statement.
        reject,
      }
      // Not told by the signal: to make one costs more than a share of a statement, and most have what they want before a glance.
      const due = isDelayed ? Math.min(caller.until, performance.now() + glance) : caller.until
      if (due < alarmAt) setAlarm(due)
      join(part)
    })
}

const none: readonly string[] = []

const hasRoom = ({ parts, claimed }: Party, most: number, { claims }: Part): boolean =>
  parts.length < most && !claims.some((claim) => claimed.has(claim))

const isAwaited = ({ isDone }: Part): boolean => !isDone

function numbered({ ask }: Part, n: number): object {
  ask.n = n
  return ask
}

/** Gives each part its row. */
function deliver(parts: Part[], rows: readonly (object & { n: number })[]): void {
  for (const row of rows) give(parts[row.n], row)
  for (const part of parts) give(part, undefined)
}

function give(part: Part | undefined, row: object | undefined): void {
  if (part === undefined || part.isDone) return
  part.isDone = true
  part.resolve(row)
}

function refuse(part: Part, error: unknown): void {
  if (part.isDone) return
  part.isDone = true
  part.reject(error)
}

/**
 * A condition on `asked` that always holds: it has the planner expect a row or two, and so look each one up by an index,
 * where it takes the rows of a function to be a hundred, and a small table to be better read whole.
 */
export const few = (sql: Sql): PendingQuery<AnyRow[]> => sql`asked.n between 0 and 1000`

const byClaim = (a: Part, b: Part): number => ((a.claims[0] ?? '') < (b.claims[0] ?? '') ? -1 : 1)

const unavailable = (error: unknown): Unavailable =>
  new Unavailable(codeOf(error), { cause: error })
