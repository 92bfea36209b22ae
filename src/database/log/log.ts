import type { PendingQuery, Row } from 'postgres'
import type { Sql } from '../connect.ts'

// The log of changes, as the statements that write have it: sql/004_changes.sql says what it is for. A statement gets what it is
// asked in groups, one for each user (gate/share.ts), locks the users in one order, and gives each as many numbers as it has asks.

/** Part of a statement: postgres.js sends nothing that is not awaited. */
export type Fragment = PendingQuery<Row[]>

/** A word of ours in a statement, and no parameter of it: what is asked is all that it is given (gate/share.ts). */
export function literal(sql: Sql, word: string): Fragment {
  if (!/^[a-z_]+$/.test(word)) throw new Error(`"${word}" is no word of ours.`)
  return sql.unsafe<Row[]>(`'${word}'`)
}

/** Who changes something, for whom, and in which request. */
export type Author = {
  user_id: string
  /** JSON of `{kind, name}`. */
  actor: string | null
  request_id: string | null
}

/** What somebody asks of a statement that writes, whatever it is about. */
export type Ask = Author & { id: string }

/** Instants are as fine as this, and so no two changes of a user have the same one. */
const tick = (sql: Sql): Fragment => sql`interval '1 microsecond'`

/** `given`: what is asked, as share.ts writes it. The rest of a statement is the same each time. */
export const given = (sql: Sql, asked: string): Fragment => sql`
    given as (
      select ${asked}::text::json as asked
    )`

/**
 * `groups`, out of what is `given`, in the one order in which users are locked: statements that lock two in two orders would wait for
 * each other. The condition has the planner expect a row or two: see `few` of share.ts.
 */
const groups = (sql: Sql): Fragment => sql`
    groups as materialized (
      select g.user_id, g.many, g.after, g.asks
      from json_to_recordset((select asked from given)) as g (user_id text, many integer, after timestamptz, asks json)
      where g.many between 0 and 1000000
      order by g.user_id collate "C"
    )`

/**
 * `owners`, the users of the groups: locked until the commit, with the number and the instant of the first ask of each. An ask that
 * changes nothing leaves a gap. They are locked one after the other, each by its key: to join and to sort them at once, the planner
 * would read all the users that there are, in their order.
 */
export const owners = (sql: Sql): Fragment => sql`${groups(sql)}, owners as (
      update docket.users u
      set seq = u.seq + g.many,
        changed_at = greatest(now(), u.changed_at + ${tick(sql)}) + (g.many - 1) * ${tick(sql)}
      from (
        select locked.id, groups.many, groups.asks
        from groups
        cross join lateral (
          select u.id
          from docket.users u
          where u.id = groups.user_id
          for no key update
        ) locked
      ) g
      where u.id = g.id
      returning u.id, u.seq - g.many + 1 as seq, u.changed_at - (g.many - 1) * ${tick(sql)} as at, g.asks
    )`

/** The same, for users who may be new. INSERT takes the rows in their order, and cannot return the asks. */
export const newOwners = (sql: Sql): Fragment => sql`${groups(sql)}, counted as (
      insert into docket.users as u (id, seq, changed_at)
      select user_id, many, greatest(now(), after) + (many - 1) * ${tick(sql)}
      from groups
      on conflict (id) do update
        set seq = u.seq + excluded.seq,
          changed_at = greatest(excluded.changed_at, u.changed_at + excluded.seq * ${tick(sql)})
      returning u.id, u.seq, u.changed_at
    ), owners as (
      select u.id, u.seq - g.many + 1 as seq, u.changed_at - (g.many - 1) * ${tick(sql)} as at, g.asks
      from groups g
      join counted u on u.id = g.user_id
    )`

/**
 * The asks of `owners`, each with its user, its number and its instant, when the first of the user `began`, and these columns besides
 * those of every ask. By itself, as the planner would else read all tasks of a user, in the belief that there is one, and only then join
 * what is asked. Sorted, so that all users are locked before anything of the first is: a row that another one has taken over meanwhile is
 * locked before it is seen that it is not meant, and who waits for a user while it holds that is waited for.
 */
export const asksOf = (sql: Sql, columns: Fragment): Fragment => sql`(
        select o.id as user_id, o.seq + a.nth as seq, o.at + a.nth * ${tick(sql)} as at, o.at as began, a.*
        from (select id, seq, at, asks from owners order by id) o
        cross join lateral json_to_recordset(o.asks) as a (n integer, nth integer, id uuid, actor text, request_id text, ${columns})
        where a.n between 0 and 10000
        offset 0
      )`

/**
 * `logged`: writes down what is in `changes`, a row for each change with `user_id`, `seq`, `id`, `action`, `previous`, `before`, `actor`,
 * `request_id` and `at`; and that it is the last one of its thing.
 * @param changes what follows `from`
 * @param suffix of the names, in a statement that writes to several tables
 */
export const logged = (sql: Sql, type: string, changes: Fragment, suffix = ''): Fragment => sql`
    ${sql(`logged${suffix}`)} as (
      insert into docket.changes (user_id, seq, type, id, action, previous, before, actor, request_id, at, day)
      select user_id, seq, ${literal(sql, type)}, id, action, previous, before, actor, request_id, at, (at at time zone 'UTC')::date
      from ${changes}
    ), ${sql(`latest${suffix}`)} as (
      insert into docket.latest (user_id, type, id, seq)
      select user_id, ${literal(sql, type)}, id, seq
      from ${changes}
      on conflict (user_id, type, id) do update set seq = excluded.seq
    )`
