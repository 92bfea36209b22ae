/** Requests in a window, and what follows from it. */
export type Limit = {
  /** Seconds that one request costs: its share of the window. */
  cost: number
  /** As the header RateLimit-Policy says it. */
  policy: string
}

/** What is left to somebody after a request. */
export type Quota = {
  allowed: boolean
  limit: Limit
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

/** More keys than these are not remembered. */
const maxKeys = 100_000

const limitTo = (requests: number): Limit => ({
  cost: window / requests,
  policy: `"user";q=${requests};w=${window}`,
})

/**
 * The generic cell rate algorithm: each request costs its share of the window, and as long as the debt is below a whole
 * window the next is allowed. So all may come at once, and then as many a minute as the limit says. `debt` is in
 * seconds, before this request.
 */
function quotaOf(limit: Limit, debt: number): Quota {
  const { cost } = limit
  // A millionth, because the costs do not add up to the window exactly.
  const retry = debt + cost - window
  const allowed = retry <= 1e-6
  const owed = allowed ? debt + cost : debt
  return {
    allowed,
    limit,
    remaining: Math.max(0, Math.floor((window - owed) / cost + 1e-6)),
    reset: Math.ceil(owed),
    retry: allowed ? 0 : Math.max(1, Math.ceil(retry)),
  }
}

/** In the memory of this process. `now` is in milliseconds. */
export function memoryRates(requests: number, now: () => number = () => performance.now()): Rates {
  const limit = limitTo(requests)
  /** Until when each key owes something. Changed in their places, for a map that is written to all the time is slow. */
  const debts = new Map<string, { until: number }>()

  return (key) => {
    const time = now()
    const debt = debts.get(key)
    const owed = Math.max(debt?.until ?? 0, time)
    const quota = quotaOf(limit, (owed - time) / 1000)
    if (!quota.allowed) return quota

    const until = owed + limit.cost * 1000
    if (debt !== undefined) {
      debt.until = until
      return quota
    }
    if (debts.size >= maxKeys) forget(debts, time)
    debts.set(key, { until })
    return quota
  }
}

/** Makes room for a tenth more: who owes nothing is as if he had never come, and of the others the oldest go. */
function forget(debts: Map<string, { until: number }>, time: number): void {
  for (const [key, { until }] of debts) if (until <= time) debts.delete(key)
  for (const key of debts.keys()) {
    if (debts.size <= 0.9 * maxKeys) return
    debts.delete(key)
  }
}

/** In the database, for several instances that share a limit: `count` is one statement. */
export function sharedRates(
  kind: 'user' | 'address',
  requests: number,
  count: (key: string, cost: number) => Promise<{ allowed: boolean; debt: number } | undefined>,
): Rates {
  const limit = limitTo(requests)
  const { cost } = limit
  return async (name) => {
    const counted = await count(`${kind} ${name}`, cost)
    if (counted === undefined) return quotaOf(limit, 0)
    const { allowed, debt } = counted
    return quotaOf(limit, allowed ? Math.max(0, debt - cost) : Math.max(window - cost / 2, debt))
  }
}
