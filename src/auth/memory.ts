import type { Identity } from './identity.ts'

/** For how many milliseconds a token is not looked at again. A key that the issuer withdrew still works so long. */
const longest = 60_000

const capacity = 10_000

export type Memory = {
  /** What `verify` said of the token a short while ago, or what it says now. */
  recall: (
    token: string,
    verify: () => Promise<Identity | null>,
  ) => Identity | Promise<Identity | null>
}

/**
 * Remembers who verified tokens name, and never longer than the token lasts. The tokens lie in memory as they came, next to
 * the secret that could make any of them: a digest of each would cost every request something, and protect nothing. What
 * is invalid is not remembered, and neither are sessions that the database has: those can be revoked.
 */
export function createMemory(limit = capacity): Memory {
  const known = new Map<string, { identity: Identity; until: number }>()

  async function learn(token: string, verify: () => Promise<Identity | null>) {
    const identity = await verify()
    if (identity === null) return null
    const until = Math.min(Date.parse(identity.expires_at), Date.now() + longest)
    // A map keeps its order: the first is the oldest.
    const [oldest] = known.keys()
    if (known.size >= limit && oldest !== undefined) known.delete(oldest)
    known.set(token, { identity, until })
    return identity
  }

  return {
    recall: (token, verify) => {
      const found = known.get(token)
      if (found !== undefined && Date.now() < found.until) return found.identity
      known.delete(token)
      return learn(token, verify)
    },
  }
}
