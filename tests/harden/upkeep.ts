import { expect, test } from 'bun:test'
import { connectEmbedded } from '../../src/database/connect.ts'
import { startEmbedded } from '../../src/database/embedded/start.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { temporaryFolder } from '../support/database.ts'
import { type Call, callerOf, percentile, report, setting, startUnlimited } from './support.ts'

// How long anybody waits while the embedded database is looked after: 100,000 tasks of 20 users, 20,000 writes, all
// processors busy with something else.

const stored = setting('UPKEEP_TASKS', 100_000)
const busyProcesses = setting('UPKEEP_BUSY', navigator.hardwareConcurrency)
const folder = temporaryFolder()
const env = { DATA_DIR: folder }

async function fill(): Promise<void> {
  const embedded = await startEmbedded(folder, (error) => {
    throw error
  })
  const sql = connectEmbedded(embedded.socket)
  await applySchema(sql, schemaFiles)
  await sql`insert into docket.users (id) select 'user ' || n from generate_series(0, 19) as n`
  for (let from = 0; from < stored; from += 5000) {
    await sql`
      insert into docket.tasks (user_id, id, title, description, priority, tags, due_date, created_at, updated_at)
      select 'user ' || n % 20, gen_random_uuid(), 'Buy ' || md5(n::text), repeat(md5(n::text), 1 + n % 9),
        (enum_range(null::docket.task_priority))[1 + n % 4], array['home'], date '2026-01-01' + n % 500,
        now() - n * interval '1 second', now() - n * interval '1 second'
      from generate_series(${from}::int, ${from + 4999}::int) as n`
  }
  await sql.end()
  await embedded.stop()
}

async function tasksOf(call: Call): Promise<{ id: string }[]> {
  const answer = await call('GET', '/api/tasks?limit=200')
  // The document says so, against which every other test holds it.
  return (await answer.json()) as { id: string }[]
}

test('nobody waits for long while the embedded database is looked after', async () => {
  await fill()
  const server = await startUnlimited({ env })
  const busy = Array.from({ length: busyProcesses }, () =>
    Bun.spawn(['sh', '-c', 'while :; do :; done']),
  )
  const waits: number[] = []
  let failures = 0
  try {
    const neighbour = await callerOf(() => server.address, 'user 19')
    const [first] = await tasksOf(neighbour)
    const ask = async () => {
      const began = performance.now()
      const answer = await neighbour('GET', `/api/tasks/${first?.id}`)
      await answer.arrayBuffer()
      if (!answer.ok) failures += 1
      waits.push(performance.now() - began)
    }

    let left = 20_000
    const write = async (user: string) => {
      const call = await callerOf(() => server.address, user)
      const tasks = await tasksOf(call)
      for (; left > 0; left -= 1) {
        const task = tasks[left % tasks.length]
        await (left % 2 === 0
          ? call('POST', '/api/tasks', { title: `New ${left}`, tags: ['home'] })
          : call('PATCH', `/api/tasks/${task?.id}`, { title: `Changed ${left}` })
        ).then((answer) => answer.arrayBuffer())
      }
    }
    const writing = Promise.all(Array.from({ length: 8 }, (_, user) => write(`user ${user}`)))

    // Over a minute, so that a checkpoint comes, and then time for what waits until nobody writes.
    const asked: Promise<void>[] = []
    for (const end = performance.now() + 75_000; performance.now() < end; ) {
      asked.push(ask())
      await Bun.sleep(10)
    }
    await Promise.all([writing, ...asked])
  } finally {
    for (const child of busy) child.kill('SIGKILL')
    await server.end('SIGTERM')
  }
  report('upkeep of the embedded database', {
    asked: waits.length,
    failures,
    p50_ms: percentile(waits, 0.5),
    p99_ms: percentile(waits, 0.99),
    longest_ms: percentile(waits, 1),
  })
  // How long is said above: what it is depends on the machine. Before upkeep came in pieces it was ten seconds and more,
  // and whatever came meanwhile was refused.
  expect(failures).toBeLessThan(waits.length / 500)
  expect(percentile(waits, 1)).toBeLessThan(5000)
}, 900_000)
