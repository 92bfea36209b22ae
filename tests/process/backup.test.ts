import { expect, test } from 'bun:test'
import { chmodSync, createReadStream, existsSync, mkdirSync } from 'node:fs'
import { copyFile, cp, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, entryOf, pack, unpack } from '../../src/database/backup/archive.ts'
import { connectEmbedded } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { eventually } from '../deliveries/support.ts'
import { momentIn } from '../reminders/support.ts'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { command, docket, type Server, startServer } from '../support/process.ts'

const isRoot = process.getuid?.() === 0

/** A folder whose server has one task of alice, and what is said to it as alice. */
async function begin(env: Record<string, string> = {}) {
  const folder = env['DATA_DIR'] ?? temporaryFolder()
  const all = { DATA_DIR: folder, ...env }
  const server = await startServer({ env: all })
  const { add, titles } = await aliceOn(() => server.address, folder)
  await add('First')
  return { folder, env: all, server, add, titles }
}

async function aliceOn(address: () => string, folder: string) {
  const { stdout } = await docket(['token', '--user', 'alice'], { env: { DATA_DIR: folder } })
  const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' }
  const post = async (path: string, body: unknown) => {
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    expect((await fetch(`${address()}${path}`, init)).status).toBe(201)
  }
  return {
    post,
    add: (title: string) => post('/api/tasks', { title }),
    titles: async (path = '/api/tasks?limit=200') => {
      const answer = await fetch(`${address()}${path}`, { headers })
      // The document says so, against which every other test holds it.
      return ((await answer.json()) as { title: string }[]).map(({ title }) => title).toSorted()
    },
    epoch: async () =>
      (await fetch(`${address()}/api/tasks`, { headers })).headers.get('docket-epoch'),
  }
}

/** What alice has in a folder, for whoever has its secret. */
async function titlesIn(folder: string): Promise<string[]> {
  const server = await startServer({ env: { DATA_DIR: folder } })
  const alice = await aliceOn(() => server.address, folder)
  const titles = await alice.titles()
  expect(await server.end('SIGTERM')).toBe(0)
  return titles
}

const restoreTo = (folder: string, file: string, ...more: string[]) =>
  docket(['restore', file, ...more], { env: { DATA_DIR: folder } })

