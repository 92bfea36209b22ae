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
import type { Row, RowList } from 'postgres'
import type { Sql } from '../database/connect.ts'
import { codeOf, remedyOf, Unavailable } from '../database/gate/faults.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { current } from './current.ts'

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

/** Has a connection of the pool for each statement, and for the whole of a transaction that writes. */
class PoolDriver implements Driver {
  readonly #gate: Gate

  constructor(gate: Gate) {
    this.#gate = gate
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PoolConnection> {
    return new PoolConnection(this.#gate)
  }

  async beginTransaction(connection: PoolConnection): Promise<void> {
    connection.begin()
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

/** Whoever signs in waits behind others who do: to the database all of them are one user. No user has an id like this. */
const issuerOf = (gate: Gate): Db => gate.for(null, '\0issuer')

type Outcome = 'commit' | 'rollback'

type Transaction = { sql: Pick<Sql, 'unsafe'>; prepare: boolean }

class PoolConnection implements DatabaseConnection {
  readonly #gate: Gate
  #isWithin = false
  #transaction: Transaction | undefined
  #fault: unknown
  #finish: ((outcome: Outcome) => Promise<void>) | undefined

  constructor(gate: Gate) {
    this.#gate = gate
  }

  /**
   * Only says that there is one: it begins with the first statement that does more than read. Better Auth hashes a password
   * between the two, and as long as that takes a connection would wait for it, which others are waiting for.
   */
  begin(): void {
    this.#isWithin = true
  }

  /** Kysely begins and ends a transaction in two calls; that of postgres.js lasts as long as a function runs. */
  async #begin(): Promise<Transaction> {
    const begun = Promise.withResolvers<Transaction>()
    const outcome = Promise.withResolvers<Outcome>()
    let isBegun = false
    const done = issuerOf(this.#gate)
      .write((pool) =>
        pool
          .begin(async (sql) => {
            isBegun = true
            begun.resolve({ sql, prepare: pool.options.prepare })
            if ((await outcome.promise) === 'rollback')
              throw new RolledBack('', { cause: this.#fault })
          })
          .catch((error: unknown) => {
            throw isBegun ? final(error) : error
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
    return begun.promise
  }

  async end(outcome: Outcome): Promise<void> {
    const finish = this.#finish
    this.#isWithin = false
    this.#finish = undefined
    this.#transaction = undefined
    await finish?.(outcome)
    this.#fault = undefined
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(fromDate) as never[]
    try {
      const isRead = query.kind === 'SelectQueryNode' && query.endModifiers === undefined
      if (this.#isWithin && !isRead) this.#transaction ??= await this.#begin()
      return toResult(await this.#run(sql, values, isRead))
    } catch (error) {
      const request = current()
      if (request !== undefined) request.fault = error
      throw error
    }
  }

  #run(sql: string, values: never[], isRead: boolean) {
    const transaction = this.#transaction
    if (transaction !== undefined) return this.#runWithin(transaction, sql, values)
    const run = (pool: Sql) => pool.unsafe(sql, values, manner(pool.options.prepare))
    const db = issuerOf(this.#gate)
    return isRead ? db.read(run) : db.write(run)
  }

  async #runWithin({ sql, prepare }: Transaction, text: string, values: never[]) {
    try {
      return await sql.unsafe(text, values, manner(prepare))
    } catch (error) {
      this.#fault ??= error
      throw final(error)
    }
  }

  // Better Auth reads whole answers.
  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Not supported.')
  }
}

function toResult<R>(result: RowList<Row[]>): QueryResult<R> {
  for (const { name, type } of result.columns ?? []) {
    const toDate = dates[type]
    if (toDate !== undefined) for (const row of result) row[name] = toDate(row[name])
  }
  // The row is what the caller's statement says that it is.
  return { numAffectedRows: BigInt(result.count ?? 0), rows: [...result] as R[] }
}

class RolledBack extends Error {}

/** Not simple: what has no parameters would be without our settings too, where they are told in front of each statement. */
const manner = (prepare: boolean) => ({ prepare, simple: false })

/** What is without a zone is of UTC. By the numbers that PostgreSQL has for the types. */
const dates: Record<number, (value: unknown) => unknown> = {
  1184: (value) => (typeof value === 'string' ? new Date(value) : value),
  1114: (value) => (typeof value === 'string' ? new Date(`${value.replace(' ', 'T')}Z`) : value),
}

/** What went wrong inside of a transaction, which cannot be run again: what was in it is known to Better Auth alone. */
const final = (error: unknown): unknown =>
  remedyOf(error) === 'none' ? error : new Unavailable(codeOf(error), { cause: error })

const fromDate = (value: unknown): unknown => (value instanceof Date ? value.toISOString() : value)
