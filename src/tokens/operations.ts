import { Type as t } from '@sinclair/typebox'
import { common, operation, withBody } from '../http/operation.ts'
import { AccessTokenSchema, ShownTokenSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '019d2f6e-b27a-7d1e-8f20-5c6d7e8f9a0b',
  name: 'Claude on my laptop',
  scopes: ['tasks:read'],
  list_ids: null,
  hint: 'x7Qd',
  expires_at: '2027-02-18T22:36:42+00:00',
  last_used_on: null,
  created_at: '2026-11-20T22:36:42.123456+00:00',
}

const shown = {
  description: 'The token, which is not shown again.',
  schema: ShownTokenSchema,
  model: 'ShownToken',
  example: { ...example, token: 'dkt_pat_3Nf0cXv8Qm1Zk6Wb9Ty2Ra5Ls7Ud4Hg0Pj3Ei8Ko1Vn2wB4sx7Qd' },
} as const

export const tokenOperations = {
  list: operation({
    operationId: 'listTokens',
    summary: 'List your access tokens',
    description:
      'The latest first, those that have ended too, without the tokens themselves. For who is signed in.',
    answers: {
      200: {
        description: 'Your access tokens.',
        schema: t.Array(AccessTokenSchema),
        model: 'AccessToken',
        list: true,
        example: [example],
      },
    },
    problems: common,
  }),
  create: operation({
    operationId: 'createToken',
    summary: 'Make an access token',
    description:
      'For a script, an agent or another program: it may do what its scopes say, in the lists that it is for, until it ends or you ' +
      'delete it. Up to 50 can be there. What it does is in the history under its name.',
    answers: { 201: { ...shown, headers: { Location: 'The path of the token.' } } },
    problems: [...common, ...withBody, 404],
  }),
  rotate: operation({
    operationId: 'rotateToken',
    summary: 'Give an access token another secret',
    description:
      'The one that it had is worth nothing from now on. All else stays; one that ends lasts as long as when it was made.',
    answers: { 200: shown },
    problems: [...common, 404],
  }),
  delete: operation({
    operationId: 'deleteToken',
    summary: 'Delete an access token',
    description: 'For good, and at once.',
    answers: {
      200: {
        description: 'The token as it was.',
        schema: AccessTokenSchema,
        model: 'AccessToken',
        example,
      },
    },
    problems: [...common, 404],
  }),
}
