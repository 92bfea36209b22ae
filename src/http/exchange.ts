import { createHmac } from 'node:crypto'
import { Elysia } from 'elysia'
import { strangerAt } from './address.ts'
import { elsewhere, type Load, type Place } from './load.ts'
import { isLong, type Outgoing } from './outgoing.ts'
import { overloaded } from './problem.ts'
import type { Quota } from './rates.ts'
import { security } from './security.ts'

/** What is known of a request and its answer, besides themselves. */
export type Exchange = {
  /** In the answer, in a problem and in the log: what joins the three. */
  readonly id: string
  /** Milliseconds, of performance.now(). */
  readonly began: number
  /** Of the client, as the rate limit counts. Looked up when somebody wants to know. */
  readonly address: () => string
  /** What a proxy in front cuts off the path before it gets here: it belongs in front of what we say of our own paths. */
  readonly prefix: () => string
  /** The template of the route, as /api/tasks/:id: values never get here. */
  route: string
  userId: string | null
  quota: Quota | null
  /** What the database said, if it said an error. */
  sqlstate: string | null
  /** Where a browser is sent that goes from page to page, for the frontend to say what went wrong. Null: it gets a problem. */
  errorPage: string | null
  /** There were as many as there may ever be when it came. */
  readonly refused: boolean
  /** Its place among all that are worked on. */
  readonly place: Place
}

export type Answered = {
  method: string
  route: string
  status: number
  milliseconds: number
  exchange: Exchange
}

export type ExchangeOptions = {
  addressOf: (request: Request, peer: string | null) => string
  prefixOf: (headers: Headers) => string
  /** Whether the process is ending, so that connections should. */
  isStopping: () => boolean
  onAnswer: (answered: Answered) => void
  outgoing: Outgoing
}

const ours = Symbol('exchange')

/** Kept on the request itself, which is half the work of a WeakMap. */
type Carrier = Request & { [ours]?: Exchange }

/** The exchange of a request that came in through `exchange`. */
export const exchangeOf = (request: Request): Exchange =>
  (request as Carrier)[ours] ??
  begin(
    request,
    () => 'unknown',
    () => '',
    null,
  )

function begin(
  request: Request,
  address: Exchange['address'],
  prefix: Exchange['prefix'],
  place: Place | null,
): Exchange {
  const begun: Exchange = {
    id: requestId(request.headers),
    began: performance.now(),
    address,
    prefix,
    route: '',
    userId: null,
    quota: null,
    sqlstate: null,
    errorPage: null,
    refused: place === null,
    place: place ?? elsewhere,
  }
  ;(request as Carrier)[ours] = begun
  return begun
}

/**
 * Goes around everything else: gives each request its exchange, and each answer the headers that all answers have.
 */
export function exchange(
  load: Load,
  { addressOf, prefixOf, isStopping, onAnswer, outgoing }: ExchangeOptions,
) {
  let peerOf: (request: Request) => string | null = () => null

  return new Elysia({ name: 'exchange', seed: load })
    .onStart(({ server }) => {
      peerOf = (request) => server?.requestIP(request)?.address ?? null
    })
    .wrap((handle) => async (original: Request) => {
      const request = localize(original)
      const address = () => addressOf(request, peerOf(original))
      const prefix = () => prefixOf(request.headers)
      const place = load.enter()
      const begun = begin(request, address, prefix, place)
      let served = false
      try {
        // Its type is that of any function; what it is wrapped around is that of a server.
        const made = await (handle(request) as unknown as Promise<Response>)
        const answer = isLong(made) ? send(made, request, begun, outgoing) : made
        decorate(answer, request, begun, isStopping())
        onAnswer({
          method: request.method,
          route: begun.route,
          status: answer.status,
          milliseconds: performance.now() - begun.began,
          exchange: begun,
        })
        served = answer.status !== 429 && answer.status !== 503
        return answer
      } finally {
        place?.leave(served)
      }
    })
    .onTransform({ as: 'global' }, ({ request, route }) => {
      exchangeOf(request).route = route
    })
}

/** The answer, or a refusal where too much is on its way. To a write there is no refusal any more: it was made. */
function send(
  answer: Response,
  { method }: Request,
  { id, userId, address }: Exchange,
  outgoing: Outgoing,
): Response {
  const owner = userId ?? strangerAt(address())
  if (outgoing.take(answer, owner, method === 'GET')) return answer
  const problem = overloaded()
  const forBrowsers = [...answer.headers].filter(([name]) => /^(access-control-|vary$)/.test(name))
  return Response.json(problem.toBody(id), {
    status: problem.status,
    headers: [
      ...forBrowsers,
      ...Object.entries(problem.headers),
      ['content-type', 'application/problem+json'],
    ],
  })
}

/**
 * Elysia looks for the path from the 11th character on, where an address such as http://api/ has no slash left; and of a request
 * without a Host, as HTTP/1.0 allows and health checks send it, Bun gives the path alone. The host, which nothing here
 * depends on, becomes one that is long enough.
 */
function localize(request: Request): Request {
  const { url } = request
  const path = url.startsWith('/') ? 0 : url.indexOf('/', 'http://'.length)
  return path === -1 || path > 10
    ? request
    : new Request(`http://localhost${url.slice(path)}`, request)
}

const securityHeaders = Object.entries(security)

/** From a body that is larger than this and that nobody reads, we hang up. */
const unreadLimit = 64 * 1024

function decorate(
  { headers }: Response,
  request: Request,
  { id, quota }: Exchange,
  stopping: boolean,
) {
  headers.set('x-request-id', id)
  // What json.ts made has them from the beginning.
  if (!headers.has('x-frame-options')) {
    for (const [name, value] of securityHeaders) if (!headers.has(name)) headers.set(name, value)
  }
  if (quota !== null) {
    headers.set('ratelimit-policy', quota.limit.policy)
    headers.set('ratelimit', `"user";r=${quota.remaining};t=${quota.reset}`)
  }
  const unread = Number(request.headers.get('content-length')) > unreadLimit
  if (stopping || (unread && !request.bodyUsed)) headers.set('connection', 'close')
}

// https://www.w3.org/TR/trace-context/#traceparent-header
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
const wellFormed = /^[\w.:-]{1,128}$/

/** The one that the client or a proxy gave, or a new one. */
function requestId(headers: Headers): string {
  const trace = traceparent.exec(headers.get('traceparent') ?? '')?.[1]
  if (trace !== undefined) return trace
  const given = headers.get('x-request-id') ?? ''
  return wellFormed.test(given) ? given : crypto.randomUUID()
}

/** Stands for a user where the user must not be read: in the log. With a key, so that nobody can try ids. */
export const digest = (userId: string, key: string): string =>
  createHmac('sha256', key).update(userId).digest('hex').slice(0, 16)
