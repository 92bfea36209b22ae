import type { Sql } from '../connect.ts'
import type { Account } from './fairness.ts'

/** A request: until when it waits, by performance.now(), and what tells that its client is gone. */
export type Caller = {
  readonly until: number
  /** Asked for only by who has to wait: it costs something to make. */
  signal: () => AbortSignal | undefined
}

/** Those who want the same statement. */
export type Line = {
  /** Runs a statement for them, and gives what each of them gets. */
  run: (sql: Sql, jobs: readonly Job[]) => Promise<readonly unknown[]>
  /** How many of them a statement answers at most. */
  readonly most: number
  /** Whether it may be run again where nobody knows whether it ran. */
  readonly isIdempotent: boolean
  readonly writes: boolean
  /** How many of them wait, and how many of their statements are under way. */
  waiting: number
  running: number
  /** The last look at the queue that found that they have to wait. */
  look: number
  /** Milliseconds that one of them took of late. */
  cost: number
  /** Milliseconds that the fastest of their statements took of late. */
  fastest: number
}

/** What a request wants: something of a line, for a user or for nobody in particular. */
export type Want = {
  line: Line
  /** What a shared statement is asked, or a statement of its own. */
  ask: unknown
  claims: readonly string[]
  /** For whom it writes: no two statements under way have the same one. Null: it only reads, or is not for one user. */
  owner: string | null
  /** It may take long: nobody else shall be in its statement. */
  isLong: boolean
  caller: Caller
  user: string | null
}

/** The same in the queue. */
export type Job = Want & {
  account: Account
  /** When it came, by performance.now(). */
  since: number
  /** When it has its turn, by performance.now(), and how many milliseconds it is expected to take. */
  turn: number
  expected: number
  /** How many may be in a statement with it: fewer after each that failed. */
  most: number
  /** It is in a statement, or will be at once. */
  isUnderWay: boolean
  /** How often it was rolled back because of others. */
  conflicts: number
  /** Why it has to run again; and while it does, if others may roll it back once more. */
  cause: unknown
  /** Its request waits no longer: it has its answer, or an error. */
  isDone: boolean
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/** Into its place by turns, after those of the same turn. */
export function insert(waiting: Job[], job: Job): void {
  let index = waiting.length
  while (index > 0 && (waiting[index - 1]?.turn ?? 0) > job.turn) index -= 1
  waiting.splice(index, 0, job)
  job.line.waiting += 1
}

/** Takes out those of which `leaves` says so. */
export function remove(waiting: Job[], leaves: (job: Job) => boolean): void {
  let kept = 0
  for (const job of waiting) {
    if (leaves(job)) job.line.waiting -= 1
    else waiting[kept++] = job
  }
  waiting.length = kept
}

/**
 * Those that go into one statement with `first`, in the order of their turns: together they are expected to take no longer than
 * `budget`, no two claim the same, and each may run.
 */
export function gather(
  waiting: readonly Job[],
  first: Job,
  budget: number,
  mayRun: (job: Job) => boolean,
): Job[] {
  const { line, isLong } = first
  const jobs = [first]
  if (isLong || line.most === 1 || line.waiting === 1) return jobs

  const claimed = new Set(first.claims)
  let { most, expected } = first
  for (const job of waiting) {
    if (jobs.length >= most) break
    if (job === first || job.line !== line || job.isLong || jobs.length >= job.most) continue
    if (expected + job.expected > budget || !mayRun(job)) continue
    if (job.claims.some((claim) => claimed.has(claim))) continue
    for (const claim of job.claims) claimed.add(claim)
    expected += job.expected
    most = Math.min(most, job.most)
    jobs.push(job)
  }
  return jobs
}
