import { type Context, startDocket } from './context.ts'
import { databaseOf } from './fill.ts'
import { type Request, requestsOf, tokenOf, wire } from './requests.ts'
import { median } from './results.ts'
import { usual } from './settings.ts'
import { figure, table, tell } from './table.ts'
import { measure, prepare, type Run } from './wrk.ts'

// What it costs to follow what changes: to hear that there is nothing new, to read what changed last, and to have everything once.

const asked = ['get', 'feed', 'unchanged', 'page', 'updated'] as const
type Asked = (typeof asked)[number]

export type Followed = { request: Asked; round: number } & Run

/** The feed and a list of who knows all of it, a page by what changed last, and a task and a page to hold them against, in turns. */
export async function measureFollowing(context: Context): Promise<Followed[]> {
  const { settings, postgres, data } = context
  const sql = postgres.connect(databaseOf(data))
  const users = await sql<{ id: string; seq: string }[]>`select id, seq::text from docket.users`
  await sql.end()
  const numbers = new Map(users.map(({ id, seq }) => [id, seq]))
  const pages = requestsOf('page', data, [])
  const to = (path: (user: string) => string): Request[] =>
    pages.map((page) => ({ ...page, path: path(page.user) }))

  const requests: Record<Asked, string> = {
    get: await wire(requestsOf('get', data, [])),
    feed: await wire(to((user) => `/api/changes?since=${numbers.get(user)}`)),
    unchanged: (await wire(pages))
      .split('\0')
      .map((text, index) => {
        const tag = `If-None-Match: W/"${numbers.get(pages[index]?.user ?? '')}"`
        return text.replace('\r\n', `\r\n${tag}\r\n`)
      })
      .join('\0'),
    page: await wire(pages),
    updated: await wire(to(() => '/api/tasks?sort=updated_at')),
  }
  const server = await startDocket(context, data)
  const measured: Followed[] = []
  const files = new Map<Asked, string>()
  for (const request of asked) {
    files.set(request, await prepare(postgres.folder, `follow-${request}`, requests[request]))
  }
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const request of asked) {
      const file = files.get(request) ?? ''
      const load = {
        file,
        connections: usual,
        seconds: Math.min(3, settings.seconds),
        offset: round,
      }
      const run = await measure(server, load, postgres.id())
      measured.push({ request, round, ...run })
      tell(request, 'follow', usual, run)
    }
  }
  await server.stop()
  return measured
}

export function followTable(runs: Followed[]): string {
  const rateOf = (request: Asked) =>
    median(runs.filter((run) => run.request === request).map(({ rate }) => rate))
  const rows: [string, Asked, Asked][] = [
    ['nothing new, by GET /api/changes', 'feed', 'get'],
    ['nothing new, by If-None-Match', 'unchanged', 'get'],
    ['a page by updated_at', 'updated', 'page'],
  ]
  return table([
    ['who follows', 'requests/s', 'to'],
    ...rows.map(([label, request, other]) => [
      label,
      figure(rateOf(request)),
      `${figure(rateOf(request) / rateOf(other))} of a ${other}`,
    ]),
  ])
}

/** Milliseconds in which a new device has the first 10,000 tasks of the user with many. */
export async function measureSync(context: Context): Promise<number[]> {
  const server = await startDocket(context, context.data)
  const headers = { authorization: `Bearer ${await tokenOf('heavy')}` }
  const took: number[] = []
  for (let turn = 0; turn < 10; turn += 1) {
    const began = performance.now()
    let since = '0'
    for (let page = 0; page < 10; page += 1) {
      const answer = await fetch(
        `http://127.0.0.1:${server.port}/api/changes?since=${since}&limit=1000`,
        { headers },
      )
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
      const changes = (await answer.json()) as { seq: number }[]
      since = String(changes.at(-1)?.seq ?? since)
    }
    took.push(performance.now() - began)
  }
  await server.stop()
  return took
}
