import type { PendingQuery, Row } from 'postgres'
import postgres from 'postgres'
import type { Sql } from '../connect.ts'
import type { Db } from '../gate/gate.ts'

// A write that is made once, however often it is sent: its key is stored in the statement that has the effect, with what
// was answered. Two that run at the same time do not see each other: the second fails by the key, with its effect, and
// is run again.

/** The key of a request, and a digest of what it asks for. */
export type Once = { key: string; request: string }

type Fragment = PendingQuery<Row[]>

/**
 * `earlier`, with a row for each ask of `groups` (log.ts) whose key was used within a day. Those that are older are removed: the
 * ones that are asked for, and a few of anybody's.
 */
export const earlier = (sql: Sql): Fragment => sql`
    keyed as materialized (
      select g.user_id, a.n, a.key
      from groups g
      cross join lateral json_to_recordset(g.asks) as a (n integer, key text)
      where a.n between 0 and 10000
    ), earlier as (
      select keyed.n, kept.request, kept.answer
      from keyed
      join docket.idempotency_keys kept on kept.user_id = keyed.user_id and kept.key = keyed.key
      where kept.created_at > now() - interval '24 hours'
    ), expired as (
      delete from docket.idempotency_keys kept
      using keyed
      where kept.user_id = keyed.user_id
        and kept.key = keyed.key
        and kept.created_at <= now() - interval '24 hours'
      returning kept.key
    ), swept as (
      delete from docket.idempotency_keys
      where (user_id, key) in (
        select user_id, key
        from docket.idempotency_keys
        where created_at <= now() - interval '24 hours'
        order by created_at
        limit 10
        for update skip locked
      )
      returning key
    )`

/**
 * Stores the keys of what was changed. Not before old ones are gone, which may be the same.
 * @param changed what follows `from`
 */
export const keep = (sql: Sql, changed: Fragment = sql`changed`): Fragment => sql`
    kept as (
      insert into docket.idempotency_keys (user_id, key, request, answer)
      select user_id, key, request, answer::json
      from ${changed}
      where (select count(key) from expired) + (select count(key) from swept) >= 0
    )`

/** What a request with this key was answered within a day, and the digest of what it asked for. */
export async function findAnswer(
  db: Pick<Db, 'read'>,
  userId: string,
  key: string,
): Promise<{ request: string; answer: string } | undefined> {
  const [found] = await db.read(
    (sql) => sql<{ request: string; answer: string }[]>`
    select request, answer::text as answer
    from docket.idempotency_keys
    where user_id = ${userId}
      and key = ${key}
      and created_at > now() - interval '24 hours'`,
  )
  return found
}

/**
 * Runs a statement, and once more where a key that it writes was taken at the same moment: then it is there to be seen.
 * @param constraint the one of the key: by default that of requests
 */
export async function runOnce<T>(
  run: () => Promise<T>,
  constraint = 'idempotency_keys_pkey',
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run()
    } catch (error) {
      if (!isTaken(error, constraint) || attempt === 3) throw error
    }
  }
}

const isTaken = (error: unknown, constraint: string): boolean =>
  error instanceof postgres.PostgresError &&
  error.code === '23505' &&
  error.constraint_name === constraint
