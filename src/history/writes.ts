import type { Db } from '../database/gate.ts'

// What the sweep deletes. One exported function is one statement, and leaves what another instance is about to delete.

/** Changes that were made more than so many days ago. @returns how many went */
export async function pruneChanges(db: Db, days: number, limit: number): Promise<number> {
  const { count } = await db.idempotentWrite(
    (sql) => sql`
    delete from docket.changes
    where (user_id, seq) in (
      select user_id, seq
      from docket.changes
      where day < (now() at time zone 'UTC')::date - ${days}::integer
      order by day
      limit ${limit}
      for update skip locked
    )`,
  )
  return count
}

/** What was answered to requests with an Idempotency-Key more than a day ago. @returns how many went */
export async function pruneAnswers(db: Db, limit: number): Promise<number> {
  const { count } = await db.idempotentWrite(
    (sql) => sql`
    delete from docket.idempotency_keys
    where (user_id, key) in (
      select user_id, key
      from docket.idempotency_keys
      where created_at <= now() - interval '24 hours'
      order by created_at
      limit ${limit}
      for update skip locked
    )`,
  )
  return count
}
