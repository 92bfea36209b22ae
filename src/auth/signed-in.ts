import { Elysia } from 'elysia'
import { tooMany } from '../http/errors.ts'
import { type Exchange, exchangeOf } from '../http/exchange.ts'
import type { Outgoing } from '../http/outgoing.ts'
import { overloaded, Problem } from '../http/problem.ts'
import type { Quota, Rates } from '../http/rates.ts'
import type { Identify } from './identify.ts'
import type { Identity } from './identity.ts'

/** Undefined where the path has none. */
type Params = { user_id?: string | undefined }

type Soon<T> = T | Promise<T>

/** The same for every reason: a stranger learns nothing of which it was. */
const unauthorized = (): Problem =>
  new Problem(401, 'Sign in: there is no token or session here, or it is invalid or has expired.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

/**
 * Every route of the instance that uses this one needs a valid credential and gets a `user`. Where its path has a
 * `{user_id}`, that is the caller's own or `me`.
 */
export function signedIn(identify: Identify, rates: Rates | null, outgoing: Outgoing) {
  // Of requests with a body.
  const users = new WeakMap<Request, Identity>()

  // Most often there is nothing to wait for, and then these three wait for nothing: a promise for each would cost more than
  // all that they do.

  function authorize(request: Request, params: Params | undefined): Soon<Identity> {
    const found = identify(request)
    return found instanceof Promise
      ? found.then((user) => count(request, params, user))
      : count(request, params, found)
  }

  function count(
    request: Request,
    params: Params | undefined,
    user: Identity | null,
  ): Soon<Identity> {
    if (user === null) throw unauthorized()
    const exchange = exchangeOf(request)
    exchange.userId = user.id
    // Before it is counted: what is refused because of others costs nobody a request.
    if (!exchange.place.claim(user.id)) throw overloaded()
    if (outgoing.isFull(user.id)) {
      throw overloaded('Read the answers that are on their way to you first. Then try again.')
    }
    const quota = rates?.count(user.id) ?? null
    return quota instanceof Promise
      ? quota.then((counted) => admit(exchange, params, user, counted))
      : admit(exchange, params, user, quota)
  }

  function admit(
    exchange: Exchange,
    params: Params | undefined,
    user: Identity,
    quota: Quota | null,
  ): Identity {
    exchange.quota = quota
    if (quota !== null && !quota.allowed) throw tooMany('requests', quota.retry)
    // In the path, but null: it could not be decoded, and is nobody's.
    const named = params !== undefined && 'user_id' in params
    if (named && params.user_id !== 'me' && params.user_id !== user.id) {
      throw new Problem(403, 'The path names another user: put your own id there, or me.')
    }
    return user
  }

  // Twice, because Elysia parses the body before it derives: a stranger is refused before a byte of it is read.
  return new Elysia({ name: 'signed-in', seed: identify })
    .onParse({ as: 'scoped' }, async ({ request, params }) => {
      users.set(request, await authorize(request, params))
    })
    .derive({ as: 'scoped' }, async ({ request, params }) => {
      const user = users.get(request) ?? authorize(request, params)
      return { user: user instanceof Promise ? await user : user }
    })
}

export type SignedIn = ReturnType<typeof signedIn>
