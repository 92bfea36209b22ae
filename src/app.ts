import { Elysia } from 'elysia'
import type { Logger } from 'pino'
import { type AuthOptions, createIdentify } from './auth/identify.ts'
import { type IssuerOptions, issuerRoutes } from './auth/issuer.ts'
import { signedIn } from './auth/signed-in.ts'
import type { Gate } from './database/gate.ts'
import { allowOrigins } from './http/cors.ts'
import { docs } from './http/docs.ts'
import { door } from './http/door.ts'
import { errors } from './http/errors.ts'
import { health } from './http/health.ts'
import { logAnswers } from './http/log.ts'
import { refuseOtherMethods } from './http/methods.ts'
import { meRoutes } from './me/routes.ts'
import { taskRoutes } from './tasks/routes.ts'
import { taskConstraints } from './tasks/schema.ts'

export type AppOptions = {
  db: Gate
  auth: AuthOptions
  /** The built-in issuer, asked for with its first request. Null: it is off. */
  issuer: (() => IssuerOptions) | null
  corsOrigins: string[]
  docs: boolean
  log: Logger
  isReady: () => Promise<boolean>
}

/** The whole API. */
export function createApp(options: AppOptions) {
  const { db, auth, corsOrigins, log } = options
  const authenticated = signedIn(createIdentify(db, auth, corsOrigins, log))

  // `normalize: false`: an unknown field is refused, not dropped. `systemRouter: false`: Bun's own router finds routes
  // that Elysia's does not, by a Host header that makes the two read the path differently.
  const app = new Elysia({ normalize: false, systemRouter: false })
    .use(errors(taskConstraints, log))
    .use(logAnswers(log))
    .use(door)
    .use(allowOrigins(corsOrigins))
    .use(options.docs ? docs() : new Elysia())
    .use(health(options.isReady))
    .use(issuerRoutes(options.issuer))
    .use(meRoutes(db, authenticated))
    .use(taskRoutes('/api', db, authenticated))
    .use(taskRoutes('/api/:user_id', db, authenticated))

  refuseOtherMethods(app)
  return app
}

/** For a typed client: `treaty<App>(…)` of @elysiajs/eden. */
export type App = ReturnType<typeof createApp>
