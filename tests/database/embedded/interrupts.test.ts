import { expect, setDefaultTimeout, test } from 'bun:test'
import type { Embedded } from '../../../src/database/embedded/start.ts'
import { open, patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

/** What PostgreSQL's clients send to end a statement: a length, a code, a process and its secret. */
const cancelRequest = Buffer.from(Int32Array.of(16, 80877102, 42, 0).buffer).swap32()

/** Asks to end a statement until it has ended, for it may not have begun. Gives its code. */
async function stop(embedded: Embedded, statement: PromiseLike<unknown>): Promise<string> {
  const ended = Promise.resolve(statement).then(
    () => 'done',
    ({ code }: { code: string }) => code,
  )
  for (;;) {
    const stream = embedded.socket()
    stream.resume()
    stream.write(cancelRequest)
    const code = await Promise.race([ended, Bun.sleep(5)])
    if (code !== undefined) return code
  }
}

test.each([
  ['that reads', 'select count(*) from generate_series(1, 1e12)'],
  ['that writes', 'insert into public.notes select n from generate_series(1, 1000000000) n'],
  ['that sorts', 'select n from generate_series(1, 1e7) n order by n::text desc'],
  ['in PL/pgSQL', 'do $$ begin loop end loop; end $$'],
])('ends a statement %s, and the next one runs', async (_, statement) => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const { sql, embedded } = database
  await sql`create table public.notes (n bigint)`

  const code = await stop(embedded, sql.unsafe(statement))

  expect(code).toBe('57014')
  expect(await sql`select count(*)::int from public.notes`).toMatchObject([{ count: 0 }])
})

test('a statement ends by itself when it takes longer than it may, and no other does', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const { sql, embedded } = database
  await sql`create table public.notes (n bigint)`
  embedded.limit(0.2)

  for (const endless of [
    'select count(*) from generate_series(1, 1e12)',
    'insert into public.notes select n from generate_series(1, 1000000000) n',
  ]) {
    const code = await sql.unsafe(endless).then(
      () => 'done',
      (error: { code: string }) => error.code,
    )
    expect(code).toBe('57014')
  }
  for (let round = 0; round < 300; round += 1) {
    expect(await sql`select ${round}::int as round`).toMatchObject([{ round }])
    await Bun.sleep(1)
  }
  expect(await sql`select count(*)::int from public.notes`).toMatchObject([{ count: 0 }])
})

test('whoever asks while nothing runs ends nothing', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const { sql, embedded } = database
  await sql`select 1`

  for (let round = 0; round < 50; round += 1) {
    const stream = embedded.socket()
    stream.write(cancelRequest)
    const [row] = await sql`select ${round}::int as round`
    expect(row).toMatchObject({ round })
  }
})
