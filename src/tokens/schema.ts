import { type Static, Type as t } from '@sinclair/typebox'
import { nullable, visible } from '../http/formats.ts'

const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server.',
  examples: ['019d2f6e-b27a-7d1e-8f20-5c6d7e8f9a0b'],
})
const name = visible(100, {
  description: 'What it is for. The history calls by it what is done with the token.',
  examples: ['Claude on my laptop'],
})
const scopes = t.Array(
  t.Union([t.Literal('tasks:read'), t.Literal('tasks:write'), t.Literal('account')], {
    error: 'must be one of tasks:read, tasks:write, account',
  }),
  {
    minItems: 1,
    uniqueItems: true,
    maxItems: 3,
    description:
      'What it may do. tasks:read: read tasks, lists and all that is about them. tasks:write: change them too, which includes reading. ' +
      'account: webhooks, calendar feeds, pushes, and your time zone; webhooks and calendars tell of your tasks.',
    examples: [['tasks:read']],
  },
)
const list_ids = t.Array(t.String({ format: 'uuid' }), {
  minItems: 1,
  maxItems: 100,
  description:
    'The lists that it is for: it sees and changes tasks of these alone. Null: all lists, and the inbox.',
  examples: [['019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f']],
})
const expires_at = t.String({
  format: 'date-time',
  description: 'When it ends; null: never.',
  examples: ['2027-02-18T22:36:42+00:00'],
})

export const AccessTokenSchema = t.Object(
  {
    id,
    name,
    scopes,
    list_ids: nullable(list_ids),
    hint: t.String({ description: 'Its last characters.', examples: ['x7Qd'] }),
    expires_at: nullable(expires_at),
    last_used_on: nullable(
      t.String({
        format: 'date',
        description: 'The last day, in UTC, on which it was used; null: never.',
        examples: ['2026-11-27'],
      }),
    ),
    created_at: t.String({
      format: 'date-time',
      description: 'When it was made, or last got its secret.',
      examples: ['2026-11-20T22:36:42.123456+00:00'],
    }),
  },
  { additionalProperties: false, description: 'A token for a program, which is shown once.' },
)
export type AccessToken = Static<typeof AccessTokenSchema>

export const ShownTokenSchema = t.Object(
  {
    ...AccessTokenSchema.properties,
    token: t.String({
      description: 'For an Authorization header, after `Bearer `. Said this once.',
      examples: ['dkt_pat_3Nf0cXv8Qm1Zk6Wb9Ty2Ra5Ls7Ud4Hg0Pj3Ei8Ko1Vn2wB4sx7Qd'],
    }),
  },
  { additionalProperties: false, description: 'A token as it was just made.' },
)
export type ShownToken = Static<typeof ShownTokenSchema>

export const NewAccessTokenSchema = t.Object(
  {
    name,
    scopes,
    list_ids: t.Optional(nullable(list_ids)),
    expires_at: t.Optional(
      nullable({
        ...expires_at,
        description:
          'When it ends: within a year. Absent: in 90 days. Null: never, until it is deleted.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'A token to be made.',
    examples: [{ name: 'Claude on my laptop', scopes: ['tasks:read'] }],
  },
)
export type NewAccessToken = Static<typeof NewAccessTokenSchema>

/** How many tokens somebody can have. */
export const mostTokens = 50

export const tokenModels = {
  AccessToken: AccessTokenSchema,
  ShownToken: ShownTokenSchema,
  NewAccessToken: NewAccessTokenSchema,
}
