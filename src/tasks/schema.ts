import { type Static, type TSchema, Type as t } from '@sinclair/typebox'
import { distinct, nullable, storable, visible } from '../http/formats.ts'
// It registers the format of one.
import './reminders.ts'

// Column names are field names: TaskSchema is the row, the response body and the OpenAPI model.
const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server, or any UUID that the client chose.',
  examples: ['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'],
})
const list_id = t.String({
  format: 'uuid',
  description: 'The list that it is in; null: none, which is the inbox.',
  examples: ['019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f'],
})
const parent_id = t.String({
  format: 'uuid',
  description:
    'The task that it is a subtask of, in the same list; null: of none. Up to 5 levels, and 1,000 tasks under one.',
  examples: ['019d2f6e-6c2b-7d4e-9f3a-2b1c0d9e8f70'],
})
const position = t.String({
  pattern: '^[0-9A-Za-z]{1,60}$',
  description:
    'Its place in the manual order of its list: compare them byte by byte. To change it, move the task.',
  examples: ['i00000002a'],
})
const title = visible(500, {
  description: 'What is to be done. Not white space alone, nor anything else that does not show.',
  examples: ['Water the plants'],
})
const description = storable(0, 20_000, {
  description: 'More about it, in whatever markup the frontend likes.',
  examples: ['The **ferns** first.'],
})
const priority = t.Union(
  [t.Literal('none'), t.Literal('low'), t.Literal('medium'), t.Literal('high')],
  {
    model: 'Priority',
    error: 'must be one of none, low, medium, high',
    description: 'Sorts none < low < medium < high.',
    examples: ['high'],
  },
)
const tag = visible(50, { examples: ['home'] })
const tags = distinct(tag, {
  maxItems: 20,
  description:
    'In the order given. Those that differ in case, marks, composition or outer space are one tag: the first stays.',
  examples: [['home', 'garden']],
})
const day = (meaning: string) =>
  t.String({
    format: 'date',
    error: 'must be a day of the calendar, as YYYY-MM-DD',
    description: meaning,
    examples: ['2026-12-01'],
  })
const due_date = day('A day on the calendar of the user.')
const due_time = t.String({
  // Not the format `time` of JSON Schema, which has an offset.
  pattern: '^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$',
  error: 'must be a time of day, as HH:MM or HH:MM:SS',
  description: 'A time on the clock of the user. Needs a due_date. Answered as HH:MM:SS.',
  examples: ['18:30:00'],
})
const time_zone = t.String({
  format: 'time-zone',
  maxLength: 100,
  error:
    'must be a time zone of the IANA database by area and place, such as Europe/Berlin, or UTC',
  description:
    'Where due_time is meant, and needs one. Null: wherever the reader is. UTC, or an area and a place, in any case; answered ' +
    'as the IANA database writes it. Other names, such as CET, do not mean the same to all.',
  examples: ['Europe/Berlin'],
})
const rule = t.String({
  maxLength: 500,
  description: 'An RRULE of RFC 5545, in its one written form; null: it does not repeat.',
  examples: ['FREQ=WEEKLY;BYDAY=MO'],
})
/** What is taken for one. */
const recurrence = t.Union(
  [
    t.String({ maxLength: 500 }),
    t.Object(
      { frequency: t.String({ maxLength: 20 }), interval: t.Optional(t.Integer()) },
      { additionalProperties: false },
    ),
    t.Null(),
  ],
  {
    error: 'must be an RRULE of RFC 5545, a word such as weekly, {frequency, interval}, or null',
    description:
      'How it repeats: an RRULE of RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO`; or `daily`, `weekdays`, `weekly`, `biweekly`, `monthly`, ' +
      '`quarterly`, `yearly`; or one of these frequencies with an interval. Null or `none`: not at all. Answered as an RRULE. Not for ' +
      'subtasks. Without a due_date, a new rule begins with its first day from today on.',
    examples: ['FREQ=WEEKLY;BYDAY=MO'],
  },
)
const repeat_from = t.Union([t.Literal('due'), t.Literal('completion')], {
  model: 'RepeatFrom',
  error: 'must be one of due, completion',
  description:
    'What the next day is reckoned from: the day it was due, which is the default, or the day it was completed. Null where it does not repeat.',
  examples: ['due'],
})
const series_id = t.String({
  format: 'uuid',
  description: 'The tasks that came of one another have the same; null: it does not repeat.',
  examples: ['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'],
})
const occurrence = t.String({
  format: 'date',
  description:
    'The day of the rule that it is for, though due_date may have been moved; null: it does not repeat.',
  examples: ['2026-12-01'],
})
const reminders = distinct(
  t.String({
    format: 'reminder',
    maxLength: 40,
    error:
      'must be a duration before or after the task is due, such as -PT30M, -P1D or PT9H, of ten years at most, or a moment such as ' +
      '2026-12-01T08:00:00+01:00',
    examples: ['-PT30M'],
  }),
  {
    maxItems: 10,
    description:
      'When to remind: a duration of ISO 8601, which is minus before the task is due, and needs a due_date; or a moment of RFC 3339. Weeks, ' +
      'days, hours, minutes and seconds: days are counted on the calendar, hours are as long as they are. Without a due_time it is from ' +
      'midnight where the user is: `PT9H` is nine o’clock. Answered in one form: `-PT90M` as `-PT1H30M`, `-P1W` as `-P7D`, a moment in UTC ' +
      'to the second; those that are the same then are one.',
    examples: [['-P1D', '-PT30M']],
  },
)
const completed = t.Boolean({ examples: [false] })
const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-20T22:36:42.123456+00:00'],
  })