test('a backup has all that was acknowledged before it, under load and when the server is killed', async () => {
  const files = temporaryFolder()
  const { folder, env, server } = await begin({ RATE_LIMIT: '0' })
  let running: Server = server
  const alice = await aliceOn(() => running.address, folder)
  const acknowledged = ['First']
  const over = new AbortController()
  const write = async (writer: number) => {
    for (let count = 0; !over.signal.aborted; count += 1) {
      const title = `${writer} ${count}`
      await alice.add(title).then(
        () => acknowledged.push(title),
        () => Bun.sleep(20),
      )
    }
  }
  const writing = [0, 1, 2].map(write)
  const made: { file: string; before: string[] }[] = []
  for (const round of [0, 1, 2]) {
    const before = [...acknowledged]
    const file = join(files, String(round))
    const backup = docket(['backup', file], { env })
    if (round === 1) await running.end('SIGKILL')
    const { exitCode } = await backup
    if (running.hasEnded()) running = await startServer({ env })
    expect(existsSync(file)).toBe(exitCode === 0)
    if (exitCode === 0) made.push({ file, before })
  }
  over.abort()
  await Promise.all(writing)
  await running.end('SIGTERM')

  expect(made.length).toBeGreaterThanOrEqual(2)
  for (const { file, before } of made) {
    const restored = temporaryFolder()
    expect(await restoreTo(restored, file)).toMatchObject({ stderr: '', exitCode: 0 })
    const lines = await docket(['export', '--user', 'alice', '--without-history'], {
      env: { DATA_DIR: restored },
    })
    const found = new Set(Array.from(lines.stdout.matchAll(/"title":"([^"]*)"/g), ([, t]) => t))
    expect(before.filter((title) => !found.has(title))).toEqual([])
  }
}, 120_000)

test('a backup is for its owner alone, restores with its secret, and its numbers mean nothing to who followed before', async () => {
  const files = temporaryFolder()
  const { folder, env, server, add } = await begin()
  const alice = await aliceOn(() => server.address, folder)
  const epoch = await alice.epoch()
  expect((await stat(join(folder, 'socket'))).mode & 0o777).toBe(0o600)

  const made = await docket(['backup', join(files, 'one')], { env })
  await add('Later')
  const piped = await docket(['backup', '-'], { env })
  await server.end('SIGTERM')
  const atRest = await docket(['backup', join(files, 'two')], { env })

  expect(made.stdout).toMatch(/^Backed up .* to .*one: \d+\.\d MB\.\n$/)
  expect([made.exitCode, piped.exitCode, piped.stderr, atRest.exitCode]).toEqual([0, 0, '', 0])
  expect((await readdir(files)).toSorted()).toEqual(['one', 'two'])
  expect((await stat(join(files, 'one'))).mode & 0o777).toBe(0o600)
  expect(existsSync(join(folder, 'socket'))).toBe(false)

  const [first, second] = [temporaryFolder(), temporaryFolder()]
  expect((await restoreTo(first, join(files, 'one'))).stdout).toStartWith(`Restored ${first} from`)
  await restoreTo(second, join(files, 'two'))
  expect(await titlesIn(second)).toEqual(['First', 'Later'])
  const again = await startServer({ env: { DATA_DIR: first } })
  const there = await aliceOn(() => again.address, folder) // The token of before is good.
  expect(await there.titles()).toEqual(['First'])
  expect(await there.epoch()).not.toBe(epoch)
  await again.end('SIGTERM')
}, 120_000)

test('what is no whole backup is refused, and nothing is changed', async () => {
  const files = temporaryFolder()
  const { folder, env, server } = await begin()
  const good = join(files, 'good')
  await docket(['backup', good], { env })
  await server.end('SIGTERM')
  const bytes = await Bun.file(good).bytes()
  const put = async (name: string, content: Uint8Array | string) => {
    await writeFile(join(files, name), content)
    return join(files, name)
  }
  const flip = (at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const ours = await put('ours', 'Not a backup')
  const isDamaged = 'it is damaged: it is not what its checksum is of.\n'
  const cases: [string, string][] = [
    [
      await put('cut', bytes.subarray(0, bytes.length / 2)),
      'it is not whole: its end is missing.\n',
    ],
    [await put('short', bytes.subarray(0, -1)), 'it is not whole: its end is missing.\n'],
    [
      await put('longer', Buffer.concat([bytes, Buffer.of(0)])),
      'it is not whole: its end is missing.\n',
    ],
    [await put('twice', Buffer.concat([bytes, bytes])), isDamaged],
    [await put('flipped', flip(bytes.length >> 1)), isDamaged],
    [await put('flipped at its end', flip(bytes.length - 1)), isDamaged],
    [await put('empty', ''), 'it is no backup of Docket.\n'],
    [ours, 'it is no backup of Docket.\n'],
    [files, 'it is a folder.\n'],
    [join(files, 'nowhere'), 'there is no such file.\n'],
  ]

  for (const [file, why] of cases) {
    expect(await restoreTo(folder, file, '--replace')).toEqual({
      stdout: '',
      stderr: `Cannot restore ${file}: ${why}`,
      exitCode: 1,
    })
  }
  expect(await titlesIn(folder)).toEqual(['First'])
}, 120_000)

test('a backup whose log ends too early is refused, though its checksum is right', async () => {
  const files = temporaryFolder()
  const { env, server } = await begin()
  await docket(['backup', join(files, 'good')], { env })
  await server.end('SIGTERM')
  const entries: [string, Buffer][] = []
  for await (const { name, bytes } of unpack(createReadStream(join(files, 'good')))) {
    entries.push([name, Buffer.concat(await Array.fromAsync(bytes))])
  }
  const last = entries.findLast(([name]) => name.startsWith('postgres/pg_wal/'))?.[0]
  async function* but(): AsyncGenerator<Entry> {
    for (const [name, bytes] of entries) if (name !== last) yield entryOf(name, bytes)
  }
  await writeFile(join(files, 'short'), Buffer.concat(await Array.fromAsync(pack(but()))))
  const restored = temporaryFolder()

  const { stderr, exitCode } = await restoreTo(restored, join(files, 'short'))

  expect([exitCode, stderr]).toEqual([
    1,
    `Cannot restore ${files}/short: it is not whole: its log ends too early. Nothing was changed.\n`,
  ])
  expect(await readdir(restored)).toEqual(['lock'])
}, 60_000)

test('a restore takes the place of a database only when it is told to, and of none that is in use', async () => {
  const file = join(temporaryFolder(), 'file')
  const { folder, env, server, add } = await begin()
  await docket(['backup', file], { env })
  await add('Later')

  const inUse = await restoreTo(folder, file, '--replace')
  await server.end('SIGTERM')
  const untold = await restoreTo(folder, file)
  const before = await titlesIn(folder)
  const told = await restoreTo(folder, file, '--replace')

  expect(inUse.stderr).toContain('another Docket is using it. Stop it')
  expect(untold.stderr).toContain('there is a database or a secret already')
  expect([inUse.exitCode, untold.exitCode, told.exitCode]).toEqual([1, 1, 0])
  expect(before).toEqual(['First', 'Later'])
  expect(await titlesIn(folder)).toEqual(['First'])
  expect((await readdir(folder)).toSorted()).toEqual(['lock', 'postgres', 'secret'])
}, 120_000)

test('a restore that was killed half way is ended by the next start, or had not begun', async () => {
  const file = join(temporaryFolder(), 'file')
  const { folder, env, server, add } = await begin()
  await docket(['backup', file], { env })
  await add('Later')
  await server.end('SIGTERM')
  const other = temporaryFolder()
  await restoreTo(other, file)
  await writeFile(join(other, 'secret'), 'a-secret-of-another-forty-three-characters')

  /** The folder as it is after so many of the steps in which the one takes the place of the other. */
  const after = async (steps: number): Promise<string> => {
    const copy = temporaryFolder()
    await cp(folder, copy, { recursive: true })
    const ready = join(copy, 'restored')
    await mkdir(ready)
    await cp(join(other, 'postgres'), join(ready, 'postgres'), { recursive: true })
    await copyFile(join(other, 'secret'), join(ready, 'secret'))
    if (steps > 0) await rename(join(copy, 'postgres'), join(copy, 'replaced'))
    if (steps > 1) await rename(join(ready, 'postgres'), join(copy, 'postgres'))
    if (steps > 2) await rename(join(ready, 'secret'), join(copy, 'secret'))
    if (steps > 3) await rm(ready, { recursive: true })
    return copy
  }
  for (const steps of [0, 1, 2, 3]) {
    const copy = await after(steps)
    expect([steps, await titlesIn(copy)]).toEqual([steps, ['First']])
    expect(await Bun.file(join(copy, 'secret')).text()).toStartWith('a-secret-of-another')
    expect((await readdir(copy)).toSorted()).toEqual(['lock', 'postgres', 'secret'])
  }

  // Half unpacked: nobody has asked for it yet.
  mkdirSync(join(folder, 'restored.new', 'postgres'), { recursive: true })
  expect(await titlesIn(folder)).toEqual(['First', 'Later'])
  expect((await readdir(folder)).toSorted()).toEqual(['lock', 'postgres', 'secret'])
}, 120_000)

test('a backup of an older schema is as it was, and the next start brings it up to date', async () => {
  const [folder, restored, files] = [temporaryFolder(), temporaryFolder(), temporaryFolder()]
  const embedded = await startEmbedded(folder, (error) => {
    throw error
  })
  const sql = connectEmbedded(embedded.socket)
  await applySchema(sql, schemaFiles.slice(0, 9))
  await sql.end()
  await embedded.stop()

  const made = await docket(['backup', join(files, 'file')], { env: { DATA_DIR: folder } })
  const back = await restoreTo(restored, join(files, 'file'))
  const later = await docket(['migrate'], { env: { DATA_DIR: restored } })
  const again = await docket(['migrate'], { env: { DATA_DIR: folder } })

  expect([made.exitCode, back.exitCode, later.exitCode]).toEqual([0, 0, 0])
  expect(later.stdout).toStartWith('Applied 010_reminders.\n')
  expect(again.stdout).toBe(later.stdout)
}, 60_000)

test('after a restore what has come since the backup is sent once more, under the same id, and nothing else', async () => {
  const sent: { id: string; type: string; title: string }[] = []
  const receiver = Bun.serve({
    port: 0,
    fetch: async (request) => {
      // Any: what it holds is asserted.
      const { type, data }: any = await request.json()
      sent.push({ id: request.headers.get('webhook-id') ?? '', type, title: data.task.title })
      return new Response()
    },
  })
  const { folder, env, server } = await begin({
    DATA_DIR: temporaryFolder(),
    WEBHOOKS_PRIVATE: 'on',
  })
  let running = server
  const alice = await aliceOn(() => running.address, folder)
  const of = (title: string, type: string) =>
    sent.filter((one) => one.title === title && one.type === type).map(({ id }) => id)
  const file = join(temporaryFolder(), 'file')
  const url = `http://127.0.0.1:${receiver.port}/`
  await alice.post('/api/webhooks', { url, events: ['task.created', 'reminder.due'] })
  const moment = momentIn(8000)
  await alice.post('/api/tasks', { title: 'Reminded', reminders: [moment] })
  await eventually(() => of('Reminded', 'task.created').length > 0)
  // Nobody is there when it comes.
  await running.end('SIGKILL')
  expect((await docket(['backup', file], { env })).exitCode).toBe(0)

  await eventually(() => Date.now() > Date.parse(moment))
  running = await startServer({ env })
  await alice.add('Lost')
  await eventually(
    () => of('Reminded', 'reminder.due').length === 1 && of('Lost', 'task.created').length === 1,
  )
  await running.end('SIGTERM')
  expect((await restoreTo(folder, file, '--replace')).exitCode).toBe(0)
  running = await startServer({ env })
  await alice.add('New')
  await eventually(
    () => of('Reminded', 'reminder.due').length === 2 && of('New', 'task.created').length === 1,
  )
  expect(await running.end('SIGTERM')).toBe(0)
  await receiver.stop(true)

  expect(new Set(of('Reminded', 'reminder.due')).size).toBe(1)
  expect(new Set(of('Reminded', 'task.created')).size).toBe(1)
  expect(of('Lost', 'task.created')).toHaveLength(1)
  // The number of the one that is lost, but not its id.
  expect(of('New', 'task.created')).not.toEqual(of('Lost', 'task.created'))
}, 120_000)

test('says in a sentence why there is no backup', async () => {
  const folder = temporaryFolder()
  const fails = async (args: string[], env: Record<string, string>) => {
    const { stderr, exitCode } = await docket(args, { env })
    expect(exitCode).toBe(1)
    return stderr
  }
  const env = { DATA_DIR: folder }
  const server = {
    DATABASE_URL: 'postgres://nobody@db.invalid/none',
    BETTER_AUTH_SECRET: 'a-secret-of-thirty-two-bytes-or-more',
  }

  expect(await fails(['backup', 'x'], env)).toBe(
    `There is no database in ${folder}: set DATA_DIR to its folder.\n`,
  )
  expect(await readdir(folder)).toEqual([])
  expect(await fails(['backup'], env)).toStartWith('Say which file to write.')
  expect(await fails(['restore'], env)).toStartWith('Say which file to restore.')
  expect(await fails(['backup', 'x'], server)).toContain('pg_dump')
  expect(await fails(['restore', 'x'], server)).toContain('leave DATABASE_URL out')
  await docket(['migrate'], { env })
  expect(await fails(['backup', folder], env)).toContain('is a folder: say which file')
  expect(await fails(['backup', join(folder, 'a', 'b')], env)).toContain('There is no folder')
}, 60_000)

test('a file that there is no room for leaves nothing, and the server well', async () => {
  const files = temporaryFolder()
  const { env, server, add, titles } = await begin()
  const file = join(files, 'file')

  // As a full disk: files may have so many blocks of 512 bytes, or of 1024.
  const child = Bun.spawn(
    ['sh', '-c', `trap '' XFSZ; ulimit -f 300; exec "$@"`, 'sh', ...command, 'backup', file],
    { env: { HOME: temporaryFolder(), ...env }, stdout: 'pipe', stderr: 'pipe' },
  )
  const said = await child.stderr.text()

  expect(await child.exited).toBe(1)
  expect(said).toEndWith(` to ${file}: the file would be larger than it may be.\n`)
  expect(await readdir(files)).toEqual([])
  await add('Second')
  expect(await titles()).toEqual(['First', 'Second'])
  expect((await docket(['backup', file], { env })).exitCode).toBe(0)
  expect(await server.end('SIGTERM')).toBe(0)
}, 60_000)

test.skipIf(!existsSync('/dev/full'))(
  'what cannot be written to standard output is said in a sentence',
  async () => {
    const { env, server } = await begin()

    for (const args of [
      ['backup', '-'],
      ['export', '--user', 'alice'],
    ]) {
      const child = Bun.spawn(['sh', '-c', 'exec "$@" > /dev/full', 'sh', ...command, ...args], {
        env: { HOME: temporaryFolder(), ...env },
        stderr: 'pipe',
      })
      expect([await child.stderr.text(), await child.exited]).toEqual([
        'Cannot write to standard output: the disk has no room for it.\n',
        1,
      ])
    }
    expect(await server.end('SIGTERM')).toBe(0)
  },
  60_000,
)

test.skipIf(process.platform === 'win32')(
  'the socket takes what is no errand, and a server that is stopped ends what waits for input',
  async () => {
    const { folder, env, server } = await begin()
    const ask = async (query: string) =>
      (await fetch(`http://docket/${query}`, { unix: join(folder, 'socket') })).status
    expect(await ask('')).toBe(400)
    expect(await ask('?errand={bad')).toBe(400)
    expect(await ask('?errand={}')).toBe(422)

    const child = Bun.spawn([...command, 'import'], {
      env: { HOME: temporaryFolder(), ...env },
      stdin: 'pipe',
      stderr: 'pipe',
    })
    const { stdout } = await docket(['export', '--user', 'alice'], { env })
    await child.stdin.write(stdout)
    await child.stdin.flush()
    // Left half way, with its backup.
    for (const _ of [1, 2]) {
      const left = Bun.spawn(['sh', '-c', '"$@" | head -c 10', 'sh', ...command, 'backup', '-'], {
        env: { HOME: temporaryFolder(), PATH: process.env['PATH'], ...env },
        stdout: 'ignore',
        stderr: 'ignore',
      })
      await left.exited
    }

    expect(await server.end('SIGTERM')).toBe(0)
    expect([await child.stderr.text(), await child.exited]).toEqual([
      'The Docket that runs has not done all of it. Its log says why.\n',
      1,
    ])
    expect(server.said()).not.toContain('Controller is already closed')
  },
  60_000,
)

test.skipIf(process.platform === 'win32')(
  'something of somebody else in the place of the socket keeps no server from starting',
  async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'socket', 'full'), { recursive: true })

    const { server, env } = await begin({ DATA_DIR: folder })
    const alone = await docket(['export', '--user', 'alice'], { env })

    expect(server.said()).toContain('commands cannot be run while this server runs')
    expect([alone.exitCode, alone.stdout]).toEqual([1, ''])
    expect(await server.end('SIGTERM')).toBe(0)
    expect(existsSync(join(folder, 'socket', 'full'))).toBe(true)
  },
  60_000,
)

