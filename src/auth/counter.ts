/** So many in so many seconds. */
export type Allowance = { most: number; seconds: number }

export type Counter = {
  /** Counts one of `key`, and gives 0; or gives the seconds until one more would be counted. */
  take: (key: string) => number
  /** Takes the last one back. */
  giveBack: (key: string) => void
  /** How many of `key` count at the moment. */
  used: (key: string) => number
  forget: (key: string) => void
}

/** More keys than these are not remembered: the oldest go first. */
const maxKeys = 50_000

/**
 * Counts by key, in the memory of this process. All that are allowed may come at once, and then one whenever its share of
 * the time has passed. `now` is in milliseconds.
 */
export function createCounter(
  { most, seconds }: Allowance,
  now: () => number = () => performance.now(),
): Counter {
  const cost = (seconds * 1000) / most
  /** Until when each key owes something, the longest untouched first. */
  const debts = new Map<string, number>()

  function owe(key: string, until: number): void {
    debts.delete(key)
    if (until <= now()) return
    const [oldest] = debts.keys()
    if (debts.size >= maxKeys && oldest !== undefined) debts.delete(oldest)
    debts.set(key, until)
  }

  return {
    take: (key) => {
      const until = Math.max(debts.get(key) ?? 0, now()) + cost
      // A millionth of a second, because the costs do not add up to the time exactly.
      const wait = (until - now()) / 1000 - seconds
      if (wait > 1e-6) return Math.max(1, Math.ceil(wait))
      owe(key, until)
      return 0
    },
    giveBack: (key) => owe(key, (debts.get(key) ?? 0) - cost),
    used: (key) => Math.max(0, Math.ceil(((debts.get(key) ?? 0) - now()) / cost - 1e-6)),
    forget: (key) => debts.delete(key),
  }
}
