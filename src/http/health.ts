import { Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { operation } from './operation.ts'
import { Problem } from './problem.ts'

const StatusSchema = t.Object(
  { status: t.Literal('ok', { description: 'ok.', examples: ['ok'] }) },
  { additionalProperties: false, description: 'All is well.' },
)

const ok = { status: 'ok' } as const

/** Whether the process lives, and whether it can serve: `isReady` asks the database. */
export const health = (isReady: () => Promise<boolean>) =>
  new Elysia({ name: 'health', tags: ['Health'] })
    .model({ Status: StatusSchema })
    .get(
      '/health',
      () => ok,
      operation({
        operationId: 'health',
        summary: 'Is the process alive?',
        description: 'Asks nothing of the database.',
        answers: { 200: { description: 'It is.', schema: StatusSchema, model: 'Status' } },
        problems: [400, 422, 431],
      }),
    )
    .get(
      '/ready',
      async () => {
        if (await isReady()) return ok
        throw new Problem(503, 'The database cannot be reached. Try again.', {
          headers: { 'retry-after': '1' },
        })
      },
      operation({
        operationId: 'ready',
        summary: 'Can requests be served?',
        description: 'False while the database cannot be reached and while the process stops.',
        answers: { 200: { description: 'They can.', schema: StatusSchema, model: 'Status' } },
        problems: [400, 422, 431, 503],
      }),
    )
