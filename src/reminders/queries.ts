import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Fragment } from '../database/log/log.ts'

// Reminders that come: sql/010_reminders.sql. One exported function is one statement.

/** One that has come: what those who listen are told, as JSON. */
export type Event = { user_id: string; id: string; event: string }

export type Fired = {
  events: Event[]
  /** How many were more than a day overdue, of which nobody is told. */
  dropped: number
  /** There is more that is due: somebody else has it in hand, or it was too much at once. */
  isMore: boolean
  /** Milliseconds until the next one; null: there is none. */
  wait: number | null
  /** What has to be asked before the others come; null: nothing. */
  question: string | null
}

/** What reminders become. */
export type Makings = {
  /**
   * What is made of what has `fired`, each a statement within this one. Its rows have `user_id`, `id` (which is that of this reminder, whoever
   * is told), `task_id`, `reminder`, `fires_at`, `json` of the task, and `body`, for a message that is to be short.
   */
  make: readonly ((sql: Sql) => Fragment)[]
  /** Whether it has to be asked first what becomes of the alarm `a`: a condition. */
  isHeld?: (sql: Sql) => Fragment
  /** What is to be asked of the users of the rows `held`, as text; null: nothing. A query of one value. */
  question?: (sql: Sql) => Fragment
}

/** How many are taken at a time. */
const most = 200

/**
 * Takes what is due, and makes of it what tells of it: both or nothing. By now(): with what is volatile in its condition the index would be
 * read whole. What somebody else takes at the same time is left to him.
 */
export async function fire(db: Db, { make: makes, isHeld, question }: Makings): Promise<Fired> {
  const rows = await db.write((sql) => {
    const held = isHeld?.(sql) ?? sql`false`
    const made = makes.reduce(
      (before, make, n) => sql`${before}, ${sql(`made_${n}`)} as (${make(sql)})`,
      sql``,
    )
    return sql<
      (Partial<Event> & Pick<Fired, 'dropped' | 'wait' | 'question'> & { is_more: boolean })[]
    >`
    with due as (
      delete from docket.alarms
      where ctid = any(array(
        select a.ctid
        from docket.alarms a
        where a.fires_at <= now()
          and not ${held}
        order by a.fires_at
        limit ${most}
        for update of a skip locked
      ))
      returning user_id, task_id, reminder, fires_at
    ), held as materialized (
      select a.user_id
      from docket.alarms a
      where a.fires_at <= now()
        and ${held}
      order by a.fires_at
      limit ${most}
    ), fired as materialized (
      select due.user_id, named.id, due.task_id, due.reminder, due.fires_at, t.json,
        json_build_object(
          'type', 'reminder.due',
          'id', named.id,
          'task', json_build_object(
            'id', t.id, 'title', t.title, 'due_date', t.due_date, 'due_time', t.due_time, 'time_zone', t.time_zone
          ),
          'reminder', due.reminder,
          'timestamp', due.fires_at
        )::text as body,
        json_build_object(
          'id', named.id, 'task_id', t.id, 'title', t.title, 'due_date', t.due_date, 'due_time', t.due_time, 'time_zone', t.time_zone,
          'reminder', due.reminder, 'timestamp', due.fires_at
        )::text as event
      from due
      cross join lateral (
        select t.id, t.title, t.due_date, t.due_time, t.time_zone, t.json
        from docket.tasks t
        where t.user_id = due.user_id
          and t.id = due.task_id
        offset 0
      ) t
      cross join lateral (
        -- The user last, in whose id there may be anything.
        select docket.uuid_of(concat_ws(' ', 'reminder', due.task_id, due.reminder, extract(epoch from due.fires_at), due.user_id)) as id
        offset 0
      ) named
      where due.fires_at > now() - interval '1 day'
    ), told as (
      insert into docket.reminded (user_id, id, event)
      select user_id, id, event
      from fired
      on conflict do nothing
    ), forgotten as (
      delete from docket.reminded
      where ctid = any(array(
        select ctid
        from docket.reminded
        where at < now() - interval '1 hour'
        order by at
        limit ${2 * most}
        for update skip locked
      ))
    ) ${made}, rest as (
      select
        (select count(*) from due where fires_at <= now() - interval '1 day')::integer as dropped,
        (select count(*) from (select from docket.alarms a where a.fires_at <= now() and not ${held} limit ${most + 1}) seen)
          > (select count(*) from due) as is_more,
        (
          select extract(epoch from fires_at - now()) * 1000
          from docket.alarms
          where fires_at > now()
          order by fires_at
          limit 1
        )::float8 as wait,
        (${question?.(sql) ?? sql`select null::text`}) as question
    )
    select fired.user_id, fired.id, fired.event, rest.dropped, rest.is_more, rest.wait, rest.question
    from rest
    left join fired on true
    order by fired.fires_at`
  })
  const [first] = rows
  return {
    events: rows.filter((row): row is (typeof rows)[number] & Event => row.id != null),
    dropped: first?.dropped ?? 0,
    isMore: first?.is_more ?? false,
    wait: first?.wait ?? null,
    question: first?.question ?? null,
  }
}

/** Those that have come for some users of late, by whatever instance. */
export const listReminded = (db: Db, userIds: string[], seconds: number): Promise<Event[]> =>
  db.read(
    (sql) => sql<Event[]>`
    select user_id, id, event
    from docket.reminded
    where user_id = any(${sql.typed.text_array(userIds)})
      and at > now() - make_interval(secs => ${seconds})
    order by at, id`,
  )
