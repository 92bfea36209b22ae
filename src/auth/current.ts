import { AsyncLocalStorage } from 'node:async_hooks'

/** The request that the issuer is at work for, where Better Auth does not hand it over. */
export type Current = {
  signal: AbortSignal
  setWaiting: (waiting: boolean) => void
  /** What the database said, which Better Auth makes an answer of its own of. */
  fault: unknown
  /** By what field of its `account` somebody signs in. */
  proof: { field: string; value: string } | null
  /** Whose account has turned out to be of somebody else than whoever had it. */
  taken: string | null
}

const requests = new AsyncLocalStorage<Current | undefined>()

/** Undefined: it is at work for nobody who waits. */
export const current = (): Current | undefined => requests.getStore()

export const asCurrent = <T>(request: Current, task: () => T): T => requests.run(request, task)

/** For what goes on after the answer. */
export const asNobody = <T>(task: () => T): T => requests.run(undefined, task)
