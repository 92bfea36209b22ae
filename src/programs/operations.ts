import { Type as t } from '@sinclair/typebox'
import { common, operation } from '../http/operation.ts'
import { ProgramSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '6d1f0c1e7b5a4f0c9f9d3c1f0a2b4c6d',
  name: 'Claude',
  host: 'claude.ai',
  scopes: ['tasks:read', 'tasks:write'],
  last_used_on: '2026-11-27',
  created_at: '2026-11-20T22:36:42+00:00',
}

export const programOperations = {
  list: operation({
    operationId: 'listPrograms',
    summary: 'List the programs that you let in',
    description:
      'Agents that signed in by themselves at /mcp, after you allowed it, the latest first. There are none where users sign in elsewhere. ' +
      'For who is signed in.',
    answers: {
      200: {
        description: 'Your programs.',
        schema: t.Array(ProgramSchema),
        model: 'Program',
        list: true,
        example: [example],
      },
    },
    problems: common,
  }),
  delete: operation({
    operationId: 'deleteProgram',
    summary: 'Shut a program out',
    description: 'At once. It can ask you again.',
    answers: {
      200: {
        description: 'The program as it was.',
        schema: ProgramSchema,
        model: 'Program',
        example,
      },
    },
    problems: [...common, 404],
  }),
}
