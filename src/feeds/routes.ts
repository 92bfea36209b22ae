import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { strangerAt } from '../http/address.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { etag, isNoneMatch } from '../http/conditional.ts'
import { tooMany } from '../http/errors.ts'
import { exchangeOf } from '../http/exchange.ts'
import { isUuid } from '../http/formats.ts'
import { textAnswer } from '../http/outgoing.ts'
import { overloaded, Problem } from '../http/problem.ts'
import type { Rates } from '../http/rates.ts'
import { digestOf, newSecret } from '../http/secrets.ts'
import { absent } from '../http/written.ts'
import { type As, type CalendarTask, calendarOf } from './calendar.ts'
import type { Calendars, Kept } from './kept.ts'
import { calendarOperation, feedOperations } from './operations.ts'
import { type Found, findFeed, listFeeds } from './queries.ts'
import { absence, tagOf, tokenIn, withoutFilter } from './rules.ts'
import { type Feed, type FeedWithUrl, feedModels, mostFeeds, type NewFeed } from './schema.ts'
import { deleteFeed, insertFeed, markUsed, rotateFeed, updateFeed } from './writes.ts'

/** What feeds need of lists and tasks. */
export type Shown = {
  findList: (db: Db, userId: string, id: string) => Promise<object | undefined>
  /** @throws Problem 422 where a text is no filter, or names what is not there */
  check: (db: Db, userId: string, filter: string) => Promise<void>
  /** The tasks of a feed; null: its filter means nothing any more. */
  read: (
    db: Db,
    userId: string,
    of: { list_id: string | null; filter: string | null },
    as: As,
  ) => Promise<CalendarTask[] | null>
}

/**
 * The calendar feeds of the caller, under `/api` or `/api/{user_id}`.
 * @param originOf where the client of a request has reached us, with what a proxy cuts off the path
 */
export function feedRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  { findList, check }: Shown,
  originOf: (request: Request) => string,
) {
  const operations = feedOperations(prefix)
  const parse = [({ request }: { request: Request }) => readBody(request)]
  const withUrl = (feed: Feed, token: string, request: Request): FeedWithUrl => ({
    ...feed,
    url: `${originOf(request)}/feeds/${token}.ics`,
  })

  /** @throws Problem 404, 422 where it shows what is not there */
  async function refuseAbsent(db: Db, userId: string, { list_id, filter }: Partial<NewFeed>) {
    if (list_id && (await findList(db, userId, list_id)) === undefined) throw absent('list')
    if (filter) await check(db, userId, filter)
  }

  return new Elysia({ prefix, tags: ['Feeds'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(feedModels)
    .get('/feeds', ({ db, user }) => listFeeds(db, user.id), operations.list)
    .post(
      '/feeds',
      async ({ db, user, body, path, request, set, status }) => {
        await refuseAbsent(db, user.id, body)
        const token = newSecret()
        const feed = await make(db, user.id, token, body)
        const own = `${exchangeOf(request).prefix()}${path.replace(/\/$/, '')}/${feed.id}`
        set.headers['location'] = own
        return status(201, withUrl(feed, token, request))
      },
      { ...operations.create, parse, body: 'NewFeed' },
    )
    .patch(
      '/feeds/:id',
      async ({ db, user, params: { id }, body }) => {
        await refuseAbsent(db, user.id, body)
        const changed = isUuid(id) ? await updateFeed(db, user.id, id, body) : undefined
        if (changed === undefined) throw absent('feed')
        return changed
      },
      { ...operations.update, parse, body: 'FeedPatch' },
    )
    .delete(
      '/feeds/:id',
      async ({ db, user, params: { id } }) => {
        const deleted = isUuid(id) ? await deleteFeed(db, user.id, id) : undefined
        if (deleted === undefined) throw absent('feed')
        return deleted
      },
      { ...operations.delete, parse: [ignoreBody] },
    )
    .post(
      '/feeds/:id/rotate',
      async ({ db, user, params: { id }, request }) => {
        const token = newSecret()
        const rotated = isUuid(id) ? await rotateFeed(db, user.id, id, digestOf(token)) : undefined
        if (rotated === undefined) throw absent('feed')
        return withUrl(rotated, token, request)
      },
      { ...operations.rotate, parse: [ignoreBody] },
    )
}

/** @throws Problem 409, 422 */
async function make(db: Db, userId: string, token: string, feed: NewFeed): Promise<Feed> {
  const id = (feed.id ?? Bun.randomUUIDv7()).toLowerCase()
  const found = await insertFeed(db, userId, id, digestOf(token), feed)
  if (found === undefined) {
    throw new Problem(422, `You have ${mostFeeds} feeds already: delete one first.`)
  }
  const { is_made, ...made } = found
  if (is_made) return made
  throw new Problem(409, 'You have a feed with this id: rotate it to have an address.')
}

/** The calendars themselves, for whoever has their addresses. */
export function calendarRoutes(
  gate: Gate,
  { read }: Shown,
  calendars: Calendars,
  rates: Rates | null,
) {
  async function answer(request: Request, name: string, as: As): Promise<Response> {
    const exchange = exchangeOf(request)
    const stranger = strangerAt(exchange.address())
    if (!exchange.place.hold(stranger)) throw overloaded()
    const counted = await rates?.count(stranger)
    if (counted?.allowed === false) throw tooMany('requests of this kind', counted.retry)

    const token = tokenIn(name)
    if (token === null) throw noCalendar()
    const digest = digestOf(token)
    // Others may wait for the same, so that it does not end with this request.
    const calendar = await calendars.get(`${as} ${digest}`, async () => {
      const feed = await findFeed(gate.for(null, stranger), digest)
      return feed === undefined ? null : render(feed, as)
    })
    if (calendar === null) throw noCalendar()

    // It is on its way to the stranger: what one leaves unread is not to be the user's.
    const headers = { ...calendarHeaders, etag: etag(calendar.tag) }
    return isNoneMatch(request.headers, calendar.tag)
      ? new Response(null, { status: 304, headers })
      : textAnswer(calendar.text, { headers: { ...headers, 'content-type': mediaType } })
  }

  async function render(feed: Found, as: As): Promise<Kept> {
    const { id, user_id, name, is_used } = feed
    // In nobody's name, for the calendars of the user are the same as before. What is not written now is written the next time.
    if (!is_used) void markUsed(gate, user_id, id).catch(() => {})
    const nothing = absence(feed)
    const tasks = nothing === null ? await read(gate.for(null, user_id), user_id, feed, as) : []
    const title = tasks === null ? withoutFilter(name) : (nothing ?? name)
    const text = await calendarOf(title, tasks ?? [], as)
    return { userId: user_id, text, tag: tagOf(text) }
  }

  return new Elysia({ tags: ['Feeds'] }).get(
    '/feeds/:token',
    ({ request, params: { token }, query, set }) => {
      set.headers['x-robots-tag'] = 'noindex'
      return answer(request, token, query.as ?? 'event')
    },
    calendarOperation,
  )
}

/** The same for every reason: a stranger learns nothing of which it was. */
const noCalendar = (): Problem =>
  new Problem(404, 'There is no calendar at this address: it may have got another one.')

const mediaType = 'text/calendar; charset=utf-8'

const calendarHeaders = {
  'cache-control': 'private, max-age=300',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex',
}
