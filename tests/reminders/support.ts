import { observe } from '../../src/database/gate/observe.ts'
import type { Event, Makings } from '../../src/reminders/queries.ts'
import { createReminding } from '../../src/reminders/reminding.ts'
import { emptyDatabase, layOut } from '../support/database.ts'

/** A database of its own, with so many instances that remind, and hear of alarms as the first one that wrote them. */
export async function startReminding(count = 1, makings: Makings = { make: [] }) {
  const first: { reminding?: ReturnType<typeof createReminding> } = {}
  const heard: number[] = []
  const { sql, db, close } = await emptyDatabase('', (milliseconds) => {
    heard.push(milliseconds)
    first.reminding?.heard(milliseconds)
  })
  await layOut(sql)
  const failures: unknown[] = []
  const events: (Event & { by: number })[] = []
  const counts: [number, number][] = []
  const listeners: string[] = []
  let statements = 0
  let fired = 0
  const watched = observe(db, () => {
    statements += 1
    return () => {}
  })
  const all = Array.from({ length: count }, (_, by) =>
    createReminding({
      db: watched,
      makings,
      onEvent: (event) => events.push({ ...event, by }),
      onFired: () => {
        fired += 1
      },
      onCount: (...told) => counts.push(told),
      listeners: () => listeners,
      onFailure: (error) => failures.push(error),
    }),
  )
  const [reminding] = all
  if (reminding === undefined) throw new Error('expected an instance')
  first.reminding = reminding

  /** Makes a task that reminds at these moments, by its id. */
  async function remindAt(userId: string, ...moments: string[]): Promise<string> {
    await sql`insert into docket.users (id) values (${userId}) on conflict do nothing`
    const id = crypto.randomUUID()
    await sql`
      insert into docket.tasks (user_id, id, title, reminders)
      values (${userId}, ${id}, 'A task', ${sql.typed.text_array(moments)})`
    return id
  }

  return {
    sql,
    db,
    all,
    reminding,
    events,
    failures,
    counts,
    heard,
    listeners,
    remindAt,
    /** Makes so many tasks with a reminder each that is overdue by so many seconds. */
    overdue: async (userId: string, many: number, seconds: number): Promise<void> => {
      await sql`insert into docket.users (id) values (${userId}) on conflict do nothing`
      await sql`
        with made as (
          insert into docket.tasks (user_id, id, title)
          select ${userId}, gen_random_uuid(), 'A task' from generate_series(1, ${many}::integer)
          returning id
        )
        insert into docket.alarms (user_id, task_id, reminder, fires_at)
        select ${userId}, id, 'PT0S', now() - ${seconds} * interval '1 second' from made`
    },
    left: async (): Promise<number> => {
      const [row] = await sql<{ n: number }[]>`select count(*)::integer as n from docket.alarms`
      return row?.n ?? 0
    },
    statements: () => statements,
    fired: () => fired,
    close: async () => {
      for (const one of all) await one.stop()
      await close()
    },
  }
}

/** A moment so many milliseconds from now, as a reminder in its written form: at the next full second after that. */
export const momentIn = (milliseconds: number): string =>
  `${new Date(Math.ceil((Date.now() + milliseconds) / 1000) * 1000).toISOString().slice(0, 19)}+00:00`
