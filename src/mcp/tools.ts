import { Type as t } from '@sinclair/typebox'
import { allows } from '../auth/scopes.ts'
import { invalid, Problem } from '../http/problem.ts'
import { addTasks } from './add-tasks.ts'
import { type Caller, Refused, search, wordsFor } from './caller.ts'
import {
  askForAll,
  changes,
  idOf,
  idsOf,
  listIdOf,
  NewTask,
  newTask,
  task_id,
  task_ids,
  toFields,
  toNewFields,
  user_id,
} from './fields.ts'
import { lean, outcome, short, type Task, whole } from './lean.ts'
import { overview } from './overview.ts'
import { codes, RpcError } from './protocol.ts'
import { adding, type Json, reading, removing, settling, type Tool, tool } from './tool.ts'

// What agents can do. Each tool is a request to the API, or a few: it can do no more than those.

const closed = { additionalProperties: false }

const states = ['pending', 'completed', 'all', 'deleted']

const made = async (caller: Caller, status: string, task: Task): Promise<Json> => ({
  ...outcome(status, task, await caller.namesFor([task])),
  request_id: caller.requestId,
})

const tools: Tool[] = [
  tool({
    name: 'add_task',
    title: 'Add a task',
    description: 'Adds a task.',
    hints: adding,
    input: t.Object({ user_id, ...newTask }, closed),
    call: async (caller, args) => {
      const fields = await toNewFields(caller, args)
      const { value } = await caller.ask<Task>('POST', '/api/tasks', fields)
      return made(caller, 'created', value)
    },
  }),
  tool({
    name: 'add_tasks',
    title: 'Add tasks',
    description:
      'Adds up to 50 tasks and says what became of each: those that are wrong are left out.',
    hints: adding,
    input: t.Object({ tasks: t.Array(NewTask, { description: 'Each as for add_task' }) }, closed),
    checked: t.Object({ tasks: t.Array(t.Unknown(), { minItems: 1, maxItems: 50 }) }, closed),
    call: (caller, { tasks }) => addTasks(caller, tasks),
  }),
  tool({
    name: 'list_tasks',
    title: 'List tasks',
    description:
      'Lists tasks, long descriptions cut. filter is like `due:<=today`, `priority:>=medium (#home or list:"Work")`, `is:overdue -tag:waiting`, `"exact words"`; ' +
      'fields: priority, tag, list, due, created, updated, completed, title, description, has, is; days: 2026-12-31, today, friday, +3d, none. ' +
      'Where there is `more`, call again with it as cursor and the rest the same.',
    hints: reading,
    input: t.Object(
      {
        user_id,
        filter: t.Optional(t.String()),
        status: t.Optional(
          t.String({
            enum: states,
            default: 'pending',
            description: 'deleted: the trash',
          }),
        ),
        list: t.Optional(t.String({ description: 'Name or id; inbox is none' })),
        sort: t.Optional(
          t.String({
            enum: ['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position'],
            default: 'created_at',
          }),
        ),
        limit: t.Optional(t.Integer({ minimum: 1, maximum: 100, default: 25 })),
        cursor: t.Optional(t.String()),
      },
      closed,
    ),
    call: async (caller, { filter, status = 'pending', list, sort, limit = 25, cursor }) => {
      const state = status.toLowerCase()
      if (!states.includes(state)) {
        throw invalid([{ pointer: '/status', detail: `must be one of ${states.join(', ')}` }])
      }
      const query = search({
        ...(state === 'deleted' ? { deleted: 'true' } : { status: state }),
        ...(list === undefined ? {} : { list: (await listIdOf(caller, list)) ?? 'none' }),
        filter,
        sort,
        limit: String(limit),
        cursor,
      })
      const { value: tasks, headers } = await caller.ask<Task[]>('GET', `/api/tasks${query}`)
      const names = await caller.namesFor(tasks)
      return { tasks: tasks.map((task) => short(task, names)), ...moreOf(headers) }
    },
  }),
  tool({
    name: 'get_task',
    title: 'Read a task',
    description: 'All of one task, and its subtasks.',
    hints: reading,
    input: t.Object({ user_id, task_id }, closed),
    call: async (caller, args) => {
      const id = idOf(args.task_id)
      const [{ value: task }, { value: subtasks, headers }] = await Promise.all([
        caller.ask<Task>('GET', `/api/tasks/${id}`),
        caller.ask<Task[]>(
          'GET',
          `/api/tasks${search({ parent: id, sort: 'position', limit: '25' })}`,
        ),
      ])
      const names = await caller.namesFor([task, ...subtasks])
      const under = subtasks.map((one) => short({ ...one, parent_id: null }, names))
      const has_more_subtasks = 'more' in moreOf(headers)
      return { ...whole(task, names), ...lean({ subtasks: under, has_more_subtasks }) }
    },
  }),
  tool({
    name: 'update_task',
    title: 'Change a task',
    description:
      'Changes the fields that are given, keeps the others, and says in `was` what they were. An empty text or null clears a field.',
    hints: removing,
    input: t.Object({ user_id, task_id, ...changes }, closed),
    call: async (caller, { task_id: given, ...args }) => {
      const id = idOf(given)
      const patch = await toFields(caller, args)
      if (Object.keys(patch).length === 0) {
        throw new Problem(422, `Say what is to change: ${Object.keys(changes).join(', ')}.`)
      }
      const { before, after } = await change(caller, id, patch)
      const status = after.version === before.version ? 'unchanged' : 'updated'
      const names = await caller.namesFor([before, after])
      const differs = (name: string) => !Bun.deepEquals(before[name], after[name])
      const was = Object.keys(patch).flatMap((name) => {
        if (!differs(name)) return []
        return name === 'list_id'
          ? [['list', before.list_id && (names.get(before.list_id) ?? before.list_id)]]
          : [[name, before[name]]]
      })
      return {
        ...(await made(caller, status, after)),
        ...comesNext(after),
        was: Object.fromEntries(was),
      }
    },
  }),
  tool({
    name: 'complete_task',
    title: 'Complete tasks',
    description:
      'Completes tasks with their subtasks, or with completed=false reopens them. What repeats goes on with the task in `next`.',
    hints: settling,
    input: t.Object(
      {
        user_id,
        task_id: task_ids,
        completed: t.Optional(t.Boolean({ default: true })),
      },
      closed,
    ),
    call: async (caller, { task_id: given, completed = true }) => {
      const status = completed ? 'completed' : 'pending'
      const [id = '', ...others] = idsOf(given)
      if (others.length > 0) {
        return changeAll(caller, [id, ...others], completed ? 'complete' : 'reopen', status)
      }
      const { value } = await caller.ask<Task>('POST', `/api/tasks/${id}/complete`, { completed })
      return { ...(await made(caller, status, value)), ...comesNext(value) }
    },
  }),
  tool({
    name: 'delete_task',
    title: 'Put tasks into the trash',
    description:
      'Puts tasks with their subtasks into the trash, from where restore_task brings them back.',
    hints: removing,
    input: t.Object({ user_id, task_id: task_ids }, closed),
    call: async (caller, { task_id: given }) => {
      const [id = '', ...others] = idsOf(given)
      if (others.length > 0) return changeAll(caller, [id, ...others], 'delete', 'deleted')
      return made(caller, 'deleted', (await caller.ask<Task>('DELETE', `/api/tasks/${id}`)).value)
    },
  }),
  tool({
    name: 'restore_task',
    title: 'Bring tasks back',
    description: 'Brings tasks back from the trash.',
    hints: settling,
    input: t.Object({ user_id, task_id: task_ids }, closed),
    call: async (caller, { task_id: given }) => {
      const [id = '', ...others] = idsOf(given)
      if (others.length > 0) return changeAll(caller, [id, ...others], 'restore', 'restored')
      return made(
        caller,
        'restored',
        (await caller.ask<Task>('POST', `/api/tasks/${id}/restore`)).value,
      )
    },
  }),
  tool({
    name: 'get_overview',
    title: 'Overview',
    description:
      'What day it is for the user, how many tasks are pending, overdue and due, the lists and tags, and what this token may do. Call it first.',
    hints: reading,
    input: t.Object({}, closed),
    call: overview,
  }),
  tool({
    name: 'search',
    title: 'Search tasks',
    description: 'Finds tasks, completed ones too, by words of title, description and tags.',
    hints: reading,
    input: t.Object({ query: t.String({ description: 'Up to 8 words that all occur' }) }, closed),
    call: async (caller, { query }) => {
      if (query.trim() === '')
        throw new Problem(422, 'query must have a word. list_tasks lists all.')
      const path = `/api/tasks${search({ q: query, limit: '20' })}`
      const { value } = await caller.ask<Task[]>('GET', path)
      const results = value.map(({ id, title }) => ({ id, title, url: urlOf(caller, id) }))
      return { results }
    },
  }),
  tool({
    name: 'fetch',
    title: 'Fetch a task',
    description: 'The text of a task that search has found.',
    hints: reading,
    input: t.Object({ id: t.String({ description: 'As given by search' }) }, closed),
    call: async (caller, args) => {
      const { value: task } = await caller.ask<Task>('GET', `/api/tasks/${idOf(args.id)}`)
      const { id, title, description } = task
      const {
        id: _id,
        title: _title,
        description: _description,
        ...metadata
      } = short(task, await caller.namesFor([task]))
      return { id, title, text: description ?? title, url: urlOf(caller, id), metadata }
    },
  }),
  tool({
    name: 'undo',
    title: 'Undo',
    description: 'Takes back all that one call has changed. An undo can be undone too.',
    hints: removing,
    isOfAll: true,
    input: t.Object(
      {
        request_id: t.String({ description: 'As the call has answered it' }),
        force: t.Optional(
          t.Boolean({ default: false, description: 'Also what was changed again since' }),
        ),
        keep: t.Optional(
          t.Boolean({ default: false, description: 'All but that, which is named in `kept`' }),
        ),
      },
      closed,
    ),
    call: async (caller, { request_id, force = false, keep = false }) => {
      const body = { request_id, force, keep }
      const { value: things } = await caller.ask<Thing[]>('POST', '/api/undo', body)
      return {
        status: 'undone',
        changed: things.filter(({ kept }) => kept === undefined).length,
        ...lean({ things: things.slice(0, 25).map(thingOf), has_more: things.length > 25 }),
        request_id: caller.requestId,
      }
    },
  }),
]

