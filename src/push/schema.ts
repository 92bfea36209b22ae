import { createECDH } from 'node:crypto'
import { FormatRegistry, type Static, Type as t } from '@sinclair/typebox'
import { nullable, storable } from '../http/formats.ts'

FormatRegistry.Set('p256-key', isKey)

const id = t.String({
  format: 'uuid',
  description: 'Of this browser, always the same: for DELETE.',
  examples: ['5d1c2f7e-9a4b-8c3d-a6e1-7f0b2c4d6e8a'],
})
const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-20T22:36:42.123456+00:00'],
  })

/** The address of a push service is a secret: whoever has it can reach the browser. */
export const SubscriptionSchema = t.Object(
  {
    id,
    user_id: t.String({ description: 'Whose it is.', examples: ['alice'] }),
    service: t.String({
      description: 'The host of the push service, which tells browsers apart.',
      examples: ['updates.push.services.mozilla.com'],
    }),
    created_at: instant('When it first subscribed.'),
    updated_at: instant('When it last said so.'),
  },
  { additionalProperties: false, description: 'A browser that shows reminders.' },
)
export type Subscription = Static<typeof SubscriptionSchema>

export const PushSchema = t.Object(
  {
    public_key: nullable(
      t.String({
        description:
          'What a browser subscribes with, as `applicationServerKey`. Null: there is no Web Push here.',
        examples: [
          'BPfyk0gxBvdAzg8nOmbmVzeKO4PAx6Hy_5lL40O7y4xhP3pMTHcOW2jqHm8N6wOsDnx3wdd5dC8sSV3Fh6GR6jM',
        ],
      }),
    ),
    subscriptions: t.Array(SubscriptionSchema, {
      description: 'The browsers, the latest first.',
      examples: [[]],
    }),
  },
  { additionalProperties: false, description: 'Web Push here, and your browsers.' },
)
export type Push = Static<typeof PushSchema>

/** As `JSON.stringify` writes a PushSubscription. */
export const NewSubscriptionSchema = t.Object(
  {
    endpoint: storable(1, 2000, {
      description: 'Where the push service of the browser takes messages for it.',
      examples: ['https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn'],
    }),
    expirationTime: t.Optional(
      nullable(
        t.Number({
          description: 'When it ends, if the browser knows. Not needed: the push service says so.',
          examples: [1796000000000],
        }),
      ),
    ),
    keys: t.Object(
      {
        p256dh: t.String({
          format: 'p256-key',
          maxLength: 100,
          error: 'must be a public key of P-256, in base64url',
          description: 'The public key of the browser.',
          examples: [
            'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
          ],
        }),
        auth: t.String({
          pattern: '^[A-Za-z0-9_-]{22}={0,2}$',
          error: 'must be 16 bytes in base64url',
          description: 'The secret that goes with it.',
          examples: ['BTBZMqHH6r4Tts7J_aSIgg'],
        }),
      },
      {
        additionalProperties: false,
        description: 'What only this browser can read is encrypted for.',
        examples: [
          {
            p256dh:
              'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
            auth: 'BTBZMqHH6r4Tts7J_aSIgg',
          },
        ],
      },
    ),
  },
  {
    additionalProperties: false,
    description: 'A PushSubscription, as the browser writes it as JSON.',
    examples: [
      {
        endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn',
        expirationTime: null,
        keys: {
          p256dh:
            'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
          auth: 'BTBZMqHH6r4Tts7J_aSIgg',
        },
      },
    ],
  },
)
export type NewSubscription = Static<typeof NewSubscriptionSchema>

/** How many browsers somebody can have: beyond that the one that has not been heard of for longest goes. */
export const mostSubscriptions = 20

export const pushModels = {
  Push: PushSchema,
  PushSubscription: SubscriptionSchema,
  NewPushSubscription: NewSubscriptionSchema,
}

/** A point of the curve: with any other the message could not be encrypted, or could be read by others. */
function isKey(text: string): boolean {
  if (!/^[A-Za-z0-9_-]{87}=?$/.test(text)) return false
  try {
    const own = createECDH('prime256v1')
    own.generateKeys()
    own.computeSecret(Buffer.from(text, 'base64url'))
    return true
  } catch {
    return false
  }
}
