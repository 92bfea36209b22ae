/** What goes on after its answer. */
export type Background = {
  /** Does a task, which sees to its own faults. Nobody waits for it but the end of the process. */
  run: (task: () => Promise<void>) => void
  /** When nothing goes on any more. */
  settled: () => Promise<void>
}

export function createBackground(): Background {
  const running = new Set<Promise<void>>()

  return {
    run: (task) => {
      const done = task().finally(() => running.delete(done))
      running.add(done)
    },
    settled: async () => {
      // One may begin another.
      while (running.size > 0) await Promise.allSettled(running)
    },
  }
}
