import { type Static, type TProperties, Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { Identity } from '../auth/identity.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import type { Kind } from '../database/log/together.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { readIfMatch } from '../http/conditional.ts'
import { isUuid } from '../http/formats.ts'
import { json } from '../http/json.ts'
import { keyReused, readOnce } from '../http/once.ts'
import { Problem } from '../http/problem.ts'
import { absent } from '../http/written.ts'
import { historyOperations } from './operations.ts'
import { readActivity, readHistory } from './queries.ts'
import { courseOf, historySize, pageOf, readBelow, wantedOf, writeBelow } from './rules.ts'
import {
  type Activity,
  ActivitySchema,
  type Change,
  ChangeSchema,
  type HistoryQuery,
  PurgedSchema,
  UndoSchema,
  undoneSchema,
} from './schema.ts'
import { emptyTrash, purgeAny } from './trash.ts'
import { type SetAside, undo } from './undo.ts'

/** What was done to what the caller has, and back: history, undo, the end of the trash. */
export function historyRoutes<const Path extends '/api' | '/api/:user_id', S extends TProperties>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  kinds: readonly Kind[],
  schemas: S,
  { setAside }: { setAside: SetAside },
) {
  const operations = historyOperations(prefix, schemas)
  const tables = kinds.map(({ table }) => table)
  const Undone = undoneSchema(schemas)

  const params = t.Object({ user_id: t.Optional(t.String()), id: uuid })

  const historyOf =
    (type: string) =>
    async ({ db, user, params: { id }, query, request, set }: Asked) => {
      const table = kinds.find((kind) => kind.table.type === type)?.table
      const below = readBelow(query)
      const limit = historySize(query)
      // What it is below of is read too.
      const most = below === null ? limit : limit + 1
      const found = table && (await readHistory(db, user.id, table, id, below, most))
      if (found === undefined) throw absent(type)
      const { changes, next } = pageOf(found, below)
      if (next !== null) {
        const url = new URL(request.url)
        url.searchParams.set('cursor', writeBelow(next))
        set.headers['link'] = `<${url.search}>; rel="next"`
      }
      return json<Change[]>(set, JSON.stringify(changes))
    }

  return new Elysia({ prefix, tags: ['History'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model({
      HistoryEntry: ChangeSchema,
      Activity: ActivitySchema,
      Undo: UndoSchema,
      Undone,
      Purged: PurgedSchema,
    })
    .get(
      '/history',
      async ({ db, user, query, request, set }) => {
        const { by_kind = null, by_name = null, cursor } = query
        const { text, next } = await readActivity(
          db,
          user.id,
          tables,
          { kinds: by_kind, name: by_name },
          cursor ?? Number.MAX_SAFE_INTEGER,
          historySize(query),
        )
        if (next !== null) {
          const url = new URL(request.url)
          url.searchParams.set('cursor', String(next))
          set.headers['link'] = `<${url.search}>; rel="next"`
        }
        return json<Activity[]>(set, text)
      },
      operations.activity,
    )
    .get('/tasks/:id/history', historyOf('task'), { ...operations.list, params })
    .get('/lists/:id/history', historyOf('list'), { ...operations.listOfList, params })
    .post(
      '/undo',
      async ({ db, user, body, request, set }) => {
        const once = readOnce(request.headers, 'undo', body)
        const wanted = wantedOf(body)
        const author = authorOf(user, request)
        const undone = await undo(db, author, kinds, wanted, courseOf(body), once, setAside)
        if (undone.isReplayed) set.headers['idempotency-replayed'] = 'true'
        return json<Static<typeof Undone>[]>(set, undone.text)
      },
      {
        ...operations.undo,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Undo',
      },
    )
    .delete(
      '/trash',
      async ({ db, user, request }) => emptyTrash(db, authorOf(user, request), kinds, setAside),
      { ...operations.empty, parse: [ignoreBody] },
    )
    .delete(
      '/trash/:id',
      async ({ db, user, params: { id }, request, set }) => {
        const versions = readIfMatch(request.headers)
        const once = readOnce(request.headers, 'purge', id)
        const outcome = isUuid(id)
          ? await purgeAny(db, authorOf(user, request), kinds, id, versions, once, setAside)
          : ({ outcome: 'not_found' } as const)
        switch (outcome.outcome) {
          case 'changed':
            break
          case 'replayed':
            set.headers['idempotency-replayed'] = 'true'
            break
          case 'stale':
            throw new Problem(412, 'It has changed since: read it again.')
          case 'key_reused':
            throw keyReused()
          default:
            throw new Problem(404, 'There is nothing with this id in your trash.')
        }
        return { purged: 1, more: false }
      },
      { ...operations.purge, parse: [ignoreBody] },
    )
}

const uuid = t.String({ format: 'uuid' })

type Asked = {
  db: Db
  user: Identity
  params: { id: string }
  query: HistoryQuery
  request: Request
  set: { headers: Record<string, unknown> }
}
