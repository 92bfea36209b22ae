import { afterAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectEmbedded } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { temporaryFolder } from '../support/database.ts'
import { command, docket } from '../support/process.ts'
import {
  type Call,
  callerOf,
  percentile,
  report,
  setting,
  startUnlimited,
  titlesOf,
} from './support.ts'

/** Opens the database of a folder for as long as `use` takes. */
async function within<T>(
  folder: string,
  use: (sql: ReturnType<typeof connectEmbedded>) => Promise<T>,
): Promise<T> {
  const embedded = await startEmbedded(folder, (error) => {
    throw error
  })
  const sql = connectEmbedded(embedded.socket)
  try {
    return await use(sql)
  } finally {
    await sql.end()
    await embedded.stop()
  }
}

/** Tasks of twenty users, so that a backup takes a while. */
const fill = (folder: string, count: number): Promise<void> =>
  within(folder, async (sql) => {
    await applySchema(sql, schemaFiles)
    await sql`insert into docket.users (id) select 'user ' || n from generate_series(0, 19) as n`
    for (let from = 0; from < count; from += 5000) {
      await sql`
        insert into docket.tasks (user_id, id, title, description, priority, tags, due_date, created_at, updated_at)
        select 'user ' || n % 20, gen_random_uuid(), 'Buy ' || md5(n::text), repeat(md5(n::text), 1 + n % 9),
          (enum_range(null::docket.task_priority))[1 + n % 4], array['home'], date '2026-01-01' + n % 500,
          now() - n * interval '1 second', now() - n * interval '1 second'
        from generate_series(${from}::int, ${from + 4999}::int) as n`
    }
  })

/** Tasks by a sequential scan, of which every page has a checksum, and by an index. */
const countBoth = (folder: string): Promise<[string | undefined, string | undefined]> =>
  within(folder, async (sql) => {
    const count = async () =>
      (await sql<{ n: string }[]>`select count(*) as n from docket.tasks where user_id > ''`)[0]?.n
    await sql`set enable_indexscan = off`.then(() => sql`set enable_indexonlyscan = off`)
    await sql`set enable_bitmapscan = off`
    const scanned = await count()
    await sql`reset all`.then(() => sql`set enable_seqscan = off`)
    return [scanned, await count()]
  })

test('backups under load, some of them while the server is killed: each that is there has all that was acknowledged before it began', async () => {
  const rounds = setting('BACKUP_ROUNDS', 20)
  const [folder, files] = [temporaryFolder(), temporaryFolder()]
  await fill(folder, 20_000)
  const env = { DATA_DIR: folder }
  let server = await startUnlimited({ env })
  const user = crypto.randomUUID()
  const call = await callerOf(() => server.address, user)
  const acknowledged: string[] = []
  const over = new AbortController()

  const write = async (writer: number) => {
    for (let count = 0; !over.signal.aborted; count += 1) {
      const title = `${writer} ${count}`
      const answer = await call('POST', '/api/tasks', { title }).catch(() => undefined)
      await answer?.text().catch(() => '')
      if (answer?.status === 201) acknowledged.push(title)
      else await Bun.sleep(20)
    }
  }
  const writing = Array.from({ length: 8 }, (_, writer) => write(writer))

  const made: { file: string; before: string[] }[] = []
  const figures = { made: 0, killed: 0, given_up: 0 }
  for (let round = 0; round < rounds || figures.given_up === 0; round += 1) {
    await Bun.sleep(100 + Math.random() * 300)
    const file = join(files, `${round}.tar.zst`)
    const before = [...acknowledged]
    const backup = docket(['backup', file], { env })
    if (round % 3 === 2) {
      // Sometimes it has not begun, sometimes it has ended.
      await Bun.sleep(300 + Math.random() * 900)
      await server.end('SIGKILL')
      figures.killed += 1
    }
    const { exitCode, stderr } = await backup
    expect([existsSync(file), stderr]).toEqual([exitCode === 0, exitCode === 0 ? '' : stderr])
    if (exitCode === 0) made.push({ file, before })
    else figures.given_up += 1
    if (server.hasEnded()) server = await startUnlimited({ env })
  }
  over.abort()
  await Promise.all(writing)
  await server.end('SIGTERM')
  figures.made = made.length
  expect((await readdir(files)).length).toBe(made.length)

  let lost = 0
  for (const { file, before } of made) {
    const restored = temporaryFolder()
    const { stderr, exitCode } = await docket(['restore', file], { env: { DATA_DIR: restored } })
    expect([stderr, exitCode]).toEqual(['', 0])
    const again = await startUnlimited({ env: { DATA_DIR: restored } })
    const titles = await titlesOf(await callerOf(() => again.address, user))
    await again.end('SIGTERM')
    const found = new Set(titles)
    expect(found.size).toBe(titles.length)
    lost += before.filter((title) => !found.has(title)).length
    const [scanned, indexed] = await countBoth(restored)
    expect(indexed).toBe(scanned as string)
    await rm(restored, { recursive: true })
  }
  report('backups under load', { ...figures, acknowledged: acknowledged.length, lost })
  expect(lost).toBe(0)
}, 900_000)

