import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { type AuthOptions, createIdentify } from './auth/identify.ts'
import { type IssuerOptions, issuerRoutes } from './auth/issuer.ts'
import type { Programs } from './auth/oauth.ts'
import { insufficient, signedIn } from './auth/signed-in.ts'
import { openPaths, wellKnownRoutes } from './auth/well-known.ts'
import { readerOf } from './changes/queries.ts'
import { changeRoutes, type Documented } from './changes/routes.ts'
import { createStreams, type Streams } from './changes/streams.ts'
import { compatibility } from './compat/layer.ts'
import type { CompatConfig } from './config.ts'
import type { Epoch } from './database/epoch.ts'
import type { Db, Gate } from './database/gate/gate.ts'
import type { Author } from './database/log/log.ts'
import type { Kind } from './database/log/together.ts'
import { createClient } from './deliveries/client.ts'
import { type CourierOptions, createCourier } from './deliveries/courier.ts'
import { createRounds } from './deliveries/rounds.ts'
import { exportRoutes } from './exports/routes.ts'
import type { Calendars } from './feeds/kept.ts'
import { calendarRoutes, feedRoutes, type Shown } from './feeds/routes.ts'
import { feedConstraints } from './feeds/schema.ts'
import { filterRoutes } from './filters/routes.ts'
import { adoptFilters } from './filters/transfer.ts'
import { historyRoutes } from './history/routes.ts'
import { addressReader } from './http/address.ts'
import { allowOrigins } from './http/cors.ts'
import { docs } from './http/docs.ts'
import { door } from './http/door.ts'
import { errors } from './http/errors.ts'
import { exchange, exchangeOf } from './http/exchange.ts'
import { health } from './http/health.ts'
import type { Load } from './http/load.ts'
import { logAnswers } from './http/log.ts'
import { refuseOtherMethods } from './http/methods.ts'
import type { Metrics } from './http/metrics.ts'
import type { Outgoing } from './http/outgoing.ts'
import { baseReader, prefixReader } from './http/prefix.ts'
import type { Rates } from './http/rates.ts'
import { type ImportLines, importRoutes } from './imports/routes.ts'
import { copy, leave } from './lists/adoption.ts'
import { example as exampleList } from './lists/operations.ts'
import { findList } from './lists/queries.ts'
import { listRoutes } from './lists/routes.ts'
import { ListSchema, listConstraints } from './lists/schema.ts'
import { listJson } from './lists/table.ts'
import { listKind } from './lists/writes.ts'
import type { House } from './mcp/caller.ts'
import { mcpRoutes } from './mcp/routes.ts'
import { findTimeZone } from './me/queries.ts'
import { meRoutes } from './me/routes.ts'
import { programRoutes } from './programs/routes.ts'
import { createKeys } from './push/keys.ts'
import { pushKind } from './push/kind.ts'
import { type PushOptions, pushRoutes } from './push/routes.ts'
import { adoptSubscriptions, pushReminders } from './push/writes.ts'
import type { Makings } from './reminders/queries.ts'
import { createReminding, type RemindingOptions } from './reminders/reminding.ts'
import { adopting } from './tasks/adoption.ts'
import { readCalendar } from './tasks/calendar.ts'
import { dateOf } from './tasks/filter/days.ts'
import { checkFilter, checkMeaning, conditionNow, todayOf } from './tasks/filter/resolve.ts'
import { discarding, restoring } from './tasks/of-list.ts'
import { example } from './tasks/operations.ts'
import { taskRoutes } from './tasks/routes.ts'
import { placeConstraints, TaskSchema, taskConstraints } from './tasks/schema.ts'
import { taskJson } from './tasks/table.ts'
import { createUsage, type Quota } from './tasks/usage/usage.ts'
import { taskKind } from './tasks/writes.ts'
import { tokenRoutes } from './tokens/routes.ts'
import { exportLines } from './transfer/export-lines.ts'
import { importLines } from './transfer/import-lines.ts'
import { importStore } from './transfer/import-store.ts'
import { webRoutes } from './web/routes.ts'
import { webhookKind } from './webhooks/kind.ts'
import { createOutbox } from './webhooks/outbox.ts'
import { type Sending, webhookRoutes } from './webhooks/routes.ts'
import { type MeaningOf, type Question, webhookReminders } from './webhooks/writes.ts'

export type AppOptions = {
  db: Gate
  auth: AuthOptions
  /** The built-in issuer, asked for with its first request. Null: it is off. */
  issuer: (() => IssuerOptions) | null
  /** Programs that it lets in: the hosts of those that are known here besides. Null: none. */
  programs: { hosts: readonly string[] } | null
  corsOrigins: string[]
  docs: boolean
  /** The pages at `/` and `/account`. */
  web: boolean
  log: Logger
  readiness: () => Promise<'ok' | 'read_only' | 'unavailable'>
  isStopping: () => boolean
  load: Load
  outgoing: Outgoing
  /** Proxies in front of us that add to X-Forwarded-For. */
  trustProxy: number
  /** What a proxy in front cuts off the path; '': nothing, unless the proxy says so. */
  basePath: string
  /** Where Docket is reached, the base path included. Null: where each request says. */
  url: string | null
  /** The requests of each user, and of each address the failed sign-ins and the calendars. Null: as many as they like. */
  rates: { users: Rates; failures: Rates; calendars: Rates } | null
  metrics: Metrics | null
  /** What is translated for a frontend that cannot be changed. Null: nothing. */
  compat: CompatConfig | null
  /** What each user may have. */
  quota: Quota
  epoch: Epoch
  /** Who follows what changes. */
  streams: Streams
  /** Who sends to webhooks. */
  sending: Sending
  /** Who sends to browsers. */
  push: PushOptions
  /** Those that are kept for who asks again: they are to forget whose things were written. */
  calendars: Calendars
}

