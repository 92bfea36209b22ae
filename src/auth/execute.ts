import { Unavailable } from '../database/faults.ts'
import { exchangeOf } from '../http/exchange.ts'
import { Problem } from '../http/problem.ts'
import { attempt } from './attempt.ts'
import type { IssuerOptions } from './better-auth.ts'
import { asCurrent, type Current } from './current.ts'
import type { Asked, Input } from './input.ts'
import { createLoader, type Loaded } from './loader.ts'
import { createQueue, crowded, whileWaiting } from './queue.ts'
import { createReset } from './reset.ts'

/** Requests at a time, and of those that go to a provider: one that hangs keeps nobody from signing in by a password. */
const most = { others: 256, providers: 64 }

/** Milliseconds that a provider has to answer. */
const patience = 15_000

/** How long a note of the browser is kept in a session, in characters. */
const longestAgent = 400

/** Gives a request to Better Auth, and gives its answer as it is. */
export function createExecutor(options: IssuerOptions): (asked: Asked) => Promise<Response> {
  const load = createLoader(options)
  const reset = createReset(options.log)
  const others = createQueue(most.others, 0, crowded)
  const providers = createQueue(most.providers, 0, crowded)

  async function serve(loaded: Loaded, asked: Asked, { setWaiting }: Current): Promise<Response> {
    const { endpoint, input } = asked
    const ask = (body: Input | null) => loaded.handle(forward(asked, loaded.addressHeader, body))
    if (endpoint.path === '/callback/:id') {
      // A place is kept until Better Auth has given up too.
      const answer = providers(() => ask(input))
      return whileWaiting(setWaiting, () => withinPatience(answer, options.origins))
    }
    const email = input?.['email']
    return others(() =>
      endpoint.path === '/request-password-reset' && typeof email === 'string'
        ? reset(email, (other) => ask({ ...input, email: other }))
        : attempt(loaded, asked, () => ask(input)),
    )
  }

  return async (asked) => {
    const { signal } = asked.request
    const { place } = exchangeOf(asked.request)
    const setWaiting = (waiting: boolean) => place.setWaiting(waiting)
    const loaded = await whileWaiting(setWaiting, load)
    const state: Current = { signal, setWaiting, fault: null }
    const response = await asCurrent(state, () => serve(loaded, asked, state)).catch(
      (error: unknown) => {
        throw state.fault instanceof Unavailable ? state.fault : error
      },
    )
    // Better Auth answers as if there were no session, or none to end.
    const { fault } = state
    if (fault instanceof Unavailable || (fault !== null && response.status >= 500)) throw fault
    return response
  }
}

/** As Better Auth reads it. */
function forward(
  { request, path, address }: Asked,
  addressHeader: string,
  body: Input | null,
): Request {
  const { origin, search } = new URL(request.url)
  const headers = new Headers(request.headers)
  // An IPv6 network is one client.
  headers.set(addressHeader, address.replace('/64', ''))
  headers.set('user-agent', (headers.get('user-agent') ?? '').slice(0, longestAgent))
  headers.delete('content-length')
  return new Request(`${origin}/api/auth${path}${search}`, {
    method: request.method,
    headers,
    body: body === null ? null : JSON.stringify(body),
  })
}

/** A browser that comes back from a provider is sent to the frontend, if there is one: it shows what it gets. */
async function withinPatience(answer: Promise<Response>, origins: string[]): Promise<Response> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), patience)
  try {
    return (await Promise.race([answer, late.promise])) ?? tooLate(origins)
  } finally {
    clearTimeout(timer)
  }
}

function tooLate([frontend]: string[]): Response {
  if (frontend === undefined) {
    throw new Problem(503, 'The provider does not answer. Try again.', {
      headers: { 'retry-after': '5' },
    })
  }
  const location = `${frontend}?error=temporarily_unavailable`
  return new Response(null, { status: 302, headers: { location } })
}
