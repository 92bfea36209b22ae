import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { Identity } from '../auth/identity.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Epoch } from '../database/epoch.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { readHead } from '../database/log/heads.ts'
import type { Outcome } from '../database/log/writes.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { etag, isNoneMatch, readIfMatch, tagger } from '../http/conditional.ts'
import { withWords } from '../http/enums.ts'
import { exchangeOf } from '../http/exchange.ts'
import { json } from '../http/json.ts'
import { readOnce } from '../http/once.ts'
import { invalid, Problem } from '../http/problem.ts'
import { partsOf, refuseOthers } from '../http/sent-back.ts'
import { absent, rowAfter } from '../http/written.ts'
import { createBatch } from './batch.ts'
import { changeBulk } from './bulk.ts'
import { markOf, meantBy, readZone, zoneOf } from './filter/resolve.ts'
import { taskOperations } from './operations.ts'
import { countTasks, readPage } from './pages/read.ts'
import { findTask } from './queries.ts'
import { occurrencesOf } from './recurrence/recurrence.ts'
import {
  type ListQuery,
  type Position,
  pageSize,
  readCursor,
  refuseBulk,
  writeCursor,
} from './rules.ts'
import {
  type BulkChanged,
  type ChangedTask,
  type Completion,
  type Course,
  isOfCourse,
  NewTaskSchema,
  type Task,
  type TaskListQuery,
  TaskParamsSchema,
  type TaskPatch,
  TaskPatchSchema,
  type TaskTree,
  taskModels,
} from './schema.ts'
import { listTags, renameTag } from './tags.ts'
import type { Usage } from './usage/usage.ts'
import { withinQuota } from './usage/within-quota.ts'
import { isWithin } from './within.ts'
import { placedWithin, refuseElsewhere, writeWithin } from './within-lists.ts'

