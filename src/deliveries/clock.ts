/** Milliseconds after which the clock is looked at in any case: it may be set, a laptop may have slept, and a timer has a longest time. */
const longest = 60_000

/** Rings once, at the earliest of the instants that it is set to. It asks nobody but the clock of this machine. */
export function createClock(ring: () => void) {
  let at = Number.POSITIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined

  function arm(): void {
    clearTimeout(timer)
    if (at === Number.POSITIVE_INFINITY) return
    timer = setTimeout(look, Math.max(0, Math.min(at - Date.now(), longest)))
    timer.unref()
  }

  function look(): void {
    if (Date.now() < at) return arm()
    at = Number.POSITIVE_INFINITY
    ring()
  }

  return {
    /** @param instant by Date.now() */
    set(instant: number): void {
      if (instant >= at) return
      at = instant
      arm()
    },
    stop(): void {
      at = Number.POSITIVE_INFINITY
      clearTimeout(timer)
    },
  }
}
