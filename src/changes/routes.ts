import { Elysia } from 'elysia'
import type { Identify } from '../auth/identify.ts'
import { endOf } from '../auth/identity.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Epoch } from '../database/epoch.ts'
import type { Gate } from '../database/gate/gate.ts'
import { readHead } from '../database/log/heads.ts'
import { isNoneMatch, listTag } from '../http/conditional.ts'
import { json } from '../http/json.ts'
import { invalid, overloaded, Problem } from '../http/problem.ts'
import { security } from '../http/security.ts'
import { changeOperations } from './operations.ts'
import { readerOf, type Thing } from './queries.ts'
import { changeSchema, type Described } from './schema.ts'
import type { Streams } from './streams.ts'

/** A kind of things that change, with what the document says of one. */
export type Documented = Thing & Described

/** The log of the caller, under `/api` or `/api/{user_id}`. */
export function changeRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  identify: Identify,
  epochOf: Epoch,
  things: Documented[],
  streams: Streams,
) {
  const read = readerOf(things)
  const change = changeSchema(things)
  const [first] = things
  const example = first === undefined ? {} : { id: first.example.id, [first.type]: first.example }
  const operations = changeOperations(prefix, change, example)

  return new Elysia({ prefix, tags: ['Changes'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model({ Change: change })
    .get(
      '/changes',
      async ({ db, user, query, request, set, status }) => {
        const { since = 0, limit = 200 } = query
        const reading = epochOf()
        // Most often nothing has changed, which is a look at one number.
        const known = await readHead(db, user.id)
        const epoch = await reading
        if (epoch !== null) set.headers['docket-epoch'] = epoch
        if (query.epoch !== undefined && epoch !== null && query.epoch !== epoch) throw resync()
        if (since > known) throw resync()
        set.headers.etag = listTag(known)
        if (isNoneMatch(request.headers, known)) return status(304, undefined)
        if (since === known) return json<never[]>(set, '[]')
        const { text, last, more, head } = await read(db, user.id, since, Math.min(limit, 1000))
        set.headers.etag = listTag(head)
        if (more) set.headers.link = nextLink(request.url, last)
        return json<never[]>(set, `[${text}]`)
      },
      operations.list,
    )
    .get(
      '/events',
      async ({ db, user, query, request, server }) => {
        const reading = epochOf()
        const head = await readHead(db, user.id)
        const epoch = await reading
        const since = lastEventOf(request.headers) ?? query.since ?? head
        const isOf = query.epoch === undefined || epoch === null || query.epoch === epoch
        const headers = { ...eventHeaders, ...(epoch === null ? {} : { 'docket-epoch': epoch }) }
        if (since > head || !isOf) return new Response(streams.refuse(), { headers })
        if (!streams.hasRoom(user.id))
          throw overloaded('You follow from too many places. Close some of them.')
        // Bun would hang up on who gets nothing for a while.
        server?.timeout(request, 0)
        const credential = new Headers(request.headers)
        const follower = {
          userId: user.id,
          since,
          isBack: request.headers.has('last-event-id'),
          expires: endOf(user),
          ...(user.by === 'session' || user.by === 'access_token'
            ? {
                check: async () => {
                  // Each time with as long to wait as a request has: the stream goes on for hours.
                  const found = await identify.ofHeaders(gate.for(null, user.id), credential)
                  return found?.id === user.id ? endOf(found) : null
                },
              }
            : {}),
        }
        return new Response(streams.open(follower, request.signal), { headers })
      },
      operations.events,
    )
}

/** Of a number that was never given, or of one of before the database was restored. */
const resync = (): Problem =>
  new Problem(410, 'This number means nothing here. Begin anew, from 0.', { code: 'resync' })

const eventHeaders = {
  ...security,
  'content-type': 'text/event-stream;charset=utf-8',
  // No proxy is to gather it, or to pack it.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** @throws Problem 422 for what is no number */
function lastEventOf(headers: Headers): number | null {
  const text = headers.get('last-event-id')
  if (text === null || text === '') return null
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw invalid([{ pointer: '/Last-Event-ID', detail: 'must be the id of an event' }])
}

/** The address of the next page: relative to that of this one, so that it is right behind any proxy. */
function nextLink(address: string, last: number): string {
  const url = new URL(address)
  url.searchParams.set('since', String(last))
  return `<${url.search}>; rel="next"`
}
