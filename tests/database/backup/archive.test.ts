import { expect, test } from 'bun:test'
import { join } from 'node:path'
import {
  createCheck,
  Damage,
  type Entry,
  entryOf,
  pack,
  unpack,
} from '../../../src/database/backup/archive.ts'
import { temporaryFolder } from '../embedded/support.ts'

async function* listed(entries: Entry[]): AsyncGenerator<Entry> {
  yield* entries
}

const packed = async (...entries: Entry[]) =>
  Buffer.concat(await Array.fromAsync(pack(listed(entries))))

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function unpacked(bytes: Uint8Array, size = 65_536) {
  const found: [string, string][] = []
  for await (const entry of unpack(inPieces(bytes, size))) {
    found.push([entry.name, Buffer.concat(await Array.fromAsync(entry.bytes)).toString()])
  }
  return found
}

function faultOf(bytes: Uint8Array, size: number): string {
  const check = createCheck()
  for (let at = 0; at < bytes.length; at += size) check.add(bytes.subarray(at, at + size))
  try {
    check.finish()
    return ''
  } catch (error) {
    return error instanceof Damage ? error.message : String(error)
  }
}

const long = 'Ünïcode '.repeat(100_000)
const folder = (name: string): Entry => ({ ...entryOf(name, ''), name })

test('gives back what was put in, however it is cut into pieces', async () => {
  const content: [string, string][] = [
    ['first.json', '{}'],
    ['postgres/', ''],
    ['postgres/empty', ''],
    ['postgres/a-block', 'x'.repeat(512)],
    ['postgres/long', long],
    ['last', 'y'.repeat(513)],
  ]
  const bytes = await packed(...content.map(([name, text]) => entryOf(name, text)))

  for (const size of [7, 1000, bytes.length]) {
    expect(await unpacked(bytes, size)).toEqual(content)
    expect(faultOf(bytes, size)).toBe('')
  }
})

test('finds every bit that is another one, and every byte that is missing', async () => {
  const bytes = await packed(entryOf('one', 'content'), entryOf('two', 'more'))

  for (let at = 0; at < bytes.length; at += 1) {
    const other = Buffer.from(bytes)
    other[at] = (other[at] ?? 0) ^ (1 << (at % 8))
    expect([at, faultOf(other, 50)]).not.toEqual([at, ''])
    expect([at, faultOf(bytes.subarray(0, at), 50)]).not.toEqual([at, ''])
  }
})

test('is a tar archive to others', async () => {
  using place = temporaryFolder()
  const file = join(place.path, 'file')
  await Bun.write(file, await packed(folder('postgres/'), entryOf('postgres/one', long)))
  if (Bun.which('zstd') === null || Bun.which('tar') === null) return

  const child = Bun.spawnSync(['sh', '-c', `zstd -dc '${file}' | tar -x`], { cwd: place.path })

  expect([child.stderr.toString(), child.exitCode]).toEqual(['', 0])
  expect(await Bun.file(join(place.path, 'postgres', 'one')).text()).toBe(long)
})

test('leads nowhere but into the folder', async () => {
  for (const name of [
    '../out',
    'a/../../out',
    '/etc/passwd',
    'a/..',
    '.',
    './a',
    'a b',
    'a\\b',
    '',
  ]) {
    const bytes = await packed(entryOf(name, 'x'))
    expect(faultOf(bytes, 1000)).toBe('')
    const refused = await unpacked(bytes).catch((error: unknown) => error)
    expect([name, refused]).toEqual([name, expect.any(Damage)])
  }
})

test('what goes wrong with an entry goes wrong with the whole', async () => {
  async function* broken(): AsyncGenerator<Entry> {
    yield entryOf('one', 'content')
    throw new Error('No more.')
  }

  const failed = await Array.fromAsync(pack(broken())).catch((error: unknown) => error)

  expect(String(failed)).toContain('No more.')
})

test('is left half way, and what it was made of is told', async () => {
  let isLeft = false
  async function* endless(): AsyncGenerator<Entry> {
    try {
      for (;;) yield entryOf('more', crypto.getRandomValues(new Uint8Array(65_536)))
    } finally {
      isLeft = true
    }
  }

  for await (const _ of pack(endless())) break

  expect(isLeft).toBe(true)
})