test('of two at once one is made, or both, one after the other', async () => {
  const files = temporaryFolder()
  const { env, server } = await begin()

  const all = await Promise.all(
    ['one', 'two', 'three'].map((name) => docket(['backup', join(files, name)], { env })),
  )

  const made = all.filter(({ exitCode }) => exitCode === 0)
  expect(made.length).toBeGreaterThan(0)
  for (const { exitCode, stderr } of all) {
    expect([exitCode, stderr]).toEqual(
      exitCode === 0 ? [0, ''] : [1, 'A backup is being made already. Wait for its end.\n'],
    )
  }
  expect((await readdir(files)).length).toBe(made.length)
  expect((await docket(['backup', join(files, 'after')], { env })).exitCode).toBe(0)
  await server.end('SIGTERM')
}, 60_000)

test.skipIf(!isRoot)(
  'another user can neither back up, nor export, nor read a backup',
  async () => {
    const { folder, env, server } = await begin()
    const file = join(folder, 'file')
    await docket(['backup', file], { env })
    // Whoever finds the way.
    chmodSync(folder, 0o755)
    const run = async (...args: string[]) => {
      const home = temporaryFolder()
      chmodSync(home, 0o777)
      const child = Bun.spawn([...command, ...args], {
        cwd: home,
        env: { HOME: home, ...env },
        stdout: 'pipe',
        stderr: 'pipe',
        uid: 65_534,
        gid: 65_534,
      } as Parameters<typeof Bun.spawn>[1])
      const [stderr, stdout] = await Promise.all([
        (child.stderr as ReadableStream).text(),
        (child.stdout as ReadableStream).text(),
      ])
      return { stderr, stdout, exitCode: await child.exited }
    }

    for (const args of [
      ['backup', '-'],
      ['export', '--user', 'alice'],
    ]) {
      expect(await run(...args)).toEqual({
        stdout: '',
        stderr: `Cannot ask the Docket that uses ${folder}: it is another user's. Run this as that user.\n`,
        exitCode: 1,
      })
    }
    expect((await run('restore', file)).stderr).toContain('this user may not read it')
    await server.end('SIGTERM')
  },
  60_000,
)

