import type { Db } from '../../database/gate/gate.ts'
import { placeOf } from '../queries.ts'
import type { Kept, Task } from '../schema.ts'

// What is read of tasks that repeat. One exported function is one statement.

/** What comes after a task, or is where it would come: null where there is nothing. */
export type Successor = {
  id: string
  task: Task | null
  /** Whether nobody has changed anything of it since it was made, nor put anything under it. */
  isUntouched: boolean
  /** It, and all that is under it, the trash too. */
  tree: { id: string; version: number }[]
}

/** One that is under a task. What comes after it is made with what comes after the task. */
export type Under = {
  task: Task & Kept
  next_id: string
  /** What has this id: `deleted`, whether it is in the trash. */
  taken: { version: number; deleted: boolean; list_id: string | null } | null
}

/** What decides of a task what comes after it. */
export type Series = {
  id: string
  /** Where its user is; null: nobody has said. */
  zone: string | null
  task: Task & Kept
  /** The position of what comes after it in its list. */
  after: string | null
  /** Whether another task is the open one of the series that would have its id. */
  isTaken: boolean
  /** What comes after it, and after that, as far as there is something, and an id that nothing has. */
  successors: Successor[]
  /** All that is under it but for the trash, what is above others first. */
  under: Under[]
}

/** How many ids are looked at for one that is free: it takes a good deal of undoing to need a second. */
const mostSuccessors = 5

export const readSeries = (db: Db, userId: string, ids: readonly string[]): Promise<Series[]> =>
  db.read(
    (sql) => sql<Series[]>`
    select t.id, (select u.time_zone from docket.users u where u.id = ${userId}) as zone, t.json::json as task,
      (
        select after.position
        from (
          select ${placeOf(sql)} as place, coalesce(t.list_id::text, '') || '!' as beyond
          offset 0
        ) own
        cross join lateral (
          select t.position
          from docket.tasks t
          where t.user_id = ${userId}
            and t.deleted_at is null
            and ${placeOf(sql)} > own.place
            and ${placeOf(sql)} < own.beyond
          order by ${placeOf(sql)}
          limit 1
        ) after
      ) as after,
      exists (
        select
        from docket.tasks s
        where s.user_id = ${userId}
          and s.open_series = t.id
          and s.id <> t.id
      ) as "isTaken",
      (
        with recursive chain as (
          select docket.next_id(t.id) as id, 1 as nth
          union all
          select docket.next_id(chain.id), chain.nth + 1
          from chain
          where chain.nth < ${mostSuccessors}
            and exists (
              select
              from docket.tasks s
              where s.user_id = ${userId}
                and s.id = chain.id
            )
        )
        select json_agg(json_build_object(
          'id', chain.id, 'task', s.json::json, 'tree', coalesce(tree.ids, '[]'),
          'isUntouched', s.completed_at is null and coalesce(tree.is_untouched, false)
        ) order by chain.nth)
        from chain
        left join lateral (
          select s.id, s.version, s.updated_at, s.completed_at, s.deleted_at, s.json
          from docket.tasks s
          where s.user_id = ${userId}
            and s.id = chain.id
          offset 0
        ) s on true
        left join lateral (
          with recursive tree as (
            select s.id, s.version, s.updated_at, s.deleted_at
            where s.id is not null
            union all
            select under.id, under.version, under.updated_at, under.deleted_at
            from tree
            cross join lateral (
              select u.id, u.version, u.updated_at, u.deleted_at
              from docket.tasks u
              where u.user_id = ${userId}
                and u.parent_id = tree.id
              offset 0
            ) under
          )
          -- All that was made has an id of version 8. What was there before, in the trash, has one of the instants just after the
          -- completion, which nothing else has.
          select json_agg(json_build_object('id', tree.id, 'version', tree.version)) as ids,
            bool_and(tree.deleted_at is null and substr(tree.id::text, 15, 1) = '8')
            and (
              max(tree.version) = 1
              or max(tree.updated_at) = t.completed_at + count(tree.id) * interval '1 microsecond'
            ) as is_untouched
          from tree
        ) tree on true
      ) as successors,
      (
        with recursive tree as (
          select t.id, t.has_subtasks, 0 as depth
          union all
          select under.id, under.has_subtasks, tree.depth + 1
          from tree
          cross join lateral (
            select u.id, u.has_subtasks
            from docket.tasks u
            where tree.has_subtasks
              and u.user_id = ${userId}
              and u.parent_id = tree.id
              and u.deleted_at is null
            offset 0
          ) under
        )
        select coalesce(json_agg(json_build_object(
          'task', u.json::json, 'next_id', docket.next_id(u.id),
          'taken', case when n.id is not null then json_build_object(
            'version', n.version, 'deleted', n.deleted_at is not null, 'list_id', n.list_id
          ) end
        ) order by tree.depth, u.position), '[]')
        from tree
        cross join lateral (
          select u.id, u.position, u.json
          from docket.tasks u
          where u.user_id = ${userId}
            and u.id = tree.id
          offset 0
        ) u
        left join lateral (
          select n.id, n.version, n.deleted_at, n.list_id
          from docket.tasks n
          where n.user_id = ${userId}
            and n.id = docket.next_id(u.id)
          offset 0
        ) n on true
        where tree.depth > 0
      ) as under
    from json_array_elements_text(${JSON.stringify(ids)}::text::json) asked (id)
    cross join lateral (
      select id, list_id, position, completed_at, has_subtasks, json
      from docket.tasks
      where user_id = ${userId}
        and id = asked.id::uuid
      offset 0
    ) t`,
  )
