import { type Static, Type as t } from '@sinclair/typebox'
import { nullable, storable } from '../http/formats.ts'

const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-27T22:36:42.123+00:00'],
  })

export const MeSchema = t.Object(
  {
    id: t.String({ description: 'Your id, as in `user_id`.', examples: ['alice'] }),
    name: nullable(t.String({ description: 'Null: not known here.', examples: ['Alice'] })),
    email: nullable(
      t.String({ description: 'Null: not known here.', examples: ['alice@example.com'] }),
    ),
    signed_in_by: t.Union(
      [
        t.Literal('token'),
        t.Literal('session'),
        t.Literal('session_cache'),
        t.Literal('access_token'),
        t.Literal('program'),
      ],
      {
        description:
          'A JWT, a session that the database has, the copy of one in a cookie, a token that you made, or that of a program at /mcp.',
        examples: ['token'],
      },
    ),
    scopes: t.Array(
      t.Union([
        t.Literal('tasks:read'),
        t.Literal('tasks:write'),
        t.Literal('account'),
        t.Literal('sign-in'),
      ]),
      {
        description: 'What this credential may do. Who is signed in may do everything.',
        examples: [['tasks:read', 'tasks:write', 'account', 'sign-in']],
      },
    ),
    list_ids: nullable(
      t.Array(t.String(), {
        description: 'The lists that it is for. Null: all, and the inbox.',
        examples: [['019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f']],
      }),
    ),
    session_id: nullable(
      t.String({ description: 'Which session; null: not known here.', examples: ['5kD0v3tq'] }),
    ),
    expires_at: nullable(instant('Until when this credential is good; null: for ever.')),
    time_zone: nullable(
      t.String({
        description:
          'Where you are, which says what day is today and when reminders come. Null: you have not said, which is UTC.',
        examples: ['Europe/Berlin'],
      }),
    ),
    quota: t.Object(
      {
        tasks: nullable(t.Integer({ description: 'Null: any number.', examples: [100_000] })),
        bytes: nullable(t.Integer({ description: 'Null: any number.', examples: [256_000_000] })),
      },
      {
        additionalProperties: false,
        description: 'The most that you may have.',
        examples: [{ tasks: 100_000, bytes: 256_000_000 }],
      },
    ),
    usage: nullable(
      t.Object(
        {
          tasks: t.Integer({ description: 'Your tasks, the trash included.', examples: [7] }),
          bytes: t.Integer({ description: 'Of their JSON, as it is answered.', examples: [2948] }),
        },
        {
          additionalProperties: false,
          description:
            'What you have. Null for a token for some lists, as it is about more than those.',
          examples: [{ tasks: 7, bytes: 2948 }],
        },
      ),
    ),
  },
  { additionalProperties: false, description: 'Who is calling.' },
)
export type Me = Static<typeof MeSchema>

export const MePatchSchema = t.Object(
  {
    time_zone: nullable(
      t.String({
        format: 'time-zone',
        maxLength: 100,
        error:
          'must be a time zone of the IANA database by area and place, such as Europe/Berlin, or UTC',
        description: 'Where you are, in any case; null: nowhere in particular.',
        examples: ['Europe/Berlin'],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'What is to change of you.',
    examples: [{ time_zone: 'Europe/Berlin' }],
  },
)

export const SessionSchema = t.Object(
  {
    id: t.String({ description: 'For DELETE.', examples: ['5kD0v3tq'] }),
    created_at: instant('When it began.'),
    expires_at: instant('When it ends by itself.'),
    ip_address: nullable(t.String({ description: 'Where it began.', examples: ['192.0.2.7'] })),
    user_agent: nullable(t.String({ description: 'In what.', examples: ['Mozilla/5.0'] })),
  },
  { additionalProperties: false, description: 'A session of yours, which never shows its token.' },
)
export type Session = Static<typeof SessionSchema>

export const FarewellSchema = t.Object(
  {
    confirm: storable(1, 255, {
      description: 'Your own id: that you mean it.',
      examples: ['alice'],
    }),
  },
  {
    additionalProperties: false,
    description: 'What DELETE /api/me wants to hear.',
    examples: [{ confirm: 'alice' }],
  },
)

export const DeletedSchema = t.Object(
  {
    id: t.String({ description: 'Who it was.', examples: ['alice'] }),
    tasks: t.Integer({
      description: 'How many tasks are gone, the trash with them.',
      examples: [7],
    }),
    account: t.Boolean({
      description: 'Whether there was an account here, which is gone too.',
      examples: [true],
    }),
  },
  { additionalProperties: false, description: 'What was deleted.' },
)
export type Deleted = Static<typeof DeletedSchema>

export const GuestSchema = t.Object(
  {
    token: storable(1, 16_384, {
      description: 'A credential of the guest: what would be in an Authorization header.',
      examples: ['q3vK0m2sT8xY4bZ6nL1pR7dF9gH5jW0c'],
    }),
  },
  {
    additionalProperties: false,
    description: 'Whose tasks to adopt.',
    examples: [{ token: 'q3vK0m2sT8xY4bZ6nL1pR7dF9gH5jW0c' }],
  },
)

export const AdoptedSchema = t.Object(
  {
    id: t.String({ description: 'Whose they are now: your id.', examples: ['alice'] }),
    tasks: t.Integer({
      description: 'How many tasks came over, the trash with them. 0: none was left.',
      examples: [7],
    }),
  },
  { additionalProperties: false, description: 'What was adopted.' },
)

export const meModels = {
  Me: MeSchema,
  MePatch: MePatchSchema,
  Session: SessionSchema,
  Farewell: FarewellSchema,
  Deleted: DeletedSchema,
  Guest: GuestSchema,
  Adopted: AdoptedSchema,
}