/** What is in the log. */
const things: Documented[] = [
  { type: 'task', model: 'Task', example, json: taskJson },
  { type: 'list', model: 'List', example: exampleList, json: listJson },
]

/** For `AppOptions`: the streams are to be woken when something was written. */
export function createFollowing(db: Gate): Streams {
  const read = readerOf(things)
  return createStreams((userId, since, size) => read(db.for(null, userId), userId, since, size))
}

/** What is in the log. */
export const kinds: Kind[] = [taskKind, listKind]

export type DeliveringOptions = Pick<CourierOptions, 'onTry' | 'pauses'> & {
  db: Gate
  /** Who is told of reminders too. */
  streams: Streams
  /** Whether webhooks and push services may be in private networks. */
  isPrivate: boolean
  /** Who answers for Web Push; null: it is off. */
  vapidSubject: string | null
  /** Is told how many reminders were told, and how many were too late. */
  onReminders?: RemindingOptions['onCount']
  /** Is told of what failed. It is tried again. */
  onFailure: (error: unknown) => void
  /** Milliseconds between two looks for what others have made, if not as usual. */
  roundPause?: number
}

/** For `AppOptions`: all that is sent to others. It is to be woken when something was written. */
export function createDelivering(options: DeliveringOptions) {
  const { db, streams, isPrivate, vapidSubject: subject } = options
  const { onTry, pauses, onFailure, roundPause } = options
  const keysOf = createKeys()
  const pushes = pushKind({ db, keysOf, subject, post: createClient({ isPrivate }) })
  const courier = createCourier({
    db,
    kinds: [webhookKind({ isPrivate }), pushes],
    onFailure,
    onTry,
    onOver: (userId) => outbox.hasRoom(userId),
    ...(pauses === undefined ? {} : { pauses }),
  })
  const makings = (meanings: MeaningOf[]): Makings => {
    const { make, ...rest } = webhookReminders(meanings)
    return { ...rest, make: subject === null ? make : [...make, pushReminders] }
  }
  const reminding = createReminding({
    db,
    makings: makings([]),
    async answer(question) {
      // It is the database that asks.
      const asked = JSON.parse(question) as Question
      const means = (hook: Question[number]) =>
        conditionNow(db.for(null, hook.user_id), hook.user_id, hook.filter)
      return makings(
        await Promise.all(asked.map(async (hook) => ({ ...hook, condition: await means(hook) }))),
      )
    },
    onEvent: ({ user_id, id, event }) => streams.remind(user_id, id, event),
    onFired: courier.wake,
    onCount: options.onReminders,
    listeners: streams.listeners,
    onFailure,
  })
  const outbox = createOutbox({
    db,
    things: kinds.map(({ table: { type, name } }) => ({ type, name, isFiltered: type === 'task' })),
    meaningOf: conditionNow,
    onMade: courier.wake,
    onFailure,
  })
  const look = async () => {
    reminding.wake()
    await outbox.look()
    courier.wake()
    await courier.prune()
  }
  const rounds = createRounds(look, onFailure, roundPause)

  return {
    sending: { isPrivate, follow: outbox.follow, send: courier.wake },
    push: subject === null ? null : { keysOf, isPrivate },
    /** A reminder is to come in so many milliseconds. */
    remindIn: reminding.heard,
    /** Tells those who follow of reminders that have come elsewhere. */
    catchUp: reminding.catchUp,
    /** Looks for what is left of before. */
    begin: rounds.begin,
    /** Something was written for these users. */
    wake: (users: Iterable<string>): void => {
      outbox.wake(users)
      rounds.wake()
    },
    /** What is under way ends; the rest is left to others, or to the next start. */
    stop: async (): Promise<void> => {
      await Promise.all([rounds.stop(), outbox.stop(), reminding.stop()])
      await courier.stop()
    },
  }
}

