/** What one user has of the database. Times are in milliseconds of statements. */
export type Account = {
  /** Null: nobody in particular. */
  user: string | null
  /** Where on the common clock his next ask begins, if others wait too. */
  next: number
  /** How many statements under way he is in. */
  running: number
  /** What an ask of his took of late. */
  cost: number
}

/** How many users are remembered; of more, those are forgotten who have had no more than others. */
const most = 10_000

/**
 * Whose turn it is. A common clock counts the work that was given out; each user goes on where he has got to on it, or now if
 * that has passed. So who has had much waits behind those who have had less, and who comes alone never waits.
 * (Start-time fair queueing, by Goyal, Vin and Cheng.)
 */
export function createAccounts() {
  const accounts = new Map<string, Account>()
  let clock = 0

  return {
    /** Nobody in particular is a newcomer each time. */
    of(user: string | null): Account {
      const known = user === null ? undefined : accounts.get(user)
      if (known !== undefined) return known
      const made: Account = { user, next: 0, running: 0, cost: 0 }
      if (user === null) return made
      if (accounts.size >= most) forget(accounts, clock)
      accounts.set(user, made)
      return made
    },
    /** Where on the clock an ask begins that is expected to take so long. */
    enter(account: Account, expected: number): number {
      const turn = Math.max(clock, account.next)
      account.next = turn + expected
      return turn
    },
    /** What begins there is under way. */
    advance(turn: number): void {
      clock = Math.max(clock, turn)
    },
    /** It took another time than was expected. */
    correct(account: Account, expected: number, took: number): void {
      account.next += took - expected
      account.cost += (took - account.cost) / 2
    },
  }
}

function forget(accounts: Map<string, Account>, clock: number): void {
  for (const [user, { running, next }] of accounts) {
    if (running === 0 && next <= clock) accounts.delete(user)
  }
  for (const user of accounts.keys()) {
    if (accounts.size <= 0.9 * most) return
    accounts.delete(user)
  }
}
