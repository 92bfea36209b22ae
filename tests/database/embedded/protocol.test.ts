import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { failOnFailure, open, patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

const folder = temporaryFolder()
let database: Awaited<ReturnType<typeof open>>

beforeAll(async () => {
  database = await open(folder.path, failOnFailure)
  await database.sql`create table public.notes (id integer primary key, body text not null)`
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? error.code : undefined

const numbers = (length: number) => Array.from({ length }, (_, index) => index)

async function rejection(query: PromiseLike<unknown>) {
  try {
    await query
  } catch (error) {
    return codeOf(error)
  }
  return 'resolved'
}

test('answers each of 300 concurrent queries with its own rows or its own error', async () => {
  const { sql } = database

  const answers = await Promise.all(
    numbers(300).map(async (n) => {
      if (n % 3 === 1) return rejection(sql`select ${n}::integer / 0`)
      if (n % 3 === 2) return rejection(sql`select ${n} from ${sql(`missing_${n}`)}`)
      const [row] = await sql<{ n: number }[]>`select ${n}::integer as n`
      return row?.n
    }),
  )

  expect(answers).toEqual(numbers(300).map((n) => [n, '22012', '42P01'][n % 3]))
})

test('answers concurrent queries without prepared statements', async () => {
  const answers = await Promise.all(
    numbers(100).map((n) => database.sql.unsafe('select $1::integer as n', [n])),
  )

  expect(answers.map(([row]) => row?.['n'])).toEqual(numbers(100))
})

test('keeps concurrent transactions apart', async () => {
  const { sql } = database
  await sql`insert into public.notes values (100, '0')`

  await Promise.all(
    numbers(20).map(() =>
      sql.begin(async (tx) => {
        const [note] = await tx<{ body: string }[]>`select body from public.notes where id = 100`
        await tx`update public.notes set body = ${Number(note?.body) + 1} where id = 100`
      }),
    ),
  )

  expect(await sql<{ body: string }[]>`select body from public.notes where id = 100`).toMatchObject(
    [{ body: '20' }],
  )
})

test('rolls a transaction back when a query in it fails, and goes on', async () => {
  const { sql } = database

  const outcome = await rejection(
    sql.begin(async (tx) => {
      await tx`insert into public.notes values (200, 'lost')`
      await tx`insert into public.notes values (200, 'twice')`
    }),
  )

  expect(outcome).toBe('23505')
  expect(await sql`select from public.notes where id = 200`).toHaveLength(0)
})

test('rolls back to a savepoint only', async () => {
  const { sql } = database

  await sql.begin(async (tx) => {
    await tx`insert into public.notes values (300, 'kept')`
    await rejection(tx.savepoint((inner) => inner`insert into public.notes values (300, 'twice')`))
    await tx`insert into public.notes values (301, 'kept')`
  })

  expect(await sql`select from public.notes where id in (300, 301)`).toHaveLength(2)
})

test('rolls a whole message of several statements back when one fails', async () => {
  const { sql } = database

  const outcome = await rejection(
    sql.unsafe("insert into public.notes values (400, 'lost'); select 1 / 0").simple(),
  )

  expect(outcome).toBe('22012')
  expect(await sql`select from public.notes where id = 400`).toHaveLength(0)
})

test('runs a message of several statements', async () => {
  const results = await database.sql.unsafe('select 1 as a; select 2 as b').simple()

  expect(results).toMatchObject([[{ a: 1 }], [{ b: 2 }]])
})

test('carries a parameter and a value of three megabytes', async () => {
  const body = 'é¬𝄞'.repeat(333_333)

  const [row] = await database.sql<{ body: string }[]>`select ${body}::text as body`

  expect(row?.body === body).toBeTrue()
})

test('carries 20,000 rows', async () => {
  const rows = await database.sql<{ n: number }[]>`
    select n, repeat('x', 100) as body from generate_series(1, 20000) as n`

  expect(rows).toHaveLength(20_000)
  expect(rows.at(-1)?.n).toBe(20_000)
})

test('reads by cursor, beside other queries, to the end and not to the end', async () => {
  const { sql } = database
  const query = () => sql<{ n: number }[]>`select n from generate_series(1, 10) as n`.cursor(4)
  const batches: number[] = []
  for await (const rows of query()) batches.push(rows.length)

  for await (const _ of query()) break
  const [after] = await sql`select 1 as one`

  expect(batches).toEqual([4, 4, 2])
  expect(after?.['one']).toBe(1)
})

test('describes a statement without running it', async () => {
  const statement = await database.sql`select id from public.notes where body = ${''}`.describe()

  expect(statement.types).toEqual([25])
})

test('refuses COPY FROM STDIN and goes on', async () => {
  const { sql } = database

  const outcomes = await Promise.all([
    rejection(sql`copy public.notes from stdin`.writable()),
    rejection(sql`copy public.notes from stdin`),
    rejection(sql.unsafe('select 1; copy public.notes from stdin; select 2').simple()),
  ])

  expect(outcomes).toEqual(['57014', '57014', '57014'])
  expect(await sql`select 1 as one`).toMatchObject([{ one: 1 }])
})

test('answers in UTC and knows letters beyond ASCII', async () => {
  const [row] = await database.sql`
    select
      '2026-01-01 12:00+02'::timestamptz::text as instant,
      lower('É') as lower,
      'é' ~ '^\\w$' as letter,
      current_setting('server_encoding') as encoding`

  expect(row).toEqual({
    instant: '2026-01-01 10:00:00+00',
    lower: 'é',
    letter: true,
    encoding: 'UTF8',
  })
})
