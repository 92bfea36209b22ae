import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { Identity } from '../auth/identity.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Epoch } from '../database/epoch.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { readHead } from '../database/log/heads.ts'
import type { Author } from '../database/log/log.ts'
import type { Outcome } from '../database/log/writes.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { etag, isNoneMatch, readIfMatch, tagger } from '../http/conditional.ts'
import { exchangeOf } from '../http/exchange.ts'
import { json } from '../http/json.ts'
import { readOnce } from '../http/once.ts'
import { Problem } from '../http/problem.ts'
import { partsOf, refuseOthers } from '../http/sent-back.ts'
import { absent, rowAfter } from '../http/written.ts'
import { moveList } from './moves.ts'
import { listOperations } from './operations.ts'
import { findList, readLists } from './queries.ts'
import {
  type CountedList,
  type Course,
  isOfCourse,
  type List,
  ListParamsSchema,
  type ListPatch,
  listModels,
} from './schema.ts'
import { deleteList, type Members, restoreList } from './trash.ts'
import { insertList, updateList } from './writes.ts'

type Amount = { tasks: number; bytes: number }
type Reservation = { settle: (added: Amount | null) => void }
type Usage = {
  setAside: (db: Db, userId: string, amount: Amount) => Reservation | Promise<Reservation>
}

const nothing: Amount = { tasks: 0, bytes: 0 }

/** The lists of the caller, under `/api` or `/api/{user_id}`. */
export function listRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  usage: Usage,
  epochOf: Epoch,
  members: Members,
) {
  const operations = listOperations(prefix)
  const parse = [({ request }: { request: Request }) => readBody(request)]
  const parseOptional = [
    async ({ request }: { request: Request }) => (await readBody(request)) ?? {},
  ]
  const params = ListParamsSchema

  /** @param isExact whether what is read-only must be as it is; a form that is sent whole may be of before */
  const update =
    (isExact: boolean) =>
    async ({ db, user, params: { id }, body, request, set }: Asked<ListPatch>) => {
      const versions = readIfMatch(request.headers)
      const once = readOnce(request.headers, 'update list', id, body)
      const { changes, course } = partsOf(body, isOfCourse, user.id, id)
      const parts = { changes, course: isExact ? course : null }
      const change = await updateList(db, authorOf(user, request), id, versions, parts, once)
      return answer(change, set, course ?? {})
    }

  /** With its tasks, which has next to no effect on what the user has. */
  const withTasks =
    (verb: string, write: typeof deleteList) =>
    async ({ db, user, params: { id }, request, set }: Omit<Asked<never>, 'body'>) => {
      const versions = readIfMatch(request.headers)
      const once = readOnce(request.headers, verb, id)
      const author: Author = authorOf(user, request)
      const reservation = await usage.setAside(db, user.id, nothing)
      try {
        return answer(await write(db, author, { id, versions, once }, members), set)
      } finally {
        reservation.settle(null)
      }
    }

  return new Elysia({ prefix, tags: ['Lists'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(listModels)
    .get(
      '/lists',
      async ({ db, user, query, request, set, status }) => {
        const mark = user.list_ids === null ? null : Bun.hash(user.list_ids.join()).toString(36)
        const tag = tagger(set, epochOf(), mark)
        // Whoever has the lists of now needs no more than the number.
        const isBefore = request.headers.has('if-none-match')
        const head = isBefore ? await readHead(db, user.id) : null
        if (head !== null && isNoneMatch(request.headers, head, mark)) {
          await tag(head)
          return status(304, undefined)
        }
        const { text, seq } = await readLists(db, user.id, query)
        await tag(seq)
        return json<CountedList[]>(set, seenOf(user, text))
      },
      operations.list,
    )
    .post(
      '/lists',
      async ({ db, user, body, path, request, set, status }) => {
        const once = readOnce(request.headers, 'create list', body)
        refuseOthers(user.id, body.user_id)
        const id = body.id ?? Bun.randomUUIDv7()
        const change = await insertList(db, authorOf(user, request), id, body, once)
        if (change.outcome === 'stale') {
          throw new Problem(409, 'You have another list with this id.')
        }
        const { text } = rowAfter(change, set, 'list')
        const made = change.outcome === 'replayed' ? JSON.parse(text).id : id.toLowerCase()
        set.headers.location = `${exchangeOf(request).prefix()}${path.replace(/\/$/, '')}/${made}`
        return json<ReturnType<typeof status<201, List>>>(set, text, 201)
      },
      { ...operations.create, parse, body: 'NewList' },
    )
    .get(
      '/lists/:id',
      async ({ db, user, params: { id }, request, set, status }) => {
        const list = await findList(db, user.id, id)
        if (list === undefined || user.list_ids?.includes(id.toLowerCase()) === false) {
          throw absent('list')
        }
        set.headers.etag = etag(list.version)
        if (isNoneMatch(request.headers, list.version)) return status(304, undefined)
        return json<List>(set, list.text)
      },
      { ...operations.get, params },
    )
    .patch('/lists/:id', update(true), { ...operations.update, parse, params, body: 'ListPatch' })
    .put('/lists/:id', update(false), { ...operations.replace, parse, params, body: 'ListPatch' })
    .delete('/lists/:id', withTasks('delete list', deleteList), {
      ...operations.delete,
      parse: [ignoreBody],
      params,
    })
    .post('/lists/:id/restore', withTasks('restore list', restoreList), {
      ...operations.restore,
      parse: [ignoreBody],
      params,
    })
    .post(
      '/lists/:id/move',
      async ({ db, user, params: { id }, body, request, set }) => {
        const versions = readIfMatch(request.headers)
        const once = readOnce(request.headers, 'move list', id, body)
        const asked = { id, versions, once }
        return answer(await moveList(db, authorOf(user, request), asked, body), set)
      },
      { ...operations.move, parse: parseOptional, params, body: 'ListMove' },
    )
}

/** Those that the credential is for. */
function seenOf({ list_ids }: Identity, text: string): string {
  if (list_ids === null) return text
  const lists: List[] = JSON.parse(text)
  return JSON.stringify(lists.filter(({ id }) => list_ids.includes(id)))
}

type Asked<Body> = {
  db: Db
  user: Identity
  params: { id: string }
  body: Body
  request: Request
  set: Set
}

type Set = { headers: Record<string, unknown> }

const answer = (change: Outcome, set: Set, said: Course = {}): List =>
  json<List>(set, rowAfter(change, set, 'list', said).text)
