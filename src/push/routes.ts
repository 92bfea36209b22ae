import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Gate } from '../database/gate/gate.ts'
import { faultOfAddress } from '../deliveries/client.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { isUuid } from '../http/formats.ts'
import { invalid, Problem } from '../http/problem.ts'
import type { createKeys } from './keys.ts'
import { pushOperations } from './operations.ts'
import { listSubscriptions } from './queries.ts'
import { pushModels } from './schema.ts'
import { deleteSubscription, insertSubscription } from './writes.ts'

/** What Web Push needs here; null: it is off. */
export type PushOptions = {
  keysOf: ReturnType<typeof createKeys>
  /** Whether a push service may be in a private network. */
  isPrivate: boolean
} | null

/** The browsers of the caller that show reminders. */
export const pushRoutes = (gate: Gate, signedIn: SignedIn, push: PushOptions) =>
  new Elysia({ prefix: '/api/me/push', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(pushModels)
    .get(
      '',
      async ({ db, user }) => ({
        public_key: push === null ? null : (await push.keysOf(db)).public_key,
        subscriptions: await listSubscriptions(db, user.id),
      }),
      pushOperations.get,
    )
    .post(
      '',
      async ({ db, user, body, status }) => {
        if (push === null) {
          const detail = 'There is no Web Push here: who runs this server has to set VAPID_SUBJECT.'
          throw new Problem(409, detail, { code: 'push_off' })
        }
        const fault = faultOfAddress(body.endpoint, push.isPrivate)
        if (fault !== null) throw invalid([{ pointer: '/endpoint', detail: fault }])
        const subscription = await insertSubscription(db, user.id, body)
        if (subscription === undefined) throw new Error('A subscription was not kept.')
        return status(201, subscription)
      },
      {
        ...pushOperations.subscribe,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'NewPushSubscription',
      },
    )
    .delete(
      '/:id',
      async ({ db, user, params: { id } }) => {
        const deleted = isUuid(id) ? await deleteSubscription(db, user.id, id) : undefined
        if (deleted === undefined) throw new Problem(404, 'You have no subscription with this id.')
        return deleted
      },
      { ...pushOperations.unsubscribe, parse: [ignoreBody] },
    )
