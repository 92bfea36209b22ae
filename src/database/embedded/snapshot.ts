import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const name = 'snapshot.tar.zst'

/**
 * A fresh cluster as a tar archive, compressed with zstd: opening a copy of it takes a fraction of
 * the time and memory of initdb. In the binary it is embedded, from source it is made once.
 */
export async function readSnapshot(): Promise<Uint8Array> {
  // `bun build --asset` puts it next to the code.
  if (Bun.isStandaloneExecutable) return Bun.file(join(import.meta.dir, name)).bytes()

  const path = join(await cacheFolder(), name)
  if (existsSync(path)) return Bun.file(path).bytes()
  const snapshot = await makeSnapshot()
  // Without a cache (node_modules may be read-only) the next first start is slow too, no more.
  await save(path, snapshot).catch(() => undefined)
  return snapshot
}

/** Makes the snapshot if it is not in the cache, and returns its path. */
export async function ensureSnapshot(cache?: string): Promise<string> {
  const path = join(cache ?? (await cacheFolder()), name)
  if (!existsSync(path)) await save(path, await makeSnapshot())
  return path
}

/** Another PGlite may make another cluster: each version has its own. The last figure is of make-snapshot.ts. */
async function cacheFolder(): Promise<string> {
  const pglite = dirname(dirname(Bun.resolveSync('@electric-sql/pglite', import.meta.dir)))
  const { version } = await Bun.file(join(pglite, 'package.json')).json()
  return join(pglite, '..', '..', '.cache', 'docket', `pglite-${version}-2`)
}

/** In a process of its own: initdb takes a gigabyte of memory, which ends with the process. */
async function makeSnapshot(): Promise<Uint8Array> {
  const script = join(import.meta.dir, 'make-snapshot.ts')
  const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'inherit' })
  const bytes = await child.stdout.bytes()
  if ((await child.exited) !== 0) throw new Error('its first content could not be made (see above)')
  return bytes
}

/** Under a name of its own first: whoever finds the real name finds the whole file. */
async function save(path: string, bytes: Uint8Array) {
  const unfinished = `${path}.${crypto.randomUUID()}`
  await mkdir(dirname(path), { recursive: true })
  await Bun.write(unfinished, bytes)
  await rename(unfinished, path)
}
