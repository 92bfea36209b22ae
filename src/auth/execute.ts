import { codeOf, Unavailable } from '../database/gate/faults.ts'
import { strangerAt } from '../http/address.ts'
import { exchangeOf } from '../http/exchange.ts'
import { firstOrigin } from '../http/origins.ts'
import { Problem } from '../http/problem.ts'
import { digestOf } from '../http/secrets.ts'
import { deleteAccessTokens } from './access-tokens.ts'
import { attempt } from './attempt.ts'
import type { IssuerOptions } from './better-auth.ts'
import { asCurrent, type Current } from './current.ts'
import type { Asked, Input } from './input.ts'
import { createLoader, type Loaded } from './loader.ts'
import { completed, refreshTokenPrefix } from './oauth.ts'
import { endWithoutConsent, isJustSpent } from './program-tokens.ts'
import { createKeyedQueue, createQueue, crowded, whileWaiting } from './queue.ts'
import { createReset } from './reset.ts'
import { isVerificationLink } from './verification.ts'

/** Requests at a time, and of those that go to a provider: one that hangs keeps nobody from signing in by a password. */
const most = { others: 256, providers: 64 }

/** Milliseconds that a provider has to answer. */
const patience = 15_000

/** What ends somewhere else, later. */
const goingOn = new Set(['/sign-in/social', '/sign-up/email', '/send-verification-email'])

/** How long a note of the browser is kept in a session, in characters. */
const longestAgent = 400

/** Gives a request to Better Auth, and gives its answer as it is. */
export function createExecutor(options: IssuerOptions): (asked: Asked) => Promise<Response> {
  const load = createLoader(options)
  const reset = createReset(options.background, options.log)
  const others = createQueue(most.others, 0, crowded)
  const providers = createQueue(most.providers, 0, crowded)
  const bySecret = createKeyedQueue()

  async function serve(loaded: Loaded, asked: Asked, { setWaiting }: Current): Promise<Response> {
    const { endpoint } = asked
    const input = withPage(asked, options.origins)
    const ask = (body: Input | null) =>
      loaded.handle(forward(asked, options.url, loaded.addressHeader, body))
    if (endpoint.path === '/error' && options.errorUrl === null) throw failed(asked.request)
    if (endpoint.path === '/callback/:id') {
      // A place is kept until Better Auth has given up too.
      const answer = providers(() => ask(input))
      return whileWaiting(setWaiting, () => withinPatience(answer))
    }
    if (endpoint.path === '/send-verification-email') {
      // Better Auth takes half a second for everybody, so that nobody learns who has an account.
      return whileWaiting(setWaiting, () => others(() => ask(input)))
    }
    const spent = asked.form?.get('refresh_token') || asked.form?.get('code')
    if (spent) {
      // Of two at once Better Auth refuses one, whose program then asks its user to sign in; after each other it answers them alike. Of a code
      // that is used twice it ends what came of it, if that is there by then.
      const answer = bySecret(digestOf(spent), async () => {
        const first = await others(() => ask(null))
        if (first.status !== 400 || !(await isElsewhere(asked))) return withConsent(asked, first)
        await Bun.sleep(moment)
        return withConsent(asked, await others(() => ask(null)))
      })
      return whileWaiting(setWaiting, () => answer)
    }
    const email = input?.['email']
    return others(() =>
      endpoint.path === '/request-password-reset' && typeof email === 'string'
        ? reset(email, (other) => ask({ ...input, email: other }))
        : attempt(loaded, asked, () => ask(input)),
    )
  }

  /** Whether another instance answers a refresh token just now, and does not say yet what: asked again Better Auth has it, and it is the same. */
  async function isElsewhere({ request, address, form }: Asked): Promise<boolean> {
    const token = form?.get('refresh_token') ?? ''
    if (!token.startsWith(refreshTokenPrefix)) return false
    const db = options.db.for(request, strangerAt(address))
    return isJustSpent(db, digestOf(token.slice(refreshTokenPrefix.length)))
  }

  /** What is given to a program, unless it was shut out while that was made. */
  async function withConsent({ request, address }: Asked, answer: Response): Promise<Response> {
    if (!answer.ok) return answer
    const given = (await answer.clone().json()) as { refresh_token?: string }
    const secret = given.refresh_token?.slice(refreshTokenPrefix.length) ?? ''
    const db = options.db.for(request, strangerAt(address))
    if (await endWithoutConsent(db, digestOf(secret))) throw takenBack()
    return answer
  }

  return async (asked) => {
    const { signal } = asked.request
    const { place } = exchangeOf(asked.request)
    const setWaiting = (waiting: boolean) => place.setWaiting(waiting)
    const loaded = await whileWaiting(setWaiting, load)
    const state: Current = { signal, setWaiting, fault: null, proof: null, taken: null }
    const response = await asCurrent(state, () => serve(loaded, asked, state)).catch(
      (error: unknown) => {
        if (state.fault instanceof Unavailable) throw state.fault
        throw asked.endpoint.isOfPrograms && codeOf(state.fault) === isGone ? takenBack() : error
      },
    )
    if (state.taken !== null) {
      const { taken } = state
      await deleteAccessTokens(options.db.for(asked.request, taken), taken)
    }
    // Better Auth answers as if there were no session, or none to end.
    const { fault } = state
    if (fault instanceof Unavailable || (fault !== null && response.status >= 500)) throw fault
    return response
  }
}

