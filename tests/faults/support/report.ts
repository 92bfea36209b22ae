import type { Report } from './load.ts'
import { straight } from './servers.ts'

/** Of a scene: acknowledged writes that are not there, writes that are there twice, sessions left in a transaction. */
type Finding = { lost: number; doubled: number; stray: number }

/** Holds what was acknowledged against what is there, and looks for sessions that were left in a transaction. */
export async function verify(port: number, { acknowledged }: Report): Promise<Finding> {
  const sql = straight({ port, user: 'admin', database: 'docket' })
  const users = [...acknowledged.keys()]
  const rows = await sql<{ user_id: string; id: string; title: string }[]>`
    select user_id, id, title
    from docket.tasks
    where user_id in ${sql(users)}`
  const open = await sql`
    select pid
    from pg_stat_activity
    where usename = 'docket'
      and state like 'idle in transaction%'`
  await sql.end()

  const stored = new Set(rows.map(({ user_id, id }) => `${user_id} ${id}`))
  const lost = users.flatMap((user) =>
    [...(acknowledged.get(user) ?? [])].filter((id) => !stored.has(`${user} ${id}`)),
  )
  return {
    lost: lost.length,
    // Each title was sent for one task.
    doubled: rows.length - new Set(rows.map(({ title }) => title)).size,
    stray: open.length,
  }
}

type Row = Finding & {
  name: string
  report: Report
  /** Milliseconds from the return of the database to the first success. */
  first: number
  /** How many connections were tried meanwhile; null where nobody is there to count them. */
  attempts: number | null
}
const rows: Row[] = []
export const addRow = (row: Row): number => rows.push(row)

export function renderTable(): string {
  const heads = [
    'requests',
    'ok',
    '503',
    'slowest',
    'first ok',
    'attempts',
    'late',
    'lost',
    'twice',
    'in tx',
    'wrong',
  ]
  const lines = rows.map(({ name, report, first, attempts, lost, doubled, stray }) => [
    name,
    report.requests,
    report.succeeded,
    report.unavailable,
    `${Math.round(report.slowest)} ms`,
    `${Math.round(first)} ms`,
    attempts ?? '-',
    report.late,
    lost,
    doubled,
    stray,
    report.wrong.length,
  ])
  return [['', ...heads], ...lines]
    .map(
      ([name, ...cells]) =>
        String(name).padEnd(34) + cells.map((cell) => String(cell).padStart(9)).join(' '),
    )
    .join('\n')
}
