import type postgres from 'postgres'
import type { Postgres } from './postgres.ts'
import { remember, run } from './processes.ts'
import { afterLoaded, copyColumns, type Dataset, isInTrash, line, userOf } from './rows.ts'

/** The name of a database with these tasks. */
export const databaseOf = ({ tasks, heavy }: Dataset): string =>
  heavy === 0 ? `bench_${tasks}` : `bench_${tasks}_heavy`

/** The comment of a database that was loaded to its end. */
const loaded = 'loaded'

/**
 * Makes the database with this data, or takes the one that an earlier run left.
 * @param migrate brings the schema of a database up to date: the program's own
 */
export async function fill(
  server: Postgres,
  dataset: Dataset,
  migrate: (url: string) => Promise<void>,
): Promise<void> {
  const name = databaseOf(dataset)
  const admin = server.connect('postgres')
  const [found] = await admin<{ comment: string | null }[]>`
    select shobj_description(oid, 'pg_database') as comment
    from pg_database
    where datname = ${name}`
  const isThere = found?.comment === loaded
  if (!isThere) {
    await admin.unsafe(`drop database if exists ${name}`)
    await admin.unsafe(`create database ${name} template template0`)
  }
  await migrate(server.url(name))
  if (!isThere) {
    await load(server, dataset)
    await admin.unsafe(`comment on database ${name} is '${loaded}'`)
  }
  await admin.end()
}

async function load(server: Postgres, dataset: Dataset): Promise<void> {
  const sql = server.connect(databaseOf(dataset))
  await sql`insert into docket.users (id) select generate_series(1, ${dataset.users}::int)::text`
  if (dataset.heavy > 0) await sql`insert into docket.users (id) values ('heavy')`
  const recreate = await dropIndexes(sql)
  await copy(server, dataset)
  for (const [index, statement] of recreate.entries()) {
    say(dataset, `index ${index + 1} of ${recreate.length}`)
    await sql.unsafe(statement)
  }
  say(dataset, 'log')
  await sql`
    insert into docket.latest (user_id, seq, type, id)
    select user_id, seq, 'task', id
    from docket.tasks`
  await sql`
    update docket.users u
    set seq = last.seq
    from (select user_id, max(seq) as seq from docket.tasks group by user_id) last
    where u.id = last.user_id`
  say(dataset, 'vacuum')
  await sql.unsafe('vacuum analyze')
  say(dataset, 'loaded', true)
  await sql.end()
}

/** Drops the indexes and keys of `tasks`, however the schema defines them, and gives the statements that make them. */
async function dropIndexes(sql: postgres.Sql): Promise<string[]> {
  const keys = await sql<{ name: string; definition: string }[]>`
    select conname as name, pg_get_constraintdef(oid) as definition
    from pg_constraint
    where conrelid = 'docket.tasks'::regclass
      and contype in ('p', 'u', 'f')
    order by contype = 'f'`
  // What refers to a key goes before it.
  for (const { name } of keys.toReversed()) {
    await sql.unsafe(`alter table docket.tasks drop constraint ${name}`)
  }
  const indexes = await sql<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition
    from pg_indexes
    where schemaname = 'docket'
      and tablename = 'tasks'`
  for (const { name } of indexes) await sql.unsafe(`drop index docket.${name}`)
  return [
    ...keys.map(
      ({ name, definition }) => `alter table docket.tasks add constraint ${name} ${definition}`,
    ),
    ...indexes.map(({ definition }) => definition),
  ]
}

/** Into a table that is emptied in the same transaction, which needs no log and no later look at each row. */
async function copy(server: Postgres, dataset: Dataset): Promise<void> {
  const steps = [
    'begin',
    'truncate docket.tasks',
    `copy docket.tasks (${copyColumns}) from stdin (freeze)`,
    'commit',
  ]
  const child = remember(
    Bun.spawn(
      [
        server.program('psql'),
        '-qX',
        '-v',
        'ON_ERROR_STOP=1',
        server.url(databaseOf(dataset)),
      ].concat(steps.flatMap((step) => ['-c', step])),
      { stdin: 'pipe', stdout: 'ignore', stderr: 'pipe' },
    ),
  )
  for (const lines of chunks(dataset)) {
    await child.stdin.write(lines)
    await child.stdin.flush()
    if (child.exitCode !== null) break
  }
  await child.stdin.end()
  if ((await child.exited) !== 0) throw new Error(`Cannot load: ${await child.stderr.text()}`)
}

/** The lines of COPY, some thousands at a time; those of the user heavy are spread among the others. */
function* chunks(dataset: Dataset): Generator<string> {
  const { tasks, heavy } = dataset
  const every = Math.max(1, Math.floor(tasks / Math.max(1, heavy)))
  const rare = Math.max(1, Math.floor(heavy / 5))
  let lines = ''
  let made = 0
  for (let n = 1; n <= tasks; n += 1) {
    const nth = Math.ceil(n / dataset.users)
    lines += line(n, userOf(dataset, n), nth, (n - 1) / tasks, isInTrash(dataset, n))
    if (n % every === 0 && made < heavy) {
      made += 1
      // Five that are not in the trash have the rare word.
      lines += line(
        tasks + made,
        'heavy',
        made,
        (n - 1) / tasks,
        made % 50 === 0,
        made % rare === 1,
      )
    }
    if (n % 5000 === 0 || n === tasks) {
      say(dataset, `${Math.floor((n / tasks) * 100)} %`)
      yield lines
      lines = ''
    }
  }
}

let said = ''

/** A line that the next one replaces, where that can be: else only the last of each. */
function say({ tasks }: Dataset, what: string, isLast = false): void {
  if (what === said) return
  said = what
  if (process.stderr.isTTY) {
    process.stderr.write(`\r${tasks} tasks: ${what}${' '.repeat(20)}${isLast ? '\n' : ''}`)
  } else if (isLast) console.error(`${tasks} tasks: ${what}`)
}

/** Takes away what earlier runs made, and what is left of what they changed. */
export async function tidy(
  server: Postgres,
  dataset: Dataset,
  how: 'vacuum' | 'delete',
): Promise<void> {
  const sql = server.connect(databaseOf(dataset))
  // By user, for the index.
  await sql`
    with gone as (
      delete from docket.tasks
      using docket.users
      where tasks.user_id = users.id
        and tasks.created_at > ${afterLoaded}
        and deleted_at is null
      returning tasks.user_id, tasks.seq
    )
    delete from docket.latest
    using gone
    where latest.user_id = gone.user_id
      and latest.seq = gone.seq`
  await sql`truncate docket.changes`
  if (how === 'vacuum') await sql.unsafe('vacuum docket.tasks, docket.latest, docket.users')
  await sql.end()
}

/** Brings the schema of a database up to date. */
export const migrateWith =
  (binary: string, env: Record<string, string>) =>
  async (url: string): Promise<void> => {
    await run([binary, 'migrate'], { env: { ...env, DATABASE_URL: url } })
  }
