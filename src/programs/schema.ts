import { type Static, Type as t } from '@sinclair/typebox'
import { nullable } from '../http/formats.ts'

export const ProgramSchema = t.Object(
  {
    id: t.String({
      description: 'Given by the server.',
      examples: ['6d1f0c1e7b5a4f0c9f9d3c1f0a2b4c6d'],
    }),
    name: t.String({
      description: 'What it calls itself. The history calls by it what the program does.',
      examples: ['Claude'],
    }),
    host: t.String({
      description: 'Where you were sent back to, which nobody can make up.',
      examples: ['claude.ai'],
    }),
    scopes: t.Array(t.String(), {
      description: 'What you let it do: tasks:read, tasks:write.',
      examples: [['tasks:read', 'tasks:write']],
    }),
    last_used_on: nullable(
      t.String({
        format: 'date',
        description:
          'The last day, in UTC, on which it fetched a token, which it does every hour; null: not within a month.',
        examples: ['2026-11-27'],
      }),
    ),
    created_at: t.String({
      format: 'date-time',
      description: 'When you first let it in.',
      examples: ['2026-11-20T22:36:42+00:00'],
    }),
  },
  { additionalProperties: false, description: 'A program that you let in.' },
)
export type Program = Static<typeof ProgramSchema>

export const programModels = { Program: ProgramSchema }
