import { expect, setDefaultTimeout, test } from 'bun:test'
import { once } from 'node:events'
import { readConfig } from '../../../src/config.ts'
import { join, simpleQuery } from '../../../src/database/embedded/protocol.ts'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { codeOf } from '../../../src/database/gate/faults.ts'
import { holding } from '../../../src/database/log/holding.ts'
import { openDatabase } from '../../../src/database/open.ts'
import { connect } from './client.ts'
import { failOnFailure, open, patience, temporaryFolder, until } from './support.ts'

// Several statements on their way over the one connection, one behind the other.

setDefaultTimeout(patience)

/** As the server has it. */
async function openWhole(
  folder: string,
  more: Record<string, string> = {},
  onCost?: (user: string, milliseconds: number) => void,
) {
  const config = readConfig({ DATA_DIR: folder, ...more })
  const database = await openDatabase(config, { onFailure: failOnFailure, onCost })
  return { db: database.db, [Symbol.asyncDispose]: database.close }
}

const endless = 'select count(*) from generate_series(1, 1e12)'

const outcome = (statement: PromiseLike<unknown>) =>
  Promise.resolve(statement).then(() => 'done', codeOf)

test('nobody else is in a transaction, nor loses what it takes back', async () => {
  using folder = temporaryFolder()
  await using database = await openWhole(folder.path)
  const { db } = database
  await db.write((sql) => sql`create table public.notes (n integer)`)
  const begun = Promise.withResolvers<void>()
  const rest = Promise.withResolvers<void>()

  const transaction = db.write((sql) =>
    sql.begin(async (within) => {
      await within`insert into public.notes values (1)`
      begun.resolve()
      await rest.promise
      await within`select 1 / 0`
    }),
  )
  const outcomes = outcome(transaction)
  await begun.promise
  const others = Promise.all([
    db.write((sql) => sql`insert into public.notes values (2)`),
    db.read((sql) => sql`select n from public.notes`),
  ])
  rest.resolve()

  expect(await outcomes).toBe('22012')
  await others
  expect(await db.read((sql) => sql`select n from public.notes`)).toMatchObject([{ n: 2 }])
})

test('what holds a user counts right beside others who write and fail', async () => {
  using folder = temporaryFolder()
  await using database = await openWhole(folder.path)
  const { db } = database
  await db.write((sql) => sql`insert into docket.users (id) values ('alice'), ('bob')`)
  const raise = () =>
    holding(db, 'alice', async (within) => {
      const [user] = await within.read(
        (sql) => sql<{ seq: string }[]>`select seq::text from docket.users where id = 'alice'`,
      )
      const seq = Number(user?.seq) + 1
      await within.write((sql) => sql`update docket.users set seq = ${seq} where id = 'alice'`)
    })

  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, n) => {
      if (n % 3 === 0) return outcome(raise())
      if (n % 3 === 1) return outcome(db.read((sql) => sql`select ${n}::integer / 0`))
      return outcome(
        db.write((sql) => sql`update docket.users set seq = seq + 1 where id = ${'bob'}`),
      )
    }),
  )

  expect(outcomes).toEqual(
    Array.from({ length: 60 }, (_, n) => ['done', '22012', 'done'][n % 3] ?? ''),
  )
  expect(
    await db.read((sql) => sql`select seq::integer from docket.users order by id`),
  ).toMatchObject([{ seq: 20 }, { seq: 20 }])
})

test('each that takes too long ends, wherever it is in the row, and the next one runs', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const { sql, embedded } = database
  await sql`select 1`
  embedded.limit(0.2)

  const outcomes = await Promise.all(
    [endless, 'select 1', endless, endless, 'select 1'].map((text) => outcome(sql.unsafe(text))),
  )

  expect(outcomes).toEqual(['57014', 'done', '57014', '57014', 'done'])
})

test('who asks in time is answered in time behind one who is not', async () => {
  using folder = temporaryFolder()
  await using database = await openWhole(folder.path, { DATABASE_DEADLINE: '1' })
  const { db } = database

  const outcomes = await Promise.all([
    outcome(db.for(null, 'alice').read((sql) => sql.unsafe(endless))),
    outcome(db.for(null, 'bob').read((sql) => sql`select 1`)),
  ])

  expect(outcomes).toEqual(['UNAVAILABLE', 'done'])
})