/** The tasks of the caller, under `/api` or `/api/{user_id}`. */
export function taskRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  usage: Usage,
  epochOf: Epoch,
  findList: (db: Db, userId: string, id: string) => Promise<object | undefined>,
) {
  const { completeTask, deleteTask, insertTask, moveTask, restoreTask, skipTask, updateTask } =
    withinQuota(usage)
  const operations = taskOperations(prefix)
  const parse = [
    async ({ request }: { request: Request }) =>
      withWords(TaskPatchSchema, await readBody(request)),
  ]
  const parseBatch = [
    async ({ request }: { request: Request }) => {
      const body = await readBody(request, mostBytesOfBatch)
      if (body === null || !('tasks' in body) || !Array.isArray(body.tasks)) return body
      const tasks = body.tasks.map((task: unknown) =>
        typeof task === 'object' ? withWords(NewTaskSchema, task) : task,
      )
      return { ...body, tasks }
    },
  ]
  const parseBulk = [
    async ({ request }: { request: Request }) => {
      const body = await readBody(request, mostBytesOfBatch)
      if (body === null || !('set' in body) || typeof body.set !== 'object') return body
      return { ...body, set: withWords(TaskPatchSchema, body.set) }
    },
  ]
  const parseOptional = [
    async ({ request }: { request: Request }) => (await readBody(request)) ?? {},
  ]
  const params = TaskParamsSchema
  const completion = { parse: parseOptional, params, body: 'Completion' } as const

  /** @param isExact whether what is read-only must be as it is; a form that is sent whole may be of before */
  const update =
    (isExact: boolean) =>
    async ({ db, user, params: { id }, body, request, set }: Asked<TaskPatch>) => {
      const asked = askedOf(user, request, id, 'update', body)
      // What comes after a task is told, and says nothing.
      const { next_task: _next, ...patch } = body
      const { changes, course } = partsOf(patch, isOfCourse, user.id, id)
      const parts = { changes, course: isExact ? course : null }
      await refuseElsewhere(db, user, changes)
      const author = authorOf(user, request)
      const change = await writeWithin(db, user, asked, (as) => updateTask(db, author, as, parts))
      return answer(change, set, course ?? {})
    }

  const complete = async ({
    db,
    user,
    params: { id },
    body,
    request,
    set,
  }: Asked<Completion>): Promise<ChangedTask> => {
    const completed = body.completed ?? null
    const asked = askedOf(user, request, id, 'complete', completed)
    const author = authorOf(user, request)
    const change = await writeWithin(db, user, asked, (as) =>
      completeTask(db, author, as, completed),
    )
    return answer(change, set)
  }

  /** A page of tasks; null: whoever asks has it. */
  const readTasks = async (
    { db, user, request, set }: Pick<Asked<never>, 'db' | 'user' | 'request' | 'set'>,
    asked: TaskListQuery,
  ): Promise<string | null> => {
    const query = await meantBy(db, user, asked, request.headers)
    const after = readCursor(query)
    const mark = markOf(query.filter)
    const tag = tagger(set, epochOf(), mark)
    // Whoever has the page of now, or skips some of it, is told the number of before.
    const isBefore = request.headers.has('if-none-match') || Boolean(query.offset)
    const head = isBefore ? await readHead(db, user.id) : null
    if (head !== null && isNoneMatch(request.headers, head, mark)) {
      await tag(head)
      return null
    }
    const { text, next, seq } = await readPage(db, user.id, query, after, pageSize(query))
    await tag(head ?? seq)
    if (next !== null) set.headers['link'] = nextLink(request.url, query, next)
    return text
  }

  return new Elysia({ prefix, tags: ['Tasks'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(taskModels)
    .get(
      '/tasks',
      async ({ db, user, query, request, set, status }) => {
        const text = await readTasks({ db, user, request, set }, query)
        return text === null ? status(304, undefined) : json<TaskTree[]>(set, text)
      },
      operations.list,
    )
    .get(
      '/lists/:id/tasks',
      async ({ db, user, query, params: { id }, request, set, status }) => {
        const isThere = isWithin(user, id.toLowerCase())
        if (!isThere || (await findList(db, user.id, id)) === undefined) throw absent('list')
        const ofList = { sort: 'position', ...query, list: id.toLowerCase() } as const
        const text = await readTasks({ db, user, request, set }, ofList)
        return text === null ? status(304, undefined) : json<TaskTree[]>(set, text)
      },
      { ...operations.listOfList, params },
    )
    .get(
      '/tasks/count',
      async ({ db, user, query, request }) => ({
        count: await countTasks(db, user.id, await meantBy(db, user, query, request.headers)),
      }),
      operations.count,
    )
    .post(
      '/tasks',
      async ({ db, user, body, path, request, set, status }) => {
        const once = onceOf(user, request, 'create', body)
        refuseOthers(user.id, body.user_id)
        const zone = readZone(request.headers)
        const [task = body] = await placedWithin(db, user, [body])
        const change = await insertTask(db, authorOf(user, request), task, once, zone)
        if (change.outcome === 'stale') {
          throw new Problem(409, 'You have another task with this id.')
        }
        const { text } = rowAfter(change, set, 'task')
        const [, id] = ownId.exec(text) ?? []
        set.headers.location = `${exchangeOf(request).prefix()}${path.replace(/\/$/, '')}/${id}`
        return json<ReturnType<typeof status<201, Task>>>(set, text, 201)
      },
      { ...operations.create, parse, body: 'NewTask' },
    )
    .post(
      '/tasks/batch',
      async ({ db, user, body, request, set, status }) => {
        const once = onceOf(user, request, 'batch', body)
        const zone = readZone(request.headers)
        const way = { usage, zone }
        const tasks = await placedWithin(db, user, body.tasks)
        const made = await createBatch(db, authorOf(user, request), { ...body, tasks }, once, way)
        if (made.isReplayed) set.headers['idempotency-replayed'] = 'true'
        return json<ReturnType<typeof status<201, Task[]>>>(set, made.text, 201)
      },
      { ...operations.batch, parse: parseBatch, body: 'Batch' },
    )
    .post(
      '/tasks/bulk',
      async ({ db, user, body, request, set }) => {
        const once = onceOf(user, request, 'bulk', body)
        refuseBulk(body)
        const meant = async () => {
          // What is restored is in the trash, and so may be the lists that the filter names.
          const asked = { filter: body.filter ?? '', deleted: body.action === 'restore' }
          if (asked.filter.trim() === '') throw invalid([emptyFilter])
          return meantBy(db, user, asked, request.headers)
        }
        const author = authorOf(user, request)
        const way = { usage, zone: readZone(request.headers) }
        await refuseElsewhere(db, user, body.set ?? {})
        const changed = await changeBulk(db, user, author, body, meant, once, way)
        if (changed.isReplayed) set.headers['idempotency-replayed'] = 'true'
        return json<BulkChanged>(set, changed.text)
      },
      {
        ...operations.bulk,
        parse: parseBulk,
        body: 'Bulk',
      },
    )
    .get(
      '/tasks/:id',
      async ({ db, user, params: { id }, request, set, status }) => {
        const task = await findTask(db, user.id, id)
        if (task === undefined || !isSeen(user, task)) throw absent('task')
        set.headers.etag = etag(task.version)
        if (isNoneMatch(request.headers, task.version)) return status(304, undefined)
        return json<Task>(set, task.text)
      },
      { ...operations.get, params },
    )
    .patch('/tasks/:id', update(true), { ...operations.update, parse, params, body: 'TaskPatch' })
    .put('/tasks/:id', update(false), { ...operations.replace, parse, params, body: 'TaskPatch' })
    .patch('/tasks/:id/complete', complete, { ...operations.complete, ...completion })
    .post('/tasks/:id/complete', complete, { ...operations.completeByPost, ...completion })
    .patch('/tasks/:id/toggle', complete, { ...operations.toggle, ...completion })
    .post('/tasks/:id/toggle', complete, { ...operations.toggleByPost, ...completion })
    .delete(
      '/tasks/:id',
      async ({ db, user, params: { id }, request, set }) => {
        const asked = askedOf(user, request, id, 'delete')
        const author = authorOf(user, request)
        return answer(await writeWithin(db, user, asked, (as) => deleteTask(db, author, as)), set)
      },
      { ...operations.delete, parse: [ignoreBody], params },
    )
    .post(
      '/tasks/:id/restore',
      async ({ db, user, params: { id }, request, set }) => {
        const asked = askedOf(user, request, id, 'restore')
        const author = authorOf(user, request)
        return answer(await writeWithin(db, user, asked, (as) => restoreTask(db, author, as)), set)
      },
      { ...operations.restore, parse: [ignoreBody], params },
    )
    .post(
      '/tasks/:id/move',
      async ({ db, user, params: { id }, body, request, set }) => {
        const asked = askedOf(user, request, id, 'move', body)
        await refuseElsewhere(db, user, body)
        const author = authorOf(user, request)
        return answer(
          await writeWithin(db, user, asked, (as) => moveTask(db, author, as, body)),
          set,
        )
      },
      { ...operations.move, parse: parseOptional, params, body: 'Move' },
    )
    .post(
      '/tasks/:id/skip',
      async ({ db, user, params: { id }, body, request, set }) => {
        const asked = askedOf(user, request, id, 'skip', body)
        const author = authorOf(user, request)
        const change = await writeWithin(db, user, asked, (as) =>
          skipTask(db, author, as, body.occurrence),
        )
        return answer(change, set)
      },
      { ...operations.skip, parse: parseOptional, params, body: 'Skip' },
    )
    .get(
      '/tasks/:id/occurrences',
      async ({ db, user, query, params: { id }, request }) => {
        const header = readZone(request.headers)
        const task = await findTask(db, user.id, id)
        if (task === undefined || !isSeen(user, task)) throw absent('task')
        const zone = await zoneOf(db, user.id, header)
        return occurrencesOf(JSON.parse(task.text), query.limit ?? 10, zone)
      },
      { ...operations.occurrences, params },
    )
    .get(
      '/tags',
      async ({ db, user, request, set, status }) => {
        const tag = tagger(set, epochOf())
        // Before the tags: what is changed meanwhile is read again.
        const head = await readHead(db, user.id)
        const isKnown = isNoneMatch(request.headers, head)
        const tags = isKnown ? [] : await listTags(db, user.id)
        await tag(head)
        return isKnown ? status(304, undefined) : tags
      },
      operations.tags,
    )
    .post(
      '/tags/rename',
      ({ db, user, body, request }) => renameTag(db, authorOf(user, request), body, usage),
      {
        ...operations.renameTag,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Rename',
      },
    )
}

/** How the JSON of a task begins. */
const ownId = /^\{"id":"([^"]+)"/

const mostBytesOfBatch = 1024 * 1024

/** Whether the caller may see a task: what a task is in is looked up only for who may not see all. */
const isSeen = (user: Identity, { text }: { text: string }): boolean =>
  user.list_ids === null || isWithin(user, JSON.parse(text).list_id)

const emptyFilter = { pointer: '/filter', detail: 'must not be empty: it would find all tasks' }

type Asked<Body> = {
  db: Db
  user: Identity
  params: { id: string }
  body: Body
  request: Request
  set: Set
}

type Set = { headers: Record<string, unknown> }

/** What is asked of a task, the same for all that change one. */
const askedOf = (
  user: Identity,
  request: Request,
  id: string,
  operation: string,
  ...asked: unknown[]
) => ({
  id,
  list_ids: user.list_ids,
  versions: readIfMatch(request.headers),
  once: onceOf(user, request, operation, id, ...asked),
  zone: readZone(request.headers),
})

/** What was answered to who sees other lists is no answer for this one: that was another request. */
const onceOf = (
  { list_ids }: Identity,
  { headers }: Request,
  operation: string,
  ...asked: unknown[]
) => readOnce(headers, operation, ...asked, ...(list_ids === null ? [] : [list_ids]))

const answer = (change: Outcome, set: Set, said: Course = {}): ChangedTask =>
  json<ChangedTask>(set, rowAfter(change, set, 'task', said).text)

/** The address of the next page: relative to that of this one, so that it is right behind any proxy. */
function nextLink(address: string, query: ListQuery, next: Position): string {
  const url = new URL(address)
  for (const name of ['offset', 'skip']) url.searchParams.delete(name)
  url.searchParams.set('cursor', writeCursor(query, next))
  return `<${url.search}>; rel="next"`
}
