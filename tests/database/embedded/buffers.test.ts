import { expect, setDefaultTimeout, test } from 'bun:test'
import { buffersFor, chooseBuffers } from '../../../src/database/embedded/buffers.ts'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { connect } from './client.ts'
import { failOnFailure, patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

const megabytes = 1024 * 1024
const gigabytes = 1024 * megabytes

test.each([
  ['an empty cluster', 20 * megabytes, 16 * gigabytes, 32],
  ['200 MB', 200 * megabytes, 16 * gigabytes, 64],
  ['10 GB', 10 * gigabytes, 16 * gigabytes, 96],
  ['1 GB in a container of 512 MB', gigabytes, 512 * megabytes, 64],
  ['1 GB in a container of 128 MB', gigabytes, 128 * megabytes, 32],
])('%s', (_, data, machine, expected) => {
  expect(buffersFor(data, machine)).toBe(expected)
})

test('keeps as much at hand as fits the data, or as it is told', async () => {
  using folder = temporaryFolder()
  const told = await startEmbedded(folder.path, failOnFailure, undefined, 16)
  const sql = connect(told)
  const before = await sql`show shared_buffers`
  await sql`create table public.notes as select repeat(n::text, 100) as body from generate_series(1, 250000) n`
  await sql.end()
  await told.stop()

  const chosen = chooseBuffers(`${folder.path}/postgres`)
  const embedded = await startEmbedded(folder.path, failOnFailure)
  const again = connect(embedded)
  const after = await again`show shared_buffers`
  await again.end()
  await embedded.stop()

  expect(before).toMatchObject([{ shared_buffers: '16MB' }])
  expect(chosen).toBeGreaterThan(32)
  expect(after).toMatchObject([{ shared_buffers: `${chosen}MB` }])
})
