// Answers that are as long as what somebody has, of which no more is in memory than a client takes.

/** How many may be on their way, and to one user. Each holds a few megabytes at most. */
const most = { all: 32, each: 2 }

/** Milliseconds after which who takes nothing is hung up on. */
const patience = 60_000

type Controller = {
  /** A promise while the socket takes no more. */
  write: (text: string) => unknown
  flush: () => unknown
  end: () => unknown
}

/** @param onFailure is told why one was cut off that somebody was reading */
export function createStreams(onFailure: (error: unknown) => void) {
  const users = new Map<string, number>()
  let count = 0

  return {
    /** Takes a place for one more. @returns what gives it back, once; null: there is none */
    enter(userId: string): (() => void) | null {
      const own = users.get(userId) ?? 0
      if (count >= most.all || own >= most.each) return null
      count += 1
      users.set(userId, own + 1)
      let isLeft = false
      return () => {
        if (isLeft) return
        isLeft = true
        count -= 1
        const left = (users.get(userId) ?? 0) - 1
        if (left === 0) users.delete(userId)
        else users.set(userId, left)
      }
    },
    /**
     * A body of texts, the next of which is asked for when the one before is taken. Where one fails the connection is cut, so that nobody
     * takes the rest for all.
     * @param leave is called when it has ended, or nobody is there any more who would read it
     */
    open(texts: AsyncGenerator<string>, signal: AbortSignal, leave: () => void): ReadableStream {
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      return new ReadableStream({
        type: 'direct',
        async pull(controller: Controller) {
          try {
            for await (const text of texts) {
              const taken = controller.write(text)
              void controller.flush()
              if (taken instanceof Promise) await untilTaken(taken, signal)
              signal.throwIfAborted()
            }
            controller.end()
          } catch (error) {
            if (!signal.aborted && error !== unread) onFailure(error)
            // Bun cuts the connection for whatever is thrown, and prints it with the source around it, but for this.
            throw null
          } finally {
            leave()
          }
        },
      } as never)
    },
  }
}

const unread = new Error('nobody reads it')

async function untilTaken(taken: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  const timer = setTimeout(() => reject(unread), patience)
  signal.addEventListener('abort', leave, { once: true })
  try {
    await Promise.race([taken, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}
