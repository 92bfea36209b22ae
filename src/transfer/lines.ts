import { type Static, type TObject, Type as t } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import { isUserId } from '../auth/identity.ts'
import { isPosition } from '../database/log/positions.ts'
import { FilterSchema, type KeptFilter } from '../filters/schema.ts'
import { oddityOf } from '../http/body.ts'
import { isInstant, nullable, storable } from '../http/formats.ts'
import type { Fault } from '../http/problem.ts'
import { findFaults } from '../http/validation.ts'
import { type List, ListSchema } from '../lists/schema.ts'
import { RuleFault, writtenRule } from '../tasks/recurrence/recurrence.ts'
import { isRelative } from '../tasks/reminders.ts'
import { type Task, TaskSchema, taskConstraints } from '../tasks/schema.ts'
import type { User } from '../tasks/transfer.ts'

// What export writes and import reads: JSON Lines. First {"user": …}, then a {"filter": …}, a {"list": …, "history": […]} and a
// {"task": …, "history": […]} for each.

const UserSchema = t.Object(
  {
    id: t.String({ minLength: 1 }),
    created_at: t.String({ format: 'date-time' }),
    time_zone: t.Optional(nullable(t.String({ format: 'time-zone' }))),
  },
  { additionalProperties: false },
)
/** With what is kept of it. */
const KeptTaskSchema = t.Object(
  {
    ...TaskSchema.properties,
    // A file that was written by hand may not know them.
    list_id: t.Optional(TaskSchema.properties.list_id),
    parent_id: t.Optional(TaskSchema.properties.parent_id),
    position: t.Optional(TaskSchema.properties.position),
    recurrence: t.Optional(TaskSchema.properties.recurrence),
    repeat_from: t.Optional(TaskSchema.properties.repeat_from),
    series_id: t.Optional(TaskSchema.properties.series_id),
    occurrence: t.Optional(TaskSchema.properties.occurrence),
    reminders: t.Optional(TaskSchema.properties.reminders),
    extra: t.Optional(t.Record(t.String(), t.Unknown())),
  },
  { additionalProperties: false },
)
/** Where there was nothing kept, and then something. */
const ImageSchema = t.Object(
  { ...KeptTaskSchema.properties, extra: t.Optional(nullable(t.Record(t.String(), t.Unknown()))) },
  { additionalProperties: false },
)
const words = (values: string[]) =>
  t.Union(
    values.map((value) => t.Literal(value)),
    { error: `must be one of ${values.join(', ')}` },
  )
/** A change that was made of a thing elsewhere. */
const changeOf = <S extends TObject>(image: S) =>
  t.Object(
    {
      at: t.String({ format: 'date-time' }),
      by: nullable(
        t.Object(
          {
            kind: words(['session', 'token', 'program', 'jwt']),
            name: nullable(t.String()),
          },
          { additionalProperties: false },
        ),
      ),
      request_id: nullable(storable(1, 128, {})),
      action: words([
        'created',
        'updated',
        'completed',
        'reopened',
        'moved',
        'deleted',
        'restored',
        'imported',
      ]),
      before: nullable(t.Partial(image)),
    },
    { additionalProperties: false },
  )
const lineSchemas = {
  user: t.Object({ user: UserSchema }, { additionalProperties: false }),
  task: t.Object(
    {
      task: KeptTaskSchema,
      history: t.Optional(t.Array(changeOf(ImageSchema), { maxItems: 1000 })),
    },
    { additionalProperties: false },
  ),
  list: t.Object(
    { list: ListSchema, history: t.Optional(t.Array(changeOf(ListSchema), { maxItems: 1000 })) },
    { additionalProperties: false },
  ),
  filter: t.Object({ filter: FilterSchema }, { additionalProperties: false }),
}
export type Line =
  | Static<typeof lineSchemas.user>
  | Static<typeof lineSchemas.task>
  | Static<typeof lineSchemas.list>
  | Static<typeof lineSchemas.filter>