const byName = new Map(tools.map((each) => [each.name, each]))

const isFor = ({ scope, isOfAll }: Tool, { user }: Caller): boolean =>
  allows(user.scopes, scope) && !(isOfAll && user.list_ids !== null)

/** Those that the caller may use, always in the same order. */
export const listTools = (caller: Caller): Json => ({
  tools: tools.filter((each) => isFor(each, caller)).map(({ listed }) => listed),
})

/** What is wrong with a call is a result too: a fault of the protocol is one that the model is not told of. */
export async function callTool(caller: Caller, name: string, given: unknown): Promise<Json> {
  const found = byName.get(name)
  if (found === undefined) throw new RpcError(codes.params, `Unknown tool: ${name.slice(0, 100)}`)
  // Not to the model: its client asks the user, and comes again.
  if (caller.user.by === 'program' && !allows(caller.user.scopes, found.scope)) {
    throw caller.stepUp(found.scope)
  }
  try {
    if (!isFor(found, caller)) throw new Problem(403, refusalOf(found, caller))
    const args = given ?? {}
    if (typeof args !== 'object' || Array.isArray(args)) {
      throw new Problem(422, 'The arguments must be an object.')
    }
    const value = await found.call(caller, args)
    return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value }
  } catch (error) {
    const text = wordsFor(error, caller.requestId)
    if (text === null) throw error
    return { content: [{ type: 'text', text }], isError: true }
  }
}