test('what a killed server leaves is in nobody’s way, and neither is a long path', async () => {
  const long = join(temporaryFolder(), 'x'.repeat(100), 'y'.repeat(100))
  const { env, server } = await begin({ DATA_DIR: long })
  await server.end('SIGKILL')
  expect(existsSync(join(long, 'socket'))).toBe(true)

  const alone = await docket(['export', '--user', 'alice'], { env })
  const again = await startServer({ env })
  const together = await docket(['export', '--user', 'alice'], { env })

  expect(alone).toMatchObject({ stderr: '', exitCode: 0 })
  expect(together).toEqual(alone)
  expect((await stat(join(long, 'socket'))).mode & 0o777).toBe(0o600)
  await again.end('SIGTERM')
  expect(existsSync(join(long, 'socket'))).toBe(false)
}, 60_000)

test('export and import work while the server runs, and who follows is told', async () => {
  const { folder, env, server, titles } = await begin()
  const other = { DATA_DIR: temporaryFolder() }
  const exported = await docket(['export', '--user', 'alice'], { env })
  const imported = await docket(['import'], { env: other, input: exported.stdout })
  const back = await docket(['export', '--user', 'alice', '--without-history'], { env: other })
  expect(imported.stdout).toBe('Imported 1 of 1 tasks. 0 were there already.\n')

  const { stdout: token } = await docket(['token', '--user', 'alice'], { env })
  const events = await fetch(`${server.address}/api/events`, {
    headers: { authorization: `Bearer ${token.trim()}` },
  })
  const told = (async () => {
    let heard = ''
    for await (const chunk of events.body ?? []) {
      heard += new TextDecoder().decode(chunk)
      if (heard.includes('"title":"Moved"')) return true
    }
    return false
  })()
  const input = back.stdout.replace('"First"', '"Moved"').replace('"version":1', '"version":2')
  const moved = await docket(['import'], { env, input })
  const wrong = await docket(['import'], { env, input: `${back.stdout}{"bad": 1}\n` })
  const csv = new URL('../imports/files/todoist.csv', import.meta.url).pathname
  const fromFile = await docket(['import', '--from', 'todoist', csv, '--user', 'alice'], { env })
  const nobody = await docket(['export', '--user', 'bob'], { env })

  expect(moved).toEqual({
    stdout: 'Imported 1 of 1 tasks. 0 were there already.\n',
    stderr: '',
    exitCode: 0,
  })
  expect(await told).toBe(true)
  expect(wrong.stderr).toMatch(/^Cannot import line 3: .*\. What came before it is imported\.\n$/)
  expect(fromFile.stdout).toContain('\nImported 8 tasks and 2 lists.')
  expect([wrong.exitCode, fromFile.exitCode, nobody.exitCode]).toEqual([1, 0, 1])
  expect(nobody.stderr).toBe('Cannot export "bob": has no tasks here.\n')
  expect(await titles()).toHaveLength(9)
  expect(folder).not.toBe(other.DATA_DIR)
  await server.end('SIGTERM')
}, 120_000)

