import { Elysia } from 'elysia'
import { readBytes } from '../http/body.ts'
import { exchangeOf } from '../http/exchange.ts'
import { measured } from '../http/outgoing.ts'
import { overloaded } from '../http/problem.ts'
import type { IssuerOptions } from './better-auth.ts'

export type { IssuerOptions } from './better-auth.ts'

/** Better Auth under /api/auth, loaded with the first request for it. Null: it is off. */
export function issuerRoutes(options: (() => IssuerOptions) | null) {
  if (options === null) return new Elysia()
  let loading: ReturnType<typeof load> | undefined

  return new Elysia({ name: 'issuer', seed: options, detail: { hide: true } }).all(
    '/api/auth/*',
    async ({ request }) => {
      const { address: addressOf, place } = exchangeOf(request)
      const address = addressOf()
      if (!place.hold(`address ${address}`)) throw overloaded()
      loading ??= load(options(), () => {
        loading = undefined
      })
      const { handle, addressHeader } = await loading
      const { method, url } = request
      const headers = new Headers(request.headers)
      headers.delete(addressHeader)
      // As the rate limits count: an IPv6 network is one client.
      headers.set(addressHeader, address.replace('/64', ''))

      const bytes = await readBytes(request)
      const body = bytes.length === 0 ? null : new Uint8Array(bytes)
      return measured(await handle(new Request(url, { method, headers, body })))
    },
    { parse: 'none' },
  )
}

/** After how many milliseconds to look again for a provider that could not be reached. */
const nextLook = 30_000

async function load(options: IssuerOptions, forget: () => void) {
  try {
    const { createIssuer, clientAddressHeader } = await import('./better-auth.ts')
    const { handle, isComplete } = await createIssuer(options)
    if (!isComplete) setTimeout(forget, nextLook).unref()
    return { handle, addressHeader: clientAddressHeader }
  } catch (error) {
    forget()
    throw error
  }
}
