// What one process knows of how much a user has.

/** Bytes are those of the JSON of the tasks, as it is answered. */
export type Amount = { tasks: number; bytes: number }

export type Reservation = {
  /** Says in the end what was added. Null: what was reserved, at most. */
  settle: (added: Amount | null) => void
}

/** Of one user, in one process. */
export type Count = Amount & {
  readonly userId: string
  /** Else it is only what was added here. */
  isMeasured: boolean
  /** Whether all that was added since was known to the byte. */
  isExact: boolean
  /** When it was measured, by performance.now(), and in how many slices. */
  at: number
  slices: number
  /** What is reserved, and by how many writes that are under way. */
  reserved: Amount
  underWay: number
  /** How many writes there were. */
  settled: number
  measuring: Promise<void> | null
  /** Told when no write is under way any more. */
  waiting: (() => void)[]
}

/** Milliseconds for which a measurement of more than one slice is good. */
const patience = 10_000

export const newCount = (userId: string): Count => ({
  userId,
  tasks: 0,
  bytes: 0,
  isMeasured: false,
  isExact: true,
  at: 0,
  slices: 0,
  reserved: { tasks: 0, bytes: 0 },
  underWay: 0,
  settled: 0,
  measuring: null,
  waiting: [],
})

/** Whether to measure again: at once where it is one statement and would say more, else from time to time. */
export const isStale = ({ at, slices, isExact }: Count): boolean =>
  performance.now() - at >= patience || (slices === 1 && !isExact)

export function take(count: Count, amount: Amount): Reservation {
  const reserved = { tasks: Math.max(0, amount.tasks), bytes: Math.max(0, amount.bytes) }
  add(count.reserved, reserved, 1)
  count.underWay += 1
  let isSettled = false
  return {
    settle: (added) => {
      if (isSettled) return
      isSettled = true
      add(count.reserved, reserved, -1)
      add(count, added ?? amount, 1)
      if (added === null) count.isExact = false
      count.underWay -= 1
      count.settled += 1
      if (count.underWay === 0) for (const tell of count.waiting.splice(0)) tell()
    },
  }
}

export function add(sum: Amount, amount: Amount, sign: 1 | -1): void {
  sum.tasks += sign * amount.tasks
  sum.bytes += sign * amount.bytes
}

export const quiet = (count: Count): Promise<void> =>
  new Promise((resolve) => {
    if (count.underWay === 0) resolve()
    else count.waiting.push(resolve)
  })
