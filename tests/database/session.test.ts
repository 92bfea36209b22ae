import { afterAll, expect, test } from 'bun:test'
import { connectTo, serverEnvironment } from '../support/database.ts'

// What bounds a statement on the server; embedded/interrupts.test.ts has the same of the embedded database.

const url = serverEnvironment()?.['DATABASE_URL']
// A pooler refuses to be told once.
const ways = serverEnvironment()?.['DATABASE_PREPARE'] === 'off' ? [] : (['once'] as const)

const closing: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closing.map((close) => close())))

function connectWith(seconds: number, told: 'once' | 'each time') {
  const sql = connectTo(url ?? '', { seconds, told })
  closing.push(() => sql.end({ timeout: 1 }))
  return sql
}

const codeOf = (query: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(query).then(
    () => 'no error',
    (error: { code: string }) => error.code,
  )

for (const told of [...ways, 'each time'] as const) {
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
