/** What is being worked on, and whether it is as much as can be answered in time. */
export type Load = {
  inFlight: number
  /** How many requests there ever were. */
  total: number
  /** Whether one request more would wait for longer than it should. */
  isFull: () => boolean
  /** One was answered that was not refused. Call it while it still counts. */
  answered: () => void
}

/** With fewer in flight not everything is at work, and the time between two answers says nothing. */
const busy = 8

/** Never more than this at one time, however fast they are answered. */
const most = 1024

/** Over how many milliseconds the pace is the average, roughly: many answers come together, with a gap before the next ones. */
const memory = 100

/**
 * Up to `always` requests at one time are let in in any case; more while the last of them can be expected to be answered
 * within `patience` milliseconds, at the pace of the last answers. So a slow database refuses early, and a fast one late.
 */
export function createLoad(always: number, patience: number): Load {
  // The time of late, in milliseconds, and how many were answered in it.
  let time = 0
  let count = 0
  let last: number | null = null
  /** Milliseconds between two answers; 0 until it is known. */
  const pace = () => (count === 0 ? 0 : time / count)

  const load: Load = {
    inFlight: 0,
    total: 0,
    isFull: () =>
      load.inFlight >= most || (load.inFlight >= always && load.inFlight * pace() >= patience),
    answered: () => {
      const now = load.inFlight < busy ? null : performance.now()
      if (now !== null && last !== null) {
        // A longer one says no more, and would have to be outweighed by many answers.
        const gap = Math.min(now - last, patience)
        const left = Math.exp(-gap / memory)
        time = time * left + gap
        count = count * left + 1
      }
      last = now
    },
  }
  return load
}
