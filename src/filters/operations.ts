import { Type as t } from '@sinclair/typebox'
import { common, operation, withBody } from '../http/operation.ts'
import { FilterSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '019d2f6e-9e5d-7b7c-8d1f-3f4a5b6c7d8e',
  user_id: 'alice',
  name: 'Next up',
  filter: 'priority:>=medium (due:<=today or #home)',
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
}

const one = (description: string) =>
  ({ description, schema: FilterSchema, model: 'Filter', example }) as const

/** A route is there twice, and each time has an id of its own. */
export function filterOperations(prefix: '/api' | '/api/:user_id') {
  const name = (id: string) => (prefix === '/api' ? id : `${id}OfUser`)
  return {
    list: operation({
      operationId: name('listFilters'),
      summary: 'List filters',
      description: 'Those that are kept, by name.',
      answers: {
        200: {
          description: 'Your filters.',
          schema: t.Array(FilterSchema),
          model: 'Filter',
          list: true,
          example: [example],
        },
      },
      problems: [...common],
    }),
    create: operation({
      operationId: name('createFilter'),
      summary: 'Keep a filter',
      description:
        'Under a name, by which `filter=@name` uses it, alone or within another one. With an `id` of its own choice a client can ' +
        'safely send this again. Up to 200 filters can be kept.',
      answers: { 201: { ...one('The filter.'), headers: { Location: 'The path of the filter.' } } },
      problems: [...common, ...withBody, 409],
    }),
    update: operation({
      operationId: name('updateFilter'),
      summary: 'Change a filter, or its name',
      description: 'What is absent stays as it is.',
      answers: { 200: one('The filter.') },
      problems: [...common, ...withBody, 404, 409],
    }),
    delete: operation({
      operationId: name('deleteFilter'),
      summary: 'Delete a filter',
      description: 'For good. No task goes with it.',
      answers: { 200: one('The filter as it was.') },
      problems: [...common, 404],
    }),
  }
}
