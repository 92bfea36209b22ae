import { Elysia } from 'elysia'
import { handedOver } from '../auth/identify.ts'
import type { CompatConfig } from '../config.ts'
import type { Db } from '../database/gate/gate.ts'
import { maxAddress } from '../http/door.ts'
import { exchangeOf } from '../http/exchange.ts'
import { textAnswer } from '../http/outgoing.ts'
import { invalid } from '../http/problem.ts'
import { meantBy } from '../tasks/filter/resolve.ts'
import { countTasks } from '../tasks/pages/read.ts'
import { findTask } from '../tasks/queries.ts'
import type { Task, TaskListQuery } from '../tasks/schema.ts'
import type { Caller } from '../tasks/within-lists.ts'
import { createAnswers, isTask } from './answers.ts'
import { type Fields, type Kind, meantDue, type Read, readFields } from './bodies.ts'
import { createDescription } from './document.ts'
import { createNames } from './names.ts'
import { type Address, createReader } from './paths.ts'
import { createProblems, isProblem } from './problems.ts'

/** What Elysia knows of a request for tasks. */
type Context = {
  request: Request
  route: string
  params?: { id?: string }
  query: TaskListQuery
  body: unknown
  db: Db
  user: Caller
}

/** What is remembered of a request for tasks until it is answered. */
type Asked = { address: Address; context: Context | null; read: Read | null }

/**
 * A layer in front of the routes: a frontend that was written for another backend finds its own paths, names and shapes. Used before
 * `exchange`, which goes around it: what it answers is sent, counted and logged like everything else.
 */
export function compatibility(config: CompatConfig) {
  const names = createNames(config)
  const readAddress = createReader(config, names)
  const answers = createAnswers(config, names)
  const toProblem = createProblems(config, names)
  const describe = createDescription(config, names, answers)
  const remembered = new WeakMap<Request, Asked>()

  /** The body was read, of who is signed in, and nobody has looked at it. */
  function translateBody(context: Context): void {
    const asked = remembered.get(context.request)
    if (asked === undefined) return
    asked.context = context
    const kind = kindOf(context)
    if (kind === null || !isFields(context.body)) return
    const read = readFields(config, names, kind, context.body)
    asked.read = read
    if (read.faults.length > 0) throw invalid(read.faults)
    // What is only kept is a change too.
    const isOnlyKept = kind === 'change' && isEmpty(read.body) && !isEmpty(read.extra)
    context.body = isOnlyKept ? { id: context.params?.id } : read.body
  }

  /** The body is valid: now it gets what no client may send. */
  async function completeBody({ request, params, db, body }: Context): Promise<void> {
    const read = remembered.get(request)?.read
    if (!read || !isFields(body)) return
    const id = params?.id
    if (read.due !== undefined) {
      const isOpen = read.due !== null && (body['due_time'] ?? null) === null
      const before = isOpen && id !== undefined ? await findTime(db, userOf(request), id) : null
      Object.assign(body, meantDue(read.due, body, before))
    }
    const extra = id === undefined ? withoutNull(read.extra) : read.extra
    if (!isEmpty(extra)) body['extra'] = extra
  }

  async function translateAnswer(request: Request, answer: unknown): Promise<Response | undefined> {
    const { context, address } = remembered.get(request) ?? {}
    if (!context || address === undefined || !(answer instanceof Response)) return undefined
    const value: unknown = await answer.json()
    const { headers, status } = answer
    move(headers, address)
    const translated =
      Array.isArray(value) && context.route.endsWith('/tasks')
        ? answers.list(value, await countAll(context, headers, value.length))
        : isTask(value)
          ? answers.task(value)
          : value
    return textAnswer(JSON.stringify(translated), { headers, status })
  }

  /** How many tasks there are, of which so many are answered. */
  async function countAll({ db, user, request, query }: Context, headers: Headers, count: number) {
    const isWhole = !headers.has('link') && !query.cursor && !query.offset
    if (isWhole || config.list.length === 0) return count
    return countTasks(db, user.id, await meantBy(db, user, query, request.headers))
  }

  return new Elysia({ name: 'compatibility', seed: config.text })
    .wrap((handle) => async (request: Request) => {
      // What is asked in the house is asked in its own words.
      if (handedOver(request) !== undefined) return handle(request) as unknown as Promise<Response>
      const address = request.url.length > maxAddress ? null : readAddress(request.url)
      const asked = address?.isOfTasks ? { address, context: null, read: null } : null
      if (asked !== null) remembered.set(request, asked)
      // It stays the same request: its connection, its body and its exchange go by it.
      if (address !== null) Object.defineProperty(request, 'url', { value: address.url })

      // Its type is that of any function; what it is wrapped around is that of a server.
      const answer = await (handle(request) as unknown as Promise<Response>)
      if (request.method === 'HEAD') return answer
      if (isProblem(answer)) return toProblem(answer, givenOf(asked))
      return address?.to === '/swagger/json' && answer.ok ? describe(answer) : answer
    })
    .onTransform({ as: 'global' }, hidden(translateBody))
    .onBeforeHandle({ as: 'global' }, hidden(completeBody))
    .onAfterHandle({ as: 'global' }, async ({ request, responseValue }) =>
      translateAnswer(request, responseValue),
    )
}

/**
 * Elysia reads the source of a hook to learn what it needs of a request, and would then parse the body of every one. What is bound
 * shows none.
 */
const hidden = <R>(hook: (context: Context) => R) => hook.bind(null) as (context: object) => R

function kindOf({ request: { method }, route }: Context): Kind | null {
  const [, rest] =
    /^\/api(?:\/:user_id)?\/tasks(|\/:id|\/:id\/(?:complete|toggle))$/.exec(route) ?? []
  if (rest === undefined || method === 'GET' || method === 'DELETE') return null
  return rest === '' ? 'create' : rest === '/:id' ? 'change' : 'completion'
}

const userOf = (request: Request): string => exchangeOf(request).userId ?? ''

async function findTime(db: Db, userId: string, id: string): Promise<Task | null> {
  const task = await findTask(db, userId, id)
  return task === undefined ? null : JSON.parse(task.text)
}

const isFields = (body: unknown): body is Fields => typeof body === 'object' && body !== null

const isEmpty = (fields: Fields): boolean => Object.keys(fields).length === 0

const withoutNull = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

/** A new task is where the client asked for it. */
function move(headers: Headers, { from, to }: Address): void {
  const location = headers.get('location')
  const [ours, own] = [to, from].map((path) => path.replace(/\/$/, ''))
  if (location !== null) headers.set('location', location.replace(`${ours}/`, `${own}/`))
}

/** The names that the fields and parameters of a request were given under, and what of it is to be kept. */
const givenOf = (asked: Asked | null) => ({
  isTold: (asked?.read?.faults.length ?? 0) > 0,
  used: new Map([...(asked?.address.used ?? []), ...(asked?.read?.used ?? [])]),
  kept: asked?.read?.extra ?? {},
})