const isUserLine = TypeCompiler.Compile(lineSchemas.user)
const isTaskLine = TypeCompiler.Compile(lineSchemas.task)
const isListLine = TypeCompiler.Compile(lineSchemas.list)
const isFilterLine = TypeCompiler.Compile(lineSchemas.filter)

/** The bytes of each line, without the mark that some editors put at the beginning of a file. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Put together once, however long a line is.
  let parts: Uint8Array[] = []
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      yield withoutMark(Buffer.concat([...parts, chunk.subarray(from, end)]))
      parts = []
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
  }
  if (parts.length > 0) yield withoutMark(Buffer.concat(parts))
}

const lineFeed = 10

const byteOrderMark = Buffer.from('\uFEFF')

/** Of any line: files that were put together have one within. */
export const withoutMark = (line: Buffer): Buffer =>
  line.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? line.subarray(byteOrderMark.length)
    : line

/** Whether there is nothing on it, but for what Windows puts at an end. */
export const isBlank = (line: Uint8Array): boolean =>
  line.every((byte) => byte === 9 || byte === 13 || byte === 32)

/** @returns the line, or what is wrong with it, as the rest of a sentence */
export function parseLine(bytes: Uint8Array): Line | string {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return 'it is not JSON in UTF-8'
  }
  const oddity = oddityOf(text, value, deepest)
  if (oddity !== null) return `it ${oddity}`
  if (isUserLine.Check(value)) return describe(faultOfUser(value.user)) ?? value
  if (isTaskLine.Check(value)) {
    const { task, history } = value
    return describe(faultOfTask(task) ?? faultOfHistory(task, history, faultOfTask)) ?? value
  }
  if (isListLine.Check(value)) {
    const { list, history } = value
    return describe(faultOfRow(list) ?? faultOfHistory(list, history, faultOfRow, 'list')) ?? value
  }
  if (isFilterLine.Check(value)) return describe(faultOfFilter(value.filter)) ?? value
  const kind =
    (['user', 'list', 'filter'] as const).find((name) => isObject(value) && name in value) ?? 'task'
  return describe(findFaults(Value.Errors(lineSchemas[kind], value))[0]) ?? 'it is not valid'
}

/** Objects and arrays within each other: deeper than what a task can have beside it, in a history. */
const deepest = 16

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The field of a user, a list, a filter or a task, and what is wrong with it. */
export function describe(fault: Fault | undefined): string | undefined {
  return (
    fault &&
    `${fault.pointer.replace(/^\/(?:(?:user|task|list|filter)\/)?/, '') || 'it'} ${fault.detail}`
  )
}

/** What a column of type integer holds, with room for changes. */
const mostVersions = 2_000_000_000

const unlikeUserId = 'must be 1 to 255 characters, without NUL or half a surrogate pair'
const unlikeInstant =
  'must be an instant of the years 1 to 9999 with its offset from UTC, such as 2026-11-20T22:36:42.123456+00:00'

/** What is wrong with a filter that the schema takes. */
function faultOfFilter({ user_id, created_at, updated_at }: KeptFilter): Fault | undefined {
  if (!isUserId(user_id)) return { pointer: '/user_id', detail: unlikeUserId }
  if (!isInstant(created_at)) return { pointer: '/created_at', detail: unlikeInstant }
  if (!isInstant(updated_at)) return { pointer: '/updated_at', detail: unlikeInstant }
  return undefined
}

/** What is wrong with a user that the schema takes. */
function faultOfUser({ id, created_at }: User): Fault | undefined {
  if (!isUserId(id)) return { pointer: '/id', detail: unlikeUserId }
  if (!isInstant(created_at)) return { pointer: '/created_at', detail: unlikeInstant }
  return undefined
}

type Row = Partial<Task & List>

