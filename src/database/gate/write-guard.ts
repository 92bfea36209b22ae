import type { Found } from './pool.ts'

/** For how many milliseconds it holds that no server takes writes: then it is looked again, if anybody wants something. */
const pause = 1000

/**
 * Whether writes are taken, by what the last of them found. While they are not, they are refused at once, and one of them
 * now and then waits for a look at the servers; who reads never waits.
 * @param look looks for a server that takes writes, and has the next statements go there. Never rejects
 */
export function createWriteGuard(look: () => Promise<Found>) {
  let isRefused = false
  let seenAt = Number.NEGATIVE_INFINITY
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<boolean> | undefined

  const isFresh = (): boolean => performance.now() - lookedAt < pause

  function learn(found: Found): void {
    if (found === 'unknown') return
    isRefused = found === 'read_only'
    seenAt = performance.now()
  }

  /** Looks once for all who want to know. Gives whether there is somewhere to write. */
  function lookOnce(): Promise<boolean> {
    looking ??= look().then((found) => {
      looking = undefined
      lookedAt = performance.now()
      learn(found)
      return found === 'writable'
    })
    return looking
  }

  return {
    /** A write succeeded. */
    taken: (): void => learn('writable'),
    /** The server said that it takes none. Gives whether there is now another one that may. */
    refused(): Promise<boolean> {
      learn('read_only')
      return isFresh() ? Promise.resolve(false) : lookOnce()
    },
    /** The server is not there: looks for another one. */
    lost: (): void => void (isFresh() || lookOnce()),
    /** Whether they are refused, as far as is known; then somebody has a look before long. */
    isRefused(): boolean {
      if (isRefused && !isFresh()) void lookOnce()
      return isRefused
    },
    /** The look that is under way, if there is one. */
    looking: () => looking,
    seen: () => ({ readOnly: isRefused, writesAt: seenAt }),
  }
}
