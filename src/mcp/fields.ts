import { type TObject, type TSchema, Type as t } from '@sinclair/typebox'
import { fold } from '../http/fold.ts'
import { isUuid } from '../http/formats.ts'
import { invalid, Problem } from '../http/problem.ts'
import { type Caller, type List, Refused } from './caller.ts'
import { cut } from './lean.ts'
import { splitIds } from './wire.ts'

// The arguments of tools, and what they are in the words of the API. How long a text may be, and what a time is, is said by the routes.

const text = (description: string) => t.String({ description })
const words = (of: string[], more: object = {}) => t.String({ enum: of, ...more })

export const task_id = text('As given by add_task, list_tasks or search')
export const task_ids = text('One id, or several separated by commas')

/** Older chatbots say whose. */
export const user_id = t.Optional(text('Leave it out'))

const described = {
  title: text('What is to be done'),
  description: text('More about it'),
  priority: words(['none', 'low', 'medium', 'high']),
  tags: t.Array(t.String()),
  due_date: text('YYYY-MM-DD, or today, tomorrow, friday, +3d, +2w'),
  due_time: text('HH:MM; needs a due_date'),
  time_zone: text('IANA name; only if the due_time is not where the user is'),
  list: text('Name or id of a list; inbox is none'),
  parent_id: text('Task that it is a subtask of'),
  recurrence: text('daily, weekdays, weekly, monthly, yearly, or an RRULE'),
  reminders: t.Array(t.String(), {
    description: 'Durations before it is due, as -PT30M or -P1D, or moments with an offset',
  }),
}

const { title, ...others } = described

const optional = Object.fromEntries(
  Object.entries(others).map(([name, schema]) => [name, t.Optional(schema as TSchema)]),
)

export const newTask = { title, ...optional }

/** Each may be cleared. */
export const changes = {
  title: t.Optional(title),
  completed: t.Optional(t.Boolean()),
  ...Object.fromEntries(
    Object.entries(others).map(([name, schema]) => [
      name,
      t.Optional(t.Union([schema as TSchema, t.Null()])),
    ]),
  ),
}

export const NewTask = t.Object(newTask, { additionalProperties: false })

/** A task of the API. */
export type Fields = Record<string, unknown>

/** @throws Problem 422 */
export async function toFields(
  caller: Caller,
  { list, due_date, ...rest }: Fields,
): Promise<Fields> {
  return {
    ...rest,
    ...(list === undefined ? {} : { list_id: await listIdOf(caller, list as string | null) }),
    ...(due_date === undefined
      ? {}
      : { due_date: await dateOf(caller, due_date as string | null) }),
  }
}

/** The same, of a task that is to be made: who may see only some lists has to name one, unless it is the only one. */
export async function toNewFields(caller: Caller, args: Fields): Promise<Fields> {
  const fields = await toFields(caller, args)
  const { list_ids: lists } = caller.user
  const isPlaced = fields['list_id'] !== undefined || fields['parent_id'] !== undefined
  if (lists === null || isPlaced) return fields
  if (lists.length === 1) return { ...fields, list_id: lists[0] }
  const names = namesOf(await caller.lists())
  const detail = `is needed, for this token is for some lists only. ${names}`
  throw invalid([{ pointer: '/list', detail }])
}

async function dateOf(caller: Caller, given: string | null): Promise<string | null> {
  if (given === null) return null
  const date = caller.dateOf(given.trim(), await caller.today())
  if (date !== null) return date
  throw invalid([
    {
      pointer: '/due_date',
      detail: 'must be a day: YYYY-MM-DD, or today, tomorrow, friday, +3d, +2w, +1m',
    },
  ])
}

/** The id of the list that is named; null: none. @throws Problem 422, which says what lists there are */
export async function listIdOf(caller: Caller, given: string | null): Promise<string | null> {
  if (given === null) return null
  const lists = await caller.lists()
  const key = fold(given)
  const found = lists.filter(({ id, name }) => id === given.toLowerCase() || fold(name) === key)
  const [one, another] = found
  if (another !== undefined) {
    const ids = found.map(({ id }) => id).join(', ')
    throw invalid([{ pointer: '/list', detail: `is the name of several lists: say which, ${ids}` }])
  }
  if (one !== undefined) return one.id
  if (key === 'inbox' || key === 'none') return null
  throw invalid([{ pointer: '/list', detail: `is no list of the user. ${namesOf(lists)}` }])
}

const namesOf = (lists: List[]): string =>
  lists.length === 0
    ? 'There are none: leave it out'
    : `There are ${lists
        .slice(0, 30)
        .map(({ name }) => cut(name, 60))
        .join(', ')}${lists.length > 30 ? ' and more' : ''}`

/** @throws Problem 422 */
export function idsOf(given: string): string[] {
  const ids = [...new Set(splitIds(given).map((id) => id.toLowerCase()))]
  const wrong = ids.filter((id) => !isUuid(id))
  if (ids.length > 0 && wrong.length === 0) return ids
  throw new Problem(
    422,
    `"${cut(wrong[0] ?? '', 40)}" is no task_id: take it whole from list_tasks or search, and never make one up.`,
  )
}

/** @throws Problem 422 */
export function idOf(given: string): string {
  const [id = '', ...rest] = idsOf(given)
  if (rest.length === 0) return id
  throw new Problem(422, 'task_id must be one id here.')
}

/** Several together: where some are not there, it is said which. */
export async function askForAll(
  caller: Caller,
  ids: string[],
  action: string,
): Promise<{ matched: number; changed: number }> {
  try {
    return (
      await caller.ask<{ matched: number; changed: number }>('POST', '/api/tasks/bulk', {
        ids,
        action,
      })
    ).value
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { status, detail, errors = [] } = error.problem
    const named = errors.flatMap(
      ({ pointer }) => ids[Number(/^\/ids\/(\d+)$/.exec(pointer)?.[1])] ?? [],
    )
    if (status !== 404 || named.length === 0) throw error
    throw new Problem(404, `${detail} There is no ${named.join(', ')}.`)
  }
}

/** The names of what a tool takes, for who has misspelt one. */
export const namesIn = ({ properties }: TObject): string =>
  Object.keys(properties)
    .filter((name) => name !== 'user_id')
    .join(', ')