/** What is wrong with a row that the schema takes: it is of rows as they are answered, whose values the database has made. */
function faultOfRow({ user_id, version = 1, position, ...row }: Row): Fault | undefined {
  if (user_id !== undefined && !isUserId(user_id)) {
    return { pointer: '/user_id', detail: unlikeUserId }
  }
  if (version > mostVersions) {
    return { pointer: '/version', detail: `must be at most ${mostVersions}` }
  }
  if (position !== undefined && !isPosition(position)) {
    return { pointer: '/position', detail: 'must be a position as it is answered' }
  }
  const wrong = instants.find((name) => !isInstant(row[name] ?? anInstant))
  return wrong && { pointer: `/${wrong}`, detail: unlikeInstant }
}

const instants = ['archived_at', 'completed_at', 'created_at', 'updated_at', 'deleted_at'] as const

/** The same of a task. */
function faultOfTask(task: Partial<Task>): Fault | undefined {
  const { due_date, due_time, time_zone, reminders, completed, completed_at } = task
  if (due_time && due_date === null) return taskConstraints.tasks_due_time_needs_due_date
  if (time_zone && due_time === null) return taskConstraints.tasks_time_zone_needs_due_time
  if (due_date === null && reminders?.some(isRelative)) {
    return taskConstraints.tasks_reminders_need_due_date
  }
  const fault = faultOfRule(task)
  if (fault !== undefined) return fault
  if (
    completed !== undefined &&
    completed_at !== undefined &&
    completed === (completed_at === null)
  ) {
    return {
      pointer: '/completed',
      detail: 'must be true where there is a completed_at, and only there',
    }
  }
  return faultOfRow(task)
}

/** What is wrong with how a task repeats. An image in a history has what changed, and the rest may be missing. */
function faultOfRule(task: Partial<Task>): Fault | undefined {
  const { recurrence, repeat_from, series_id, occurrence, due_date, parent_id } = task
  if (recurrence === undefined || recurrence === null) {
    const isNone = [repeat_from, series_id, occurrence].every((value) => value == null)
    return recurrence === undefined || isNone
      ? undefined
      : taskConstraints.tasks_repeat_from_needs_recurrence
  }
  if (due_date === null) return taskConstraints.tasks_recurrence_needs_due_date
  if (parent_id != null) return taskConstraints.tasks_recurrence_on_top
  if (repeat_from === null || series_id === null || occurrence === null) {
    return { pointer: '/recurrence', detail: 'needs repeat_from, series_id and occurrence' }
  }
  try {
    if (writtenRule(recurrence, {}, '2026-01-01') === recurrence) return undefined
  } catch (error) {
    if (!(error instanceof RuleFault)) throw error
  }
  return { pointer: '/recurrence', detail: 'must be a rule as it is answered' }
}

/** In place of one that is not there. */
const anInstant = '2026-01-01T00:00:00Z'

/** What is wrong with the changes of a thing: whoever reads what it was before must find nothing of another one there. */
function faultOfHistory<Image extends { id?: string; user_id?: string }>(
  own: { id: string; user_id: string },
  history: { at: string; before: Image | null }[] = [],
  faultOf: (before: Image) => Fault | undefined,
  thing = 'task',
): Fault | undefined {
  for (const [index, { at, before }] of history.entries()) {
    const pointer = `/history/${index}`
    if (!isInstant(at)) return { pointer: `${pointer}/at`, detail: unlikeInstant }
    if (before === null) continue
    if (before.id?.toLowerCase() !== own.id.toLowerCase()) {
      return { pointer: `${pointer}/before/id`, detail: `must be that of the ${thing}` }
    }
    if (before.user_id !== own.user_id) {
      return { pointer: `${pointer}/before/user_id`, detail: `must be that of the ${thing}` }
    }
    const fault = faultOf(before)
    if (fault !== undefined) return { ...fault, pointer: `${pointer}/before${fault.pointer}` }
  }
  return undefined
}
