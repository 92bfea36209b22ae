import { type TProperties, Type as t } from '@sinclair/typebox'
import { keyLimits } from '../http/once.ts'
import { common, operation, withBody } from '../http/operation.ts'
import {
  ActivityQuerySchema,
  ActivitySchema,
  ChangeSchema,
  HistoryQuerySchema,
  PurgedSchema,
  undoneSchema,
} from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const id = '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'

const change = {
  seq: 42,
  at: '2026-11-20T22:36:42.123456+00:00',
  by: { kind: 'session', name: 'Alice' },
  request_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  action: 'updated',
  fields: { title: { before: 'Water the plants', after: 'Water the ferns' } },
}

const { fields: _, ...activity } = { ...change, type: 'task', id, title: 'Water the ferns' }

const task = {
  id,
  user_id: 'alice',
  list_id: null,
  parent_id: null,
  position: 'i00000002a',
  title: 'Water the plants',
  description: null,
  completed: false,
  completed_at: null,
  priority: 'none',
  tags: [],
  due_date: null,
  due_time: null,
  time_zone: null,
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
  reminders: [],
  version: 3,
  created_at: '2026-11-20T22:30:00.5+00:00',
  updated_at: '2026-11-20T22:40:11.25+00:00',
  deleted_at: null,
}

const once = {
  'Idempotency-Key': {
    description:
      '1 to 255 printable characters that name this request. Sent again with the same key within a day, it has no ' +
      'second effect, and the same answer.',
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
    ...keyLimits,
  },
}

const replayed = {
  'Idempotency-Replayed': 'true: this is the first answer to the same Idempotency-Key.',
}

/** The routes below one path. */
export function historyOperations<S extends TProperties>(
  path: '/api' | '/api/:user_id',
  schemas: S,
) {
  const name = (verb: string) => (path === '/api' ? verb : `${verb}OfUser`)
  // A path that names a user can name another one.
  const purged = {
    description: 'What is gone.',
    schema: PurgedSchema,
    model: 'Purged',
    example: { purged: 1, more: false },
  }

  const historyOf = (verb: string, thing: string) =>
    operation({
      operationId: name(verb),
      summary: `What was done to a ${thing}`,
      description:
        `The latest first, for as long as changes are kept. A ${thing} in the trash has its history too. While there may be more, the ` +
        '`Link` header has the address of the next page. A page ends at a megabyte.',
      query: HistoryQuerySchema,
      answers: {
        200: {
          description: 'A page of changes.',
          schema: t.Array(ChangeSchema),
          model: 'HistoryEntry',
          list: true,
          headers: { Link: '`<address>; rel="next"`, if there may be more.' },
          example: [change],
        },
      },
      problems: [...common, 404],
    })

  return {
    list: historyOf('listHistory', 'task'),
    listOfList: historyOf('listHistoryOfList', 'list'),
    activity: operation({
      operationId: name('listActivity'),
      summary: 'What was done',
      description:
        'To whatever there is or was, the latest first, for as long as changes are kept: by anybody, or by some. While there may be more, ' +
        'the `Link` header has the address of the next page. Of 10,000 changes those that are asked for are answered: a page ' +
        'may be short, or empty, though there is a next one.',
      query: ActivityQuerySchema,
      answers: {
        200: {
          description: 'A page of changes.',
          schema: t.Array(ActivitySchema),
          model: 'Activity',
          list: true,
          headers: { Link: '`<address>; rel="next"`, if there may be more.' },
          example: [activity],
        },
      },
      problems: common,
    }),
    undo: operation({
      operationId: name('undo'),
      summary: 'Take back changes',
      description:
        'Those of a request, one of them, or all since then, together or not at all. Field by field each thing becomes what it was ' +
        'before; fields that somebody has changed otherwise stay. Where somebody has changed the same field since, the answer is 409 and ' +
        'names it, unless `force` or `keep` is true: by force it is undone too, and what is kept stays and is named in the answer. What was created goes to the trash. An undo is a change too: undo it to do all again. Up to 1,000 things at a time. ' +
        'What was purged cannot come back: 409, and with `force` or `keep` the rest is undone.',
      headers: once,
      answers: {
        200: {
          description: 'What is changed by it, as it is now, and what is kept.',
          schema: t.Array(undoneSchema(schemas)),
          model: 'Undone',
          list: true,
          headers: replayed,
          example: [{ seq: 43, type: 'task', id, task }],
        },
      },
      problems: [...common, ...withBody, 404, 409, 410],
    }),
    purge: operation({
      operationId: name('purge'),
      summary: 'Delete a task or a list for good',
      description:
        'One that is in the trash. All that was ever changed of it is gone too; that there was something with its id is kept.',
      headers: {
        ...once,
        'If-Match': {
          description: 'An ETag: delete it only while it has that version, else 412.',
          example: '"2"',
        },
      },
      answers: { 200: { ...purged, headers: replayed } },
      problems: [...common, 404, 412],
    }),
    empty: operation({
      operationId: name('emptyTrash'),
      summary: 'Empty the trash',
      description:
        'All that is in the trash is gone for good. It takes three seconds at most: where there was more than that, `more` is true.',
      answers: { 200: purged },
      problems: [...common],
    }),
  }
}
