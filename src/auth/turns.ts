/** Does tasks with the same key one after the other, in the order in which they came. */
export function createTurns() {
  const last = new Map<string, Promise<void>>()

  return async <T>(key: string, task: () => Promise<T>): Promise<T> => {
    const before = last.get(key)
    const mine = Promise.withResolvers<void>()
    last.set(key, mine.promise)
    try {
      await before
      return await task()
    } finally {
      if (last.get(key) === mine.promise) last.delete(key)
      mine.resolve()
    }
  }
}