test('backups are made by themselves, the newest stay, and files of others are left alone', async () => {
  const files = join(temporaryFolder(), 'made', 'when needed')
  const env = {
    DATA_DIR: temporaryFolder(),
    BACKUP_DIR: files,
    BACKUP_EVERY: '1s',
    BACKUP_KEEP: '2',
  }
  const { server, folder } = await begin(env)
  const ours = async () =>
    (await readdir(files).catch(() => [])).filter((name) => isOurs.test(name))
  const until = async (isSo: () => Promise<boolean>) => {
    for (let tries = 0; !(await isSo()); tries += 1) {
      if (tries > 1000) throw new Error('It never came.')
      await Bun.sleep(20)
    }
  }
  await until(async () => (await ours()).length > 0)
  const [first = ''] = await ours()
  await writeFile(join(files, 'mine.tar.zst'), 'mine')
  const leftover = join(files, `${first}.0123456789ab.partial`)
  await writeFile(leftover, 'half')
  await utimes(leftover, new Date('2026-01-01'), new Date('2026-01-01'))

  await until(async () => !(await ours()).includes(first) && !existsSync(leftover))
  await until(async () => (await ours()).length === 2)
  expect(await server.end('SIGTERM')).toBe(0)

  const left = await readdir(files)
  expect(left.filter((name) => !isOurs.test(name))).toEqual(['mine.tar.zst'])
  const [newest = ''] = (await ours()).toSorted().toReversed()
  expect((await stat(join(files, newest))).mode & 0o777).toBe(0o600)
  const restored = temporaryFolder()
  expect((await restoreTo(restored, join(files, newest))).exitCode).toBe(0)
  expect(await titlesIn(restored)).toEqual(['First'])

  // Due by the newest that is there: not again because of a start.
  const port = freePort()
  const day = { ...env, DATA_DIR: folder, BACKUP_EVERY: '1d', METRICS_PORT: String(port) }
  const before = await ours()
  const again = await startServer({ env: day })
  await docket(['backup', join(restored, 'one')], { env: day })
  expect((await ours()).toSorted()).toEqual(before.toSorted())
  const said = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const seconds = Number(/^docket_backup_newest_timestamp_seconds (\d+)$/m.exec(said)?.[1])
  const at = `${new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(':', '-')}Z`
  expect(newest).toBe(`docket-${at}.tar.zst`)
  await again.end('SIGTERM')
}, 120_000)

