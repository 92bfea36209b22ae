import { Type as t } from '@sinclair/typebox'
import { common, operation, withBody } from '../http/operation.ts'
import { DeliverySchema, WebhookSchema, WebhookWithSecretSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '019d2f6e-9e5d-7b7c-8d1f-3f4a5b6c7d8e',
  user_id: 'alice',
  url: 'https://example.com/hooks/docket',
  events: ['task.created', 'task.completed'],
  filter: 'priority:high or #home',
  active: true,
  failing_since: null,
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
}
const withSecret = { ...example, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwzWyBS0CvX2E=' }
const delivery = {
  id: '6f9c2d1e-3b4a-8c5d-9e6f-7a8b9c0d1e2f',
  type: 'task.completed',
  status: 'delivered',
  tries: 1,
  code: 200,
  reason: null,
  at: '2026-11-20T22:36:42.123456+00:00',
  tried_at: '2026-11-20T22:36:42.234567+00:00',
  next_at: null,
}

const one = (description: string) =>
  ({ description, schema: WebhookSchema, model: 'Webhook', example }) as const
const secret = (description: string) =>
  ({
    description,
    schema: WebhookWithSecretSchema,
    model: 'WebhookWithSecret',
    example: withSecret,
  }) as const
const sending = (description: string) =>
  ({
    description,
    schema: DeliverySchema,
    model: 'Delivery',
    example: { ...delivery, status: 'pending', tries: 0, code: null, tried_at: null },
  }) as const

/** A route is there twice, and each time has an id of its own. */
export function webhookOperations(prefix: '/api' | '/api/:user_id') {
  const name = (id: string) => (prefix === '/api' ? id : `${id}OfUser`)
  return {
    list: operation({
      operationId: name('listWebhooks'),
      summary: 'List webhooks',
      description: 'In the order in which they were made.',
      answers: {
        200: {
          description: 'Your webhooks.',
          schema: t.Array(WebhookSchema),
          model: 'Webhook',
          list: true,
          example: [example],
        },
      },
      problems: common,
    }),
    create: operation({
      operationId: name('createWebhook'),
      summary: 'Make a webhook',
      description:
        'From now on each change is sent to its `url` as a POST of `{"type": "task.completed", "timestamp": …, "data": {"task": {…}, "by": {…}, ' +
        '"seq": 42, "request_id": …}}`: the thing as it was after the change, who made it, and the number of the change, by which they can be ' +
        'put in order. It is signed by [Standard Webhooks](https://www.standardwebhooks.com) with the `secret` that is in this answer alone. ' +
        'A delivery that is not answered with 2xx within ten seconds is sent again, up to eight times within a day, always with the same `webhook-id`: ' +
        'drop one that you know. With an `id` of its own choice a client can safely send this again. Up to 20 webhooks can be kept.',
      answers: {
        201: { ...secret('The webhook.'), headers: { Location: 'The path of the webhook.' } },
      },
      problems: [...common, ...withBody, 409],
    }),
    read: operation({
      operationId: name('readWebhook'),
      summary: 'Read a webhook',
      description: 'As it is, without its secret.',
      answers: { 200: one('The webhook.') },
      problems: [...common, 404],
    }),
    update: operation({
      operationId: name('updateWebhook'),
      summary: 'Change a webhook',
      description: 'What is absent stays as it is.',
      answers: { 200: one('The webhook.') },
      problems: [...common, ...withBody, 404],
    }),
    delete: operation({
      operationId: name('deleteWebhook'),
      summary: 'Delete a webhook',
      description: 'For good, and with what was on its way to it.',
      answers: { 200: one('The webhook as it was.') },
      problems: [...common, 404],
    }),
    rotate: operation({
      operationId: name('rotateWebhookSecret'),
      summary: 'Give a webhook another secret',
      description:
        'It is in this answer alone. For 24 hours deliveries have two signatures, one with the secret of before.',
      answers: { 200: secret('The webhook.') },
      problems: [...common, 404],
    }),
    test: operation({
      operationId: name('testWebhook'),
      summary: 'Try a webhook',
      description: 'Sends a `webhook.test`, also while it is not active. Up to ten a minute.',
      answers: { 202: sending('What is being sent: read it again to see what became of it.') },
      problems: [...common, 404],
    }),
    deliveries: operation({
      operationId: name('listWebhookDeliveries'),
      summary: 'List deliveries',
      description:
        'The last 50 to this webhook, the newest first. Those that are over can be looked at for seven days.',
      answers: {
        200: {
          description: 'What was sent, and will be.',
          schema: t.Array(DeliverySchema),
          model: 'Delivery',
          list: true,
          example: [delivery],
        },
      },
      problems: [...common, 404],
    }),
    retry: operation({
      operationId: name('retryWebhookDelivery'),
      summary: 'Send a delivery again',
      description: 'At once, whatever became of it, and with the same `webhook-id`.',
      answers: { 202: sending('What is being sent.') },
      problems: [...common, 404],
    }),
  }
}
