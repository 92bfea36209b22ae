import { SignJWT } from 'jose'
import {
  type Dataset,
  idOf,
  isInTrash,
  priorities,
  random,
  rareWord,
  seed,
  someDay,
  tags,
  text,
  userOf,
} from './rows.ts'
import type { Workload } from './settings.ts'

export const secret = 'only-for-the-benchmark-only-for-the-benchmark'

/** What a client asks. */
export type Request = { method: string; path: string; user: string; body: string | null }

/** Distinct tasks that are written to. */
const writable = 20_000

/** How many requests of a workload are prepared. */
const prepared = 40_000

/** The distance between the tasks that are written to: without a common factor with the users, so it meets them all. */
export function strideOf({ tasks, users }: Dataset): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
  let stride = Math.max(1, Math.floor(tasks / writable))
  while (stride > 1 && divisor(stride, users) !== 1) stride -= 1
  return stride
}

/** Whose requests: a thousand of the users, spread over all. */
function anyTask(dataset: Dataset): number {
  const { users, tasks } = dataset
  const step = Math.max(1, Math.floor(users / 1000))
  for (;;) {
    const user = random(Math.min(users, 1000)) * step
    const n = random(Math.floor(tasks / users)) * users + user + 1
    if (n <= tasks && !isInTrash(dataset, n)) return n
  }
}

function anyWritable(dataset: Dataset): number {
  const stride = strideOf(dataset)
  for (;;) {
    const n = 1 + random(Math.min(writable, Math.floor(dataset.tasks / stride))) * stride
    if (!isInTrash(dataset, n)) return n
  }
}

const get = (user: string, path = ''): Request => ({
  method: 'GET',
  path: `/api/tasks${path}`,
  user,
  body: null,
})

/** One request of each kind, at random. `words` are those to search for. */
export const makers = {
  get: (data: Dataset) => {
    const n = anyTask(data)
    return get(userOf(data, n), `/${idOf(n)}`)
  },
  page: (data: Dataset) => get(userOf(data, anyTask(data))),
  filtered: (data: Dataset) =>
    get(
      userOf(data, anyTask(data)),
      `?status=pending&priority=high,medium&due_before=${someDay()}&sort=due_date`,
    ),
  searched: (data: Dataset, words: string[]) =>
    get(userOf(data, anyTask(data)), `?q=${words[random(words.length)]}`),
  post: (data: Dataset) => ({
    method: 'POST',
    path: '/api/tasks',
    user: userOf(data, anyTask(data)),
    body: JSON.stringify({
      title: text(20, 60),
      ...(random(2) === 0 ? { description: text(60, 200) } : {}),
      priority: priorities[random(4)],
      tags: tags(),
      ...(random(10) < 7 ? { due_date: someDay() } : {}),
    }),
  }),
  patch: (data: Dataset) => {
    const n = anyWritable(data)
    const body = JSON.stringify({ title: text(20, 60), priority: priorities[random(4)] })
    return { method: 'PATCH', path: `/api/tasks/${idOf(n)}`, user: userOf(data, n), body }
  },
  complete: (data: Dataset) => {
    const n = anyWritable(data)
    const body = JSON.stringify({ completed: random(2) === 0 })
    return { method: 'POST', path: `/api/tasks/${idOf(n)}/complete`, user: userOf(data, n), body }
  },
} satisfies Record<string, (data: Dataset, words: string[]) => Request>

/** How many of a hundred requests of the mix are of each kind. */
const mix = { get: 50, page: 20, filtered: 5, searched: 5, post: 8, patch: 8, complete: 4 } as const

const mixed = Object.entries(mix).flatMap(([kind, share]) =>
  // Object.entries forgets the names of the keys.
  Array.from<keyof typeof makers>({ length: share }).fill(kind as keyof typeof makers),
)

/** The requests of a workload, the same in every run. */
export function requestsOf(
  workload: Workload,
  data: Dataset,
  words: string[],
  count = prepared,
): Request[] {
  seed(workload.charCodeAt(0) * 1000 + workload.length)
  return Array.from({ length: count }, () => {
    const kind = workload === 'mix' ? (mixed[random(mixed.length)] ?? 'get') : workload
    return makers[kind](data, words)
  })
}

/** Those of the user heavy. */
export const heavyRequests = ({ tasks, heavy }: Dataset) => ({
  page: [get('heavy')],
  filtered: [
    get('heavy', '?status=pending&priority=high,medium&due_before=2025-01-31&sort=due_date'),
  ],
  searched: [get('heavy', `?q=${rareWord}`)],
  complete: Array.from({ length: 1000 }, (_, index): Request => {
    const own = (index * Math.max(1, Math.floor(heavy / 1000))) % heavy
    const n = tasks + 1 + (own % 50 === 49 ? own - 1 : own)
    const body = JSON.stringify({ completed: index % 2 === 0 })
    return { method: 'POST', path: `/api/tasks/${idOf(n)}/complete`, user: 'heavy', body }
  }),
})

const tokens = new Map<string, string>()

/** A token of a user as Better Auth makes it, good for a day. */
export async function tokenOf(user: string, key = secret): Promise<string> {
  const known = tokens.get(`${key} ${user}`)
  if (known !== undefined) return known
  const token = await new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('24h')
    .sign(new TextEncoder().encode(key))
  tokens.set(`${key} ${user}`, token)
  return token
}

/** The requests as they go over the wire, for wrk to pick from. */
export async function wire(
  requests: Request[],
  tokenFor: (user: string) => Promise<string> = tokenOf,
): Promise<string> {
  const written: string[] = []
  for (const { method, path, user, body } of requests) {
    const content =
      body === null
        ? '\r\n'
        : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    written.push(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${await tokenFor(user)}\r\n${content}`,
    )
  }
  return written.join('\0')
}