test('nobody is charged for the time in which he waited for others', async () => {
  using folder = temporaryFolder()
  const costs = new Map<string, number>()
  await using database = await openWhole(folder.path, {}, (user, milliseconds) =>
    costs.set(user, (costs.get(user) ?? 0) + milliseconds),
  )
  const { db } = database
  const sleep = (user: string, seconds: number) =>
    db.for(null, user).read((sql) => sql`select pg_sleep(${seconds})`)
  await sleep('nobody', 0)

  await Promise.all([sleep('alice', 0.8), sleep('bob', 0.1), sleep('carol', 0.1)])

  expect(costs.get('alice')).toBeGreaterThan(500)
  expect(costs.get('bob') ?? 0).toBeLessThan(500)
  expect(costs.get('carol') ?? 0).toBeLessThan(500)
})

/** What PostgreSQL's clients send to end a statement: a length, a code, a process and its secret. */
const cancelRequest = Buffer.from(Int32Array.of(16, 80877102, 42, 0).buffer).swap32()

test('who ends a statement that is answered already does not end the next one', async () => {
  using folder = temporaryFolder()
  const embedded = await startEmbedded(folder.path, failOnFailure)
  const stream = embedded.socket()
  const startup = Buffer.from('\0\0\0\x18\0\x03\0\0user\0postgres\0\0')
  startup.writeInt32BE(startup.length, 0)
  stream.write(startup)
  await once(stream, 'data')
  let answer = ''
  stream.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1')
  })
  const long =
    "do $$ declare ends timestamptz := clock_timestamp() + interval '1 second'; begin while clock_timestamp() < ends loop end loop; end $$"

  stream.write(join([simpleQuery("select 'first'"), simpleQuery(long)]))
  // Nothing is heard of the first one meanwhile, and the engine is at the second one.
  Bun.sleepSync(300)
  embedded.socket().write(cancelRequest)
  await until(() => answer.includes('DO\0') || answer.includes('57014'))

  expect(answer).toContain('first')
  expect(answer).not.toContain('57014')
  stream.destroy()
  await embedded.stop()
})

test('when the engine dies, what was before it is stored and what was behind it is not', async () => {
  using folder = temporaryFolder()
  const failures: Error[] = []
  const embedded = await startEmbedded(folder.path, (error) => failures.push(error))
  const sql = connect(embedded)
  await sql`create table public.notes (n integer)`
  await sql`set exit_on_error = on`

  const outcomes = await Promise.all([
    outcome(sql`insert into public.notes values (1)`),
    outcome(sql`select 1 / 0`),
    outcome(sql`insert into public.notes values (2)`),
    outcome(sql`insert into public.notes values (3)`),
  ])
  await sql.end()
  await embedded.stop()

  expect(outcomes.slice(1)).not.toContain('done')
  expect(failures).toHaveLength(1)
  await using after = await open(folder.path)
  expect(await after.sql`select n from public.notes`).toMatchObject([{ n: 1 }])
})

test('is looked after while there is always somebody who waits', async () => {
  using folder = temporaryFolder()
  const atOnce = {
    lookEvery: 20,
    quietAfter: 20,
    checkpointEvery: 20,
    checkpointAfter: 1e9,
    tidyWithin: 1e9,
  }
  const embedded = await startEmbedded(folder.path, failOnFailure, atOnce)
  const sql = connect(embedded)
  await sql`create table public.notes (n integer)`
  await sql`insert into public.notes select generate_series(1, 500)`
  const [before] = await sql<{ redo: string }[]>`
    select redo_lsn::text as redo from pg_control_checkpoint()`
  const state = { isDone: false }
  const ask = async () => {
    while (!state.isDone) await sql`update public.notes set n = n where n = ${1}`
  }
  const asking = [ask(), ask(), ask(), ask()]

  await until(async () => {
    const [row] = await sql<{ done: boolean }[]>`
      select redo_lsn > ${before?.redo ?? ''}::pg_lsn
        and exists (select from pg_stats where tablename = 'notes') as done
      from pg_control_checkpoint()`
    return row?.done === true
  })
  state.isDone = true
  await Promise.all(asking)

  await sql.end()
  await embedded.stop()
})
