import type { Place } from '../http/load.ts'
import { overloaded, type Problem } from '../http/problem.ts'

/** Does a task when its turn comes. */
export type Queue = <T>(task: () => Promise<T>) => Promise<T>

/** Does so many tasks at a time. As many as there is room for wait for their turn; of any more `refuse` says why not. */
export function createQueue(atOnce: number, room: number, refuse: () => Error): Queue {
  const waiting: (() => void)[] = []
  let running = 0

  return async (task) => {
    if (running < atOnce) {
      running += 1
    } else {
      if (waiting.length >= room) throw refuse()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push(resolve)
      await promise
    }
    try {
      return await task()
    } finally {
      // Whoever is next gets the place as it is.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}

/** Does tasks with the same key one after the other, in the order in which they came. */
export function createKeyedQueue() {
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

/** While it waits for something else than the database and this process, a request is no load. */
export async function whileWaiting<T>(
  setWaiting: Place['setWaiting'],
  task: () => Promise<T>,
): Promise<T> {
  setWaiting(true)
  try {
    return await task()
  } finally {
    setWaiting(false)
  }
}

/** Of who signs in, and finds no room. */
export const crowded = (): Problem =>
  overloaded('Too many people sign in at the moment. Try again.', 3)
