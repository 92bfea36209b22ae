import type { Db } from '../database/gate/gate.ts'
import { fold } from '../http/fold.ts'
import type { KeptFilter } from './schema.ts'

// What moves from one database to another, or from one user to another. One exported function is one statement.

/** Of a filter that is there already the later one stays, so that twice is once. */
export async function importFilter(db: Db, filter: KeptFilter): Promise<void> {
  const { user_id, id, name, created_at, updated_at } = filter
  await db.idempotentWrite(
    (sql) => sql`
    with owner as (
      insert into docket.users (id) values (${user_id})
      on conflict (id) do nothing
    )
    insert into docket.filters as f (user_id, id, name, name_key, filter, created_at, updated_at)
    values (${user_id}, ${id}, ${name}, ${fold(name)}, ${filter.filter}, ${created_at}, ${updated_at})
    on conflict (user_id, id) do update
      set (name, name_key, filter, created_at, updated_at)
        = (excluded.name, excluded.name_key, excluded.filter, excluded.created_at, excluded.updated_at)
      where f.updated_at < excluded.updated_at`,
  )
}

/** Makes the filters of one user those of another one, but for those whose names are taken there. */
export async function adoptFilters(db: Db, userId: string, formerId: string): Promise<void> {
  await db.idempotentWrite(
    (sql) => sql`
    update docket.filters f
    set user_id = ${userId}
    where f.user_id = ${formerId}
      and not exists (
        select
        from docket.filters own
        where own.user_id = ${userId}
          and (own.id = f.id or own.name_key = f.name_key)
      )`,
  )
}
