import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'
import { version } from '../../package.json' with { type: 'json' }
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { clone, runIn } from './clone.ts'

// What is committed, built for all machines, twice: it takes a minute. TEST_INSTALL=1 bun test tests/install

setDefaultTimeout(300_000)

const isAsked = process.env['TEST_INSTALL'] === '1'

/** Of an ELF file its machine and its loader, of a Mach-O file its processor, of a PE file its machine. */
const headers: Record<string, [string, number, string?]> = {
  'docket-linux-x64': ['ELF', 0x3e, '/lib64/ld-linux-x86-64.so.2'],
  'docket-linux-x64-musl': ['ELF', 0x3e, '/lib/ld-musl-x86_64.so.1'],
  'docket-linux-arm64': ['ELF', 0xb7, '/lib/ld-linux-aarch64.so.1'],
  'docket-linux-arm64-musl': ['ELF', 0xb7, '/lib/ld-musl-aarch64.so.1'],
  'docket-macos-x64': ['Mach-O', 0x01000007],
  'docket-macos-arm64': ['Mach-O', 0x0100000c],
  'docket-windows-x64.exe': ['PE', 0x8664],
}

describe.skipIf(!isAsked)('the builds', () => {
  let first = ''
  let commit = ''

  const read = (name: string, folder = first) => readFileSync(join(folder, 'dist', name))

  beforeAll(async () => {
    first = await clone('docket')
    commit = (await $`git rev-parse HEAD`.cwd(first).text()).slice(0, 7)
    // With the tools of developers, as in a clone where tests were run.
    await runIn(first, ['bun', 'install', '--frozen-lockfile', '--silent'])
    await build(first)
  })

  // Two gigabytes each.
  const remove = (folder: string) => rmSync(folder, { recursive: true, force: true })
  afterAll(() => remove(first))

  async function build(folder: string, env?: Record<string, string>) {
    for (const command of ['build', 'build --all']) {
      const { exitCode, said } = await runIn(folder, ['bun', 'run', ...command.split(' ')], env)
      if (exitCode !== 0) throw new Error(said)
    }
  }

  test('of one commit are the same, byte for byte, wherever and whenever', async () => {
    const second = await clone('elsewhere/under-another-name')
    await build(second, { TZ: 'Asia/Kolkata', LANG: 'de_DE.UTF-8', NODE_ENV: 'test' })

    const isSame = read('docket').equals(read('docket', second))
    const sums = read('SHA256SUMS', second).toString()
    remove(second)

    expect(isSame).toBe(true)
    expect(sums).toBe(read('SHA256SUMS').toString())
  })

  test('are those of the sums', async () => {
    const lines = Object.keys(headers).map(
      (name) => `${createHash('sha256').update(read(name)).digest('hex')}  ${name}\n`,
    )

    expect(read('SHA256SUMS').toString()).toBe(lines.join(''))
  })

  test('name the commit', async () => {
    const { said } = await runIn(first, ['dist/docket', '--version'])

    expect(said).toBe(`${version} (${commit})\n`)
  })

  test.each(Object.entries(headers))('%s is for its machine', (name, [format, machine, loader]) => {
    const file = read(name)

    if (format === 'ELF') {
      expect(file.toString('latin1', 0, 4)).toBe('\x7fELF')
      expect(file.readUInt16LE(18)).toBe(machine)
      expect(file.toString('latin1', 0, 4096)).toContain(`${loader}\0`)
    } else if (format === 'Mach-O') {
      expect(file.readUInt32LE(0)).toBe(0xfeedfacf)
      expect(file.readUInt32LE(4)).toBe(machine)
    } else {
      const start = file.readUInt32LE(0x3c)
      expect(file.toString('latin1', 0, 2)).toBe('MZ')
      expect(file.toString('latin1', start, start + 4)).toBe('PE\0\0')
      expect(file.readUInt16LE(start + 4)).toBe(machine)
    }
  })

  test.each(Object.keys(headers))(
    '%s has the engine, its first content and the pages',
    async (name) => {
      const file = read(name)
      const modules = join(first, 'node_modules')
      const cached = join(modules, '.cache/docket')
      const [snapshot = ''] = await Array.fromAsync(
        new Bun.Glob('pglite-*/snapshot.tar.zst').scan(cached),
      )

      for (const path of [
        join(cached, snapshot),
        join(cached, 'pages.json'),
        join(modules, '@electric-sql/pglite/dist/pglite.wasm'),
        join(modules, '@electric-sql/pglite/dist/pglite.data'),
      ]) {
        expect([path, file.includes(readFileSync(path))]).toEqual([path, true])
      }
      expect(file.includes(commit)).toBe(true)
    },
  )

  // The kernel of a Mac with such a processor runs nothing else.
  test('docket-macos-arm64 has a signature that is right', () => {
    const { pages, wrong } = checkSignature(read('docket-macos-arm64'))

    expect(pages).toBeGreaterThan(10_000)
    expect(wrong).toEqual([])
  })

  const arm64 = { emulator: Bun.which('qemu-aarch64-static'), libraries: '/usr/aarch64-linux-gnu' }

  test.skipIf(arm64.emulator === null || !existsSync(arm64.libraries))(
    'docket-linux-arm64 serves the first task',
    async () => {
      const port = freePort()
      const command = [
        arm64.emulator ?? '',
        '-L',
        arm64.libraries,
        join(first, 'dist/docket-linux-arm64'),
      ]
      const env = { PORT: String(port), DATA_DIR: temporaryFolder(), LOG_LEVEL: 'warn' }
      const server = Bun.spawn(command, { env, stdout: 'ignore', stderr: 'pipe' })
      let said = ''
      for await (const chunk of server.stderr) {
        said += new TextDecoder().decode(chunk)
        if (said.includes('A token')) break
      }
      const token = await runIn(first, [...command, 'token', '--user', 'alice'], env)
      const response = await fetch(`http://127.0.0.1:${port}/api/tasks`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token.said.trim()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ title: 'The first' }),
      })
      server.kill('SIGTERM')

      expect(await response.json()).toMatchObject({ title: 'The first', user_id: 'alice' })
      expect(await server.exited).toBe(0)
    },
  )
})

/** Holds each page of a Mach-O file against its hash in the code directory. */
function checkSignature(file: Buffer): { pages: number; wrong: number[] } {
  const codeSignature = 0x1d
  const directoryMagic = 0xfade0c02
  let at = 32
  for (let left = file.readUInt32LE(16); file.readUInt32LE(at) !== codeSignature; left -= 1) {
    if (left === 0) throw new Error('There is no signature.')
    at += file.readUInt32LE(at + 4)
  }
  const signature = file.subarray(file.readUInt32LE(at + 8))
  const directory = signature.subarray(signature.readUInt32BE(16))
  if (directory.readUInt32BE(0) !== directoryMagic) throw new Error('There is no code directory.')
  const [hashes, pages, end] = [16, 28, 32].map((offset) => directory.readUInt32BE(offset))
  if (hashes === undefined || pages === undefined || end === undefined)
    throw new Error('Cut short.')
  const size = 2 ** directory.readUInt8(39)
  const wrong = Array.from({ length: pages }, (_, page) => page).filter((page) => {
    const content = file.subarray(page * size, Math.min((page + 1) * size, end))
    const hash = createHash('sha256').update(content).digest()
    return !hash.equals(directory.subarray(hashes + page * 32, hashes + page * 32 + 32))
  })
  return { pages, wrong }
}
