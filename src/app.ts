import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { type AuthOptions, createIdentify } from './auth/identify.ts'
import { type IssuerOptions, issuerRoutes } from './auth/issuer.ts'
import { signedIn } from './auth/signed-in.ts'
import { readerOf } from './changes/queries.ts'
import { changeRoutes, type Documented } from './changes/routes.ts'
import { createStreams, type Streams } from './changes/streams.ts'
import { compatibility } from './compat/layer.ts'
import type { CompatConfig } from './config.ts'
import type { Epoch } from './database/epoch.ts'
import type { Db, Gate } from './database/gate.ts'
import type { Author } from './database/log.ts'
import type { Kind } from './database/together.ts'
import { filterRoutes } from './filters/routes.ts'
import { adoptFilters } from './filters/transfer.ts'
import { historyRoutes } from './history/routes.ts'
import { addressReader } from './http/address.ts'
import { allowOrigins } from './http/cors.ts'
import { docs } from './http/docs.ts'
import { door } from './http/door.ts'
import { errors } from './http/errors.ts'
import { exchange } from './http/exchange.ts'
import { health } from './http/health.ts'
import type { Load } from './http/load.ts'
import { logAnswers } from './http/log.ts'
import { refuseOtherMethods } from './http/methods.ts'
import type { Metrics } from './http/metrics.ts'
import type { Outgoing } from './http/outgoing.ts'
import { prefixReader } from './http/prefix.ts'
import type { Rates } from './http/rates.ts'
import { importStore } from './import-store.ts'
import { importRoutes } from './imports/routes.ts'
import { copy, leave } from './lists/adoption.ts'
import { example as exampleList } from './lists/operations.ts'
import { findList } from './lists/queries.ts'
import { listRoutes } from './lists/routes.ts'
import { ListSchema, listConstraints } from './lists/schema.ts'
import { listJson } from './lists/table.ts'
import { listKind } from './lists/writes.ts'
import { findTimeZone } from './me/queries.ts'
import { meRoutes } from './me/routes.ts'
import { adopting } from './tasks/adoption.ts'
import { checkFilter } from './tasks/filters.ts'
import { discarding, restoring } from './tasks/of-list.ts'
import { example } from './tasks/operations.ts'
import { taskRoutes } from './tasks/routes.ts'
import { placeConstraints, TaskSchema, taskConstraints } from './tasks/schema.ts'
import { taskJson } from './tasks/table.ts'
import { createUsage, type Quota } from './tasks/usage.ts'
import { taskKind } from './tasks/writes.ts'

export type AppOptions = {
  db: Gate
  auth: AuthOptions
  /** The built-in issuer, asked for with its first request. Null: it is off. */
  issuer: (() => IssuerOptions) | null
  corsOrigins: string[]
  docs: boolean
  log: Logger
  readiness: () => Promise<'ok' | 'read_only' | 'unavailable'>
  isStopping: () => boolean
  load: Load
  outgoing: Outgoing
  /** Proxies in front of us that add to X-Forwarded-For. */
  trustProxy: number
  /** What a proxy in front cuts off the path; '': nothing, unless the proxy says so. */
  basePath: string
  /** The requests of each user, and the failed sign-ins of each address. Null: as many as they like. */
  rates: { users: Rates; failures: Rates } | null
  metrics: Metrics | null
  /** What is translated for a frontend that cannot be changed. Null: nothing. */
  compat: CompatConfig | null
  /** What each user may have. */
  quota: Quota
  epoch: Epoch
  /** Who follows what changes. */
  streams: Streams
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

/** The whole API. */
export function createApp(options: AppOptions) {
  const { db, auth, corsOrigins, epoch, load, metrics, outgoing, rates, streams } = options
  const identify = createIdentify(db, auth, corsOrigins, options.log)
  const authenticated = signedIn(identify, rates?.users ?? null, outgoing)
  const usage = createUsage(options.quota)
  const log = logAnswers(options.log, auth.secret)
  const members = { discarding, restoring }
  const adoptTasks = adopting({ copy, leave })
  const adopt = async (to: Db, author: Author, guestId: string) => {
    const tasks = await adoptTasks(to, author, guestId)
    await adoptFilters(to, author.user_id, guestId)
    return tasks
  }
  const constraints = { ...taskConstraints, ...placeConstraints, ...listConstraints }
  const schemas = { task: TaskSchema, list: ListSchema }

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
    .use(allowOrigins(corsOrigins))
    .use(door)
    .use(options.docs ? docs(auth.cookiePrefix) : new Elysia())
    .use(health(options.readiness))
    .use(issuerRoutes(options.issuer))
    .use(meRoutes(db, authenticated, identify, auth.tables, usage, adopt, streams.recheck))
    .use(importRoutes(db, authenticated, importStore, usage.setAside, findTimeZone))
    .use(taskRoutes('/api', db, authenticated, usage, epoch, findList))
    .use(taskRoutes('/api/:user_id', db, authenticated, usage, epoch, findList))
    .use(listRoutes('/api', db, authenticated, usage, epoch, members))
    .use(listRoutes('/api/:user_id', db, authenticated, usage, epoch, members))
    .use(filterRoutes('/api', db, authenticated, checkFilter))
    .use(filterRoutes('/api/:user_id', db, authenticated, checkFilter))
    .use(changeRoutes('/api', db, authenticated, identify, epoch, things, streams))
    .use(changeRoutes('/api/:user_id', db, authenticated, identify, epoch, things, streams))
    .use(historyRoutes('/api', db, authenticated, kinds, schemas, usage))
    .use(historyRoutes('/api/:user_id', db, authenticated, kinds, schemas, usage))

  refuseOtherMethods(app)
  return app
}

/** For a typed client: `treaty<App>(…)` of @elysiajs/eden. */
export type App = ReturnType<typeof createApp>
