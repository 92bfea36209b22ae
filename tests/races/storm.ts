import { type Call, callerOf, tokenOf } from '../harden/support.ts'

// Clients that do whatever can be done to a few tasks of a few users, all at once, on any of several servers.

type Task = Record<string, unknown> & { id: string; updated_at: string }

/** Numbers from 0 to 1 that a seed gives. (Mulberry32, by Tommy Ettinger.) */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Storm = {
  users: string[]
  /** The tasks that were answered, by `keyOf`. */
  answered: Map<string, Task>
  /** How many answers there were of each status; 0: none came. */
  statuses: Map<number, number>
  /** What must not be. */
  wrong: string[]
  end: () => Promise<void>
}

/** A task of a user as it was at an instant: no two changes of a user have the same. */
export const keyOf = (user: string, { id, updated_at }: { id: string; updated_at: string }) =>
  `${user} ${id} ${updated_at}`

const expected = [200, 201, 404, 409, 412, 422, 503]

export function startStorm(addresses: () => string[], seed: number, clients: number): Storm {
  const run = seed.toString(36)
  // Hot ones, and more; in another order by bytes than by letters.
  const users = Array.from({ length: 12 }, (_, index) => `${index % 2 ? 'B' : 'a'}${index}-${run}`)
  const storm: Storm = {
    users,
    answered: new Map(),
    statuses: new Map(),
    wrong: [],
    end: async () => {},
  }
  const end = new AbortController()

  const client = async (number: number): Promise<void> => {
    const random = randomOf(seed * 1000 + number)
    const below = (count: number) => Math.floor(random() * count)
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
    const calls = new Map<string, Call>()
    const callOf = async (user: string): Promise<Call> => {
      const known = calls.get(user) ?? (await callerOf(() => pick(addresses()), user))
      calls.set(user, known)
      return known
    }

    /** Sends it, with a key until it is answered. */
    const send = async (
      user: string,
      method: string,
      path: string,
      body: object | undefined,
      headers: Record<string, string>,
    ): Promise<string | null> => {
      const call = await callOf(user)
      for (;;) {
        const response = await call(method, path, body, headers).catch(() => null)
        const text = await response?.text().catch(() => null)
        const status = text == null ? 0 : (response?.status ?? 0)
        storm.statuses.set(status, (storm.statuses.get(status) ?? 0) + 1)
        if (status !== 0 && !expected.includes(status)) {
          storm.wrong.push(`${method} ${path}: ${status} ${text}`)
        }
        if (text != null && (status === 200 || status === 201)) return text
        // A server that is gone would else be asked as fast as it refuses.
        if (status === 0) await Bun.sleep(20 + below(50))
        if (
          !('idempotency-key' in headers) ||
          end.signal.aborted ||
          (status !== 0 && status !== 503)
        ) {
          return null
        }
      }
    }

    const learn = (user: string, text: string | null): void => {
      if (text === null) return
      // A completion says what comes next, too.
      const { next_task: _, ...task }: Task & { next_task?: null } = JSON.parse(text)
      const key = keyOf(user, task)
      const known = storm.answered.get(key)
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(task)) {
        storm.wrong.push(`two answers of ${key}: ${JSON.stringify(known)}, ${text}`)
      }
      storm.answered.set(key, task)
    }

    for (let count = 0; !end.signal.aborted; count += 1) {
      const user = random() < 0.3 ? pick(users.slice(0, 3)) : pick(users)
      const id = `00000000-0000-4000-8000-${String(below(8)).padStart(12, '0')}`
      const path = `/api/tasks/${id}`
      const headers = {
        ...(random() < 0.25 && { 'idempotency-key': `${number}-${count}` }),
        ...(random() < 0.15 && { 'if-match': `"${1 + below(40)}"` }),
      }
      const title = `${number} ${count}`
      const once = (method: string, to: string, body?: object) =>
        send(user, method, to, body, headers)
      const makes: (() => Promise<string | null>)[] = [
        () => send(user, 'POST', '/api/tasks', { id, title: pick(['The same', title]) }, headers),
        () => send(user, 'POST', '/api/tasks', { title }, headers),
        () => once('PATCH', path, { title, tags: [pick(['a', 'b'])] }),
        () => once('PATCH', path, { description: pick(['short', 'long '.repeat(600), null]) }),
        () => once('PATCH', path, { priority: pick(['low', 'high']) }),
        () => once('PATCH', `${path}/complete`, { completed: random() < 0.5 }),
        () => once('POST', `${path}/toggle`),
        () => once('DELETE', path),
        () => once('POST', `${path}/restore`),
      ]
      const kind = random()
      if (kind < 0.01) {
        const token = await tokenOf(pick(users))
        await send(user, 'POST', '/api/me/adopt', { token }, {})
      } else if (kind < 0.02) {
        // Somebody of whom nobody else knows.
        const doomed = `c-${below(4)}-${run}`
        await send(doomed, 'POST', '/api/tasks', { title }, {})
        await send(doomed, 'DELETE', '/api/me', { confirm: doomed }, {})
      } else if (kind < 0.2) {
        // Statements of many users, which meet others of the same.
        const change = async (one: string) => {
          const to = random() < 0.5 ? path : '/api/tasks'
          learn(one, await send(one, to === path ? 'PATCH' : 'POST', to, { title }, {}))
        }
        await Promise.all(users.map(change))
      } else {
        const make = pick(makes)
        // Now and then twice at the same moment, also with one key.
        const texts = await Promise.all(random() < 0.1 ? [make(), make()] : [make()])
        for (const text of texts) learn(user, text)
      }
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  storm.end = async () => {
    end.abort()
    await running
  }
  return storm
}
