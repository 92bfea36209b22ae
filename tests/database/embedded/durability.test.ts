import { expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createCluster } from '../../../src/database/embedded/cluster.ts'
import { openEngine } from '../../../src/database/embedded/engine.ts'
import { simpleQuery } from '../../../src/database/embedded/protocol.ts'
import { readSnapshot } from '../../../src/database/embedded/snapshot.ts'
import { open, patience, run, temporaryFolder, until } from './support.ts'

setDefaultTimeout(patience)

test('keeps the data when it is stopped and started', async () => {
  using folder = temporaryFolder()
  {
    await using database = await open(folder.path)
    await database.sql`create table public.notes (body text)`
    await database.sql`insert into public.notes values ('kept')`
  }

  await using database = await open(folder.path)

  expect(await database.sql`select body from public.notes`).toMatchObject([{ body: 'kept' }])
})

test('syncs every commit, and the data files at a checkpoint', async () => {
  using folder = temporaryFolder()
  const cluster = join(folder.path, 'postgres')
  await createCluster(cluster, await readSnapshot())
  const engine = await openEngine(cluster, 32)
  const syncsOf = async (sql: string) => {
    const before = engine.syncs()
    await engine.run(simpleQuery(sql))
    return engine.syncs() - before
  }
  await engine.run(simpleQuery('create table public.notes (body text); checkpoint'))

  expect(await syncsOf("insert into public.notes values ('x')")).toBe(1)
  expect(await syncsOf('select * from public.notes')).toBe(0)
  expect(await syncsOf('checkpoint')).toBeGreaterThan(5)
  await engine.close()
})

test('forces what has another name in the log to the disk once, not each', async () => {
  using folder = temporaryFolder()
  const cluster = join(folder.path, 'postgres')
  await createCluster(cluster, await readSnapshot())
  const engine = await openEngine(cluster, 32)
  await engine.run(
    simpleQuery(
      "create table public.notes as select repeat('x', 1000) as body from generate_series(1, 50000); checkpoint",
    ),
  )
  await engine.run(simpleQuery("update public.notes set body = repeat('y', 1000)"))
  const segments = (await readdir(join(cluster, 'pg_wal'))).length

  const before = engine.syncs()
  await engine.run(simpleQuery('checkpoint'))
  const syncs = engine.syncs() - before
  await engine.close()

  expect(segments).toBeGreaterThan(50)
  expect(syncs).toBeLessThan(segments)
})

test('loses no acknowledged row when it is killed, again and again', async () => {
  using folder = temporaryFolder()
  const acknowledged: number[] = []
  for (const wanted of [1, 200, 400]) {
    await using writer = run('writer.ts', folder.path)
    let output = ''
    const decoder = new TextDecoder()
    for await (const bytes of writer.child.stdout) {
      output += decoder.decode(bytes)
      if (output.split('\n').length > wanted) writer.child.kill('SIGKILL')
    }
    // What follows the last line break was not printed whole.
    acknowledged.push(...output.split('\n').slice(0, -1).map(Number))
  }

  await using database = await open(folder.path)
  const rows = await database.sql<{ id: string }[]>`select id from public.rows`
  const stored = new Set(rows.map(({ id }) => Number(id)))

  expect(acknowledged.length).toBeGreaterThan(600)
  expect(acknowledged.filter((id) => !stored.has(id))).toEqual([])
})

test.each(['lock', 'postgres.new', 'postgres.new/global', 'postgres', 'postgres/postmaster.pid'])(
  'starts after the first start was killed when it had made %s',
  async (path) => {
    using folder = temporaryFolder()
    {
      await using opener = run('opener.ts', folder.path)
      // A later state is as good: the program may have been faster than this look at it.
      await until(
        () =>
          existsSync(join(folder.path, path)) ||
          opener.child.exitCode !== null ||
          (existsSync(join(folder.path, 'postgres')) && !path.startsWith('postgres/')),
      )
    }

    await using database = await open(folder.path)

    expect(await database.sql`select 1 as one`).toMatchObject([{ one: 1 }])
  },
)

test('starts after a start was killed when the lock file of PostgreSQL was still empty', async () => {
  using folder = temporaryFolder()
  {
    await using _ = await open(folder.path)
  }
  await Bun.write(join(folder.path, 'postgres', 'postmaster.pid'), '')

  await using database = await open(folder.path)

  expect(await database.sql`select 1 as one`).toMatchObject([{ one: 1 }])
})

test('removes what an interrupted first start left', async () => {
  using folder = temporaryFolder()
  await mkdir(join(folder.path, 'postgres.new'))
  await Bun.write(join(folder.path, 'postgres.new', 'PG_VERSION'), '1')

  await using _ = await open(folder.path)

  expect((await readdir(folder.path)).toSorted()).toEqual(['lock', 'postgres'])
})

test('counts the log once, however often a page of it is written', async () => {
  using folder = temporaryFolder()
  const cluster = join(folder.path, 'postgres')
  await createCluster(cluster, await readSnapshot())
  const engine = await openEngine(cluster, 32)
  const countOf = async (sql: string) => {
    const before = engine.logged()
    await engine.run(simpleQuery(sql))
    return engine.logged() - before
  }
  await engine.run(simpleQuery('create table public.notes (body text); checkpoint'))

  let small = 0
  for (let n = 0; n < 200; n += 1) small += await countOf('insert into public.notes default values')
  const large = await countOf(
    'insert into public.notes select repeat(md5(n::text), 30) from generate_series(1, 5000) as n',
  )
  await engine.close()

  expect(small).toBeLessThan(200_000)
  expect(large).toBeGreaterThan(1_000_000)
})
