import { Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { operation } from './operation.ts'
import { Problem } from './problem.ts'

const HealthSchema = t.Object(
  { status: t.Literal('ok', { description: 'ok.', examples: ['ok'] }) },
  { additionalProperties: false, description: 'All is well.' },
)

const ReadinessSchema = t.Object(
  {
    status: t.Union([t.Literal('ok'), t.Literal('read_only')], {
      description:
        '`read_only`: the database takes no writes at the moment, which are answered with 503.',
      examples: ['ok'],
    }),
  },
  { additionalProperties: false, description: 'What can be served.' },
)

const ok = { status: 'ok' } as const

/** Whether the process lives, and whether it can serve: `readiness` asks the database. */
export const health = (readiness: () => Promise<'ok' | 'read_only' | 'unavailable'>) =>
  new Elysia({ name: 'health', tags: ['Health'] })
    .model({ Health: HealthSchema, Readiness: ReadinessSchema })
    .get(
      '/health',
      () => ok,
      operation({
        operationId: 'health',
        summary: 'Is the process alive?',
        description: 'Asks nothing of the database.',
        answers: { 200: { description: 'It is.', schema: HealthSchema, model: 'Health' } },
        problems: [400, 431],
        anyQuery: true,
      }),
    )
    .get(
      '/ready',
      async () => {
        const status = await readiness()
        if (status !== 'unavailable') return { status }
        throw new Problem(503, 'The database cannot be reached. Try again.', {
          headers: { 'retry-after': '1' },
        })
      },
      operation({
        operationId: 'ready',
        summary: 'Can requests be served?',
        description:
          'Not while the database cannot be reached and while the process stops. While it takes no writes, reads can.',
        answers: { 200: { description: 'They can.', schema: ReadinessSchema, model: 'Readiness' } },
        problems: [400, 431, 503],
        anyQuery: true,
      }),
    )