test('nobody waits for long while a backup of 100,000 tasks is made', async () => {
  const [folder, files] = [temporaryFolder(), temporaryFolder()]
  await fill(folder, setting('BACKUP_TASKS', 100_000))
  const env = { DATA_DIR: folder }
  const server = await startUnlimited({ env })
  const tasksOf = async (call: Call) =>
    // The document says so, against which every other test holds it.
    (await (await call('GET', '/api/tasks?limit=200')).json()) as { id: string }[]
  const neighbour = await callerOf(() => server.address, 'user 19')
  const [first] = await tasksOf(neighbour)
  const over = new AbortController()
  let written = 0
  const write = async (user: string) => {
    const call = await callerOf(() => server.address, user)
    const tasks = await tasksOf(call)
    for (let count = 0; !over.signal.aborted; count += 1) {
      const task = tasks[count % tasks.length]
      const answer = await (count % 2 === 0
        ? call('POST', '/api/tasks', { title: `New ${count}`, tags: ['home'] })
        : call('PATCH', `/api/tasks/${task?.id}`, { title: `Changed ${count}` }))
      await answer.arrayBuffer()
      written += 1
    }
  }
  const writing = Promise.all(Array.from({ length: 8 }, (_, user) => write(`user ${user}`)))

  const waits: { began: number; wait: number }[] = []
  const ask = async () => {
    const began = performance.now()
    await (await neighbour('GET', `/api/tasks/${first?.id}`)).arrayBuffer()
    waits.push({ began, wait: performance.now() - began })
  }
  const asked: Promise<void>[] = []
  const spans: [number, number][] = []
  const asking = setInterval(() => asked.push(ask()), 10)
  const making = (async () => {
    for (let round = 0; round < 5; round += 1) {
      await Bun.sleep(4000)
      const began = performance.now()
      const { exitCode } = await docket(['backup', join(files, String(round))], { env })
      expect(exitCode).toBe(0)
      spans.push([began, performance.now()])
    }
    clearInterval(asking)
    over.abort()
  })()
  await making
  await Promise.all([writing, ...asked])
  await server.end('SIGTERM')

  const meets = ({ began, wait }: { began: number; wait: number }) =>
    spans.some(([from, to]) => began + wait > from && began < to)
  const during = waits.filter(meets).map(({ wait }) => wait)
  const beside = waits.filter((each) => !meets(each)).map(({ wait }) => wait)
  report('requests while a backup is made', {
    asked: during.length,
    written,
    seconds: (spans.reduce((sum, [from, to]) => sum + to - from, 0) / 5000).toFixed(1),
    p50_ms: percentile(during, 0.5),
    p99_ms: percentile(during, 0.99),
    longest_ms: percentile(during, 1),
    p99_else_ms: percentile(beside, 0.99),
    longest_else_ms: percentile(beside, 1),
  })
  // How long is said above: what it is depends on the machine.
  expect(percentile(during, 1)).toBeLessThan(3000)
}, 300_000)

test('a restore that is killed leaves the database of before, or the one of the backup', async () => {
  const [folder, files] = [temporaryFolder(), temporaryFolder()]
  await fill(folder, 10_000)
  const env = { DATA_DIR: folder }
  const file = join(files, 'file')
  expect((await docket(['backup', file], { env })).exitCode).toBe(0)
  const figures = { kills: setting('RESTORE_KILLS', 12), before: 0, restored: 0 }

  for (let round = 0; round < figures.kills; round += 1) {
    const title = `Round ${round}`
    let server = await startUnlimited({ env })
    const call = await callerOf(() => server.address, 'user 1')
    const made = await call('POST', '/api/tasks', { title })
    expect(made.status).toBe(201)
    await made.text()
    await server.end('SIGTERM')

    const child = Bun.spawn([...command, 'restore', file, '--replace'], { env, stdout: 'ignore' })
    // Up to about as long as it takes.
    await Bun.sleep((round / figures.kills) * 5000)
    child.kill('SIGKILL')
    await child.exited

    server = await startUnlimited({ env })
    const titles = await titlesOf(await callerOf(() => server.address, 'user 1'))
    await server.end('SIGTERM')
    const isBefore = titles.includes(title)
    expect(titles.filter((one) => one.startsWith('Buy '))).toHaveLength(500)
    figures[isBefore ? 'before' : 'restored'] += 1
    expect((await readdir(folder)).filter((name) => /^(restored|replaced)$/.test(name))).toEqual([])
  }
  report('restores that were killed', figures)
}, 600_000)

/** A folder with room for so much: a file system of its own, which only root can make. */
async function smallDisk(size: string): Promise<string | null> {
  const folder = temporaryFolder()
  const mount = Bun.spawn(['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], {
    stderr: 'ignore',
  })
  return (await mount.exited) === 0 ? folder : null
}

const full = process.getuid?.() === 0 ? await smallDisk('600k') : null
afterAll(() => full !== null && Bun.spawnSync(['umount', full]))

test.skipIf(full === null)(
  'a full disk is told, leaves nothing of a backup, and harms nobody',
  async () => {
    const env = { DATA_DIR: temporaryFolder(), BACKUP_DIR: full ?? '', LOG_LEVEL: 'error' }
    const server = await startUnlimited({ env })
    const call = await callerOf(() => server.address, 'alice')
    while (!server.said().includes('failed, and is tried again')) await Bun.sleep(20)

    const { stderr, exitCode } = await docket(['backup', join(full ?? '', 'file')], { env })

    expect(server.said()).toMatch(/ENOSPC|no space/i)
    expect([exitCode, stderr]).toEqual([
      1,
      `Cannot back up ${env.DATA_DIR} to ${full}/file: the disk has no room for it.\n`,
    ])
    expect(await readdir(full ?? '')).toEqual([])
    expect((await call('POST', '/api/tasks', { title: 'Still' })).status).toBe(201)
    expect((await docket(['backup', join(temporaryFolder(), 'file')], { env })).exitCode).toBe(0)
    expect(await server.end('SIGTERM')).toBe(0)
  },
  60_000,
)
