import { join } from 'node:path'
import { databaseOf } from './fill.ts'
import type { Postgres } from './postgres.ts'
import { processorTime, run } from './processes.ts'
import { strideOf } from './requests.ts'
import type { Dataset } from './rows.ts'
import type { Run } from './wrk.ts'

// What the database can do with nothing in front of it: pgbench with the statements of the straight server, prepared.

export const pgbenchWorkloads = ['get', 'page', 'post', 'patch'] as const
export type PgbenchWorkload = (typeof pgbenchWorkloads)[number]

const columns = `id, user_id, list_id, parent_id, position, title, description, completed_at is not null as completed, completed_at,
  priority, tags, due_date, due_time, time_zone, recurrence, repeat_from, series_id, occurrence, reminders, version,
  created_at, updated_at, deleted_at`

const anyTask = `\\set n random(1, :tasks)
\\set u (:n - 1) % :users + 1`

const scripts: Record<PgbenchWorkload, string> = {
  get: `${anyTask}
select ${columns}
from docket.tasks
where user_id = :u::text
  and id = lpad(:n::text, 32, '0')::uuid
  and deleted_at is null;
`,
  page: `\\set u random(1, least(1000, :users))
select ${columns}
from docket.tasks
where user_id = :u::text
  and deleted_at is null
order by created_at desc, id desc
limit 50;
`,
  post: `\\set u random(1, least(1000, :users))
\\set p random(1, 4)
insert into docket.tasks (id, user_id, title, description, priority, tags, due_date)
values (gen_random_uuid(), :u::text, 'A title as long as others are, ' || :u, 'A description that is about as long as half of the others are: rather more than a hundred characters.',
  (enum_range(null::docket.task_priority))[:p], '{home,garden}', '2025-06-30')
returning ${columns};
`,
  patch: `\\set n random(0, least(20000, :tasks / :stride) - 1) * :stride + 1
\\set u (:n - 1) % :users + 1
\\set p random(1, 4)
update docket.tasks
set title = 'A title as long as others are, ' || :p, priority = (enum_range(null::docket.task_priority))[:p],
  version = version + 1, updated_at = now()
where user_id = :u::text
  and id = lpad(:n::text, 32, '0')::uuid
  and deleted_at is null
returning ${columns};
`,
}

/** One run of pgbench with so many clients, after a second that is not measured. */
export async function runPgbench(
  server: Postgres,
  data: Dataset,
  workload: PgbenchWorkload,
  load: { connections: number; seconds: number },
): Promise<Run> {
  const file = join(server.folder, `${workload}.pgbench`)
  await Bun.write(file, scripts[workload])
  const variables = { tasks: data.tasks, users: data.users, stride: strideOf(data) }
  const { connections } = load
  const options =
    `-n -M prepared -j 1 -c ${connections} -h 127.0.0.1 -p ${server.port} -U docket`.split(' ')
  const bench = (seconds: number) =>
    run([
      server.program('pgbench'),
      ...options,
      '-f',
      file,
      '-T',
      String(seconds),
      ...Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
      databaseOf(data),
    ])
  await bench(1)
  const before = processorTime(server.id())
  const output = await bench(load.seconds)
  const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1])
  const requests = figure(/actually processed: (\d+)/)
  const failed = figure(/failed transactions: (\d+)/)
  return {
    rate: figure(/tps = ([\d.]+)/),
    // The mean: pgbench has no other without a log of each.
    p50: figure(/latency average = ([\d.]+)/),
    p99: Number.NaN,
    cpu: null,
    databaseCpu: ((processorTime(server.id()) - before) * 1e6) / requests,
    memory: null,
    requests,
    fault: failed > 0 ? `${failed} transactions failed` : null,
  }
}
