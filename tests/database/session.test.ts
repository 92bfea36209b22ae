import { afterAll, expect, test } from 'bun:test'
import postgres from 'postgres'
import { readConfig } from '../../src/config.ts'
import type { Session, Sql } from '../../src/database/connect.ts'
import { openDatabase } from '../../src/database/open.ts'
import { preludeOf, settingsFor } from '../../src/database/settings.ts'
import { connectTo, emptyDatabase, serverEnvironment } from '../support/database.ts'

// What statements have on a server, whatever it has for everybody, and what bounds them there; embedded/interrupts.test.ts has
// the latter of the embedded database.

const url = serverEnvironment()?.['DATABASE_URL']
// A pooler refuses to be told once.
const ways = serverEnvironment()?.['DATABASE_PREPARE'] === 'off' ? [] : (['once'] as const)

const closing: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

function connectWith(seconds: number, told: Session['told'], to = url ?? '') {
  const sql = connectTo(to, { seconds, told })
  closing.push(() => sql.end({ timeout: 1 }))
  return sql
}

/** What decides how a session says things, each as far from ours as it goes. */
const worst = {
  DateStyle: 'German',
  TimeZone: 'Asia/Kolkata',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  quote_all_identifiers: 'on',
  row_security: 'off',
  search_path: 'pg_temp',
  client_encoding: 'LATIN1',
  statement_timeout: '1h',
  lock_timeout: '1h',
  enable_nestloop: 'on',
  enable_seqscan: 'on',
  jit: 'on',
  default_transaction_isolation: 'serializable',
}

/** The connection string of a database that has all of that for whoever comes. */
async function unlikeOurs(): Promise<string> {
  const { sql, close } = await emptyDatabase()
  closing.push(close)
  const { database } = sql.options
  const server = connectWith(60, 'each time')
  for (const [name, value] of Object.entries(worst)) {
    await server.unsafe(`alter database ${database} set ${name} = '${value}'`).simple()
  }
  const own = new URL(url ?? '')
  own.pathname = `/${database}`
  return own.href
}

const wanted = (seconds: number) => ({
  ...settingsFor(seconds),
  transaction_isolation: 'read committed',
})

