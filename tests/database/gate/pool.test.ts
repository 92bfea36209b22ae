import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseDatabaseUrl } from '../../../src/database/address/url.ts'
import { createGate } from '../../../src/database/gate/gate.ts'
import { createPool, type ServerPool } from '../../../src/database/gate/pool.ts'
import { readiness } from '../../../src/database/readiness.ts'
import { emptyDatabase, serverEnvironment, type TestDatabase } from '../../support/database.ts'

// Where statements go. The embedded database is in one place.

const environment = serverEnvironment()
// PgBouncer keeps its own connections to the server, as they were.
const isPooled = environment?.['DATABASE_PREPARE'] === 'off'

const options = {
  prepare: false,
  connectTimeout: 5,
  queryTimeout: 5,
  max: 2,
  session: null,
  schema: 'docket',
}

describe.skipIf(environment === null)('a pool', () => {
  let database: TestDatabase
  let name = ''
  beforeAll(async () => {
    database = await emptyDatabase()
    const [row] = await database.sql`select current_database() as name`
    name = row?.['name']
    await database.sql`create table public.t (id integer)`
  })
  afterAll(() => database.close())

  const setReadOnly = (value: 'on' | 'off') =>
    database.sql
      .unsafe(
        `set transaction read write; alter database ${name} set default_transaction_read_only = ${value}`,
      )
      .simple()

  /** The hosts in place of the one of the tests. */
  async function using(hosts: string, use: (pool: ServerPool) => Promise<unknown>) {
    const url = new URL(environment?.['DATABASE_URL'] ?? '')
    url.pathname = `/${name}`
    const text = url.href.replace(url.host, hosts.replace('it', url.host))
    const pool = createPool(parseDatabaseUrl(text), options)
    try {
      await use(pool)
    } finally {
      await pool.end(0)
    }
  }

  test.each(['it', '127.0.0.1:1,it', 'it,127.0.0.1:1', '127.0.0.1:1,127.0.0.1:2,it'])(
    'finds the server that takes writes in %s',
    (hosts) =>
      using(hosts, async (pool) => {
        expect(await pool.look()).toBe('writable')
        expect(await pool.sql()`select 1 as one`).toHaveLength(1)
        expect(pool.hasOthers).toBe(hosts.includes(','))
      }),
  )

  test.skipIf(isPooled)('does not leave a server that has no connection left', () =>
    using('it,127.0.0.1:1', async (pool) => {
      const before = pool.sql()
      await before`select 1 as one`
      await database.sql.unsafe(`alter database ${name} connection limit 1`).simple()

      expect(await pool.look()).toBe('unknown')
      expect(pool.sql()).toBe(before)
      expect(await before`select 1 as one`).toHaveLength(1)

      await database.sql.unsafe(`alter database ${name} connection limit -1`).simple()
    }),
  )

  test('goes nowhere where nobody answers', () =>
    using('127.0.0.1:1,127.0.0.1:2', async (pool) => {
      expect(await pool.look()).toBe('unknown')
    }))

  test.skipIf(isPooled)(
    'gets to a server that can be read from one that is lost, and writes are refused there',
    () =>
      using('127.0.0.1:1,it', async (pool) => {
        const gate = createGate(pool, { permits: 2, deadline: 10_000 })
        await setReadOnly('on')

        expect(await gate.read((sql) => sql`select 1 as one`)).toHaveLength(1)
        expect(await readiness(gate)()).toBe('read_only')
        const refused = gate.write((sql) => sql`insert into public.t values (1)`)
        expect(await refused.catch((error: Error) => error.message)).toBe(
          'the database takes no writes',
        )

        await setReadOnly('off')
      }),
  )

  test.skipIf(isPooled)(
    'leaves connections that take no writes for new ones that do, and those under way end where they are',
    () =>
      using('it', async (pool) => {
        const gate = createGate(pool, { permits: 2, deadline: 10_000 })
        await setReadOnly('on')
        const both = [1, 2].map(() => gate.read((sql) => sql`select pg_sleep(0.1)`))
        await Promise.all(both)
        await setReadOnly('off')
        // On each of these it can still not be written.
        const before = pool.sql()
        const underWay = gate.read((sql) => sql`select pg_sleep(0.3)`)

        await gate.write((sql) => sql`insert into public.t values (2)`)

        expect(pool.sql()).not.toBe(before)
        expect(await underWay).toHaveLength(1)
        expect(await readiness(gate)()).toBe('ok')
      }),
  )
})
