import postgres from 'postgres'
import type { Db } from '../database/gate/gate.ts'
import { fold } from '../http/fold.ts'
import { columns } from './queries.ts'
import { type FilterPatch, type KeptFilter, mostKept, type NewFilter } from './schema.ts'

// What is written of filters. One exported function is one statement.

/** What is there of a filter that was to be made: itself, or what is in its way, by its id or its name. */
export type Found = KeptFilter & { is_made: boolean; is_like_it: boolean }

/**
 * Keeps a filter, if nothing is in its way. Twice is once, by its id.
 * @returns what is there then; none: there is no room, or what was in its way has just gone
 */
export const insertFilter = (
  db: Db,
  userId: string,
  id: string,
  { name, filter }: NewFilter,
): Promise<Found[]> =>
  db.idempotentWrite(
    (sql) => sql<Found[]>`
    with owner as (
      insert into docket.users (id) values (${userId})
      on conflict (id) do nothing
    ), made as (
      insert into docket.filters as f (user_id, id, name, name_key, filter)
      select ${userId}, ${id}, ${name}, ${fold(name)}, ${filter}
      where ${mostKept} > (select count(*) from docket.filters where user_id = ${userId})
      on conflict do nothing
      returning ${columns(sql)}
    )
    select ${columns(sql)}, true as is_made, true as is_like_it
    from made f
    union all
    select ${columns(sql)}, false as is_made, (f.id, f.name, f.filter) = (${id}::uuid, ${name}, ${filter}) as is_like_it
    from docket.filters f
    where f.user_id = ${userId}
      and (f.id = ${id} or f.name_key = ${fold(name)})
    order by is_like_it desc`,
  )

/** Changes what is given. Undefined: there is none. */
export async function updateFilter(
  db: Db,
  userId: string,
  id: string,
  { name = null, filter = null }: { [K in keyof FilterPatch]: string | null },
): Promise<KeptFilter | 'name_taken' | undefined> {
  const key = name === null ? null : fold(name)
  try {
    const [changed] = await db.idempotentWrite(
      (sql) => sql<KeptFilter[]>`
      update docket.filters f
      set
        name       = coalesce(${name}, f.name),
        name_key   = coalesce(${key}, f.name_key),
        filter     = coalesce(${filter}, f.filter),
        updated_at = case
          when (coalesce(${name}, f.name), coalesce(${filter}, f.filter)) = (f.name, f.filter) then f.updated_at
          else now()
        end
      where f.user_id = ${userId}
        and f.id = ${id}
      returning ${columns(sql)}`,
    )
    return changed
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === '23505') return 'name_taken'
    throw error
  }
}

export async function deleteFilter(
  db: Db,
  userId: string,
  id: string,
): Promise<KeptFilter | undefined> {
  const [deleted] = await db.write(
    (sql) => sql<KeptFilter[]>`
    delete from docket.filters f
    where f.user_id = ${userId}
      and f.id = ${id}
    returning ${columns(sql)}`,
  )
  return deleted
}
