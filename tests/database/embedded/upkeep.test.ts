import { expect, setDefaultTimeout, test } from 'bun:test'
import type { Engine } from '../../../src/database/embedded/engine.ts'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { createUpkeep } from '../../../src/database/embedded/upkeep.ts'
import { connect } from './client.ts'
import { failOnFailure, patience, temporaryFolder, until } from './support.ts'

setDefaultTimeout(patience)

test('checkpoints and vacuums after writes', async () => {
  using folder = temporaryFolder()
  const upkeep = { checkpointEvery: 20, vacuumEvery: 20 }
  const embedded = await startEmbedded(folder.path, failOnFailure, upkeep)
  const sql = connect(embedded)
  const [before] = await sql<{ redo_lsn: string }[]>`select redo_lsn from pg_control_checkpoint()`
  await sql`create table notes (n integer)`
  await sql`insert into notes select generate_series(1, 1000)`

  await until(async () => {
    const [row] = await sql<{ done: boolean }[]>`
      select
        (select reltuples = 1000 from pg_class where relname = 'notes')
        and redo_lsn > ${before?.redo_lsn ?? ''}::pg_lsn as done
      from pg_control_checkpoint()`
    return row?.done === true
  })

  await sql.end()
  await embedded.stop()
})

function scripted() {
  const ran: string[] = []
  let syncs = 0
  const engine: Engine = {
    run: async (messages) => {
      ran.push(new TextDecoder().decode(messages.subarray(5, -1)))
      syncs++
      return new Uint8Array(0)
    },
    syncs: () => syncs,
    close: async () => undefined,
  }
  return { engine, ran, write: () => syncs++ }
}

test('does nothing while nothing is written, its own work included', async () => {
  const { engine, ran, write } = scripted()
  const upkeep = createUpkeep(engine, { checkpointEvery: 0, vacuumEvery: 0 })

  await upkeep()
  expect(ran).toEqual([])

  write()
  await upkeep()
  await upkeep()
  await upkeep()
  expect(ran).toEqual(['vacuum (analyze)', 'checkpoint'])
})

test('does nothing before its time', async () => {
  const { engine, ran, write } = scripted()
  const upkeep = createUpkeep(engine, { checkpointEvery: 60_000, vacuumEvery: 60_000 })

  write()
  await upkeep()

  expect(ran).toEqual([])
})
