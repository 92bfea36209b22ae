import { createClock } from './clock.ts'

/** Milliseconds from one round to the next. */
const usualPause = 60_000

/**
 * Looks for what other instances have made, or have left when they died: once at the start, and within a minute after somebody has written
 * something here, as the database is awake then anyway. Without writes it is asked nothing, and may sleep.
 */
export function createRounds(
  look: () => Promise<void>,
  onFailure: (error: unknown) => void,
  pause = usualPause,
) {
  let lastAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<void> | null = null
  const clock = createClock(() => begin())

  function begin(): void {
    lastAt = Date.now()
    underWay ??= look()
      .catch(onFailure)
      .finally(() => {
        underWay = null
      })
  }

  return {
    begin,
    /** Somebody has written something. */
    wake: (): void => clock.set(lastAt + pause),
    stop: async (): Promise<void> => {
      clock.stop()
      await underWay
    },
  }
}
