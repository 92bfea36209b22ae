import { type Static, Type as t } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'
import { isUserId } from './auth/identity.ts'
import { isInstant } from './http/formats.ts'
import type { Fault } from './http/problem.ts'
import { findFaults } from './http/validation.ts'
import { type Task, TaskSchema, taskConstraints } from './tasks/schema.ts'
import type { User } from './tasks/transfer.ts'

// What export writes and import reads: JSON Lines. First {"user": …}, then a {"task": …} for each.

const UserSchema = t.Object(
  {
    id: t.String({ minLength: 1 }),
    created_at: t.String({ format: 'date-time' }),
  },
  { additionalProperties: false },
)
const lineSchemas = {
  user: t.Object({ user: UserSchema }, { additionalProperties: false }),
  task: t.Object({ task: TaskSchema }, { additionalProperties: false }),
}
export type Line = Static<typeof lineSchemas.user> | Static<typeof lineSchemas.task>
const isUserLine = TypeCompiler.Compile(lineSchemas.user)
const isTaskLine = TypeCompiler.Compile(lineSchemas.task)

/** The bytes of each line, without the mark that some editors put at the beginning of a file. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    let from = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      yield withoutMark(Buffer.concat([rest, chunk.subarray(from, end)]))
      rest = Buffer.alloc(0)
      from = end + 1
    }
    rest = Buffer.concat([rest, chunk.subarray(from)])
  }
  if (rest.length > 0) yield withoutMark(rest)
}

const lineFeed = 10

const byteOrderMark = Buffer.from('\uFEFF')

/** Of any line: files that were put together have one within. */
const withoutMark = (line: Buffer): Buffer =>
  line.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? line.subarray(byteOrderMark.length)
    : line

/** Whether there is nothing on it, but for what Windows puts at an end. */
export const isBlank = (line: Uint8Array): boolean =>
  line.every((byte) => byte === 9 || byte === 13 || byte === 32)

/** @returns the line, or what is wrong with it, as the rest of a sentence */
export function parseLine(bytes: Uint8Array): Line | string {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return 'it is not JSON in UTF-8'
  }
  if (isUserLine.Check(value)) return describe(faultOfUser(value.user)) ?? value
  if (isTaskLine.Check(value)) return describe(faultOfTask(value.task)) ?? value
  const kind = isObject(value) && 'user' in value ? 'user' : 'task'
  return describe(findFaults(Value.Errors(lineSchemas[kind], value))[0]) ?? 'it is not valid'
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The field of a user or a task, and what is wrong with it. */
export function describe(fault: Fault | undefined): string | undefined {
  return fault && `${fault.pointer.replace(/^\/(?:(?:user|task)\/)?/, '') || 'it'} ${fault.detail}`
}

/** What a column of type integer holds, with room for changes. */
const mostVersions = 2_000_000_000

const unlikeUserId = 'must be 1 to 255 characters, without NUL or half a surrogate pair'
const unlikeInstant =
  'must be an instant of the years 1 to 9999 with its offset from UTC, such as 2026-11-20T22:36:42.123456+00:00'

/** What is wrong with a user that the schema takes. */
function faultOfUser({ id, created_at }: User): Fault | undefined {
  if (!isUserId(id)) return { pointer: '/id', detail: unlikeUserId }
  if (!isInstant(created_at)) return { pointer: '/created_at', detail: unlikeInstant }
  return undefined
}

/** What is wrong with a task that the schema takes: it is of tasks as they are answered, whose values the database has made. */
function faultOfTask(task: Task): Fault | undefined {
  if (!isUserId(task.user_id)) return { pointer: '/user_id', detail: unlikeUserId }
  if (task.version > mostVersions) {
    return { pointer: '/version', detail: `must be at most ${mostVersions}` }
  }
  if (task.due_time !== null && task.due_date === null) {
    return taskConstraints.tasks_due_time_needs_due_date
  }
  if (task.time_zone !== null && task.due_time === null) {
    return taskConstraints.tasks_time_zone_needs_due_time
  }
  if (task.completed !== (task.completed_at !== null)) {
    return {
      pointer: '/completed',
      detail: 'must be true where there is a completed_at, and only there',
    }
  }
  const instants = ['completed_at', 'created_at', 'updated_at', 'deleted_at'] as const
  const wrong = instants.find((name) => task[name] !== null && !isInstant(task[name]))
  return wrong && { pointer: `/${wrong}`, detail: unlikeInstant }
}
