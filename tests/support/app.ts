import { SignJWT } from 'jose'
import {
  type App,
  type AppOptions,
  createApp,
  createDelivering,
  createFollowing,
} from '../../src/app.ts'
import { createBackground } from '../../src/auth/background.ts'
import type { IssuerOptions } from '../../src/auth/issuer.ts'
import { authTables } from '../../src/auth/tables.ts'
import { createEpoch } from '../../src/database/epoch.ts'
import { createCalendars } from '../../src/feeds/kept.ts'
import { createLoad } from '../../src/http/load.ts'
import { createLog } from '../../src/http/log.ts'
import { createOutgoing } from '../../src/http/outgoing.ts'
import { checkAnswer } from './conformance.ts'
import { emptyDatabase, gateOf, layOut } from './database.ts'

export const secret = 'only-for-tests-only-for-tests-only'
export const origin = 'https://app.example'

/** Where the built-in issuer believes to be. */
export const issuerUrl = 'http://localhost'

const database = await emptyDatabase()
export const accounts = await layOut(database.sql)

export const auth = {
  secret,
  issuer: null,
  audience: null,
  jwksUrl: null,
  hasSessions: true,
  cookiePrefix: 'better-auth',
  tables: authTables(accounts, async () => accounts),
}

export const { sql } = database
export const calendars = createCalendars()
export const db = gateOf(sql, (users) => {
  streams.wake(users)
  delivering.wake(users)
  calendars.forget(users)
})
export const streams = createFollowing(db)
export const deliveryFailures: unknown[] = []
/** To receivers on this machine too, and again after a moment. */
export const delivering = createDelivering({
  db,
  streams,
  isPrivate: true,
  vapidSubject: 'mailto:ops@example.com',
  pauses: [0.1, 0.1, 0.1],
  onFailure: (error) => deliveryFailures.push(error),
})

export const issuerOptions: IssuerOptions = {
  url: issuerUrl,
  cookiePrefix: 'better-auth',
  db,
  tables: accounts,
  hasPrograms: true,
  tokens: auth,
  origins: [origin],
  log: createLog('silent'),
  google: null,
  github: null,
  oidc: null,
  mail: null,
  errorUrl: origin,
  clientHosts: [],
  background: createBackground(),
}

/** The app as most tests want it, or with other options. */
export const createTestApp = (options: Partial<AppOptions> = {}): App =>
  createApp({
    db,
    auth,
    issuer: () => issuerOptions,
    programs: { hosts: [] },
    corsOrigins: [origin],
    docs: true,
    web: true,
    log: createLog('silent'),
    readiness: async () => 'ok',
    isStopping: () => false,
    load: createLoad(Number.POSITIVE_INFINITY, 0),
    outgoing: createOutgoing(),
    // The clients of the tests each have an address of their own.
    trustProxy: 1,
    basePath: '',
    url: null,
    rates: null,
    metrics: null,
    compat: null,
    quota: { tasks: null, bytes: null },
    epoch: createEpoch(() => sql),
    streams,
    sending: delivering.sending,
    push: delivering.push,
    calendars,
    ...options,
  })

export const app = createTestApp()

/** Any: the test asserts the shape. */
type Body = any

export type Answer = { status: number; headers: Headers; body: Body; text: string }

/** Sends a request to the app, and holds the answer against the OpenAPI document. */
export async function send(
  method: string,
  path: string,
  options: {
    headers?: Record<string, string>
    body?: unknown
    raw?: string | Uint8Array<ArrayBuffer>
    /** Another one than the usual. */
    app?: App
  } = {},
): Promise<Answer> {
  // The same for all, so that answers can be compared whole.
  const headers = new Headers({ 'x-request-id': 'test', ...options.headers })
  const payload = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body))
  if (options.body !== undefined) headers.set('content-type', 'application/json')

  const response = await (options.app ?? app).handle(
    new Request(`http://localhost${path}`, { method, headers, body: payload }),
  )
  // A stream of events has no end.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (isStream) await response.body?.cancel()
  const text = isStream ? '' : await response.text()
  const body =
    text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '')
      ? JSON.parse(text)
      : undefined
  const answer = { status: response.status, headers: response.headers, body, text }
  await checkAnswer(app, method, path, answer)
  return answer
}

export const sign = (
  claims: Record<string, unknown>,
  expires: string | number = '5m',
): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))

export type TestUser = {
  id: string
  authorization: string
  send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>
  /** Creates a task and gives its representation. */
  create: (task?: Record<string, unknown>) => Promise<Body>
}

/** A user nobody else has: rows are scoped by user, so tests need no clean-up and run in any order. */
export async function signUp(id: string = crypto.randomUUID()): Promise<TestUser> {
  const authorization = `Bearer ${await sign({ sub: id })}`
  const user: TestUser = {
    id,
    authorization,
    send: (method, path, body, headers = {}) =>
      send(method, path, { headers: { authorization, ...headers }, body }),
    create: async (task = {}) => {
      const { status, body } = await user.send('POST', '/api/tasks', { title: 'A task', ...task })
      if (status !== 201) throw new Error(`Cannot create a task: ${JSON.stringify(body)}`)
      return body
    },
  }
  return user
}
