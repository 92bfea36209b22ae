import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type { Sql } from '../database/connect.ts'

/**
 * The pool as Better Auth wants it, through Kysely: an instant is a `Date` there, and text everywhere else. A dialect
 * that reserves connections is of no use: `sql.reserve()` of postgres.js 3.4.9 waits for ever where the connection has
 * to be opened first and `fetch_types` is off.
 */
export const dialectOf = (sql: Sql): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PoolDriver(sql),
  createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  createQueryCompiler: () => new PostgresQueryCompiler(),
})

/** Has a connection of the pool for each statement, and for the whole of a transaction. */
class PoolDriver implements Driver {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PoolConnection> {
    return new PoolConnection(this.#sql)
  }

  beginTransaction(connection: PoolConnection): Promise<void> {
    return connection.begin()
  }

  commitTransaction(connection: PoolConnection): Promise<void> {
    return connection.end('commit')
  }

  rollbackTransaction(connection: PoolConnection): Promise<void> {
    return connection.end('rollback')
  }

  async releaseConnection(): Promise<void> {}

  /** The pool is not ours to close. */
  async destroy(): Promise<void> {}
}

type Outcome = 'commit' | 'rollback'

class PoolConnection implements DatabaseConnection {
  readonly #pool: Sql
  #sql: Pick<Sql, 'unsafe'>
  #finish: ((outcome: Outcome) => Promise<void>) | undefined

  constructor(pool: Sql) {
    this.#pool = pool
    this.#sql = pool
  }

  /** Kysely begins and ends a transaction in two calls; that of postgres.js lasts as long as a function runs. */
  async begin(): Promise<void> {
    const begun = Promise.withResolvers<void>()
    const outcome = Promise.withResolvers<Outcome>()
    const done = this.#pool
      .begin(async (transaction) => {
        this.#sql = transaction
        begun.resolve()
        if ((await outcome.promise) === 'rollback') throw new RolledBack()
      })
      .catch((error: unknown) => {
        begun.reject(error)
        if (!(error instanceof RolledBack)) throw error
      })
    // Whoever ends it waits for it, and is told.
    done.catch(() => {})
    this.#finish = async (how) => {
      outcome.resolve(how)
      await done
    }
    await begun.promise
  }

  async end(outcome: Outcome): Promise<void> {
    await this.#finish?.(outcome)
    this.#finish = undefined
    this.#sql = this.#pool
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const prepare = this.#pool.options.prepare
    const result = await this.#sql.unsafe(sql, parameters.map(fromDate) as never[], { prepare })
    const instants = (result.columns ?? []).filter(({ type }) => type === timestamptz)
    for (const row of result) {
      for (const { name } of instants) row[name] = toDate(row[name])
    }
    return { numAffectedRows: BigInt(result.count ?? 0), rows: [...result] as R[] }
  }

  // Better Auth reads whole answers.
  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Not supported.')
  }
}

class RolledBack extends Error {}

const timestamptz = 1184

const fromDate = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : value)

const toDate = (value: unknown): unknown => (typeof value === 'string' ? new Date(value) : value)

/** Whether a frontend's Better Auth made its tables with ids that are uuid. */
export async function hasUuidIds(sql: Sql): Promise<boolean> {
  const [column] = await sql<{ is_uuid: boolean }[]>`
    select atttypid = 'uuid'::regtype as is_uuid
    from pg_attribute
    where attrelid = '"user"'::regclass
      and attname = 'id'`
  return column?.is_uuid === true
}
