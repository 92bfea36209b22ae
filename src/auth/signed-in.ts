import { Elysia } from 'elysia'
import { tooMany } from '../http/errors.ts'
import { type Exchange, exchangeOf } from '../http/exchange.ts'
import type { Outgoing } from '../http/outgoing.ts'
import { overloaded, Problem } from '../http/problem.ts'
import type { Quota, Rates } from '../http/rates.ts'
import { challengeAt, challengeFor } from './challenge.ts'
import { handedOver, type Identify } from './identify.ts'
import type { Identity } from './identity.ts'
import { type Programs, resourceRoute } from './oauth.ts'
import { allows, isWithinLists, type Scope, scopeOf } from './scopes.ts'

/** Undefined where the path has none. */
type Params = { user_id?: string | undefined }

/** What Elysia knows of a request before anything else. */
type Context = { request: Request; params: Params | undefined; route: string }

type Soon<T> = T | Promise<T>

/** The same for every reason: a stranger learns nothing of which it was. */
const unauthorized = (challenge: string): Problem =>
  new Problem(401, 'Sign in: there is no token or session here, or it is invalid or has expired.', {
    headers: { 'www-authenticate': challenge },
  })

/** @throws Problem 403 where a token is not for a route */
function refuseBeyond(
  { by, scopes, list_ids }: Identity,
  method: string,
  route: string,
  programs: Programs | null,
): void {
  const needed = scopeOf(method, route) ?? 'sign-in'
  if (!allows(scopes, needed)) throw insufficient(needed, by === 'program', programs)
  if (list_ids === null || isWithinLists(method, route)) return
  throw new Problem(403, 'This token is for some lists only: this is about more than those.', {
    code: 'insufficient_scope',
  })
}

/** 403: this takes a scope that the token does not have. */
export function insufficient(
  needed: Scope,
  isProgram: boolean,
  programs: Programs | null,
): Problem {
  if (needed === 'sign-in') {
    return new Problem(403, 'No token may do this: sign in.', { code: 'insufficient_scope' })
  }
  return new Problem(403, `This token may not do this: it needs the scope ${needed}.`, {
    code: 'insufficient_scope',
    headers: { 'www-authenticate': challengeFor(needed, isProgram, programs) },
  })
}

/** What a program was given is for one route alone. */
const isMeantFor = ({ by }: Identity, route: string): boolean =>
  by !== 'program' || route === resourceRoute

/**
 * Every route of the instance that uses this one needs a valid credential and gets a `user`. Where its path has a
 * `{user_id}`, that is the caller's own or `me`.
 */
export function signedIn(
  identify: Identify,
  rates: Rates | null,
  outgoing: Outgoing,
  programs: Programs | null,
) {
  // Of requests with a body.
  const users = new WeakMap<Request, Identity>()

  // Most often there is nothing to wait for, and then these three wait for nothing: a promise for each would cost more than
  // all that they do.

  function authorize(context: Context): Soon<Identity> {
    const found = identify(context.request)
    return found instanceof Promise
      ? found.then((user) => count(context, user))
      : count(context, found)
  }

  function count(context: Context, user: Identity | null): Soon<Identity> {
    const isHanded = handedOver(context.request) !== undefined
    if (user === null || !(isHanded || isMeantFor(user, context.route))) {
      throw unauthorized(challengeAt(context.route, programs))
    }
    const exchange = exchangeOf(context.request)
    exchange.userId = user.id
    // Before it is counted: what is refused because of others costs nobody a request.
    if (!exchange.place.claim(user.id)) throw overloaded()
    if (isHanded) return admit(exchange, context, user, null)
    if (outgoing.isFull(user.id)) {
      throw overloaded('Read the answers that are on their way to you first. Then try again.')
    }
    const quota = rates?.count(user.id) ?? null
    return quota instanceof Promise
      ? quota.then((counted) => admit(exchange, context, user, counted))
      : admit(exchange, context, user, quota)
  }

  function admit(
    exchange: Exchange,
    { request: { method }, params, route }: Context,
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
    // By what it may do, whatever kind it is: one that is new is not taken for a sign-in.
    if (user.list_ids !== null || !user.scopes.includes('sign-in')) {
      refuseBeyond(user, method, route, programs)
    }
    return user
  }

  // Twice, because Elysia parses the body before it derives: a stranger is refused before a byte of it is read.
  return new Elysia({ name: 'signed-in', seed: identify })
    .onParse({ as: 'scoped' }, async ({ request, params, route }) => {
      users.set(request, await authorize({ request, params, route }))
    })
    .derive({ as: 'scoped' }, async ({ request, params, route }) => {
      const user = users.get(request) ?? authorize({ request, params, route })
      return { user: user instanceof Promise ? await user : user }
    })
}

export type SignedIn = ReturnType<typeof signedIn>
