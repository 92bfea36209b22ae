/** Milliseconds between two attempts at a database that is in doubt: 10 to 500, with jitter. */
const pauseAfter = (attempts: number): number =>
  Math.min(500, 20 * 3 ** attempts) * (0.5 + Math.random() / 2)

/**
 * Whether the database answers, by what the last statement found. While it does not, one statement is let through now and
 * then, until one succeeds.
 */
export function createCircuitBreaker() {
  // Attempts since the connection was last lost, while none has succeeded; null: there is no doubt.
  let attempts: number | null = null
  let nextTurn = 0
  let last = { reachable: false, at: Number.NEGATIVE_INFINITY }

  return {
    /** When the next statement may be sent, by performance.now(); a time that has passed: now. */
    nextTurn: () => nextTurn,
    /** One is sent. */
    attempt(): void {
      if (attempts !== null) nextTurn = performance.now() + pauseAfter(++attempts)
    },
    /** One has come back, or was lost. */
    learn(reachable: boolean): void {
      last = { reachable, at: performance.now() }
      if (reachable) {
        attempts = null
        nextTurn = 0
      } else if (attempts === null) {
        attempts = 0
        nextTurn = last.at + pauseAfter(0)
      }
    },
    seen: () => last,
  }
}
