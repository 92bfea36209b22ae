import type { Duplex } from 'node:stream'
import postgres, { type MaybeRow, type PendingQuery } from 'postgres'
import type { ServerAddress } from './address/url.ts'
import { usualSchema, withSchema } from './schema-name.ts'
import { isolation, meaning, preludeOf, settingsFor } from './settings.ts'

/** What a query needs. */
export type Sql = postgres.Sql<Types>

type Types = {
  timestamptz: string
  date: string
  text_array: string[]
  int_array: number[]
  json: unknown
}

/**
 * What the database says goes to the wire. A JavaScript `Date` would lose the microseconds of an instant and
 * invent a time zone for a calendar date, so both stay text.
 */
const types = {
  timestamptz: {
    to: 1184,
    from: [1184],
    serialize: (text: string) => text,
    parse: rfc3339,
  },
  date: {
    to: 1082,
    from: [1082],
    serialize: (text: string) => text,
    parse: (text: string) => text,
  },
  text_array: {
    to: 1009,
    from: [1009],
    serialize: arrayLiteral,
    parse: parseArrayLiteral,
  },
  int_array: {
    to: 1007,
    from: [1007],
    serialize: arrayLiteral,
    parse: (text: string) => parseArrayLiteral(text).map(Number),
  },
  // As the driver has it, but text is JSON already: what Better Auth writes would else be a string with JSON in it.
  json: {
    to: 114,
    from: [114, 3802],
    serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
    parse: (text: string): unknown => JSON.parse(text),
  },
}

const shared = {
  types,
  // The array types that are used stand above: no extra query when a connection opens.
  fetch_types: false,
}

export type ConnectOptions = {
  prepare: boolean
  /** Certificates of the authorities to trust, as PEM, in place of those that everybody trusts. */
  ca?: string | null
  /** Seconds that connecting may take. */
  connectTimeout: number
  /** Seconds that a statement may be on the wire before its connection is given up. */
  queryTimeout: number
  /** Null: what the server has for this role and database. */
  session: Session | null
  /** Where Docket's tables are. */
  schema: string
  /** How many connections. */
  max: number
  /** Is told that a statement has set an alarm for so many milliseconds later: sql/010_reminders.sql. */
  onAlarm?: OnAlarm | undefined
}

export type OnAlarm = (milliseconds: number) => void

/** What the database says beside its answers. */
const listener =
  (onAlarm: OnAlarm | undefined) =>
  ({ message, detail }: postgres.Notice): void => {
    if (message === 'an alarm is set') onAlarm?.(Number(detail))
  }

/** What every statement has, whatever the server has for everybody: settings.ts. */
export type Session = {
  /** How long one may take on the server, whoever still waits for it here. */
  seconds: number
  /**
   * How the server is told: when a connection opens; or in front of each statement, where a pooler lends its connections for one
   * transaction at a time, and refuses or forgets what is asked of them.
   */
  told: 'once' | 'each time'
}

/** A pool on a server. Every option is set here, so that no variable of the environment has a say. */
export function connect(address: ServerAddress, options: ConnectOptions): Sql {
  const { session } = options
  const settings = session === null ? {} : settingsFor(session.seconds)
  const isOnce = session?.told === 'once'
  const sql: Sql = postgres({
    ...shared,
    // In arrays, which are missing in the types: a colon in text is the beginning of a port to the driver.
    ...({ host: [address.host], port: [address.port] } as object),
    ...(address.host.startsWith('/') ? { path: `${address.host}/.s.PGSQL.${address.port}` } : {}),
    user: address.user,
    password: address.password,
    database: address.database,
    ssl:
      address.tls === null
        ? false
        : {
            rejectUnauthorized: address.tls.verified,
            ...(options.ca ? { ca: options.ca } : {}),
          },
    prepare: options.prepare && address.prepare,
    max: options.max,
    onnotice: listener(options.onAlarm),
    // Nothing waits behind another statement: the gate has as many permits as there are connections.
    max_pipeline: 0,
    connect_timeout: options.connectTimeout,
    query_timeout: options.queryTimeout,
    idle_timeout: 60,
    // At once after a connection that worked.
    backoff: (failures: number) => (failures === 0 ? 0 : Math.min(0.05 * 2 ** failures, 0.5)),
    connection: {
      application_name: 'docket',
      // Every pooler takes these three.
      TimeZone: meaning.TimeZone,
      DateStyle: meaning.DateStyle,
      standard_conforming_strings: meaning.standard_conforming_strings,
      ...(isOnce ? { ...settings, default_transaction_isolation: isolation } : {}),
    },
    prelude: session === null || isOnce ? [] : preludeOf(settings),
  })
  return withSchema(sql, options.schema)
}

/** The one connection of the embedded database, which has one session: statements follow each other on it without a wait. */
export const connectEmbedded = (
  socket: () => Duplex,
  schema: string = usualSchema,
  onAlarm?: OnAlarm,
): Sql =>
  withSchema(
    postgres({
      ...shared,
      // `socket` is documented by postgres.js and missing in its types.
      ...({ socket } as object),
      host: 'embedded',
      user: 'postgres',
      database: 'postgres',
      max: 1,
      onnotice: listener(onAlarm),
      idle_timeout: 0,
      max_lifetime: null,
    }),
    schema,
  )

/** A statement that is sent once and forgotten: neither the driver nor the server keeps it for the next time. */
export function unprepared<T extends readonly MaybeRow[]>(query: PendingQuery<T>): PendingQuery<T> {
  // The driver looks for it in the options of a query, which are missing in the types.
  ;(query as unknown as { options: { prepare: boolean } }).options.prepare = false
  return query
}

/**
 * `2026-11-20 22:36:42.123456+00` of a session in UTC as `2026-11-20T22:36:42.123456+00:00`. What is infinite, or in a year of more
 * digits than the format has, is as far away as can be said.
 */
function rfc3339(text: string): string {
  if (!/^\d{4}-.*\+00$/.test(text)) {
    return /^-|BC$/.test(text) ? '0001-01-01T00:00:00+00:00' : '9999-12-31T23:59:59+00:00'
  }
  return `${text.replace(' ', 'T')}:00`
}

/** `{"a","b \"c\""}`: every element quoted, so that nothing in it means anything. */
function arrayLiteral(elements: readonly (string | number)[]): string {
  const quoted = elements.map((element) => `"${String(element).replace(/[\\"]/g, '\\$&')}"`)
  return `{${quoted.join(',')}}`
}

/** The elements of a one-dimensional array without nulls, quoted or not. */
function parseArrayLiteral(text: string): string[] {
  const elements = text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)
  return Array.from(elements, ([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/gs, '$1'),
  )
}
