import { expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureSnapshot } from '../../../src/database/embedded/snapshot.ts'
import { temporaryFolder, until } from './support.ts'

test('appears whole or not at all, also when two make it at once', async () => {
  using cache = temporaryFolder()
  const path = join(cache.path, 'snapshot.tar.zst')
  await Bun.write(`${path}.half`, 'what a killed process left')

  const makers = Promise.all([ensureSnapshot(cache.path), ensureSnapshot(cache.path)])
  await until(() => existsSync(path))
  const sizeAtFirstSight = statSync(path).size
  const archive = new Bun.Archive(Bun.zstdDecompressSync(await Bun.file(path).bytes()))

  expect(await makers).toEqual([path, path])
  expect([...(await archive.files()).keys()]).toContain('global/pg_control')
  expect(sizeAtFirstSight).toBeGreaterThan(1_000_000)
  expect((await readdir(cache.path)).toSorted()).toEqual([
    'snapshot.tar.zst',
    'snapshot.tar.zst.half',
  ])
}, 20_000)