/** Where to go on, where nobody says: Better Auth would send the browser to where it is itself, and there is no page. */
function withPage({ endpoint, input }: Asked, origins: string[]): Input | null {
  const frontend = firstOrigin(origins)
  if (!goingOn.has(endpoint.path) || input === null || frontend === undefined) return input
  return { callbackURL: frontend, ...input }
}

/** As Better Auth reads it: at the address that it believes to be at. */
function forward(
  { request, path, endpoint, address, form }: Asked,
  url: string,
  addressHeader: string,
  body: Input | null,
): Request {
  const { search, searchParams } = new URL(request.url)
  const isMeant = path !== '/verify-email' || isVerificationLink(searchParams.get('token') ?? '')
  if (!isMeant) searchParams.set('token', 'none')
  const headers = new Headers(request.headers)
  // An IPv6 network is one client.
  headers.set(addressHeader, address.replace('/64', ''))
  headers.set('user-agent', (headers.get('user-agent') ?? '').slice(0, longestAgent))
  headers.delete('content-length')
  // It was read, and is written anew.
  if (body !== null) headers.set('content-type', 'application/json')
  if (endpoint.isOAuth) {
    // A program is known by what it says, from whatever page it says it.
    for (const name of ['cookie', 'origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode', 'dpop'])
      headers.delete(name)
  }
  const asked = path === '/oauth2/authorize' ? completed(search, url) : search
  return new Request(`${url}/api/auth${path}${isMeant ? asked : `?${searchParams.toString()}`}`, {
    method: request.method,
    headers,
    body: form?.toString() ?? (body === null ? null : JSON.stringify(body)),
  })
}

/** Milliseconds in which another instance has answered who uses a refresh token there at the same moment. */
const moment = 300

/** A foreign key: what something is of is not there any more. */
const isGone = '23503'

const takenBack = (): Problem =>
  new Problem(400, 'What this is of has been taken back at the same moment.', {
    code: 'invalid_grant',
  })

async function withinPatience(answer: Promise<Response>): Promise<Response> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(tooLate()), patience)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const tooLate = (): Problem =>
  new Problem(503, 'The provider does not answer. Try again.', {
    code: 'temporarily_unavailable',
    headers: { 'retry-after': '5' },
  })

/** Where Better Auth sends a browser that no frontend can tell what went wrong. */
function failed({ url }: Request): Problem {
  const code = new URL(url).searchParams.get('error') ?? ''
  return new Problem(
    400,
    'The sign-in did not succeed: begin it again. To have a page say so, set AUTH_ERROR_URL or CORS_ORIGINS.',
    { code: /^\w{1,100}$/.test(code) ? code : 'unknown' },
  )
}
