import type { Sql } from '../database/connect.ts'
import type { Fragment } from '../database/log/log.ts'
import { listed, type Table, type Values, whereGiven } from '../database/log/writes.ts'

/** A column that a client writes: its type, what null stands for, if not for null, and what a change makes of it, if not what is asked. */
type Column = {
  type: (sql: Sql) => Fragment
  empty?: (sql: Sql) => Fragment
  changed?: (sql: Sql) => Fragment
}

/** The columns of a task that are written as they are, each under the name of its field. */
export const columns: Record<string, Column> = {
  list_id: { type: (sql) => sql`uuid` },
  parent_id: { type: (sql) => sql`uuid` },
  title: { type: (sql) => sql`text` },
  description: { type: (sql) => sql`text` },
  priority: { type: (sql) => sql`docket.task_priority`, empty: (sql) => sql`'none'` },
  tags: { type: (sql) => sql`text[]`, empty: (sql) => sql`'{}'` },
  due_date: { type: (sql) => sql`date` },
  due_time: { type: (sql) => sql`time(0)` },
  time_zone: { type: (sql) => sql`text` },
  recurrence: { type: (sql) => sql`text` },
  repeat_from: { type: (sql) => sql`text` },
  series_id: { type: (sql) => sql`uuid` },
  occurrence: { type: (sql) => sql`date` },
  reminders: { type: (sql) => sql`text[]`, empty: (sql) => sql`'{}'` },
  extra: {
    type: (sql) => sql`jsonb`,
    changed: (sql) => sql`docket.merge_extra(t.extra, asked.extra)`,
  },
}

const each = <T>(make: (name: string, column: Column) => T): T[] =>
  Object.entries(columns).map(([name, column]) => make(name, column))

/** What is asked of each, as columns with their types, and what was folded of them (rules.ts). */
export const askedColumns = (sql: Sql): Fragment => {
  const own = each((name, { type }) => sql`${sql(name)} ${type(sql)},`)
  const all = own.reduce((before, next) => sql`${before} ${next}`, sql``)
  return sql`${all} title_key text, title_words text, description_words text, tag_keys text[]`
}

/** The value that is asked for. */
const askedValue = (sql: Sql, name: string, { empty }: Column): Fragment =>
  empty === undefined ? sql`asked.${sql(name)}` : sql`coalesce(asked.${sql(name)}, ${empty(sql)})`

/** All of them, of a task that is asked for whole. */
export const wholeValues = (sql: Sql): Values =>
  Object.fromEntries(each((name, column) => [name, askedValue(sql, name, column)]))

export const givenValues = (sql: Sql): Values =>
  Object.fromEntries(
    each((name, column) => [
      name,
      whereGiven(sql, name, column.changed?.(sql) ?? askedValue(sql, name, column)),
    ]),
  )

/** All of them, of a row. */
export const columnsFrom = (sql: Sql, row: Fragment): Fragment =>
  listed(
    sql,
    each((name) => sql`${row}.${sql(name)}`),
  )

/** That they are the same in the row `t` and in the `excluded` one. */
export const areSame = (sql: Sql): Fragment =>
  sql`(${columnsFrom(sql, sql`t`)}) is not distinct from (${columnsFrom(sql, sql`excluded`)})`

export const taskTable: Table = {
  type: 'task',
  name: (sql) => sql`docket.tasks`,
  asked: (sql) => sql`completed boolean, ${askedColumns(sql)}`,
  was: (
    sql,
  ) => sql`t.completed_at is null as was_open, t.deleted_at is null as was_there, t.list_id as was_in, t.parent_id as was_under,
          t.position as was_at`,
  action: (sql) => sql`
      case
        when (t.deleted_at is null) <> asked.was_there then case when asked.was_there then 'deleted' else 'restored' end
        when (t.completed_at is null) <> asked.was_open then case when asked.was_open then 'completed' else 'reopened' end
        when (t.list_id, t.parent_id, t.position) is distinct from (asked.was_in, asked.was_under, asked.was_at) then 'moved'
        else 'updated'
      end`,
}

/** A task as the log shows it, of the row `l` of docket.latest. */
export const taskJson = (sql: Sql): Fragment => sql`
            select t.json
            from docket.tasks t
            where t.user_id = asked.user_id
              and t.id = l.id`
