import { common, operation, withBody } from '../http/operation.ts'
import { PushSchema, SubscriptionSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '5d1c2f7e-9a4b-8c3d-a6e1-7f0b2c4d6e8a',
  user_id: 'alice',
  service: 'updates.push.services.mozilla.com',
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
}

const one = (description: string) =>
  ({ description, schema: SubscriptionSchema, model: 'PushSubscription', example }) as const

export const pushOperations = {
  get: operation({
    operationId: 'getPush',
    summary: 'How to subscribe to reminders, and who has',
    description:
      'The key that a browser subscribes with, as the `applicationServerKey` of its `PushManager`, and the browsers that have.',
    answers: {
      200: {
        description: 'The key, and your browsers.',
        schema: PushSchema,
        model: 'Push',
        example: {
          public_key:
            'BPfyk0gxBvdAzg8nOmbmVzeKO4PAx6Hy_5lL40O7y4xhP3pMTHcOW2jqHm8N6wOsDnx3wdd5dC8sSV3Fh6GR6jM',
          subscriptions: [example],
        },
      },
    },
    problems: common,
  }),
  subscribe: operation({
    operationId: 'subscribeToPush',
    summary: 'Show reminders in a browser',
    description:
      'Takes a `PushSubscription` as the browser writes it as JSON. Send it whenever the page starts: the same browser is one ' +
      'subscription, of who sent it last. Each push is JSON: `{"type": "reminder.due", "id", "task": {"id", "title", "due_date", ' +
      '"due_time", "time_zone"}, "reminder", "timestamp"}`; one that comes again has the same `id`. A browser that its push service does not ' +
      'know any more is forgotten, and of more than 20 the one that was not heard of for longest. 409 with the code `push_off`: there is ' +
      'no Web Push here.',
    answers: { 201: one('The subscription.') },
    problems: [...common, ...withBody, 409],
  }),
  unsubscribe: operation({
    operationId: 'unsubscribeFromPush',
    summary: 'Show no more reminders in a browser',
    description: 'When somebody signs out, or has had enough.',
    answers: { 200: one('The subscription as it was.') },
    problems: [...common, 404],
  }),
}
