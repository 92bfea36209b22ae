import { Elysia } from 'elysia'
import { Problem } from '../http/problem.ts'
import type { Identify } from './identify.ts'
import type { Identity } from './identity.ts'

/** Undefined where the path has none. */
type Params = { user_id?: string | undefined }

/** The same for every reason: a stranger learns nothing of which it was. */
const unauthorized = (): Problem =>
  new Problem(401, 'Sign in: there is no token or session here, or it is invalid or has expired.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

/**
 * Every route of the instance that uses this one needs a valid credential and gets a `user`. Where its path has a
 * `{user_id}`, that is the caller's own or `me`.
 */
export function signedIn(identify: Identify) {
  const users = new WeakMap<Request, Identity>()

  async function authorize(request: Request, params: Params | undefined): Promise<Identity> {
    const known = users.get(request)
    if (known !== undefined) return known

    const user = await identify(request)
    if (user === null) throw unauthorized()
    // In the path, but null: it could not be decoded, and is nobody's.
    const named = params !== undefined && 'user_id' in params
    if (named && params.user_id !== 'me' && params.user_id !== user.id) {
      throw new Problem(403, 'The path names another user: put your own id there, or me.')
    }
    users.set(request, user)
    return user
  }

  // Twice, because Elysia parses the body before it derives: a stranger is refused before a byte of it is read.
  return new Elysia({ name: 'signed-in', seed: identify })
    .onParse({ as: 'scoped' }, async ({ request, params }) => {
      await authorize(request, params)
    })
    .derive({ as: 'scoped' }, async ({ request, params }) => ({
      user: await authorize(request, params),
    }))
}

export type SignedIn = ReturnType<typeof signedIn>
