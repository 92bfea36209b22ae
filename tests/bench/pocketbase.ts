import { cpSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from './processes.ts'
import type { Request } from './requests.ts'
import { type Command, type Server, startServer } from './servers.ts'

// PocketBase as a server of the same tasks: peers/pocketbase has the program.

/** As it comes, in which a power cut can take the last commits; and with commits as durable as Docket's. */
export type Synchronous = 'NORMAL' | 'FULL'

/** Builds it. Null: there is no Go here. */
export async function buildPocketbase(folder: string): Promise<string | null> {
  const go = Bun.which('go')
  if (go === null) {
    console.error('PocketBase is left out: there is no go.')
    return null
  }
  const cwd = join(folder, 'peers', 'pocketbase')
  mkdirSync(cwd, { recursive: true })
  cpSync(resolve('tests/bench/peers/pocketbase'), cwd, { recursive: true })
  await run([go, 'build', '-mod=readonly', '-o', 'pocketbase', '.'], { cwd })
  return join(cwd, 'pocketbase')
}

const envOf = (folder: string, synchronous: Synchronous): Record<string, string> => ({
  DATA_DIR: folder,
  SYNCHRONOUS: synchronous,
})

/** Makes users and their tasks in a new folder, and gives the users' tokens. */
export async function fillPocketbase(
  program: string,
  folder: string,
  users: number,
  tasks: object[],
): Promise<Record<string, string>> {
  const file = `${folder}.jsonl`
  await Bun.write(file, tasks.map((task) => `${JSON.stringify(task)}\n`).join(''))
  const env = envOf(folder, 'NORMAL')
  const output = await run([program, 'fill', String(users), file], { env })
  // One line, by the program of ours.
  return JSON.parse(output) as Record<string, string>
}

export const startPocketbase = (
  name: string,
  program: string,
  folder: string,
  synchronous: Synchronous,
): Promise<Server> => {
  const command: Command = {
    command: ['sh', '-c', 'exec "$0" serve --http="127.0.0.1:$PORT"', program],
    cwd: folder,
    env: envOf(folder, synchronous),
  }
  return startServer(name, command, folder, '', isHealthy)
}

const isHealthy = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/api/health`).then(
    (answer) => answer.ok,
    () => false,
  )

/** Ids have 15 characters there. */
export const idThere = (id: string): string => id.replaceAll('-', '').slice(-15)
export const userThere = (user: string): string => user.padStart(15, '0')

/** Nobody asks for a total here either: Docket does not count a page's. */
const records = '/api/collections/tasks/records'
const order = { created_at: '-created,-id', due_date: 'due_date,id' }

/** The same request, as PocketBase has it. */
export function asPocketbase({ method, path, user, body }: Request): Request {
  const url = new URL(path, 'http://localhost')
  const id = /^\/api\/tasks\/([0-9a-f-]{36})/.exec(url.pathname)?.[1]
  if (method === 'POST' && id === undefined) {
    return { method, path: records, user, body: created(body, user) }
  }
  if (id !== undefined) {
    const changed = url.pathname.endsWith('/complete') ? completed(body) : body
    const asked = method === 'POST' ? 'PATCH' : method
    return { method: asked, path: `${records}/${idThere(id)}`, user, body: changed }
  }
  const { status, priority, due_before: before, q } = Object.fromEntries(url.searchParams)
  const tests = [
    ...(status === 'pending' ? ["completed_at = ''"] : []),
    ...(priority ? [`(${priority.split(',').map(isPriority).join(' || ')})`] : []),
    // A task without a date has none before any.
    ...(before ? [`due_date != '' && due_date <= '${before}'`] : []),
    ...(q ? [`(title ~ '${q}' || description ~ '${q}')`] : []),
  ]
  const query = new URLSearchParams({
    perPage: '50',
    skipTotal: 'true',
    sort: url.searchParams.get('sort') === 'due_date' ? order.due_date : order.created_at,
    ...(tests.length > 0 ? { filter: tests.join(' && ') } : {}),
  })
  return { method, path: `${records}?${query.toString()}`, user, body }
}

const isPriority = (word: string): string => `priority = '${word}'`

const created = (body: string | null, user: string): string =>
  JSON.stringify({ ...JSON.parse(body ?? '{}'), user: userThere(user) })

const completed = (body: string | null): string =>
  JSON.stringify({
    completed_at: JSON.parse(body ?? '{}').completed ? new Date().toISOString() : '',
  })
