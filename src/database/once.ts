import type { PendingQuery, Row } from 'postgres'
import postgres from 'postgres'
import type { Sql } from './connect.ts'

// A write that is made once, however often it is sent: its key is stored in the statement that has the effect, with what
// was answered. Two that run at the same time do not see each other: the second fails by the key, with its effect, and
// is run again.

/** The key of a request, and a digest of what it asks for. */
export type Once = { key: string; request: string }

/** What a statement with a key finds: its own effect, or the answer to an earlier request. */
export type Kept<T> = { request: string | null; answer: T | null }

type Fragment = PendingQuery<Row[]>

/** `earlier`, which has a row if the key was used within a day, and a sweep of older keys, this one or anybody's. */
export const earlier = (sql: Sql, userId: string, { key }: Once): Fragment => sql`
  earlier as (
    select request, answer
    from idempotency_keys
    where user_id = ${userId}
      and key = ${key}
      and created_at > now() - interval '24 hours'
  ), swept as (
    delete from idempotency_keys
    where created_at <= now() - interval '24 hours'
      and ((user_id, key) = (${userId}, ${key}) or (user_id, key) in (
        select user_id, key
        from idempotency_keys
        where created_at <= now() - interval '24 hours'
        order by created_at
        limit 10
        for update skip locked
      ))
    returning key
  )`

/** Stores the key with the one row of `effect`. Not before the sweep, which may have to remove the same key. */
export const keep = (sql: Sql, userId: string, { key, request }: Once, effect: string): Fragment =>
  sql`
  kept as (
    insert into idempotency_keys (user_id, key, request, answer)
    select ${userId}, ${key}, ${request}, row_to_json(effect)
    from ${sql(effect)} as effect
    where (select count(key) from swept) >= 0
  )`

/** Runs a statement with a key, and once more where the same key was used at the same moment. */
export async function runOnce<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run()
    } catch (error) {
      if (!isTaken(error) || attempt === 3) throw error
    }
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof postgres.PostgresError &&
  error.code === '23505' &&
  error.constraint_name === 'idempotency_keys_pkey'