const refusalOf = ({ name, scope }: Tool, { user }: Caller): string =>
  allows(user.scopes, scope)
    ? `This token is for some lists only, and cannot call ${name}.`
    : `This token has not the scope ${scope}, which ${name} needs.`

/** Where to go on, as the API says it. */
function moreOf(headers: Headers): { more?: string } {
  const [, query] = /^<\?([^>]*)>; rel="next"/.exec(headers.get('link') ?? '') ?? []
  const more = new URLSearchParams(query).get('cursor')
  return more === null ? {} : { more }
}

const urlOf = (caller: Caller, id: string): string => caller.urlOf(`/api/tasks/${id}`)

/** @throws Refused where somebody else changes the same all the time */
async function change(
  caller: Caller,
  id: string,
  patch: Json,
  attempts = 3,
): Promise<{ before: Task; after: Task }> {
  const { value: before } = await caller.ask<Task>('GET', `/api/tasks/${id}`)
  const headers = { 'if-match': `"${before.version}"` }
  try {
    const { value: after } = await caller.ask<Task>('PATCH', `/api/tasks/${id}`, patch, headers)
    return { before, after }
  } catch (error) {
    const isStale = error instanceof Refused && error.problem.status === 412
    if (!isStale || attempts === 1) throw error
    return change(caller, id, patch, attempts - 1)
  }
}

/** What comes after a task that repeats. */
function comesNext({ next_task: next }: Json): Json {
  if (typeof next !== 'object' || next === null) return {}
  const { id, due_date } = next as Task
  return { next: { task_id: id, due_date } }
}

async function changeAll(
  caller: Caller,
  ids: string[],
  action: string,
  status: string,
): Promise<Json> {
  const { matched, changed } = await askForAll(caller, ids, action)
  return { status, tasks: matched, changed, request_id: caller.requestId }
}

type Thing = { type: string; id: string; [thing: string]: unknown }

function thingOf({ type, id, kept, ...rest }: Thing): Json {
  const { title, name, deleted_at } = rest[type] as Task & { name?: string }
  return lean({ type, id, title: title ?? name, deleted: deleted_at !== null, kept })
}
