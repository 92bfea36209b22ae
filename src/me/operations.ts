import { Type as t } from '@sinclair/typebox'
import { scopes } from '../auth/scopes.ts'
import { common, operation, withBody } from '../http/operation.ts'
import { AdoptedSchema, DeletedSchema, MeSchema, SessionSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const me = {
  id: 'alice',
  name: 'Alice',
  email: 'alice@example.com',
  signed_in_by: 'session',
  scopes: [...scopes],
  list_ids: null,
  session_id: '5kD0v3tqB2nYx8Lw',
  expires_at: '2026-11-27T22:36:42.123+00:00',
  time_zone: 'Europe/Berlin',
  quota: { tasks: 100_000, bytes: 256_000_000 },
  usage: { tasks: 7, bytes: 2948 },
}

const session = {
  id: '5kD0v3tqB2nYx8Lw',
  created_at: '2026-11-20T22:36:42.123+00:00',
  expires_at: '2026-11-27T22:36:42.123+00:00',
  ip_address: '192.0.2.7',
  user_agent: 'Mozilla/5.0',
}

export const meOperations = {
  get: operation({
    operationId: 'getMe',
    summary: 'Who am I?',
    description:
      'Name and e-mail are those of the account where it is in this database, else what the token says of them. ' +
      'What other instances wrote may be missing from `usage` for ten seconds.',
    answers: {
      200: {
        description: 'You.',
        schema: MeSchema,
        model: 'Me',
        example: me,
      },
    },
    problems: common,
  }),
  update: operation({
    operationId: 'updateMe',
    summary: 'Say where you are',
    description:
      'Your time zone, which says to a `filter` what day is today, wherever it is asked from, and when a task without a zone of its own is ' +
      'due: its reminders are moved.',
    answers: { 200: { description: 'You.', schema: MeSchema, model: 'Me', example: me } },
    problems: [...common, ...withBody],
  }),
  listSessions: operation({
    operationId: 'listSessions',
    summary: 'List sessions',
    description: 'Those that this database has, the latest first. An issuer elsewhere has its own.',
    answers: {
      200: {
        description: 'Your sessions.',
        schema: t.Array(SessionSchema),
        model: 'Session',
        list: true,
        example: [session],
      },
    },
    problems: common,
  }),
  deleteSession: operation({
    operationId: 'deleteSession',
    summary: 'End a session',
    description:
      'It ends at once. A JWT that was made from it is good until it expires, after 15 minutes.',
    answers: {
      200: {
        description: 'The session as it was.',
        schema: SessionSchema,
        model: 'Session',
        example: session,
      },
    },
    problems: [...common, 404],
  }),
  adopt: operation({
    operationId: 'adopt',
    summary: "Adopt a guest's tasks and lists",
    description:
      "For Better Auth's `anonymous()` plugin, which deletes the guest once the account is linked: call it in `onLinkAccount`. All " +
      'tasks and lists of the guest become yours, the trash with them, after your own. They keep their ids, but for one that you have already. Twice is once.',
    answers: {
      200: {
        description: 'They are yours.',
        schema: AdoptedSchema,
        model: 'Adopted',
        example: { id: 'alice', tasks: 7 },
      },
    },
    problems: [...common, ...withBody],
  }),
  delete: operation({
    operationId: 'deleteMe',
    summary: 'Delete everything of mine',
    description:
      'All tasks and lists, the trash with them, and the account with its sessions where it is in this database. For good.',
    answers: {
      200: {
        description: 'It is gone.',
        schema: DeletedSchema,
        model: 'Deleted',
        example: { id: 'alice', tasks: 7, account: true },
      },
    },
    problems: [...common, ...withBody],
  }),
}
