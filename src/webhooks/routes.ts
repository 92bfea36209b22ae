import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { exchangeOf } from '../http/exchange.ts'
import { isUuid } from '../http/formats.ts'
import { Problem } from '../http/problem.ts'
import { webhookOperations } from './operations.ts'
import { findWebhook, listDeliveries, listWebhooks } from './queries.ts'
import { addressOf, makeSecret, writeSecret } from './rules.ts'
import {
  eventTypes,
  most,
  type NewWebhook,
  type WebhookPatch,
  type WebhookWithSecret,
  webhookModels,
} from './schema.ts'
import {
  deleteWebhook,
  insertTest,
  insertWebhook,
  retryDelivery,
  rotateSecret,
  updateWebhook,
} from './writes.ts'

/** What webhooks need of who sends. */
export type Sending = {
  /** Whether they may be in private networks. */
  isPrivate: boolean
  /** A user has a webhook that is to be told. */
  follow: (userId: string) => void
  /** There is something to be sent. */
  send: () => void
}

/**
 * The webhooks of the caller, under `/api` or `/api/{user_id}`.
 * @param checkFilter throws where a text is no filter
 */
export function webhookRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  checkFilter: (filter: string) => void,
  { isPrivate, follow, send }: Sending,
) {
  const operations = webhookOperations(prefix)
  const parse = [({ request }: { request: Request }) => readBody(request)]

  /** What was given of them, as it is kept. */
  function checked<T extends WebhookPatch>(given: T): T {
    if (given.filter) checkFilter(given.filter)
    return given.url === undefined ? given : { ...given, url: addressOf(given.url, isPrivate) }
  }

  return new Elysia({ prefix, tags: ['Webhooks'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(webhookModels)
    .get('/webhooks', ({ db, user }) => listWebhooks(db, user.id), operations.list)
    .post(
      '/webhooks',
      async ({ db, user, body, path, request, set, status }) => {
        const webhook = await make(db, user.id, checked(body))
        if (webhook.active) follow(user.id)
        const own = `${exchangeOf(request).prefix()}${path.replace(/\/$/, '')}/${webhook.id}`
        set.headers['location'] = own
        return status(201, webhook)
      },
      { ...operations.create, parse, body: 'NewWebhook' },
    )
    .get(
      '/webhooks/:id',
      async ({ db, user, params: { id } }) =>
        isThere(isUuid(id) ? await findWebhook(db, user.id, id) : undefined),
      operations.read,
    )
    .patch(
      '/webhooks/:id',
      async ({ db, user, params: { id }, body }) => {
        const patch = checked(body)
        const webhook = isThere(
          isUuid(id) ? await updateWebhook(db, user.id, id, patch) : undefined,
        )
        if (webhook.active) follow(user.id)
        return webhook
      },
      { ...operations.update, parse, body: 'WebhookPatch' },
    )
    .delete(
      '/webhooks/:id',
      async ({ db, user, params: { id } }) =>
        isThere(isUuid(id) ? await deleteWebhook(db, user.id, id) : undefined),
      { ...operations.delete, parse: [ignoreBody] },
    )
    .post(
      '/webhooks/:id/rotate',
      async ({ db, user, params: { id } }) =>
        withSecret(
          isThere(isUuid(id) ? await rotateSecret(db, user.id, id, makeSecret()) : undefined),
        ),
      { ...operations.rotate, parse: [ignoreBody] },
    )
    .post(
      '/webhooks/:id/test',
      async ({ db, user, params: { id }, status }) => {
        const made = isUuid(id) ? await insertTest(db, user.id, id) : undefined
        if (made === null) {
          throw new Problem(429, `You have tried your webhooks ${most.tests} times in a minute.`, {
            headers: { 'retry-after': '60' },
          })
        }
        const delivery = isThere(made)
        send()
        return status(202, delivery)
      },
      { ...operations.test, parse: [ignoreBody] },
    )
    .get(
      '/webhooks/:id/deliveries',
      async ({ db, user, params: { id } }) =>
        isThere(isUuid(id) ? await listDeliveries(db, user.id, id) : undefined),
      operations.deliveries,
    )
    .post(
      '/webhooks/:id/deliveries/:delivery_id/retry',
      async ({ db, user, params: { id, delivery_id: deliveryId }, status }) => {
        const isId = isUuid(id) && isUuid(deliveryId)
        const delivery = isThere(
          isId ? await retryDelivery(db, user.id, id, deliveryId) : undefined,
          'delivery',
        )
        send()
        return status(202, delivery)
      },
      { ...operations.retry, parse: [ignoreBody] },
    )
}

/** @throws Problem 409, 422 */
async function make(db: Db, userId: string, given: NewWebhook): Promise<WebhookWithSecret> {
  const id = (given.id ?? Bun.randomUUIDv7()).toLowerCase()
  const events = given.events ?? [...eventTypes]
  const found = await insertWebhook(db, userId, id, { ...given, events }, makeSecret())
  if (found === undefined) {
    throw new Problem(422, `You have ${most.webhooks} webhooks already: delete one first.`)
  }
  const { is_like_it, ...webhook } = found
  if (is_like_it) return withSecret(webhook)
  throw new Problem(409, 'You have another webhook with this id.')
}

const withSecret = <T extends { secret: string }>(webhook: T): T => ({
  ...webhook,
  secret: writeSecret(Buffer.from(webhook.secret, 'base64')),
})

/** @throws Problem 404 */
function isThere<T>(found: T | undefined, what = 'webhook'): T {
  if (found === undefined) throw new Problem(404, `You have no ${what} with this id.`)
  return found
}
