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

  function add(userId: string, sign: 1 | -1): void {
    count += sign
    const own = (users.get(userId) ?? 0) + sign
    if (own === 0) users.delete(userId)
    else users.set(userId, own)
  }

  return {
    /** Whether a user may have one more. */
    hasRoom: (userId: string): boolean => count < most.all && (users.get(userId) ?? 0) < most.each,
    /**
     * A body of texts, the next of which is asked for when the one before is taken. Where one fails the connection is cut, so that nobody
     * takes the rest for all.
     */
    open: (userId: string, texts: AsyncGenerator<string>, signal: AbortSignal): ReadableStream =>
      new ReadableStream({
        type: 'direct',
        async pull(controller: Controller) {
          add(userId, 1)
          try {
            for await (const text of texts) {
              const taken = controller.write(text)
              void controller.flush()
              if (taken instanceof Promise) await untilTaken(taken, signal)
              signal.throwIfAborted()
            }
            controller.end()
          } catch (error) {
            if (!signal.aborted) onFailure(error)
            // Bun cuts the connection for whatever is thrown, and prints it with the source around it, but for this.
            // oxlint-disable-next-line typescript/only-throw-error
            throw null
          } finally {
            add(userId, -1)
          }
        },
      } as never),
  }
}

async function untilTaken(taken: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason)
  const timer = setTimeout(() => reject(new Error('nobody reads an export')), patience)
  signal.addEventListener('abort', leave, { once: true })
  try {
    await Promise.race([taken, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}