async function settingsOf(sql: Pick<Sql, 'unsafe'>, seconds: number) {
  const rows = await sql.unsafe<{ name: string; setting: string }[]>(
    'select name, setting from pg_settings where name = any($1)',
    [Object.keys(wanted(seconds))],
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

const codeOf = (query: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(query).then(
    () => 'no error',
    (error: { code: string }) => error.code,
  )

for (const told of [...ways, 'each time'] as const) {
  test.skipIf(url === undefined)(
    `statements have our settings, whatever a database has for everybody, told ${told}`,
    async () => {
      const sql = connectWith(7, told, await unlikeOurs())

      expect(await settingsOf(sql, 7)).toEqual(wanted(7))
      const within = await sql.begin(async (transaction) => [
        await settingsOf(transaction, 7),
        await settingsOf(transaction, 7),
      ])
      expect(within).toEqual([wanted(7), wanted(7)])
    },
  )

  test.skipIf(url === undefined)(
    `who waits too long for a lock is told that it was one, told ${told}`,
    async () => {
      const sql = connectWith(0.5, told)
      const other = connectWith(60, told)
      await sql`create table if not exists public.locked ()`

      const code = await other.begin(async (transaction) => {
        await transaction`lock table public.locked`
        return codeOf(sql`select from public.locked`)
      })

      expect(code).toBe('55P03')
      await sql`drop table public.locked`
    },
  )

  test.skipIf(url === undefined)(
    `a statement that takes too long ends on the server, told ${told}`,
    async () => {
      const sql = connectWith(0.2, told)
      const watch = connectWith(60, 'each time')

      const late = codeOf(sql`select pg_sleep(20)`)

      expect(await late).toBe('57014')
      const running = await watch`
        select pid
        from pg_stat_activity
        where state = 'active'
          and query = 'select pg_sleep(20)'`
      expect(running.length).toBe(0)
      expect(await sql`select ${1}::int as one`).toEqual([{ one: 1 }] as never)
    },
  )

  test.skipIf(url === undefined)(
    `so does one of a transaction, which ends with it, told ${told}`,
    async () => {
      const sql = connectWith(0.2, told)

      const late = codeOf(
        sql.begin(async (transaction) => {
          await transaction`select ${1}::int`
          await transaction`select pg_sleep(20)`
        }),
      )

      expect(await late).toBe('57014')
      expect(await sql`select ${2}::int as two`).toEqual([{ two: 2 }] as never)
    },
  )
}

test.skipIf(url === undefined)(
  'what others leave behind on a connection holds for no statement of ours',
  async () => {
    const { sql: empty, close } = await emptyDatabase()
    closing.push(close)
    const own = new URL(url ?? '')
    own.pathname = `/${empty.options.database}`
    const sql = connectWith(7, 'each time', own.href)
    const left = Object.entries(worst).map(([name, value]) => `set ${name} = '${value}'`)

    for (let index = 0; index < 20; index += 1) {
      await sql.unsafe(left.join(';')).simple()
      expect(await settingsOf(sql, 7)).toEqual(wanted(7))
    }
  },
)

test.skipIf(url === undefined)(
  'nor at the start does a function of somebody else run in place of one of PostgreSQL',
  async () => {
    const { sql, close } = await emptyDatabase()
    closing.push(close)
    // Of the two `replace` this is the better match for a name of the catalog.
    await sql.unsafe(`
      create function public.replace(name, text, text) returns text language plpgsql
        as $$ begin raise exception 'It ran.'; end $$;
      create table public."user" (id text, name text, email text, "emailVerified" boolean, "createdAt" date, "updatedAt" date);
      create table public.account (id text, "accountId" text, "providerId" text, "userId" text, password text, "createdAt" date, "updatedAt" date)`)
    const own = new URL(url ?? '')
    own.pathname = `/${sql.options.database}`
    const environment = { ...serverEnvironment(), DATABASE_URL: own.href }

    const opened = await openDatabase(
      readConfig({ ...environment, BETTER_AUTH_SECRET: 'x'.repeat(32) }),
      { onFailure: () => {} },
    )

    await opened.close()
    expect(opened.accounts.tables?.user.path).toBe('"public"."user"')
  },
)

test.skipIf(url === undefined)(
  'what is told in front of each statement is nothing to warn of',
  async () => {
    const notices: unknown[] = []
    const sql = postgres(url ?? '', {
      prepare: false,
      fetch_types: false,
      prelude: preludeOf(settingsFor(7)),
      onnotice: (notice) => notices.push(notice),
    })
    closing.push(() => sql.end({ timeout: 1 }))

    expect(await sql`select current_setting('statement_timeout') as most`).toEqual([
      { most: '7s' },
    ] as never)
    expect(notices).toEqual([])
  },
)

test.skipIf(ways.length === 0 || url === undefined)(
  'a prepared statement that is lost is prepared again, behind what is told in front of it',
  async () => {
    const sql = connectTo(url ?? '', { seconds: 7, told: 'each time' }, 1)
    closing.push(() => sql.end({ timeout: 1 }))
    const ask = async () => [...(await sql`select ${1}::int as one`)]

    await ask()
    await sql.unsafe('deallocate all').simple()

    expect(await ask()).toEqual([{ one: 1 }])
  },
)

test.skipIf(url === undefined)(
  'what is told in front of each statement holds for no other',
  async () => {
    const sql = connectWith(0.2, 'each time')
    const simple = (text: string) => sql.unsafe(text).simple()

    // A message of the simple protocol has no limit in front of it.
    for (let index = 0; index < 20; index += 1) {
      await sql`select ${index}::int`
      const [row] = await simple(`select current_setting('statement_timeout') as limit`)
      expect(row?.['limit']).not.toBe('200ms')
    }
  },
)

test.skipIf(url === undefined)(
  'statements of every kind have their own rows and errors behind the limit',
  async () => {
    const sql = connectWith(5, 'each time')

    expect(await codeOf(sql`select ${'x'}::int`)).toBe('22P02')
    expect(await codeOf(sql.unsafe('select from nowhere'))).toBe('42P01')
    expect((await sql`select n from generate_series(1, ${3}::int) n`).map(({ n }) => n)).toEqual([
      1, 2, 3,
    ])
    expect((await sql`create temp table gone (n int) on commit drop`).command).toBe('CREATE TABLE')
    expect((await sql`select where ${false}::boolean`).count).toBe(0)
    expect((await sql`select ${1}::int as n`.describe()).columns.map(({ name }) => name)).toEqual([
      'n',
    ])
    const many = Array.from({ length: 50 }, (_, n) => sql`select ${n}::int as n`)
    expect((await Promise.all(many)).map(([row]) => row?.['n'])).toEqual(many.map((_, n) => n))
  },
)