const isOurs = /^docket-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.tar\.zst$/

test('a backup that fails is told, and harms nobody', async () => {
  const files = join(temporaryFolder(), 'file')
  await writeFile(files, 'in the way')
  const port = freePort()
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const { server, add, titles } = await begin({
    DATA_DIR: temporaryFolder(),
    BACKUP_DIR: files,
    LOG_LEVEL: 'error',
    METRICS_PORT: String(port),
  })
  while (!server.said().includes('a backup in')) await Bun.sleep(10)

  expect(server.said()).toMatch(/"level":50,.*"reason":.*a backup in .* failed, and is tried again/)
  expect(await metrics()).toContain('docket_backups_total{outcome="failed"} 1')
  expect(await metrics()).not.toContain('docket_backup_newest_timestamp_seconds')
  await add('Second')
  expect(await titles()).toEqual(['First', 'Second'])
  expect(await server.end('SIGTERM')).toBe(0)
}, 60_000)

test('docs/backups.md says what works', async () => {
  const text = await Bun.file('docs/backups.md').text()
  const blocks = Array.from(text.matchAll(/^```sh\n(.*?)^```$/gms), ([, body = '']) => body)
  const lines = blocks.flatMap((body) => body.trim().split('\n'))
  const { folder, server } = await begin()
  const cwd = temporaryFolder()
  const run = (line: string) => {
    // As it is, but for where things are, and what would never end.
    const here = line.replaceAll('/tmp/try', join(cwd, 'try')).replace('ssh server', 'sh -c')
    const shell = [`docket() { "$@"; }`, here]
      .join('\n')
      .replace('"$@"', `${command.map((word) => `'${word}'`).join(' ')} "$@"`)
      .replace("'DATA_DIR=/var/lib/docket docket", `'${command.join(' ')}`)
    return Bun.spawn(['bash', '-c', shell], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: temporaryFolder(), DATA_DIR: folder },
      stdout: 'pipe',
      stderr: 'pipe',
    })
  }

  expect(lines.length).toBeGreaterThan(4)
  for (const line of lines.filter((each) => !each.endsWith(' docket'))) {
    // A server that has the folder open does not let it be replaced.
    if (line.includes('--replace')) await server.end('SIGTERM')
    const child = run(line)
    expect([line, await child.stderr.text(), await child.exited]).toEqual([line, '', 0])
  }
}, 120_000)
