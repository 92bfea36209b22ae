/** What one user has of the database. */
export type Account = {
  /** Null: nobody in particular. */
  user: string | null
  /** When his next ask has its turn, by performance.now(), if others wait too. */
  next: number
  /** How many statements under way he is in. */
  running: number
  /** Milliseconds that an ask of his took of late. */
  cost: number
}

/** Who takes no more than a third of the time of one statement has his turn when he comes. */
const weight = 3

/** Milliseconds: nobody waits for those who come so much later. */
const longest = 1000

/** How many users are remembered; of more, those are forgotten who have had no more than others. */
const most = 10_000

/**
 * Whose turn it is. Everybody has his turn when he comes; but each ask puts the next one of its user off, by what it takes. So
 * who wants much waits behind his own asks, those of others come in between, and who is alone never waits.
 * (Virtual clocks, by Lixia Zhang.)
 */
export function createAccounts() {
  const accounts = new Map<string, Account>()

  return {
    /** Nobody in particular is a newcomer each time. */
    of(user: string | null): Account {
      const known = user === null ? undefined : accounts.get(user)
      if (known !== undefined) return known
      const made: Account = { user, next: 0, running: 0, cost: 0 }
      if (user === null) return made
      if (accounts.size >= most) forget(accounts)
      accounts.set(user, made)
      return made
    },
    /** When it is the turn of an ask that comes now and is expected to take so many milliseconds. */
    enter(account: Account, now: number, expected: number): number {
      const turn = Math.min(Math.max(account.next, now), now + longest)
      account.next = turn + weight * expected
      return turn
    },
    /** It took another time than was expected. */
    correct(account: Account, expected: number, took: number): void {
      account.next += weight * (took - expected)
      account.cost += (took - account.cost) / 2
    },
    /** It was not run. */
    leave(account: Account, expected: number): void {
      account.next -= weight * expected
    },
  }
}

function forget(accounts: Map<string, Account>): void {
  const now = performance.now()
  for (const [user, { running, next }] of accounts) {
    if (running === 0 && next <= now) accounts.delete(user)
  }
  for (const user of accounts.keys()) {
    if (accounts.size <= 0.9 * most) return
    accounts.delete(user)
  }
}
