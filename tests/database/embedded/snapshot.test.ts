import { expect, setDefaultTimeout, test } from 'bun:test'
import { watch } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureSnapshot } from '../../../src/database/embedded/snapshot.ts'
import { patience, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

test('appears whole or not at all, also when two make it at once', async () => {
  using cache = temporaryFolder()
  const path = join(cache.path, 'snapshot.tar.zst')
  await Bun.write(`${path}.half`, 'what a killed process left')
  const events: string[] = []
  const watcher = watch(cache.path, (event, name) => events.push(`${event} ${name}`))

  const paths = await Promise.all([ensureSnapshot(cache.path), ensureSnapshot(cache.path)])

  const archive = new Bun.Archive(Bun.zstdDecompressSync(await Bun.file(path).bytes()))
  expect(paths).toEqual([path, path])
  expect([...(await archive.files()).keys()]).toContain('/global/pg_control')
  expect(events).toContain('rename snapshot.tar.zst')
  expect(events).not.toContain('change snapshot.tar.zst')
  expect((await readdir(cache.path)).toSorted()).toEqual([
    'snapshot.tar.zst',
    'snapshot.tar.zst.half',
  ])
  watcher.close()
})
