import { handOver } from '../auth/identify.ts'
import type { Identity } from '../auth/identity.ts'
import type { Scope } from '../auth/scopes.ts'
import { exchangeOf } from '../http/exchange.ts'
import { Problem, type ProblemBody } from '../http/problem.ts'
import type { ListNames, Task } from './lean.ts'

/** What the tools need of the rest of the house. */
export type House = {
  /** Answers a request as if it had come in. */
  handle: (request: Request) => Promise<Response>
  /** Where somebody is today, and what day it is there. */
  todayOf: (request: Request, userId: string) => Promise<Today>
  /** The day that is written, as a day of the calendar; null: it is none. */
  dateOf: (text: string, today: Today) => string | null
  /** Where a request has reached us. */
  addressOf: (request: Request) => string
  /** What a program is told that lacks a scope: it can ask its user for it. */
  stepUp: (needed: Scope) => Problem
}

type Today = { zone: string; date: string }

export type Answer<T> = { value: T; headers: Headers }

export type List = { id: string; name: string; archived_at: string | null; pending?: number }

/** Who has called a tool, and what is done in his name. */
export type Caller = {
  user: Identity
  /** Of all that the call changes: what `undo` takes. */
  requestId: string
  /** Asks the API, of whose answer who asks knows the type. @throws Refused */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  ask: <T>(
    method: string,
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Answer<T>>
  today: () => Promise<Today>
  dateOf: House['dateOf']
  /** The lists that he may see, read once. */
  lists: () => Promise<List[]>
  /** What the lists of these tasks are called. */
  namesFor: (tasks: Task[]) => Promise<ListNames>
  urlOf: (path: string) => string
  stepUp: House['stepUp']
}

/** What the API has refused. */
export class Refused extends Error {
  readonly problem: ProblemBody

  constructor(problem: ProblemBody) {
    super(problem.detail)
    this.problem = problem
  }
}

/** A request of the caller's for each thing that is asked: it is validated, limited and logged like any other, and is part of this one. */
export function createCaller(request: Request, user: Identity, house: House): Caller {
  const { id, place } = exchangeOf(request)
  // A trace is of many calls, of which each is to be undone alone.
  const isOfTrace = request.headers.has('traceparent')
  const requestId = isOfTrace ? `${id}.${crypto.randomUUID().slice(0, 8)}` : id
  const zone = request.headers.get('time-zone')
  const common = { 'x-request-id': requestId, ...(zone === null ? {} : { 'time-zone': zone }) }
  let lists: Promise<List[]> | undefined
  let today: Promise<Today> | undefined

  // One thing at a time: who calls a tool has no more at work than who sends one request.
  let last: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }

  async function send<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const inner = new Request(`http://localhost${path}`, {
      method,
      headers: { ...common, ...type, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: request.signal,
    })
    place.setWaiting(true)
    try {
      const response = await house.handle(handOver(inner, user))
      const value: unknown = await response.json()
      if (response.status >= 400) throw new Refused(value as ProblemBody)
      return { value: value as T, headers: response.headers }
    } finally {
      place.setWaiting(false)
    }
  }

  const ask: Caller['ask'] = (...asked) => inTurn(() => send(...asked))

  const readLists = (): Promise<List[]> =>
    (lists ??= ask<List[]>('GET', '/api/lists').then(({ value }) => value))

  return {
    user,
    requestId,
    ask,
    today: () => (today ??= inTurn(() => house.todayOf(request, user.id))),
    dateOf: house.dateOf,
    lists: readLists,
    namesFor: async (tasks) => {
      if (!tasks.some(({ list_id }) => list_id !== null)) return new Map()
      return new Map((await readLists()).map((list) => [list.id, list.name]))
    },
    urlOf: (path) => `${house.addressOf(request)}${path}`,
    stepUp: house.stepUp,
  }
}

/** A query string of what is given. */
export function search(given: Record<string, string | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) query.set(name, value)
  }
  return `?${query.toString()}`
}

/** The same, where it can be done without: null where the caller may not see it. */
export async function unlessForbidden<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 403) return null
    throw error
  }
}

/** What a model is told of a fault, in the words of the arguments; null: it is none that it could do something about. */
export function wordsFor(error: unknown, requestId: string): string | null {
  if (error instanceof Refused) return explain(error.problem)
  return error instanceof Problem && error.status !== 500 ? explain(error.toBody(requestId)) : null
}

/** What fields of the API are called here. */
const argumentNames: Record<string, string> = {
  list_id: 'list',
  q: 'query',
  'Time-Zone': 'The header Time-Zone of your connection',
}

export function explain({ status, detail, errors = [] }: ProblemBody): string {
  if (status === 404 && /no task with (?:this id|the id of the parent)/.test(detail))
    return `${detail} ${whereTasksAre}`
  const [first] = errors
  if (status !== 422 || first === undefined) return detail
  if (first.at !== undefined) return `${detail} See character ${first.at} of the filter.`
  const faults = errors.map(({ pointer, detail: what }) => `${nameOf(pointer)} ${what}`)
  return `${faults.join('; ')}.`
}

function nameOf(pointer: string): string {
  const name = pointer.replace(/^\/(?:tasks\/\d+\/?)?/, '').replaceAll('/', '.')
  return name === '' ? 'This' : (argumentNames[name] ?? name)
}

const whereTasksAre =
  'list_tasks and search give the ids of those that there are, list_tasks with status=deleted those in the trash.'
