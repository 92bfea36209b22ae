import { type Static, Type as t } from '@sinclair/typebox'
import { nullable, storable } from '../http/formats.ts'

/** What can be told. A move is an update. */
const event = t.Union(
  [
    t.Literal('task.created'),
    t.Literal('task.updated'),
    t.Literal('task.completed'),
    t.Literal('task.reopened'),
    t.Literal('task.deleted'),
    t.Literal('task.restored'),
    t.Literal('list.created'),
    t.Literal('list.updated'),
    t.Literal('list.deleted'),
    t.Literal('list.restored'),
    t.Literal('reminder.due'),
  ],
  { error: 'must be a type of events, such as task.completed' },
)
export const eventTypes = event.anyOf.map(({ const: type }) => type)

const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server, or any UUID that the client chose.',
  examples: ['019d2f6e-9e5d-7b7c-8d1f-3f4a5b6c7d8e'],
})
const url = storable(1, 2000, {
  format: 'uri',
  description:
    'Where it is sent to, by POST: an address with `https://`, on the internet. With WEBHOOKS_PRIVATE=on also in private networks, and with ' +
    '`http://`. It comes back as a browser would write it.',
  examples: ['https://example.com/hooks/docket'],
})
const events = t.Array(event, {
  minItems: 1,
  maxItems: eventTypes.length,
  uniqueItems: true,
  description: 'What it is told of. By default all that there is now.',
  examples: [['task.created', 'task.completed']],
})
const filter = nullable(
  storable(1, 1000, {
    description:
      'Of which tasks, as `filter=` of a list has it, when they are as they are after the change. It cannot name a filter that is kept. Null: of all.',
    examples: ['priority:high or #home'],
  }),
)
const active = t.Boolean({
  description:
    'Whether it is told anything. One that becomes active again is told of what comes after that. It is not active any more when ' +
    'the receiver has answered with 410, or with nothing but failures for five days.',
  examples: [true],
})
const instant = (description: string) =>
  t.String({ format: 'date-time', description, examples: ['2026-11-20T22:36:42.123456+00:00'] })

const fields = {
  id,
  user_id: t.String({ description: 'Whose it is.', examples: ['alice'] }),
  url,
  events,
  filter,
  active,
  failing_since: nullable(
    instant(
      'Since when no delivery has arrived. Null: the last one that was tried has, or none was.',
    ),
  ),
  created_at: instant('When it was made.'),
  updated_at: instant('When it was last changed.'),
}

export const WebhookSchema = t.Object(fields, {
  additionalProperties: false,
  description: 'Where a program is told of what changes.',
})
export type Webhook = Static<typeof WebhookSchema>

export const WebhookWithSecretSchema = t.Object(
  {
    ...fields,
    secret: t.String({
      description: 'What the deliveries are signed with. It is shown this once.',
      examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwzWyBS0CvX2E='],
    }),
  },
  { additionalProperties: false, description: 'A webhook with its secret.' },
)
export type WebhookWithSecret = Static<typeof WebhookWithSecretSchema>

export const NewWebhookSchema = t.Object(
  {
    id: t.Optional(id),
    url,
    events: t.Optional(events),
    filter: t.Optional(filter),
    active: t.Optional(active),
  },
  {
    additionalProperties: false,
    description: 'A webhook to be made.',
    examples: [{ url: 'https://example.com/hooks/docket', events: ['task.completed'] }],
  },
)
export type NewWebhook = Static<typeof NewWebhookSchema>

export const WebhookPatchSchema = t.Object(
  {
    url: t.Optional(url),
    events: t.Optional(events),
    filter: t.Optional(filter),
    active: t.Optional(active),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'What is to change: what is absent stays.',
    examples: [{ active: false }],
  },
)
export type WebhookPatch = Static<typeof WebhookPatchSchema>

export const DeliverySchema = t.Object(
  {
    id: t.String({
      format: 'uuid',
      description: 'The `webhook-id` of it, the same for each try.',
      examples: ['6f9c2d1e-3b4a-8c5d-9e6f-7a8b9c0d1e2f'],
    }),
    type: t.String({ description: 'What it tells of.', examples: ['task.completed'] }),
    status: t.Union([t.Literal('pending'), t.Literal('delivered'), t.Literal('failed')], {
      description: 'Whether it is still to be sent, has arrived, or was given up.',
      examples: ['delivered'],
    }),
    tries: t.Integer({ minimum: 0, description: 'How often it was tried.', examples: [1] }),
    code: nullable(
      t.Integer({ description: 'The status that was last answered.', examples: [200] }),
    ),
    reason: nullable(
      t.String({
        description: 'Why nothing was answered.',
        examples: ['there was no answer in time'],
      }),
    ),
    at: instant('When what it tells of happened.'),
    tried_at: nullable(instant('When it was last tried.')),
    next_at: nullable(instant('When it is tried next.')),
  },
  { additionalProperties: false, description: 'What was sent to a webhook, or will be.' },
)
export type WebhookDelivery = Static<typeof DeliverySchema>

/** How many webhooks somebody can have, and how many tests a minute. */
export const most = { webhooks: 20, tests: 10 }

export const webhookModels = {
  Webhook: WebhookSchema,
  WebhookWithSecret: WebhookWithSecretSchema,
  NewWebhook: NewWebhookSchema,
  WebhookPatch: WebhookPatchSchema,
  Delivery: DeliverySchema,
}
