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
import {
  BulkChangedSchema,
  ChangedTaskSchema,
  CountSchema,
  ListTasksQuerySchema,
  OccurrenceSchema,
  OccurrencesQuerySchema,
  RenamedSchema,
  TagSchema,
  TaskListQuerySchema,
  TaskSchema,
  TaskTreeSchema,
} from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

export const example = {
  id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  user_id: 'alice',
  list_id: null,
  parent_id: null,
  position: 'i00000002a',
  title: 'Water the plants',
  description: 'The **ferns** first.',
  completed: false,
  completed_at: null,
  priority: 'high',
  tags: ['home', 'garden'],
  due_date: '2026-12-01',
  due_time: '18:30:00',
  time_zone: 'Europe/Berlin',
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
  reminders: ['-PT30M'],
  version: 1,
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
  deleted_at: null,
}

const etagHeader = etagOf('task')

const timeZone = {
  'Time-Zone': {
    description:
      'Where you are, as a name of the IANA database: it says what day is today, to a `filter` and to what repeats. What ' +
      '`PATCH /api/me` says comes first; without either it is UTC.',
    example: 'Europe/Berlin',
  },
}

const writeHeaders = { ...etagHeader, ...replayedHeader }

const task = (description: string, changes: Partial<Record<keyof typeof example, unknown>> = {}) =>
  ({
    description,
    schema: TaskSchema,
    model: 'Task',
    headers: etagHeader,
    example: { ...example, ...changes },
  }) satisfies Answer

/** A task that repeats, as it is completed, and the one after it. */
const repeating = {
  ...example,
  recurrence: 'FREQ=WEEKLY;BYDAY=TU',
  repeat_from: 'due',
  series_id: example.id,
  occurrence: example.due_date,
}
const nextExample = {
  ...repeating,
  id: '5c0e52f8-3d0a-8f1c-9b7e-6a4d2c1b0e9f',
  position: 'i00000002a0i00000002bV',
  due_date: '2026-12-08',
  occurrence: '2026-12-08',
  created_at: '2026-11-21T07:15:00.500001+00:00',
  updated_at: '2026-11-21T07:15:00.500001+00:00',
}

/** The answer to a write. */
const written = (description: string, changes: Partial<Record<keyof typeof example, unknown>>) => ({
  ...task(description, changes),
  headers: writeHeaders,
})

const later = { version: 2, updated_at: '2026-11-21T07:15:00.5+00:00' }

const page = {
  description:
    'A page of the tasks that match every parameter. While there is more, the `Link` header has the address of ' +
    'the next page, which neither misses nor repeats a task that was there all along. A page ends at a megabyte, and ' +
    'after a second and a half: it can be short, and even empty, and have a next one.',
  headers: { ...unlessChanged, ...timeZone },
  answers: {
    200: {
      description: 'A page of tasks.',
      schema: t.Array(TaskTreeSchema),
      model: 'TaskTree',
      list: true,
      headers: { ...listHeaders, Link: '`<address>; rel="next"`, if there is more.' },
      example: [example],
    },
    304: { description: 'Nothing has changed.', schema: t.Void(), headers: listHeaders },
  },
}

