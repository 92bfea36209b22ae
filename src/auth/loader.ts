import { normalize } from '../http/address.ts'
import { type Accounts, createAccounts } from './accounts.ts'
import type { Issuer, IssuerOptions } from './better-auth.ts'
import { listAddresses } from './queries.ts'

export type Loaded = Issuer & { accounts: Accounts; addressHeader: string; isComplete: boolean }

/** After how many milliseconds to look again for a provider that could not be reached. */
const nextLook = 30_000

/** Milliseconds that it has to answer: everybody's first sign-in waits for it. */
const patience = 2000

/**
 * Loads Better Auth when it is first asked for. A provider that does not say where its keys are is left out, and looked for
 * again while the others sign in.
 */
export function createLoader(options: IssuerOptions): () => Promise<Loaded> {
  const accounts = createAccounts(async (email, address) => {
    const known = await listAddresses(options.db, options.tables, email)
    return address !== 'unknown' && known.some((text) => normalize(text) === address)
  })
  let loading: Promise<Loaded> | undefined
  let lookedAt = 0

  async function load(): Promise<Loaded> {
    const { oidc } = options
    const found = oidc !== null && (await isThere(oidc.discoveryUrl)) ? oidc : null
    lookedAt = performance.now()
    const { createIssuer, clientAddressHeader } = await import('./better-auth.ts')
    const issuer = await createIssuer({ ...options, oidc: found }, accounts)
    return { ...issuer, accounts, addressHeader: clientAddressHeader, isComplete: found === oidc }
  }

  async function loadFirst(): Promise<Loaded> {
    try {
      return await load()
    } catch (error) {
      loading = undefined
      throw error
    }
  }

  /** What is there stays until there is more. */
  async function lookAgain(): Promise<void> {
    const loaded = await load().catch(() => null)
    if (loaded?.isComplete) loading = Promise.resolve(loaded)
  }

  return async () => {
    loading ??= loadFirst()
    const loaded = await loading
    if (!loaded.isComplete && performance.now() - lookedAt > nextLook) {
      lookedAt = performance.now()
      void lookAgain()
    }
    return loaded
  }
}

async function isThere(address: string): Promise<boolean> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(patience) })
    await response.bytes()
    return response.ok
  } catch {
    return false
  }
}
