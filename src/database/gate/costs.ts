import type { createAccounts } from './fairness.ts'
import type { Job, Line } from './queue.ts'

/** Milliseconds: a database whose fastest statement of late took less is near. */
const near = 2

/** Milliseconds that anything is expected to take. */
const least = 0.05

/** Milliseconds that nobody is told of: a request pays for more. */
const negligible = 1

/**
 * What statements cost, of which the next ones are expected to cost as much.
 * @param onCost is told how many milliseconds of the database a user has taken
 */
export function createCosts(
  accounts: ReturnType<typeof createAccounts>,
  onCost: (user: string, milliseconds: number) => void,
) {
  /** Milliseconds that the fastest statement of late took. */
  let fastest = Number.POSITIVE_INFINITY

  /** To each what he had of it, as far as the length of his answer tells. The way to the database, and a commit, is nobody's. */
  function charge(line: Line, jobs: Job[], values: readonly unknown[], took: number): void {
    const work = Math.max(0, took - fastest)
    const owed = line.writes ? Math.max(0, took - line.fastest) : work
    let all = 0
    for (let index = 0; index < jobs.length; index += 1) all += sizeOf(values[index])
    let index = 0
    for (const { account, expected } of jobs) {
      const share = sizeOf(values[index++]) / all
      accounts.correct(account, expected, work * share)
      if (account.user !== null && owed * share > negligible) onCost(account.user, owed * share)
    }
    line.cost += (work / jobs.length - line.cost) / 4
  }

  return {
    /** Whether the way to the database is short: then more statements at a time would only take its processors from each other. */
    isNear: (): boolean => fastest < near,
    /** What something of a line is expected to take for a user of whom an ask took so long. */
    expect: (line: Line, cost: number): number => Math.max(least, line.cost, cost),
    /**
     * A statement succeeded, with these values. Some that fail do so before they are sent, and say nothing of the way.
     * @param own what it took, but for the time in which it waited for others
     */
    learn(line: Line, jobs: Job[], values: readonly unknown[], took: number, own: number): void {
      fastest = Math.min(took, fastest * 1.001)
      line.fastest = Math.min(took, line.fastest * 1.001)
      charge(line, jobs, values, own)
    },
    /** A statement took its time in vain. */
    lose: (line: Line, jobs: Job[], own: number): void => charge(line, jobs, [], own),
  }
}

/** Of an answer, roughly in bytes, with what every one of them costs. */
function sizeOf(value: unknown): number {
  const isText = typeof value === 'object' && value !== null && 'text' in value
  return 1000 + (isText && typeof value.text === 'string' ? value.text.length : 0)
}
