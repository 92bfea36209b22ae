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

/** What a server answers with: whichever is up at the time. */
type Ask = (user: string, path: string) => Promise<Response>

type Fed = { seq: number; id: string; task?: object; purged?: true }

const seenOf = ({ seq, id, task }: Fed): Seen => ({ seq, id, task: task ?? null })

/** The last change of each task, out of the feed. A server that was killed is asked again. */
export const followFeed =
  (ask: Ask): Follow =>
  async (user, since) => {
    for (;;) {
      const response = await ask(user, `/api/changes?since=${since}&limit=50`).catch(() => null)
      const text = await response?.text().catch(() => null)
      // Nobody has written for him yet, or the server is gone.
      if (response?.status === 200 && text != null) return JSON.parse(text).map(seenOf)
      if (response !== null && response?.status !== 503 && text != null) {
        throw new Error(`The feed answered ${response?.status} ${text}`)
      }
      await Bun.sleep(50)
    }
  }

/** The same out of a stream of events: what it says until it is cut, and again from there. */
export function followEvents(ask: Ask): Follow {
  const streams = new Map<string, { seen: Seen[] }>()

  async function read(user: string, stream: { seen: Seen[] }, since: number): Promise<void> {
    const response = await ask(user, `/api/events?since=${since}`)
    if (response.status !== 200 || response.body === null) return
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of response.body) {
      const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = /^event: change\ndata: (.*)$/m.exec(event)?.[1]
        if (data !== undefined) stream.seen.push(seenOf(JSON.parse(data)))
      }
    }
  }

  return async (user, since) => {
    let stream = streams.get(user)
    if (stream === undefined) {
      const opened = { seen: [] as Seen[] }
      streams.set(user, opened)
      stream = opened
      void read(user, opened, since)
        .catch(() => Bun.sleep(50))
        .then(() => streams.delete(user))
    }
    return stream.seen.splice(0)
  }
}

/** Follows some users until it is told to end, and then until there is nothing more for so many milliseconds. */
export function startReader(follow: Follow, users: string[], patience = 0) {
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
    for (
      let last = performance.now(), news = 1;
      news > 0 || performance.now() - last < patience;
    ) {
      news = await round()
      if (news > 0) last = performance.now()
      else await Bun.sleep(5)
    }
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
