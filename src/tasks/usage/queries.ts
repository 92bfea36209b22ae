import type { Db } from '../../database/gate/gate.ts'

// What is read of how much a user has. One exported function is one statement.

/** Some of the tasks of a user: how many, their bytes as they are answered, and the id of the last one. */
export type Slice = { tasks: number; bytes: number; last: string | null }

/** The next tasks after an id in the order of their ids, the trash included: few enough that nobody waits long for them. */
export async function measureSlice(
  db: Db,
  userId: string,
  after: string | null,
  size: number,
): Promise<Slice> {
  const [slice] = await db.read(
    (sql) => sql<[Slice]>`
    select
      count(id)::integer as tasks,
      coalesce(sum(bytes), 0)::float8 as bytes,
      (array_agg(id order by id desc))[1] as last
    from (
      select id, octet_length(json) as bytes
      from docket.tasks
      where user_id = ${userId}
        and (${after}::uuid is null or id > ${after}::uuid)
      order by id
      limit ${size}
    ) task`,
  )
  return slice
}

/** Whether a write was made already: there is a task with this id, or the key was used within a day. */
export async function isMade(
  db: Db,
  userId: string,
  id: string | null,
  key: string | null,
): Promise<boolean> {
  const [found] = await db.read(
    (sql) => sql<{ made: boolean }[]>`
    select
      exists (
        select
        from docket.tasks
        where user_id = ${userId}
          and id = ${id}::uuid
      ) or exists (
        select
        from docket.idempotency_keys
        where user_id = ${userId}
          and key = ${key}
          and created_at > now() - interval '24 hours'
      ) as made`,
  )
  return found?.made ?? false
}
