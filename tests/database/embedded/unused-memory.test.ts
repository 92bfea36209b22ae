import { expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { createCluster } from '../../../src/database/embedded/cluster.ts'
import { openEngine } from '../../../src/database/embedded/engine.ts'
import { simpleQuery } from '../../../src/database/embedded/protocol.ts'
import { readSnapshot } from '../../../src/database/embedded/snapshot.ts'
import { giveBack } from '../../../src/database/embedded/unused-memory.ts'
import { patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

test('nothing is lost of what somebody has put there', () => {
  const { buffer } = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true })
  const memory = new Uint8Array(buffer)
  const written = [0, 1, 65_535, 65_536, 200_000, 1_000_000, memory.length - 1]
  for (const at of written) memory[at] = 1 + (at % 200)

  giveBack(memory.subarray(0))
  giveBack(memory.subarray(12_345, 3_000_001))

  expect(written.map((at) => memory[at])).toEqual(written.map((at) => 1 + (at % 200)))
  expect(memory.reduce((count, byte) => count + Number(byte !== 0), 0)).toBe(written.length)
})

test('an engine that has rested goes on as before, and uses all of it', async () => {
  using folder = temporaryFolder()
  const cluster = join(folder.path, 'postgres')
  await createCluster(cluster, await readSnapshot())
  const engine = await openEngine(cluster, 16)
  await engine.run(simpleQuery('create table public.notes (n integer, body text)'))
  await engine.run(simpleQuery("insert into public.notes values (0, 'before')"))

  engine.rest()
  await engine.run(
    simpleQuery(
      'insert into public.notes select n, repeat(n::text, 100) from generate_series(1, 50000) n; checkpoint',
    ),
  )
  const answer = await engine.run(
    simpleQuery(
      "select count(*) || ' ' || min(body) filter (where n = 0) || ' ' || count(*) filter (where n > 0 and body = repeat(n::text, 100)) from public.notes",
    ),
  )
  await engine.close()

  expect(new TextDecoder().decode(answer)).toContain('50001 before 50000')
})
