import type { PendingQuery, Row } from 'postgres'
import type { Sql } from './connect.ts'
import { codeOf, remedyOf, Unavailable } from './faults.ts'

/**
 * A statement that answers many requests at once. It gets what they ask for as JSON: an array of objects, each with the
 * fields of one ask and its number, `n`. Each of its rows says by `n` whose it is. What goes wrong for one request is
 * said in its row, and is no error of the statement.
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
  ask: object
  claims: readonly string[]
  /** Its request did not wait for it any longer. */
  isLate: boolean
  resolve: (rows: readonly object[]) => void
  reject: (error: unknown) => void
}

/** Those that will be in one statement. While it waits for a connection, others may join. */
type Party = { parts: Part[]; claimed: Set<string> }

/** What the gate does for a statement. */
type Passage = {
  permit: (isRetry: boolean) => Promise<void>
  /** Runs it, and gives the permit back when the driver is done. */
  attempt: <T>(statement: (sql: Sql) => PromiseLike<T>) => Promise<T>
  /** Gives back a permit that nobody needs any more. */
  release: () => void
}

/**
 * Has requests share statements. Whoever comes while a connection is free gets a statement of its own at once; while
 * there is none, those who want the same gather, and the next statement answers them all. Nobody waits for company.
 * @returns the rows of an ask
 */
export function createShare({ permit, attempt, release }: Passage) {
  const gathering = new Map<object, Party[]>()

  /** Goes with a party that has not left yet, or begins one, which goes to wait for a connection. */
  function join(shared: Statement, part: Part): void {
    const parties = gathering.get(shared) ?? []
    gathering.set(shared, parties)
    const open = parties.find(
      ({ parts, claimed }) =>
        parts.length < shared.most && !part.claims.some((claim) => claimed.has(claim)),
    )
    if (open !== undefined) {
      open.parts.push(part)
      for (const claim of part.claims) open.claimed.add(claim)
      return
    }
    const party = partyOf([part])
    parties.push(party)
    void run(shared, party, false)
  }

  /** Never rejects: what goes wrong is told to the parts. */
  async function run(shared: Statement, party: Party, isRetry: boolean): Promise<void> {
    try {
      await permit(isRetry)
    } catch (error) {
      leave(shared, party)
      return rejectAll(party.parts, error)
    }
    leave(shared, party)
    const parts = party.parts.filter(inTime)
    if (parts.length === 0) return release()

    // In one order everywhere, so that no two statements wait for each other's rows.
    if (shared.claims !== undefined) parts.sort(byClaim)
    const asked = JSON.stringify(parts.map(({ ask }, n) => ({ n, ...ask })))
    try {
      deliver(parts, await attempt((sql) => shared.statement(sql, asked)))
    } catch (error) {
      recover(shared, parts.filter(inTime), error)
    }
  }

  function leave(shared: object, party: Party): void {
    const parties = gathering.get(shared) ?? []
    const index = parties.indexOf(party)
    if (index !== -1) parties.splice(index, 1)
  }

  /** Makes room in the parties that still wait: while the database is away nobody may be left in them. */
  function dismiss(shared: object, part: Part): void {
    part.isLate = true
    for (const party of gathering.get(shared) ?? []) {
      if (party.parts.includes(part)) Object.assign(party, partyOf(party.parts.filter(inTime)))
    }
  }

  /** After an error: once more with whom that can do no harm, or in halves until the one that is at fault is alone. */
  function recover(shared: Statement, parts: Part[], error: unknown): void {
    const again = (some: Part[]) => {
      if (some.length > 0) void run(shared, partyOf(some), true)
    }
    switch (remedyOf(error)) {
      case 'again':
        return again(parts)
      case 'again if idempotent':
        return shared.isIdempotent ? again(parts) : rejectAll(parts, unavailable(error))
      case 'later':
        return rejectAll(parts, unavailable(error))
      case 'none': {
        if (parts.length === 1) return rejectAll(parts, error)
        const half = Math.ceil(parts.length / 2)
        again(parts.slice(0, half))
        return again(parts.slice(half))
      }
    }
  }

  return <Ask extends object, Row extends object>(
    shared: Shared<Ask, Row>,
    ask: Ask,
    until: number,
  ): Promise<Row[]> =>
    new Promise((resolve, reject) => {
      const part: Part = {
        ask,
        claims: shared.claims?.(ask) ?? [],
        isLate: false,
        resolve: (rows) => {
          clearTimeout(timer)
          resolve(rows as Row[]) // They are those of its statement.
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        dismiss(shared, part)
        reject(new Unavailable('the database took too long'))
      }, until - performance.now())
      join(shared, part)
    })
}

/**
 * A condition on `asked` that always holds: it has the planner expect a row or two, and so look each one up by an index,
 * where it takes the rows of a function to be a hundred, and a small table to be better read whole.
 */
export const few = (sql: Sql): PendingQuery<Row[]> => sql`asked.n between 0 and 1000`

const partyOf = (parts: Part[]): Party => ({
  parts,
  claimed: new Set(parts.flatMap(({ claims }) => claims)),
})

const inTime = ({ isLate }: Part): boolean => !isLate

const byClaim = (a: Part, b: Part): number => ((a.claims[0] ?? '') < (b.claims[0] ?? '') ? -1 : 1)

/** Gives each part its rows. */
function deliver(parts: Part[], rows: readonly (object & { n: number })[]): void {
  const answers: object[][] = parts.map(() => [])
  for (const row of rows) answers[row.n]?.push(row)
  for (const [n, { resolve }] of parts.entries()) resolve(answers[n] ?? [])
}

function rejectAll(parts: Part[], error: unknown): void {
  for (const { reject } of parts) reject(error)
}

const unavailable = (error: unknown): Unavailable =>
  new Unavailable(codeOf(error), { cause: error })
