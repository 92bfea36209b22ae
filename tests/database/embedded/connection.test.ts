import { expect, setDefaultTimeout, test } from 'bun:test'
import { once } from 'node:events'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { connect } from './client.ts'
import { failOnFailure, open, patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

test('gives the next connection a clean session', async () => {
  using folder = temporaryFolder()
  const embedded = await startEmbedded(folder.path, failOnFailure)
  const before = connect(embedded)
  await before`create table public.notes (body text)`
  await before`set timezone = 'Europe/Paris'`
  await before`create temporary table scratch (n integer)`
  await before`begin`
  await before`insert into public.notes values ('lost')`
  await before.end()

  const after = connect(embedded)

  expect(await after`select body from public.notes`).toHaveLength(0)
  expect(await after`show timezone`).toMatchObject([{ TimeZone: 'UTC' }])
  expect(await after`select to_regclass('scratch') as scratch`).toMatchObject([{ scratch: null }])
  await after.end()
  await embedded.stop()
})

test('refuses a second connection while there is one, which goes on', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  await database.sql`select 1`

  const second = connect(database.embedded)

  const error = await second`select 1`.catch((reason: unknown) => reason)
  await second.end()

  expect(error).toMatchObject({ code: '53300' })
  expect(await database.sql`select 1 as one`).toMatchObject([{ one: 1 }])
})

test('declines encryption', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const stream = database.embedded.socket()

  stream.write(Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f))

  expect(await once(stream, 'data')).toEqual([Buffer.from('N')])
  stream.destroy()
})

test('takes messages that come in pieces', async () => {
  using folder = temporaryFolder()
  await using database = await open(folder.path)
  const stream = database.embedded.socket()
  const startup = Buffer.from('\0\0\0\x16\0\x03\0\0user\0postgres\0\0'.replace('\x16', '\x18'))
  const query = Buffer.from('Q\0\0\0\x15select 1234567\0')
  query.writeInt32BE(query.length - 1, 1)
  startup.writeInt32BE(startup.length, 0)

  for (const byte of Buffer.concat([startup, query])) stream.write(Uint8Array.of(byte))
  let answer = ''
  for await (const bytes of stream) {
    answer += bytes
    if (answer.includes('SELECT 1')) break
  }

  expect(answer).toContain('1234567')
})

test('tells that the engine died, once, and fails what was asked', async () => {
  using folder = temporaryFolder()
  const failures: Error[] = []
  const embedded = await startEmbedded(folder.path, (error) => failures.push(error))
  const sql = connect(embedded)

  await sql`set exit_on_error = on`

  const outcomes = await Promise.allSettled([sql`select 1 / 0`, sql`select 1`])

  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(failures.map(({ message }) => message)).toEqual(['FATAL:  division by zero'])
  await embedded.stop()
})
