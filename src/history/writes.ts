import type { Db } from '../database/gate/gate.ts'

// What the sweep deletes. One exported function is one statement, and leaves what another instance is about to delete.

/** Changes that were made more than so many days ago. @returns how many went */
export async function pruneChanges(db: Db, days: number, limit: number): Promise<number> {
  const { count } = await db.idempotentWrite(
    (sql) => sql`
    delete from docket.changes
    where ctid = any(array(
      select ctid
      from docket.changes
      where day < (now() at time zone 'UTC')::date - ${days}::integer
      order by day
      limit ${limit}
      for update skip locked
    ))`,
  )
  return count
}

/** What was answered to requests with an Idempotency-Key more than so many days ago. @returns how many went */
export async function pruneAnswers(db: Db, days: number, limit: number): Promise<number> {
  const { count } = await db.idempotentWrite(
    (sql) => sql`
    delete from docket.idempotency_keys
    where ctid = any(array(
      select ctid
      from docket.idempotency_keys
      where created_at <= now() - make_interval(days => ${days}::integer)
      order by created_at
      limit ${limit}
      for update skip locked
    ))`,
  )
  return count
}
