import type { Db } from '../../database/gate/gate.ts'
import { isThere, placeOf } from '../queries.ts'

// What is read of a task with all that is under it. One exported function is one statement.

/** The most that there are in a tree, and levels. */
export const mostInTree = 1000

/** One of a tree: `depth` is 1 for the task itself. */
export type Node = { id: string; version: number; isOpen: boolean; depth: number }

/** What decides of a task where it goes and what becomes of it. */
export type Root = {
  id: string
  version: number
  list_id: string | null
  parent_id: string | null
  completed: boolean
  deleted: boolean
  repeats: boolean
}

export type Tree = {
  root: Root
  /** Its JSON, where that was asked for. */
  text: string | null
  /** The task, and what is under it and went to the trash together with it, or is not there. The task comes first. */
  nodes: Node[]
  /** The list of the task above it, and of the one that it shall be under: null where that is not there. */
  above: { list_id: string | null } | null
  target: { list_id: string | null } | null
  /** Whether its list is there. */
  hasList: boolean
}

/**
 * Those that there are, with all that is under each, as they are at one moment.
 * @param targetId the task that they shall be under
 */
export const readTrees = (
  db: Db,
  userId: string,
  ids: readonly string[],
  targetId: string | null,
  hasText: boolean,
): Promise<Tree[]> =>
  db.read(
    (sql) => sql<Tree[]>`
    select
      json_build_object(
        'id', t.id, 'version', t.version, 'list_id', t.list_id, 'parent_id', t.parent_id, 'completed', t.completed_at is not null,
        'deleted', t.deleted_at is not null, 'repeats', t.recurrence is not null
      ) as root,
      case when ${hasText} then t.json end as text,
      (
        with recursive tree as (
          select t.id, t.version, t.completed_at is null as is_open, t.has_subtasks, 1 as depth
          union all
          select under.id, under.version, under.is_open, under.has_subtasks, tree.depth + 1
          from tree
          cross join lateral (
            select u.id, u.version, u.completed_at is null as is_open, u.has_subtasks
            from docket.tasks u
            where tree.has_subtasks
              and u.user_id = ${userId}
              and u.parent_id = tree.id
              and u.deleted_at is not distinct from t.deleted_at
            offset 0
          ) under
        )
        select json_agg(json_build_object('id', id, 'version', version, 'isOpen', is_open, 'depth', depth) order by depth, id)
        from (select id, version, is_open, depth from tree limit ${mostInTree + 1}) limited
      ) as nodes,
      (
        select json_build_object('list_id', p.list_id)
        from docket.tasks p
        where p.user_id = ${userId}
          and p.id = t.parent_id
          and coalesce(p.deleted_at, 'infinity') = 'infinity'
      ) as above,
      (
        select json_build_object('list_id', p.list_id)
        from docket.tasks p
        where p.user_id = ${userId}
          and p.id = ${targetId}
          and coalesce(p.deleted_at, 'infinity') = 'infinity'
      ) as target,
      exists (
        select
        from docket.lists l
        where l.user_id = ${userId}
          and l.id = t.list_id
          and l.deleted_at is null
      ) as "hasList"
    from json_array_elements_text(${JSON.stringify(ids)}::text::json) with ordinality asked (id, n)
    cross join lateral (
      select id, version, list_id, parent_id, completed_at, deleted_at, recurrence, has_subtasks, json
      from docket.tasks
      where user_id = ${userId}
        and id = asked.id::uuid
      offset 0
    ) t
    order by asked.n`,
  )

/** Where a task is that others shall be put beside. */
export type Anchor = {
  list_id: string | null
  parent_id: string | null
  position: string
  /** The positions of what comes before and after it in its list. */
  before: string | null
  after: string | null
}

export async function readAnchor(db: Db, userId: string, id: string): Promise<Anchor | undefined> {
  const [found] = await db.read(
    (sql) => sql<Anchor[]>`
    select a.list_id, a.parent_id, a.position,
      (
        select t.position
        from docket.tasks t
        where t.user_id = ${userId}
          and t.deleted_at is null
          and ${placeOf(sql)} < a.place
          and ${placeOf(sql)} > a.list || ' '
        order by ${placeOf(sql)} desc
        limit 1
      ) as before,
      (
        select t.position
        from docket.tasks t
        where t.user_id = ${userId}
          and t.deleted_at is null
          and ${placeOf(sql)} > a.place
          and ${placeOf(sql)} < a.list || '!'
        order by ${placeOf(sql)}
        limit 1
      ) as after
    from (
      select t.list_id, t.parent_id, t.position, ${placeOf(sql)} as place, coalesce(t.list_id::text, '') as list
      from docket.tasks t
      where t.user_id = ${userId}
        and t.id = ${id}
        and ${isThere(sql)}
      offset 0
    ) a`,
  )
  return found
}

/** Tasks around a position in their list, in their order: so many on either side. */
export const readAround = (
  db: Db,
  userId: string,
  listId: string | null,
  position: string,
  many: number,
): Promise<{ id: string; version: number; position: string }[]> => {
  const list = listId ?? ''
  return db.read(
    (sql) => sql<{ id: string; version: number; position: string }[]>`
    select id, version, position
    from (
      (
        select t.id, t.version, t.position
        from docket.tasks t
        where t.user_id = ${userId}
          and t.deleted_at is null
          and ${placeOf(sql)} <= ${`${list} ${position}`}
          and ${placeOf(sql)} > ${`${list} `}
        order by ${placeOf(sql)} desc
        limit ${many}
      )
      union all
      (
        select t.id, t.version, t.position
        from docket.tasks t
        where t.user_id = ${userId}
          and t.deleted_at is null
          and ${placeOf(sql)} > ${`${list} ${position}`}
          and ${placeOf(sql)} < ${`${list}!`}
        order by ${placeOf(sql)}
        limit ${many}
      )
    ) around
    order by position collate "C"`,
  )
}
