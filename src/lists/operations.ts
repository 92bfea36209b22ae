import { Type as t } from '@sinclair/typebox'
import {
  etagOf,
  idempotencyKey,
  ifMatch,
  listHeaders,
  replayedHeader,
  unlessChanged,
} from '../http/described.ts'
import { type Answer, common, operation, withBody } from '../http/operation.ts'
import { CountedListSchema, ListSchema, ListsQuerySchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

export const example = {
  id: '019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f',
  user_id: 'alice',
  name: 'Home',
  color: '#3366cc',
  archived_at: null,
  position: 'i00000001c',
  version: 1,
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
  deleted_at: null,
}

const later = { version: 2, updated_at: '2026-11-21T07:15:00.5+00:00' }

const list = (description: string, changes: Partial<Record<keyof typeof example, unknown>> = {}) =>
  ({
    description,
    schema: ListSchema,
    model: 'List',
    headers: etagOf('list'),
    example: { ...example, ...changes },
  }) satisfies Answer

/** The answer to a write. */
const written = (description: string, changes: Partial<Record<keyof typeof example, unknown>>) => ({
  ...list(description, changes),
  headers: { ...etagOf('list'), ...replayedHeader },
})

/** The routes below one path. Their names are those of the queries, and say so where the path names the user. */
export function listOperations(path: '/api' | '/api/:user_id') {
  const name = (verb: string) => (path === '/api' ? verb : `${verb}OfUser`)
  // A path that names a user can name another one.

  const change = (verb: string, description: string) =>
    operation({
      operationId: name(verb),
      summary: 'Change a list',
      description,
      headers: ifMatch('list'),
      answers: { 200: written('The list, changed.', { ...later, name: 'House' }) },
      problems: [...common, ...withBody, 404, 412],
    })

  return {
    list: operation({
      operationId: name('listLists'),
      summary: 'List the lists',
      description:
        'In their manual order, at once: there are 500 at most, the archived ones with them.',
      query: ListsQuerySchema,
      headers: unlessChanged,
      answers: {
        200: {
          description: 'The lists.',
          schema: t.Array(CountedListSchema),
          model: 'CountedList',
          list: true,
          headers: listHeaders,
          example: [{ ...example, pending: 7, completed: 35 }],
        },
        304: { description: 'Nothing has changed.', schema: t.Void(), headers: listHeaders },
      },
      problems: [...common],
    }),
    create: operation({
      operationId: name('createList'),
      summary: 'Create a list',
      description:
        'After all others, of which there may be 499. With an `id` of its own choice or an `Idempotency-Key` a client can safely send ' +
        'this again: the same list is created once.',
      headers: idempotencyKey,
      answers: {
        201: {
          ...list('The list.'),
          headers: { ...etagOf('list'), ...replayedHeader, Location: 'The path of the list.' },
        },
      },
      problems: [...common, ...withBody, 409],
    }),
    get: operation({
      operationId: name('getList'),
      summary: 'Read a list',
      description: 'A list in the trash is not found here: list the trash with `deleted=true`.',
      headers: {
        'If-None-Match': {
          description: 'An ETag: the answer is 304 without a body while the list has that version.',
          example: '"1"',
        },
      },
      answers: {
        200: list('The list.'),
        304: {
          description: 'The list has that version.',
          schema: t.Void(),
          headers: etagOf('list'),
        },
      },
      problems: [...common, 404],
    }),
    update: change(
      'updateList',
      'A field that is absent stays as it is, and null clears it. What is read-only may be sent back as it is now. A change ' +
        'that changes nothing leaves the version as it is.',
    ),
    replace: change(
      'putList',
      'As PATCH: a field that is absent stays, and null clears it. What is read-only may be as it was once.',
    ),
    delete: operation({
      operationId: name('deleteList'),
      summary: 'Put a list into the trash',
      description:
        'With its tasks: `restore` brings both back, but for tasks that were in the trash before. With up to 999 tasks that is one change, ' +
        'all or nothing, and to be undone by its `X-Request-Id`; more of them go part by part, and the list last.',
      headers: ifMatch('list'),
      answers: { 200: written('The list as it went.', { ...later, deleted_at: later.updated_at }) },
      problems: [...common, 404, 412],
    }),
    restore: operation({
      operationId: name('restoreList'),
      summary: 'Bring a list back from the trash',
      description:
        'With the tasks that went there together with it. A list that is not in the trash is answered just the same, so this can be ' +
        'sent again.',
      headers: ifMatch('list'),
      answers: { 200: written('The list.', later) },
      problems: [...common, 404, 412],
    }),
    move: operation({
      operationId: name('moveList'),
      summary: 'Move a list',
      description:
        'To another place among the others. Where positions become too long, those of some neighbours are made anew with it.',
      headers: ifMatch('list'),
      answers: {
        200: written('The list, moved.', { ...later, position: 'i00000001c0i00000002bV' }),
      },
      problems: [...common, ...withBody, 404, 412],
    }),
  }
}
