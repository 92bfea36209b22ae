import { remedyFor, sqlstateOf } from '../database/gate/sqlstates.ts'

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

export type Rates = {
  /** Counts one request of `key`, and says whether it is within the limit. */
  count: (key: string) => Quota | Promise<Quota>
  /** The key used the database for so many milliseconds: for what its requests do not pay for, it owes more. */
  charge: (key: string, milliseconds: number) => void
}

/** Seconds. */
const window = 60

/** More keys than these are not remembered. */
const maxKeys = 100_000

/** Milliseconds of the database that each request pays for. As many again are charged as one request more. */
const paid = 10

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
  const debts = createDebts(limit, now)

  return {
    count: (key) => {
      const time = now()
      const debt = debts.of(key)
      const quota = quotaOf(limit, debt === undefined ? 0 : owed(debt, time) / 1000)
      if (quota.allowed) debts.add(key, debt, time)
      return quota
    },
    charge: debts.charge,
  }
}

/** Until when somebody owes something, in milliseconds: by his requests, and by the time that they took of the database. */
type Debt = { requests: number; database: number }

const owed = ({ requests, database }: Debt, time: number): number =>
  Math.max(0, requests - time, database - time)

/** What each key owes, as far as this process knows. */
function createDebts({ cost }: Limit, now: () => number) {
  // Changed in their places, for a map that is written to all the time is slow.
  const debts = new Map<string, Debt>()

  function set(key: string, time: number, debt: Debt): Debt {
    if (debts.size >= maxKeys) forget(debts, time)
    debts.set(key, debt)
    return debt
  }

  return {
    of: (key: string) => debts.get(key),
    /** One request more, and with it all that is owed. */
    add: (key: string, debt: Debt | undefined, time: number): Debt => {
      if (debt === undefined) return set(key, time, { requests: time + cost * 1000, database: 0 })
      debt.requests = time + owed(debt, time) + cost * 1000
      return debt
    },
    /** Takes time of the database as requests take theirs: each pays for some, so that only what is beyond counts. */
    charge: (key: string, milliseconds: number): void => {
      const time = now()
      const debt = debts.get(key)
      const until = Math.max(debt?.database ?? 0, time) + (milliseconds / paid) * cost * 1000
      // So that nobody has to wait for longer than a window, whatever it was that took so long.
      const database = Math.min(until, time + (2 * window - cost) * 1000)
      if (debt !== undefined) debt.database = database
      else set(key, time, { requests: 0, database })
    },
  }
}

/** Makes room for a tenth more: who owes nothing is as if he had never come, and of the others the oldest go. */
function forget(debts: Map<string, Debt>, time: number): void {
  for (const [key, debt] of debts) if (owed(debt, time) === 0) debts.delete(key)
  for (const key of debts.keys()) {
    if (debts.size <= 0.9 * maxKeys) return
    debts.delete(key)
  }
}

/** Whoever only reads can be answered: then each instance counts for itself. */
const cannotWrite = (error: unknown): boolean =>
  ['elsewhere', 'later'].includes(remedyFor(sqlstateOf(error) ?? '') ?? '')

/**
 * In the database, for several instances that share a limit: `count` is one statement. What a user owes for the time of the
 * database is known to the instance that asked it, and goes along with the next request that it counts.
 */
export function sharedRates(
  kind: 'user' | 'address',
  requests: number,
  count: (key: string, cost: number) => Promise<{ allowed: boolean; debt: number } | undefined>,
  now: () => number = () => performance.now(),
): Rates {
  const limit = limitTo(requests)
  const { cost } = limit
  const debts = createDebts(limit, now)

  /** Seconds that are not in the database yet. */
  const arrears = (debt: Debt | undefined, time: number): number =>
    debt === undefined
      ? 0
      : Math.min(window - cost, Math.max(0, debt.database - Math.max(debt.requests, time)) / 1000)

  return {
    count: async (name) => {
      const time = now()
      const before = debts.of(name)
      const more = arrears(before, time)
      const own = quotaOf(limit, before === undefined ? 0 : owed(before, time) / 1000)
      // Taken along by this one, and not by another at the same moment.
      const debt = debts.add(name, before, time)
      const giveBack = () => {
        debt.requests -= (cost + more) * 1000
      }
      const counted = await count(`${kind} ${name}`, cost + more).catch((error: unknown) => {
        if (cannotWrite(error)) return null
        giveBack()
        throw error
      })
      if (counted === null) {
        if (!own.allowed) giveBack()
        return own
      }
      if (counted === undefined) return quotaOf(limit, 0)
      if (counted.allowed) return quotaOf(limit, Math.max(0, counted.debt - cost))
      giveBack()
      return quotaOf(limit, Math.max(window - cost / 2, counted.debt + more))
    },
    charge: debts.charge,
  }
}