/** The whole API. */
export function createApp(options: AppOptions) {
  const { db, auth, corsOrigins, epoch, load, metrics, outgoing, rates, streams } = options
  const programs = programsOf(options)
  const identify = createIdentify(db, auth, corsOrigins, options.log, programs)
  const authenticated = signedIn(identify, rates?.users ?? null, outgoing, programs)
  const usage = createUsage(options.quota)
  const log = logAnswers(options.log, auth.secret)
  const members = { discarding, restoring }
  const adoptTasks = adopting({ copy, leave })
  const adopt = async (to: Db, author: Author, guestId: string) => {
    const tasks = await adoptTasks(to, author, guestId)
    await adoptFilters(to, author.user_id, guestId)
    await adoptSubscriptions(to, author.user_id, guestId)
    return tasks
  }
  const shown: Shown = { findList, check: checkMeaning, read: readCalendar }
  const baseOf = baseReader(options.url, options.trustProxy)
  const addressFor = (request: Request) => baseOf(request, exchangeOf(request).prefix())
  const takeLines: ImportLines = (dbFor, author, bytes, how) =>
    importLines(dbFor, author, bytes, { ...how, keepsExtra: options.compat?.keepsUnknown ?? false })
  const cutOff = (error: unknown) =>
    options.log.warn(
      { reason: error instanceof Error ? error.message : String(error) },
      'an export was cut off',
    )
  const constraints = {
    ...taskConstraints,
    ...placeConstraints,
    ...listConstraints,
    ...feedConstraints,
  }
  const schemas = { task: TaskSchema, list: ListSchema }
  const ownOrigins = options.url === null ? [] : [new URL(options.url).origin]
  const house: House = {
    handle,
    todayOf: (request, userId) => todayOf(db.for(request, userId), userId, request.headers),
    dateOf,
    addressOf: addressFor,
    stepUp: (needed) => insufficient(needed, true, programs),
  }

  // In groups, for TypeScript counts how many there are.
  const signingIn = new Elysia()
    .use(issuerRoutes(options.issuer, programs))
    .use(wellKnownRoutes(programs))
  const letIn = new Elysia()
    .use(tokenRoutes(db, authenticated, streams.recheck))
    .use(programRoutes(db, authenticated, programs !== null))

  // `normalize: false`: an unknown field is refused, not dropped. `systemRouter: false`: Bun's own router finds routes
  // that Elysia's does not, by a Host header that makes the two read the path differently.
  const app = new Elysia({ normalize: false, systemRouter: false })
    .use(errors(constraints, options.log, rates?.failures ?? null))
    .use(options.compat === null ? new Elysia() : compatibility(options.compat))
    .use(
      exchange(load, {
        addressOf: addressReader(options.trustProxy),
        prefixOf: prefixReader(options.basePath, options.trustProxy),
        isStopping: options.isStopping,
        onAnswer: (answered) => {
          log(answered)
          metrics?.count(answered)
        },
        outgoing,
      }),
    )
    .use(allowOrigins(corsOrigins, programs === null ? null : openPaths))
    .use(door)
    .use(options.docs ? docs(auth.cookiePrefix) : new Elysia())
    .use(health(options.readiness))
    .use(
      webRoutes({
        hasHome: options.web,
        hasPrograms: programs !== null,
        issuer: options.issuer,
        cookies: auth,
        origins: corsOrigins,
        hasDocs: options.docs,
      }),
    )
    .use(signingIn)
    .use(meRoutes(db, authenticated, identify, auth.tables, usage, adopt, streams.recheck))
    .use(letIn)
    .use(pushRoutes(db, authenticated, options.push))
    .use(exportRoutes(db, authenticated, exportLines, cutOff))
    .use(importRoutes(db, authenticated, importStore, takeLines, usage.setAside, findTimeZone))
    .use(taskRoutes('/api', db, authenticated, usage, epoch, findList))
    .use(taskRoutes('/api/:user_id', db, authenticated, usage, epoch, findList))
    .use(listRoutes('/api', db, authenticated, usage, epoch, members))
    .use(listRoutes('/api/:user_id', db, authenticated, usage, epoch, members))
    .use(filterRoutes('/api', db, authenticated, checkFilter))
    .use(filterRoutes('/api/:user_id', db, authenticated, checkFilter))
    .use(webhookRoutes('/api', db, authenticated, checkFilter, options.sending))
    .use(webhookRoutes('/api/:user_id', db, authenticated, checkFilter, options.sending))
    .use(feedRoutes('/api', db, authenticated, shown, addressFor))
    .use(feedRoutes('/api/:user_id', db, authenticated, shown, addressFor))
    .use(calendarRoutes(db, shown, options.calendars, rates?.calendars ?? null))
    .use(changeRoutes('/api', db, authenticated, identify, epoch, things, streams))
    .use(changeRoutes('/api/:user_id', db, authenticated, identify, epoch, things, streams))
    .use(historyRoutes('/api', db, authenticated, kinds, schemas, usage))
    .use(historyRoutes('/api/:user_id', db, authenticated, kinds, schemas, usage))
    .use(mcpRoutes(authenticated, [...corsOrigins, ...ownOrigins], house))

  refuseOtherMethods(app)
  return app

  function handle(request: Request): Promise<Response> {
    return app.handle(request)
  }
}

/** Where its programs are let in is known when it listens. */
function programsOf({ issuer, programs }: AppOptions): Programs | null {
  return issuer === null || programs === null ? null : { ...programs, url: () => issuer().url }
}

/** For a typed client: `treaty<App>(…)` of @elysiajs/eden. */
export type App = ReturnType<typeof createApp>