const user_id = t.String({ description: 'Whose it is.', examples: ['alice'] })
const completed_at = nullable(instant('When it was completed; null: it is pending.'))
const version = t.Integer({
  minimum: 1,
  description: 'Grows by one with each change; quoted, it is the ETag.',
  examples: [1],
})
const created_at = instant('When the server first stored it.')
const updated_at = instant('When it last changed.')
const deleted_at = nullable(instant('When it went to the trash; null: it is not there.'))

export const TaskSchema = t.Object(
  {
    id,
    user_id,
    list_id: nullable(list_id),
    parent_id: nullable(parent_id),
    position,
    title,
    description: nullable(description),
    completed,
    completed_at,
    priority,
    tags,
    due_date: nullable(due_date),
    due_time: nullable(due_time),
    time_zone: nullable(time_zone),
    recurrence: nullable(rule),
    repeat_from: nullable(repeat_from),
    series_id: nullable(series_id),
    occurrence: nullable(occurrence),
    reminders,
    version,
    created_at,
    updated_at,
    deleted_at,
  },
  { additionalProperties: false, description: 'A task.' },
)
export type Task = Static<typeof TaskSchema>

/** How a task repeats. */
export type Repetition = Pick<Task, 'recurrence' | 'repeat_from' | 'series_id' | 'occurrence'>

/** Where a task is. */
export type Place = Pick<Task, 'list_id' | 'parent_id' | 'position'>

/** A task of a list that has what is under each. */
export type TaskTree = Task & { subtasks?: TaskTree[] }

const task = TaskSchema.properties

