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
import type { Gate } from '../database/gate.ts'

/**
 * The pool as Better Auth wants it, through Kysely: an instant is a `Date` there, and text everywhere else. A dialect
 * that reserves connections is of no use: `sql.reserve()` of postgres.js 3.4.9 waits for ever where the connection has
 * to be opened first and `fetch_types` is off.
 */
export const dialectOf = (gate: Gate): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new PoolDriver(gate),
  createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  createQueryCompiler: () => new PostgresQueryCompiler(),
})

/** Has a connection of the pool for each statement, and for the whole of a transaction. */
class PoolDriver implements Driver {
  readonly #gate: Gate

  constructor(gate: Gate) {
    this.#gate = gate
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PoolConnection> {
    return new PoolConnection(this.#gate)
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
  readonly #gate: Gate
  #transaction: { sql: Pick<Sql, 'unsafe'>; prepare: boolean } | undefined
  #finish: ((outcome: Outcome) => Promise<void>) | undefined

  constructor(gate: Gate) {
    this.#gate = gate
  }

  /** Kysely begins and ends a transaction in two calls; that of postgres.js lasts as long as a function runs. */
  async begin(): Promise<void> {
    const begun = Promise.withResolvers<void>()
    const outcome = Promise.withResolvers<Outcome>()
    const done = this.#gate
      .write((pool) =>
        pool.begin(async (transaction) => {
          this.#transaction = { sql: transaction, prepare: pool.options.prepare }
          begun.resolve()
          if ((await outcome.promise) === 'rollback') throw new RolledBack()
        }),
      )
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
    this.#transaction = undefined
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(fromDate) as never[]
    const transaction = this.#transaction
    const result = await (transaction === undefined
      ? this.#gate.write((pool) => pool.unsafe(sql, values, { prepare: pool.options.prepare }))
      : transaction.sql.unsafe(sql, values, { prepare: transaction.prepare }))
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
export async function hasUuidIds(gate: Gate): Promise<boolean> {
  const [column] = await gate.read(
    (sql) => sql<{ is_uuid: boolean }[]>`
    select atttypid = 'uuid'::regtype as is_uuid
    from pg_attribute
    where attrelid = '"user"'::regclass
      and attname = 'id'`,
  )
  return column?.is_uuid === true
}
