import { Type as t } from '@sinclair/typebox'
import { common, operation, withBody } from '../http/operation.ts'
import { listHeaders, unlessChanged } from '../tasks/operations.ts'
import { RenamedSchema, TagSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

/** The routes below one path. */
export function tagOperations(path: '/api' | '/api/:user_id') {
  const name = (verb: string) => (path === '/api' ? verb : `${verb}OfUser`)
  // A path that names a user can name another one.
  const forbidden = path === '/api' ? ([] as const) : ([403] as const)

  return {
    list: operation({
      operationId: name('listTags'),
      summary: 'List tags',
      description:
        'All tags, each with how many tasks have it. Those in the trash are not counted.',
      headers: unlessChanged,
      answers: {
        200: {
          description: 'The tags.',
          schema: t.Array(TagSchema),
          model: 'Tag',
          list: true,
          headers: listHeaders,
          example: [{ tag: 'home', count: 7, pending: 3 }],
        },
        304: { description: 'Nothing has changed.', schema: t.Void(), headers: listHeaders },
      },
      problems: [...common, ...forbidden],
    }),
    rename: operation({
      operationId: name('renameTag'),
      summary: 'Rename a tag, or merge it into another one',
      description:
        'In all tasks that have it, but for those in the trash: together or not at all, and to be undone by its `request_id`. A task ' +
        'that has the other tag already keeps that one. 1,000 tasks at a time: where there are more, send it again. To send ' +
        'it twice does no harm: the second one finds nothing.',
      answers: {
        200: {
          description: 'How many tasks had it, and were changed.',
          schema: RenamedSchema,
          model: 'Renamed',
          example: { matched: 7, changed: 7, request_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
        },
      },
      problems: [...common, ...forbidden, ...withBody],
    }),
  }
}
