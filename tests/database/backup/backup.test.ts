import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../../../src/config.ts'
import { entryOf, pack } from '../../../src/database/backup/archive.ts'
import { createBackup } from '../../../src/database/backup/backup.ts'
import { writeBackup } from '../../../src/database/backup/file.ts'
import { endRestore, restore } from '../../../src/database/backup/restore.ts'
import { connectEmbedded } from '../../../src/database/connect.ts'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { createEpoch } from '../../../src/database/epoch.ts'
import { schemaFiles } from '../../../src/database/schema/files.ts'
import { applySchema } from '../../../src/database/schema/ledger.ts'
import { failOnFailure, temporaryFolder, until } from '../embedded/support.ts'

/** Opens the database of a folder until it goes out of scope. */
async function open(folder: string) {
  const embedded = await startEmbedded(folder, failOnFailure)
  const sql = connectEmbedded(embedded.socket)
  return {
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end()
      await embedded.stop()
    },
  }
}

type Content = [name: string, content: string][]

async function* entriesOf(content: Content) {
  for (const [name, text] of content) yield entryOf(name, text)
}

const write = (path: string, content: Content, dataDir: string) =>
  writeBackup(path, pack(entriesOf(content)), dataDir)

const faultOf = async (way: Promise<unknown>): Promise<string> => {
  const error = await way.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(OperatorError)
  return error instanceof Error ? error.message : ''
}

/** A backup of a fresh database, in a folder. */
async function makeBackup(folder: string): Promise<string> {
  const data = join(folder, 'original')
  await using database = await open(data)
  await writeFile(join(data, 'secret'), 'of-the-backup')
  const file = join(folder, 'file')
  await writeBackup(file, createBackup(database.sql, data)(), data)
  return file
}

test('who never comes back for the rest of a backup keeps no other from being made, and no log', async () => {
  using place = temporaryFolder()
  await using database = await open(place.path)
  const impatient = { stalled: 0, lookEvery: 1, room: async () => 1e12 }
  const backup = createBackup(database.sql, place.path, impatient)
  const kept = async () => (await database.sql`select from pg_replication_slots`).count

  const stalled = backup()
  await stalled.next()
  await until(async () => (await kept()) === 0)
  const again = createBackup(database.sql, place.path)

  expect(await faultOf(stalled.next())).toContain('Nobody took any of the backup')
  expect(await writeBackup(join(place.path, 'file'), again(), place.path)).toBeGreaterThan(1000)
  // The one who was given up first does not keep the second of its own kind either.
  const next = backup()
  expect((await next.next()).done).toBe(false)
  await next.return(undefined)
  expect(await kept()).toBe(0)
})

test('a backup that somebody slow reads is given up before what is kept for it fills the disk', async () => {
  using place = temporaryFolder()
  await using database = await open(place.path)
  let free = 1e12
  const limits = { stalled: 600_000, lookEvery: 1, room: async () => free }
  const slow = createBackup(database.sql, place.path, limits)()
  const kept = async () => (await database.sql`select from pg_replication_slots`).count

  await slow.next()
  expect(await kept()).toBe(1)
  free = 100_000_000
  await until(async () => (await kept()) === 0)

  expect(await faultOf(slow.next())).toContain('would fill the disk')
})

test('a backup is no more under way when it was left before its first byte, or after it', async () => {
  using place = temporaryFolder()
  await using database = await open(place.path)
  const backup = createBackup(database.sql, place.path)

  await backup().return(undefined)
  const one = backup()
  const first = one.next()
  expect(await faultOf(backup().next())).toContain('being made already')
  await one.return(undefined)
  await first

  const last = backup()
  expect((await last.next()).done).toBe(false)
  await last.return(undefined)
})

test('what is not PostgreSQL’s in its folder is left out, and the rest is restored', async () => {
  using place = temporaryFolder()
  const data = join(place.path, 'original')
  {
    await using database = await open(data)
    for (const name of ['lost+found', 'a folder']) await mkdir(join(data, 'postgres', name))
    await writeFile(join(data, 'postgres', 'postgresql.conf~'), '')
    await writeBackup(join(place.path, 'file'), createBackup(database.sql, data)(), data)
  }

  const restored = join(place.path, 'restored')
  expect(await restore(join(place.path, 'file'), restored, false)).toHaveProperty('docket')
  expect(await readdir(join(restored, 'postgres'))).not.toContain('lost+found')
})

test('writes to where a link leads, and over nothing that is no file or the database’s own', async () => {
  using place = temporaryFolder()
  const data = join(place.path, 'data')
  const content: Content = [['one', 'content']]
  await mkdir(join(data, 'postgres'), { recursive: true })
  await writeFile(join(data, 'secret'), 'kept')
  const at = (name: string) => join(place.path, name)
  await writeFile(at('target'), '')
  await symlink('target', at('link'))
  await symlink('nowhere', at('loose'))
  await symlink(join(data, 'secret'), at('sly'))
  await symlink(data, at('folder'))

  await write(at('link'), content, data)
  expect((await Bun.file(at('target')).bytes()).length).toBeGreaterThan(0)
  await write(join(data, 'postgres.tar.zst'), content, data)

  const own = 'belongs to the database itself'
  const cases: [string, string][] = [
    [at('loose'), 'is a link to nowhere'],
    [at('data'), 'is a folder'],
    [at('sly'), own],
    [join(data, 'secret'), own],
    [join(data, 'lock'), own],
    [join(data, 'socket'), own],
    [join(data, 'restored'), own],
    [join(data, 'postgres', 'x'), own],
    [join(at('folder'), 'SECRET'), own],
  ]
  if (Bun.which('mkfifo') !== null) {
    Bun.spawnSync(['mkfifo', at('pipe')])
    cases.push([at('pipe'), 'is no file'])
  }
  for (const [path, why] of cases) {
    expect([path, await faultOf(write(path, content, data))]).toEqual([
      path,
      expect.stringContaining(why),
    ])
  }
  expect(await Bun.file(join(data, 'secret')).text()).toBe('kept')
  expect((await readdir(place.path)).filter((name) => name.endsWith('.partial'))).toEqual([])
})

