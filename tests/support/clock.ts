import { afterAll, beforeAll, spyOn } from 'bun:test'

/** The clock of what a file tests, where milliseconds decide, which no machine promises. Timers go on as they are. */
export function clock() {
  const now = performance.now.bind(performance)
  let ahead = 0
  let stoppedAt: number | null = null
  beforeAll(() => {
    spyOn(performance, 'now').mockImplementation(() => (stoppedAt ?? now()) + ahead)
  })
  afterAll(() => {
    spyOn(performance, 'now').mockRestore()
  })

  return {
    /** By so many milliseconds. */
    putForward: (by: number): void => {
      ahead += by
    },
    /** Has all of it happen at one moment, but for what puts the clock forward. */
    atOnce: async <T>(act: () => T | Promise<T>): Promise<T> => {
      stoppedAt = now()
      try {
        return await act()
      } finally {
        stoppedAt = null
      }
    },
  }
}
