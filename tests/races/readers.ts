import type { Sql } from '../../src/database/connect.ts'

// Who follows what others change, from number to number. What it reads is of the database, or of whatever else gives the same.

/** What came after a number, in its order: the thing as it is, or null where it was purged. */
export type Seen = { seq: number; id: string; task: object | null }

/** The next of them, and a few at most. */
export type Follow = (user: string, since: number) => Promise<Seen[]>

/** The last change of each task, out of the tables. */
export const followTables =
  (sql: Sql): Follow =>
  (user, since) =>
    sql<Seen[]>`
      select l.seq::float8 as seq, l.id, t.json::json as task
      from docket.latest l
      left join docket.tasks t on t.user_id = l.user_id and t.id = l.id
      where l.user_id = ${user}
        and l.seq > ${since}
      order by l.seq
      limit 7`

/** Every change, out of the log. */
export const followLog =
  (sql: Sql): Follow =>
  (user, since) =>
    sql<Seen[]>`
      select seq::float8 as seq, id, null as task
      from docket.changes
      where user_id = ${user}
        and seq > ${since}
      order by seq
      limit 7`

/** Follows some users until it is told to end, and then until there is nothing more. */
export function startReader(follow: Follow, users: string[]) {
  const numbers = new Map(users.map((user) => [user, [] as number[]]))
  const replicas = new Map(users.map((user) => [user, new Map<string, object>()]))
  const wrong: string[] = []
  const end = new AbortController()

  const round = async (): Promise<number> => {
    let news = 0
    for (const user of users) {
      const seen = numbers.get(user) ?? []
      for (const { seq, id, task } of await follow(user, seen.at(-1) ?? 0)) {
        if (seq <= (seen.at(-1) ?? 0)) wrong.push(`${user} ${seq} came after ${seen.at(-1)}`)
        seen.push(seq)
        news += 1
        if (task === null) replicas.get(user)?.delete(id)
        else replicas.get(user)?.set(id, task)
      }
    }
    return news
  }
  const running = (async () => {
    while (!end.signal.aborted) if ((await round()) === 0) await Bun.sleep(5)
    while ((await round()) > 0) {}
  })()

  return {
    numbers,
    replicas,
    wrong,
    end: async () => {
      end.abort()
      await running
    },
  }
}