export const TaskTreeSchema = t.Object(
  {
    ...task,
    subtasks: t.Optional(
      t.Array(t.Unsafe<TaskTree>({ $ref: '#/components/schemas/TaskTree' }), {
        description: 'With include=subtasks: what is just under it, in manual order.',
        examples: [[]],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'A task, with what is under it where that is asked for.',
  },
)

const next_task = t.Union([t.Unsafe<Task>({ $ref: '#/components/schemas/Task' }), t.Null()], {
  description:
    'What comes after it, where it repeats; null: nothing. `complete` and `toggle` always say it, PATCH and PUT of a task that repeats with ' +
    '`completed: true`.',
  examples: [null],
})

export const ChangedTaskSchema = t.Object(
  { ...task, next_task: t.Optional(next_task) },
  { additionalProperties: false, description: 'A task that was changed, and what comes after it.' },
)
export type ChangedTask = Static<typeof ChangedTaskSchema>

/** What is kept of a task that only its frontend knows. No schema of a body has it: src/compat puts it there. */
export type Kept = { extra?: Record<string, unknown> }

/** What a client may write. Null clears: no description, no date, priority none, no tags, no reminders. */
const writable = {
  list_id: t.Optional(nullable(list_id)),
  parent_id: t.Optional(nullable(parent_id)),
  title,
  description: t.Optional(nullable(description)),
  completed: t.Optional(completed),
  priority: t.Optional(nullable(priority)),
  tags: t.Optional(nullable(tags)),
  due_date: t.Optional(nullable(due_date)),
  due_time: t.Optional(nullable(due_time)),
  time_zone: t.Optional(nullable(time_zone)),
  recurrence: t.Optional(recurrence),
  repeat_from: t.Optional(nullable(repeat_from)),
  reminders: t.Optional(nullable(reminders)),
}

/** What the server gave and takes back: not to be written, so generators leave it out of what is sent. */
const given = <T extends TSchema>(schema: T) => t.Optional({ ...schema, readOnly: true })

const identity = { id: given(id), user_id: given(user_id) }

/** What becomes of a task by itself, under the names of its fields. */
const course = {
  position: given(position),
  series_id: given(nullable(series_id)),
  occurrence: given(nullable(occurrence)),
  version: given(version),
  completed_at: given(completed_at),
  created_at: given(created_at),
  updated_at: given(updated_at),
  deleted_at: given(deleted_at),
}

export const NewTaskSchema = t.Object(
  { id: t.Optional(id), user_id: identity.user_id, ...writable },
  {
    additionalProperties: false,
    description: 'A task to be created. Only the title is required.',
    examples: [{ title: 'Water the plants', tags: ['home'], due_date: '2026-12-01' }],
  },
)
export type NewTask = Static<typeof NewTaskSchema>

/** The most tasks that are made together. */
const mostTogether = 100

export const BatchSchema = t.Object(
  {
    tasks: t.Array(NewTaskSchema, {
      minItems: 1,
      maxItems: mostTogether,
      description: 'The new tasks, each as it would be created alone.',
      examples: [[{ title: 'Water the plants' }, { title: 'Feed the cat' }]],
    }),
  },
  {
    additionalProperties: false,
    description: 'Tasks to be created together.',
    examples: [{ tasks: [{ title: 'Water the plants' }, { title: 'Feed the cat' }] }],
  },
)
export type Batch = Static<typeof BatchSchema>

export const TaskPatchSchema = t.Object(
  {
    ...writable,
    title: t.Optional(title),
    ...identity,
    ...course,
    next_task: t.Optional({
      ...t.Unknown({ description: 'Means nothing.', examples: [null] }),
      readOnly: true,
    }),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description:
      'What is to change: a field that is absent stays, null clears it. What is read-only may be sent back as it was answered.',
    examples: [{ priority: 'high', due_date: null }],
  },
)
export type TaskPatch = Static<typeof TaskPatchSchema>

/** The read-only fields of a patch that change with the task. */
export type Course = Partial<Pick<TaskPatch, keyof typeof course>>

export const isOfCourse = (name: string): name is keyof Course => name in course

export const CompletionSchema = t.Object(
  { completed: t.Optional(completed) },
  {
    additionalProperties: false,
    description: 'True completes, false reopens, and nothing at all turns one into the other.',
    examples: [{ completed: true }],
  },
)
export type Completion = Static<typeof CompletionSchema>

export const SkipSchema = t.Object(
  {
    occurrence: t.Optional({
      ...occurrence,
      description: 'The day that is to be skipped: where it is another one by now, nothing is.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Nothing, or which day is to be skipped.',
    examples: [{ occurrence: '2026-12-01' }],
  },
)
export type Skip = Static<typeof SkipSchema>

export const OccurrencesQuerySchema = t.Object(
  {
    limit: t.Optional(
      t.Integer({
        minimum: 1,
        maximum: 100,
        default: 10,
        description: 'How many days, 1 to 100.',
        examples: [10],
      }),
    ),
  },
  { additionalProperties: false },
)

export const OccurrenceSchema = t.Object(
  {
    due_date,
    due_time: nullable(due_time),
    time_zone: nullable(time_zone),
    at: nullable(
      t.String({
        format: 'date-time',
        description:
          'The moment: where the task has no time_zone, in yours, else that of the header `Time-Zone`, else UTC. Null: all day.',
        examples: ['2026-12-01T17:30:00Z'],
      }),
    ),
  },
  { additionalProperties: false, description: 'A day on which a task is due.' },
)

const besides = (meaning: string) =>
  t.Optional({ ...id, description: meaning, examples: ['019d2f6e-8d4c-7a6b-9c0d-1e2f3a4b5c6d'] })

export const MoveSchema = t.Object(
  {
    list_id: t.Optional(nullable(list_id)),
    parent_id: t.Optional(nullable(parent_id)),
    before: besides('The task that it shall be just before, in its list and under its parent.'),
    after: besides('The task that it shall be just after, likewise.'),
  },
  {
    additionalProperties: false,
    dependentSchemas: { before: { not: { required: ['after'] } } },
    description:
      'Where the task shall be. With before or after it is where that one is; without, at the end. In another list it is under ' +
      'no task, unless parent_id says so.',
    examples: [{ after: '019d2f6e-8d4c-7a6b-9c0d-1e2f3a4b5c6d' }],
  },
)
export type Move = Static<typeof MoveSchema>

const { title: _, ...settable } = writable

export const BulkSchema = t.Object(
  {
    filter: t.Optional(
      storable(1, 1000, {
        description:
          'The tasks that `GET /api/tasks?filter=` lists, 1,000 at most: of more none is changed.',
        examples: ['#home due:<today'],
      }),
    ),
    ids: t.Optional(
      t.Array(id, {
        minItems: 1,
        maxItems: 1000,
        description: 'These tasks.',
        examples: [['019d2f6e-8d4c-7a6b-9c0d-1e2f3a4b5c6d']],
      }),
    ),
    versions: t.Optional(
      t.Array(t.Integer({ minimum: 1, description: 'A version.', examples: [1] }), {
        minItems: 1,
        maxItems: 1000,
        description:
          'With `ids`: of each the version that it must have, or none is changed, with 412.',
        examples: [[1]],
      }),
    ),
    set: t.Optional(
      t.Object(
        { title: t.Optional(title), ...settable },
        {
          additionalProperties: false,
          minProperties: 1,
          description: 'What each of them becomes, as by PATCH.',
          examples: [{ priority: 'high' }],
        },
      ),
    ),
    action: t.Optional(
      t.Union(
        [t.Literal('complete'), t.Literal('reopen'), t.Literal('delete'), t.Literal('restore')],
        {
          error: 'must be one of complete, reopen, delete, restore',
          description: 'What is done with each of them, and with what is under it.',
          examples: ['complete'],
        },
      ),
    ),
    dry_run: t.Optional(
      t.Boolean({
        default: false,
        description: 'True only counts, and changes nothing.',
        examples: [false],
      }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ['filter'] }, { required: ['ids'] }],
    dependentSchemas: { set: { not: { required: ['action'] } } },
    dependentRequired: { versions: ['ids'] },
    description:
      'Which tasks, by a filter or by their ids, and what becomes of them: `set` or `action`.',
    examples: [{ filter: '#home due:<today', action: 'complete' }],
  },
)
export type Bulk = Static<typeof BulkSchema>

export const BulkChangedSchema = t.Object(
  {
    matched: t.Integer({ minimum: 0, description: 'How many tasks were meant.', examples: [7] }),
    changed: t.Integer({
      minimum: 0,
      description: 'How many have changed, with what is under them.',
      examples: [9],
    }),
    request_id: t.String({
      description: 'Undo all of it by this.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
  },
  { additionalProperties: false, description: 'What was changed together.' },
)
export type BulkChanged = Static<typeof BulkChangedSchema>

const status = t.Union([t.Literal('all'), t.Literal('pending'), t.Literal('completed')], {
  model: 'Status',
  error: 'must be one of all, pending, completed',
  default: 'all',
  description: 'Which tasks: all, those that are pending, those that are completed.',
})
const sort = t.Union(
  [
    t.Literal('created_at'),
    t.Literal('updated_at'),
    t.Literal('due_date'),
    t.Literal('priority'),
    t.Literal('title'),
    t.Literal('position'),
  ],
  {
    model: 'Sort',
    aliases: ['sort_by'],
    synonyms: { created: 'created_at', updated: 'updated_at' },
    error: 'must be one of created_at, updated_at, due_date, priority, title, position',
    default: 'created_at',
    description:
      'By title, letters go by the alphabet whatever their case and marks, and numbers by what they are: Step 2 is before ' +
      'Step 10. By due_date, the times of a day come in their order, and without a time last of it. By position is the manual order: that of the inbox, ' +
      'then list by list. Ties go by id. A task without a due date comes last in either order.',
  },
)
const order = t.Union([t.Literal('asc'), t.Literal('desc')], {
  model: 'Order',
  aliases: ['sort_order'],
  error: 'must be asc or desc',
  description: 'Ascending or descending. Default: asc by due_date, title and position, else desc.',
  examples: ['asc'],
})

/** An id, or none. */
const place = (options: { description: string; error: string }) =>
  t.String({
    pattern: '^(none|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$',
    examples: ['none'],
    ...options,
  })

/** Further on there are cursors, which cost nothing to go on from. */
export const mostSkipped = 10_000

export const TaskListQuerySchema = t.Object(
  {
    status: t.Optional(status),
    priority: t.Optional(
      t.Array(priority, {
        minItems: 1,
        maxItems: 4,
        description: 'Any of these, separated by commas.',
        examples: [['high', 'medium']],
      }),
    ),
    tag: t.Optional(
      t.Array(tag, {
        minItems: 1,
        maxItems: 20,
        description:
          'Has this tag, in any case, with or without marks; repeat it for tasks that have them all.',
        examples: [['home']],
      }),
    ),
    due: t.Optional(
      t.Literal('none', {
        error: 'must be none',
        description: 'Has no due date.',
        examples: ['none'],
      }),
    ),
    due_after: t.Optional(day('Due on this day or later.')),
    due_before: t.Optional(day('Due on this day or earlier.')),
    q: t.Optional(
      storable(0, 200, {
        aliases: ['search'],
        pattern: '^\\s*(\\S+\\s+){0,7}\\S*\\s*$',
        error: 'must have at most 8 words',
        description:
          'Up to 8 words, or parts of words, that all occur in title, description or tags, in any case, with or without marks.',
        examples: ['plant'],
      }),
    ),
    filter: t.Optional(
      storable(0, 1000, {
        description:
          'Which tasks, in one line: `priority:>=high due:<tomorrow -#waiting list:"Home" "exact words"`, or as ' +
          '`priority >= medium and (due = today or tag = home)`. What is side by side holds together. Fields: status, priority, ' +
          'tag, list, due, created, updated, completed, title, description, text, is, has. `@name` is a filter that is kept. Where ' +
          'something is wrong with it, `errors` says at what character.',
        examples: ['priority:>=medium (due:<=today or #home)'],
      }),
    ),
    list: t.Optional(
      place({
        description: 'Is in the list with this id; none: in no list, which is the inbox.',
        error: 'must be the id of a list, or none',
      }),
    ),
    parent: t.Optional(
      place({
        description: 'Is just under the task with this id; none: under no task.',
        error: 'must be the id of a task, or none',
      }),
    ),
    archived: t.Optional(
      t.Boolean({
        default: false,
        description:
          'True also lists tasks of lists that are archived. With `list` or `parent` they are listed anyway.',
        examples: [true],
      }),
    ),
    include: t.Optional(
      t.Literal('subtasks', {
        error: 'must be subtasks',
        description:
          'Lists tasks that are under no task, unless `parent` says else, each with `subtasks`: all that is under it, in manual order.',
        examples: ['subtasks'],
      }),
    ),
    deleted: t.Optional(
      t.Boolean({ default: false, description: 'True lists the trash instead.', examples: [true] }),
    ),
    sort: t.Optional(sort),
    order: t.Optional(order),
    limit: t.Optional(
      t.Integer({
        minimum: 1,
        default: 50,
        description: 'Tasks in a page, 1 to 200; more is taken as 200.',
        examples: [50],
      }),
    ),
    offset: t.Optional(
      t.Integer({
        aliases: ['skip'],
        minimum: 0,
        maximum: mostSkipped,
        default: 0,
        description:
          'How many tasks to skip. What comes and goes meanwhile moves the others, and a page may be short of its limit: the ' +
          'next one is after as many as were answered. The Link header goes on without it, and by a cursor.',
        examples: [50],
      }),
    ),
    cursor: t.Optional(
      t.String({
        description: 'Where to go on, from the Link header of a page of the same list.',
        examples: [
          'WyIyZHoxZmZ6N3drODdnIiwiMjAyNi0xMS0yMFQyMjozNjo0Mi4xMjM0NTYrMDA6MDAiLCIwMTlkMmY2ZS03YTNjLTdiNTQtOWMxZS0wZDVmMmE4YjZjMzEiXQ',
        ],
      }),
    ),
  },
  { additionalProperties: false },
)
export type TaskListQuery = Static<typeof TaskListQuerySchema>

const { list: _list, sort: usualSort, cursor, ...ofList } = TaskListQuerySchema.properties

/** Of the tasks of a list. */
export const ListTasksQuerySchema = t.Object(
  {
    ...ofList,
    sort: t.Optional({ ...usualSort, default: 'position' }),
    cursor: t.Optional({
      ...cursor,
      examples: [
        'WyIzZXV0c250bjQydDciLCIwMTlkMmY2ZS01YjFhLTdjM2QtOGUyZi0xYTBiOWM4ZDdlNmYgaTAwMDAwMDAyYSIsIjAxOWQyZjZlLTdhM2MtN2I1NC05YzFlLTBkNWYyYThiNmMzMSJd',
      ],
    }),
  },
  { additionalProperties: false },
)

export const CountSchema = t.Object(
  { count: t.Integer({ minimum: 0, description: 'How many tasks.', examples: [7] }) },
  { additionalProperties: false, description: 'How many tasks there are.' },
)

export const TaskParamsSchema = t.Object({ user_id: t.Optional(t.String()), id })

export const TagSchema = t.Object(
  {
    tag: { ...tag, description: 'As most of its tasks write it, or as one of them.' },
    count: t.Integer({
      minimum: 1,
      description: 'How many tasks have it, but for those in the trash.',
      examples: [7],
    }),
    pending: t.Integer({
      minimum: 0,
      description: 'How many of these are not completed.',
      examples: [3],
    }),
  },
  { additionalProperties: false, description: 'A tag, and how many tasks have it.' },
)
export type Tag = Static<typeof TagSchema>

export const RenameSchema = t.Object(
  {
    from: { ...tag, description: 'The tag that is to go, in any case and composition.' },
    to: {
      ...tag,
      description: 'What it is called from now on: another tag, or the same in another spelling.',
      examples: ['house'],
    },
    dry_run: t.Optional(
      t.Boolean({
        default: false,
        description: 'True only counts, and changes nothing.',
        examples: [false],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'One tag into another.',
    examples: [{ from: 'home', to: 'house' }],
  },
)
export type Rename = Static<typeof RenameSchema>

export const RenamedSchema = t.Object(
  {
    matched: t.Integer({
      minimum: 0,
      description: 'How many tasks were to be changed.',
      examples: [7],
    }),
    changed: t.Integer({
      minimum: 0,
      description: 'How many were: 1,000 at most. Where it is fewer than matched, send it again.',
      examples: [7],
    }),
    request_id: t.String({
      description: 'Undo all of it by this.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
  },
  { additionalProperties: false, description: 'What a rename has changed.' },
)
export type Renamed = Static<typeof RenamedSchema>

/** Named so that OpenAPI shows each once, under components.schemas. */
export const taskModels = {
  Task: TaskSchema,
  TaskTree: TaskTreeSchema,
  ChangedTask: ChangedTaskSchema,
  Skip: SkipSchema,
  Occurrence: OccurrenceSchema,
  NewTask: NewTaskSchema,
  Batch: BatchSchema,
  Bulk: BulkSchema,
  BulkChanged: BulkChangedSchema,
  Tag: TagSchema,
  Rename: RenameSchema,
  Renamed: RenamedSchema,
  TaskPatch: TaskPatchSchema,
  Completion: CompletionSchema,
  Move: MoveSchema,
  Count: CountSchema,
}

const noList = { status: 404, detail: 'You have no list with this id.' } as const
export const noParent = {
  status: 404,
  detail: 'You have no task with the id of the parent.',
} as const
const tooDeep = { pointer: '/parent_id', detail: 'is too deep: there are 5 levels at most' }

/** What it means to who sent it that a task cannot be where it was to be: sql/005_lists.sql. */
export const placeConstraints = {
  tasks_list: noList,
  tasks_list_there: noList,
  tasks_parent: noParent,
  tasks_parent_there: noParent,
  tasks_parent_list: { pointer: '/list_id', detail: 'is not the list of the parent' },
  tasks_circle: { pointer: '/parent_id', detail: 'is the task itself, or under it' },
  tasks_depth: tooDeep,
  tasks_subtasks: {
    pointer: '/parent_id',
    detail: 'has no room: there are 1,000 tasks at most under one',
  },
}

/** What the checks of the table mean to who sent the values: only the database sees a merge whole. */
export const taskConstraints = {
  tasks_due_time_needs_due_date: { pointer: '/due_time', detail: 'needs a due_date' },
  tasks_time_zone_needs_due_time: { pointer: '/time_zone', detail: 'needs a due_time' },
  tasks_reminders_need_due_date: {
    pointer: '/reminders',
    detail: 'needs a due_date: a duration is from then',
  },
  tasks_reminders_of_series: {
    pointer: '/reminders',
    detail: 'must be durations where the task repeats: a moment does not come again',
  },
  tasks_time_zone_known: {
    pointer: '/time_zone',
    detail: 'is not known to the database, so that nothing can remind in it',
  },
  tasks_repeat_from_needs_recurrence: { pointer: '/repeat_from', detail: 'needs a recurrence' },
  tasks_recurrence_needs_due_date: { pointer: '/recurrence', detail: 'needs a due_date' },
  tasks_recurrence_on_top: {
    pointer: '/recurrence',
    detail:
      'is not taken of a subtask: let the task above it repeat, which makes its subtasks anew',
  },
  tasks_extra_size: { pointer: '/extra', detail: 'must have at most 8192 bytes in all, as JSON' },
}
