/** What is left to somebody after a request. */
export type Quota = {
  allowed: boolean
  /** Requests in a window of so many seconds. */
  limit: number
  window: number
  /** Requests that would be allowed now. */
  remaining: number
  /** Seconds until all of them would be. */
  reset: number
  /** Seconds until the next one would be; 0: now. */
  retry: number
}

/** Counts one request of `key`, and says whether it is within the limit. */
export type Rates = (key: string) => Quota | Promise<Quota>

/** Seconds. */
const window = 60

/** More keys than these are not remembered: the oldest are forgotten first. */
const maxKeys = 100_000

/**
 * The generic cell rate algorithm: each request costs its share of the window, and as long as the debt is below a whole
 * window the next is allowed. So all may come at once, and then as many a minute as the limit says. `debt` is in
 * seconds, before this request.
 */
export function quotaOf(limit: number, debt: number): Quota {
  const cost = window / limit
  // A millionth, because the costs do not add up to the window exactly.
  const retry = debt + cost - window
  const allowed = retry <= 1e-6
  const owed = allowed ? debt + cost : debt
  return {
    allowed,
    limit,
    window,
    remaining: Math.max(0, Math.floor((window - owed) / cost + 1e-6)),
    reset: Math.ceil(owed),
    retry: allowed ? 0 : Math.max(1, Math.ceil(retry)),
  }
}

/** In the memory of this process. `now` is in milliseconds. */
export function memoryRates(limit: number, now: () => number = () => performance.now()): Rates {
  /** When each key owes nothing any more. */
  const settled = new Map<string, number>()

  return (key) => {
    const time = now()
    const due = Math.max(settled.get(key) ?? 0, time)
    const quota = quotaOf(limit, (due - time) / 1000)
    if (quota.allowed) {
      settled.delete(key) // To the end, so that the first is the one that wrote least recently.
      settled.set(key, due + (window / limit) * 1000)
      if (settled.size > maxKeys) forget(settled)
    }
    return quota
  }
}

/** In the database, for several instances that share a limit: `count` is one statement. */
export const sharedRates =
  (
    kind: 'user' | 'address',
    limit: number,
    count: (key: string, cost: number) => Promise<{ allowed: boolean; debt: number } | undefined>,
  ): Rates =>
  async (name) => {
    const cost = window / limit
    const counted = await count(`${kind} ${name}`, cost)
    if (counted === undefined) return quotaOf(limit, 0)
    const { allowed, debt } = counted
    return quotaOf(limit, allowed ? Math.max(0, debt - cost) : Math.max(window - cost / 2, debt))
  }

function forget(settled: Map<string, number>): void {
  for (const key of settled.keys()) {
    settled.delete(key)
    return
  }
}