/** The routes below one path. Their names are those of the queries, and say so where the path names the user. */
export function taskOperations(path: '/api' | '/api/:user_id') {
  const name = (verb: string) => (path === '/api' ? verb : `${verb}OfUser`)
  // A path that names a user can name another one.

  const change = (verb: string, description: string) =>
    operation({
      operationId: name(verb),
      summary: 'Change a task',
      description,
      headers: { ...ifMatch('task'), ...timeZone },
      answers: {
        200: {
          ...written('The task, changed.', { ...later, title: 'Water the ferns' }),
          schema: ChangedTaskSchema,
          model: 'ChangedTask',
        },
      },
      problems: [...common, ...withBody, 404, 412],
    })

  const completion = (verb: string, description: string) =>
    operation({
      operationId: name(verb),
      summary: 'Complete or reopen a task',
      description,
      headers: { ...ifMatch('task'), ...timeZone },
      optionalBody: true,
      answers: {
        200: {
          ...written('The task, and what comes after it.', {}),
          schema: ChangedTaskSchema,
          model: 'ChangedTask',
          example: {
            ...repeating,
            ...later,
            completed: true,
            completed_at: later.updated_at,
            next_task: nextExample,
          },
        },
      },
      problems: [...common, ...withBody, 404, 412],
    })

  return {
    list: operation({
      ...page,
      operationId: name('listTasks'),
      summary: 'List tasks',
      query: TaskListQuerySchema,
      problems: [...common],
    }),
    listOfList: operation({
      ...page,
      operationId: name('listTasksOfList'),
      summary: 'List the tasks of a list',
      description: `${page.description} In their manual order, unless \`sort\` says else.`,
      query: ListTasksQuerySchema,
      problems: [...common, 404],
    }),
    count: operation({
      operationId: name('countTasks'),
      summary: 'Count tasks',
      description:
        'How many tasks match, with the parameters of a list. Where a page begins, how long it is and how it is sorted is taken, and ' +
        'changes nothing.',
      query: TaskListQuerySchema,
      headers: timeZone,
      answers: {
        200: {
          description: 'The number.',
          schema: CountSchema,
          model: 'Count',
          example: { count: 7 },
        },
      },
      problems: [...common],
    }),
    create: operation({
      operationId: name('createTask'),
      summary: 'Create a task',
      description:
        'With an `id` of its own choice or an `Idempotency-Key` a client can safely send this again: the same task is ' +
        'created once. Beyond the quota, which `GET /api/me` says, the answer is 422 with the code `quota_exceeded`.',
      headers: { ...idempotencyKey, ...timeZone },
      answers: {
        201: {
          ...task('The task.'),
          headers: { ...writeHeaders, Location: 'The path of the task.' },
        },
      },
      problems: [...common, ...withBody, 404, 409],
    }),
    batch: operation({
      operationId: name('createTasks'),
      summary: 'Create several tasks',
      description:
        'Up to 100, in a body of up to a megabyte: all of them or none. What is wrong with one of them is said with its place, as ' +
        '`/tasks/1/title`. An id of the client that is taken by another task is 409. They are one change to undo, by the ' +
        '`X-Request-Id` of the answer.',
      headers: { ...idempotencyKey, ...timeZone },
      answers: {
        201: {
          description: 'The tasks, in the order in which they were sent.',
          schema: t.Array(TaskSchema),
          model: 'Task',
          list: true,
          headers: replayedHeader,
          example: [example],
        },
      },
      problems: [...common, ...withBody, 404, 409],
    }),
    bulk: operation({
      operationId: name('changeTasks'),
      summary: 'Change many tasks',
      description:
        'All that a filter finds, or that are named: all or none, each as it would be changed alone, with what is under it, 1,000 at most. ' +
        'Undo all of it by its `request_id`. `dry_run` says how many there are.',
      headers: { ...idempotencyKey, ...timeZone },
      answers: {
        200: {
          description: 'How many were meant, and changed.',
          schema: BulkChangedSchema,
          model: 'BulkChanged',
          headers: replayedHeader,
          example: { matched: 7, changed: 9, request_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
        },
      },
      problems: [...common, ...withBody, 404, 412],
    }),
    get: operation({
      operationId: name('getTask'),
      summary: 'Read a task',
      description: 'A task in the trash is not found here: list the trash with `deleted=true`.',
      headers: {
        'If-None-Match': {
          description: 'An ETag: the answer is 304 without a body while the task has that version.',
          example: '"1"',
        },
      },
      answers: {
        200: task('The task.'),
        304: { description: 'The task has that version.', schema: t.Void(), headers: etagHeader },
      },
      problems: [...common, 404],
    }),
    update: change(
      'updateTask',
      'A field that is absent stays as it is, and null clears it. What is read-only may be sent back as it is now. A change ' +
        'that changes nothing leaves the version as it is.',
    ),
    replace: change(
      'putTask',
      'As PATCH: a field that is absent stays, and null clears it. What is read-only may be as it was once.',
    ),
    complete: completion(
      'completeTask',
      '`{"completed": true}` completes it, `false` reopens it, and without a body a pending task is completed and ' +
        'a completed one reopened. Of a task that repeats the next one is made with that, with its subtasks; reopened, it takes that ' +
        'back, as long as nobody has changed anything of it: else it comes back alone, and does not repeat. The next one counts for ' +
        'the quota: who has no room can skip a day instead.',
    ),
    completeByPost: completion('completeTaskByPost', 'As PATCH.'),
    toggle: completion('toggleTask', 'As `complete`.'),
    toggleByPost: completion('toggleTaskByPost', 'As `complete`.'),
    delete: operation({
      operationId: name('deleteTask'),
      summary: 'Put a task into the trash',
      description: 'From where `restore` brings it back.',
      headers: ifMatch('task'),
      answers: { 200: written('The task as it went.', { ...later, deleted_at: later.updated_at }) },
      problems: [...common, 404, 412],
    }),
    restore: operation({
      operationId: name('restoreTask'),
      summary: 'Bring a task back from the trash',
      description:
        'With the subtasks that went there together with it. Where its list or its parent is not there any more, it is in the inbox, ' +
        'or under no task. A task that is not in the trash is answered just the same, so this can be sent again.',
      headers: ifMatch('task'),
      answers: { 200: written('The task.', later) },
      problems: [...common, 404, 412],
    }),
    move: operation({
      operationId: name('moveTask'),
      summary: 'Move a task',
      description:
        'To another list, under another task, or to another place among its neighbours, with all that is under it: its id and what else ' +
        'it is stay as they are. Where positions become too long, those of some neighbours are made anew with it.',
      headers: ifMatch('task'),
      answers: {
        200: written('The task, moved.', { ...later, position: 'i00000002a0i00000002bV' }),
      },
      problems: [...common, ...withBody, 404, 412],
    }),
    skip: operation({
      operationId: name('skipTask'),
      summary: 'Skip a day of a task that repeats',
      description:
        'It is the same task, on the day on which the next one would be due; its subtasks stay as they are. Named in the body, or with ' +
        '`If-Match`, a day is skipped once. Where it is another one by now, or the last, or where the task does not repeat or is ' +
        'completed, the answer is 409.',
      headers: { ...ifMatch('task'), ...timeZone },
      optionalBody: true,
      answers: {
        200: written('The task, on its next day.', {
          ...repeating,
          ...later,
          due_date: '2026-12-08',
          occurrence: '2026-12-08',
        }),
      },
      problems: [...common, ...withBody, 404, 409, 412],
    }),
    occurrences: operation({
      operationId: name('listOccurrences'),
      summary: 'List the days of a task',
      description:
        'Its own, and those that its rule says after that, as far as they are known: where the next one is reckoned from its completion, ' +
        'its own alone, as of a task that does not repeat. Without a due date there are none.',
      query: OccurrencesQuerySchema,
      headers: timeZone,
      answers: {
        200: {
          description: 'The days.',
          schema: t.Array(OccurrenceSchema),
          model: 'Occurrence',
          list: true,
          example: [
            {
              due_date: '2026-12-01',
              due_time: '18:30:00',
              time_zone: 'Europe/Berlin',
              at: '2026-12-01T17:30:00Z',
            },
          ],
        },
      },
      problems: [...common, 404],
    }),
    tags: operation({
      operationId: name('listTags'),
      summary: 'List tags',
      description:
        'Each with how many tasks have it, but for those in the trash. Of more than 5,000 tags the rest is left out.',
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
      problems: [...common],
    }),
    renameTag: operation({
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
      problems: [...common, ...withBody],
    }),
  }
}
