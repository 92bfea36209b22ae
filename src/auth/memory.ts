import { endOf, type Identity } from './identity.ts'

/** For how many milliseconds a token is not looked at again. A key that the issuer withdrew still works so long. */
const longest = 60_000

const capacity = 10_000

export type Memory = {
  /** Whom a token names that was verified a short while ago. */
  recall: (token: string) => Identity | undefined
  /** Whom `verify` says that the token names, from now on. */
  learn: (token: string, verify: () => Promise<Identity | null>) => Promise<Identity | null>
}

/**
 * Remembers who verified tokens name, and never longer than the token lasts. The tokens lie in memory as they came, next to
 * the secret that could make any of them: a digest of each would cost every request something, and protect nothing. What
 * is invalid is not remembered, and neither are sessions that the database has: those can be revoked.
 */
export function createMemory(limit = capacity): Memory {
  const known = new Map<string, { identity: Identity; until: number }>()

  return {
    recall: (token) => {
      const found = known.get(token)
      return found !== undefined && Date.now() < found.until ? found.identity : undefined
    },
    learn: async (token, verify) => {
      const identity = await verify()
      known.delete(token)
      if (identity === null) return null
      const until = Math.min(endOf(identity), Date.now() + longest)
      // A map keeps its order: the first is the oldest.
      const [oldest] = known.keys()
      if (known.size >= limit && oldest !== undefined) known.delete(oldest)
      known.set(token, { identity, until })
      return identity
    },
  }
}