test('what is no backup of ours is refused, though its checksum is right', async () => {
  using place = temporaryFolder()
  const data = join(place.path, 'data')
  const file = join(place.path, 'file')
  const manifest = (fields: object): [string, string] => ['docket.json', JSON.stringify(fields)]
  const ours = manifest({ format: 1, docket: '0', made_at: '' })
  const other = 'it is no backup of Docket: it holds something else'
  const missing = 'it is no backup of Docket: something is missing in it'
  const cases: [Content, string][] = [
    [[], other],
    [[['postgres/PG_VERSION', '18']], other],
    [[['docket.json', 'null']], other],
    [[['docket.json', '{']], other],
    [[['docket.json', ' '.repeat(5000)]], other],
    [[manifest({ format: 2, docket: '9.9' })], 'it was made by Docket 9.9, in a format'],
    [[ours], missing],
    [[ours, ['postgres/PG_VERSION', '18']], missing],
    [[ours, ['end', '0/1']], missing],
    [[ours, ['end', 'x'], ['postgres/PG_VERSION', '18']], missing],
    [[ours, ['end', '0/1'], ['postgres/PG_VERSION', '17']], 'it was made by PostgreSQL 17'],
    [[ours, ['lock', '']], other],
    [[ours, ['restored.new/x', '']], other],
    [[ours, ['secret/x', '']], other],
  ]

  for (const [content, why] of cases) {
    await write(file, content, place.path)
    const said = await faultOf(restore(file, data, false))
    expect([content, said]).toEqual([
      content,
      expect.stringContaining(`Cannot restore ${file}: ${why}`),
    ])
    expect(said).toEndWith('Nothing was changed.')
    expect(await readdir(data)).toEqual(['lock'])
  }
  if (Bun.which('mkfifo') === null) return
  Bun.spawnSync(['mkfifo', join(place.path, 'pipe')])
  expect(await faultOf(restore(join(place.path, 'pipe'), data, false))).toContain('it is no file')
})

/** What keeps a folder from being removed and replaced, as long as the result is not called. Null: nothing here does. */
async function block(folder: string): Promise<(() => Promise<void>) | null> {
  await mkdir(join(folder, 'x'), { recursive: true })
  if (process.getuid?.() !== 0) {
    await writeFile(join(folder, 'x', 'y'), '')
    await chmod(join(folder, 'x'), 0o500)
    return () => chmod(join(folder, 'x'), 0o700)
  }
  const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', 'tmpfs', join(folder, 'x')])
  return mounted.success ? async () => void Bun.spawnSync(['umount', join(folder, 'x')]) : null
}

test.skipIf(process.platform === 'win32')(
  'a restore whose place cannot be made is taken back, and leaves the secret that was there',
  async () => {
    using place = temporaryFolder()
    const file = await makeBackup(place.path)
    const data = join(place.path, 'data')
    await open(data).then((database) => database[Symbol.asyncDispose]())
    await writeFile(join(data, 'secret'), 'of-before')
    const unblock = await block(join(data, 'replaced'))
    if (unblock === null) return

    const said = await faultOf(restore(file, data, true))
    await unblock()

    expect(said).toEndWith('. Nothing was changed.')
    expect(existsSync(join(data, 'restored'))).toBe(false)
    await endRestore(data)
    expect((await readdir(data)).toSorted()).toEqual(['lock', 'postgres', 'secret'])
    expect(await Bun.file(join(data, 'secret')).text()).toBe('of-before')
  },
)

test('what was restored and waits for its place keeps the database of before from being opened', async () => {
  using place = temporaryFolder()
  const file = await makeBackup(place.path)
  const data = join(place.path, 'data')
  await restore(file, join(place.path, 'other'), false)
  await mkdir(data)
  await open(data).then((database) => database[Symbol.asyncDispose]())
  await Bun.$`cp -r ${join(place.path, 'other')} ${join(data, 'restored')}`.quiet()

  const said = await open(data).catch(String)
  await endRestore(data)

  expect(said).toContain('a restore was stopped half way. Start it again')
  await open(data).then((database) => database[Symbol.asyncDispose]())
  expect(await Bun.file(join(data, 'secret')).text()).toBe('of-the-backup')
})

test('each database has numbers of its own, a fresh one too, and keeps them when it is opened again', async () => {
  using place = temporaryFolder()
  const epochIn = async (name: string) => {
    await using database = await open(join(place.path, name))
    await applySchema(database.sql, schemaFiles)
    // Before it is closed.
    return await createEpoch(() => database.sql)()
  }

  const [one, other, again] = [await epochIn('one'), await epochIn('other'), await epochIn('one')]

  expect(one).toMatch(/^[0-9a-f]{16}$/)
  expect(other).not.toBe(one)
  expect(again).toBe(one)
})
