import { availableParallelism } from 'node:os'
import { current } from './current.ts'
import { createQueue, crowded, whileWaiting } from './queue.ts'

type Passwords = {
  hash: (password: string) => Promise<string>
  verify: (given: { hash: string; password: string }) => Promise<boolean>
}

/** A hash takes a processor for some 70 ms. One processor is left to everything else. */
const atOnce = Math.max(1, availableParallelism() - 1)

/** As many as are hashed in about three seconds. */
const room = 32 * atOnce

/** `passwords` with a queue of its own: while somebody waits for a hash, or in front of one, nobody else is kept out. */
export function hashing(passwords: Passwords): Passwords {
  const queue = createQueue(atOnce, room, crowded)

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const request = current()
    const turn = () =>
      queue(() => {
        // Nobody would read the answer.
        if (request?.signal.aborted) throw crowded()
        return task()
      })
    return request === undefined ? turn() : whileWaiting(request.setWaiting, turn)
  }
  return {
    hash: (password) => inTurn(() => passwords.hash(password)),
    verify: (given) => inTurn(() => passwords.verify(given)),
  }
}
