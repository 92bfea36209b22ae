import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from './context.ts'
import {
  asPocketbase,
  buildPocketbase,
  fillPocketbase,
  idThere,
  startPocketbase,
  userThere,
} from './pocketbase.ts'
import { residentMemory } from './processes.ts'
import { type Request, requestsOf, tokenOf, wire } from './requests.ts'
import { median } from './results.ts'
import {
  type Dataset,
  datasetOf,
  idOf,
  priorities,
  random,
  seed,
  someDay,
  tags,
  text,
  userOf,
  vocabulary,
} from './rows.ts'
import { docket, type Server, startServer } from './servers.ts'
import { usual, type Workload } from './settings.ts'
import { figure, table, tell } from './table.ts'
import { measure, prepare, type Run } from './wrk.ts'

// Docket as it comes, on the embedded database, beside PocketBase, which is on SQLite; and beside another Docket, where one is given.

const servers = ['docket', 'before', 'pocketbase', 'pocketbase full'] as const
type ServerName = (typeof servers)[number]

/** What is written comes last: it makes every database larger. */
const asked = [
  'get',
  'page',
  'filtered',
  'mix',
  'patch',
  'complete',
  'post',
] as const satisfies Workload[]

export type Embedded = {
  server: ServerName
  workload: Workload
  connections: number
  round: number
} & Run

/** Of an empty install: milliseconds to the first answer of a second start, megabytes three seconds later. */
export type Rest = { server: ServerName; began: number; memory: number }

/** A server on a database of its own. */
type Peer = {
  name: ServerName
  /** @returns once it answers */
  start: (folder: string) => Promise<Server>
  /** Fills a new folder with the tasks. */
  fill: (folder: string) => Promise<void>
  wire: (requests: Request[]) => Promise<string>
}

type NewTask = {
  id: string
  title: string
  description?: string
  completed: boolean
  priority: string
  tags: string[]
  due_date?: string
}

/** What every database is filled with: the tasks of each user, none of them in the trash. */
function tasksOf(data: Dataset): Map<string, NewTask[]> {
  const tasks = Array.from({ length: data.tasks }, (_, index): NewTask => {
    seed(index + 1)
    return {
      id: idOf(index + 1),
      title: text(20, 60),
      ...(random(2) === 0 ? { description: text(60, 200) } : {}),
      completed: random(10) < 4,
      priority: priorities[random(4)] ?? 'none',
      tags: tags(),
      ...(random(10) < 7 ? { due_date: someDay() } : {}),
    }
  })
  return Map.groupBy(tasks, ({ id }) => userOf(data, Number(id.replaceAll('-', ''))))
}

function docketPeer(name: 'docket' | 'before', binary: string, data: Dataset): Peer {
  const start = (folder: string) => {
    const env = { DATA_DIR: folder, QUOTA_TASKS: '0', QUOTA_BYTES: '0' }
    return startServer(name, docket(folder, [binary], env), folder, '', isReady)
  }
  return {
    name,
    start,
    wire,
    async fill(folder) {
      const server = await start(folder)
      for (const [user, own] of tasksOf(data)) {
        const batches = Array.from({ length: Math.ceil(own.length / 100) }, (_, index) =>
          own.slice(index * 100, index * 100 + 100),
        )
        for (const tasks of batches) await createAll(server, user, tasks)
      }
      await server.stop()
    },
  }
}

async function createAll({ port }: Server, user: string, tasks: NewTask[]): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/tasks/batch`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await tokenOf(user)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ tasks }),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/ready`).then(
    (answer) => answer.ok,
    () => false,
  )

function pocketbasePeer(
  name: 'pocketbase' | 'pocketbase full',
  program: string,
  data: Dataset,
): Peer {
  let tokens: Record<string, string> = {}
  return {
    name,
    start: (folder) =>
      startPocketbase(name, program, folder, name === 'pocketbase' ? 'NORMAL' : 'FULL'),
    wire: (requests) => wire(requests.map(asPocketbase), async (user) => tokens[user] ?? ''),
    async fill(folder) {
      const tasks = [...tasksOf(data)].flatMap(([user, own]) =>
        own.map(({ id, completed, ...task }) => ({
          ...task,
          id: idThere(id),
          user: userThere(user),
          completed_at: completed ? new Date().toISOString() : '',
        })),
      )
      tokens = await fillPocketbase(program, folder, data.users, tasks)
    },
  }
}

/** Those that can run here. */
async function peersOf({ settings, postgres, binary }: Context, data: Dataset): Promise<Peer[]> {
  const pocketbase = await buildPocketbase(postgres.folder)
  return [
    docketPeer('docket', binary, data),
    ...(settings.before === null ? [] : [docketPeer('before', settings.before, data)]),
    ...(pocketbase === null
      ? []
      : (['pocketbase', 'pocketbase full'] as const).map((name) =>
          pocketbasePeer(name, pocketbase, data),
        )),
  ]
}

const newFolder = ({ postgres }: Context, name: string): string =>
  mkdtempSync(join(postgres.folder, `${name.replace(' ', '-')}-`))

/** A server with everything in it, and what to send it. */
type Place = { peer: Peer; server: Server; files: Map<Workload, string> }

async function openPlaces(context: Context, data: Dataset): Promise<Place[]> {
  const words = vocabulary.slice(100, 110)
  const places: Place[] = []
  for (const peer of await peersOf(context, data)) {
    const folder = newFolder(context, peer.name)
    await peer.fill(folder)
    const files = new Map<Workload, string>()
    for (const workload of asked) {
      const name = `embedded-${peer.name.replace(' ', '-')}-${workload}`
      const requests = await peer.wire(requestsOf(workload, data, words))
      files.set(workload, await prepare(context.postgres.folder, name, requests))
    }
    places.push({ peer, files, server: await peer.start(folder) })
    console.log(`${peer.name}: ${data.tasks} tasks are there`)
  }
  return places
}

type Answered = { title: string } | { title: string }[] | { items: { title: string }[] }

/** @throws Error where two read something else: then they did not do the same work */
async function requireSame(places: Place[], data: Dataset): Promise<void> {
  const requests = (['get', 'page', 'filtered'] as const).flatMap((workload) =>
    requestsOf(workload, data, [], 20),
  )
  const titles: string[] = []
  for (const { peer, server } of places) {
    for (const [index, request] of (await peer.wire(requests)).split('\0').entries()) {
      const [, path = '', token = ''] = /^GET (\S+) .*Bearer (\S+)/s.exec(request) ?? []
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const body = (await answer.json()) as Answered
      const found = [body].flatMap((one) => ('items' in one ? one.items : one))
      const said = found.map(({ title }) => title).join('\n')
      const first = titles[index] ?? said
      titles[index] = first
      if (!answer.ok || said !== first) {
        throw new Error(
          `${peer.name} answers ${path} with something else: ${said}\nand not: ${first}`,
        )
      }
    }
  }
}

/** Every workload through every server, in turns, at 64 connections and at one. */
export async function measureEmbedded(context: Context): Promise<Embedded[]> {
  const { settings } = context
  const data = datasetOf(Math.min(100_000, settings.tasks))
  const places = await openPlaces(context, data)
  await requireSame(places, data)
  const at = settings.connections === null ? [usual, 1] : [settings.connections]
  const rounds = Array.from({ length: settings.rounds }, (_, round) => round)
  const turns = asked
    .filter((workload) => settings.only.includes(workload))
    .flatMap((workload) =>
      rounds.flatMap((round) => at.map((connections) => ({ workload, round, connections }))),
    )

  const measured: Embedded[] = []
  for (const { workload, round, connections } of turns) {
    // Everybody begins once.
    const first = round % places.length
    for (const { peer, server, files } of [...places.slice(first), ...places.slice(0, first)]) {
      const file = files.get(workload) ?? ''
      const load = { file, connections, seconds: settings.seconds, offset: round * 7919 }
      const run = await measure(server, load, null)
      measured.push({ server: peer.name, workload, connections, round, ...run })
      tell(workload, peer.name, connections, run)
    }
  }
  for (const { server } of places) await server.stop()
  return measured
}

/** Every server with nothing in it, in turns. */
export async function measureRest(context: Context): Promise<Rest[]> {
  const places = []
  for (const peer of await peersOf(context, { tasks: 0, users: 1, heavy: 0 })) {
    const folder = newFolder(context, peer.name)
    await peer.fill(folder)
    places.push({ peer, folder })
  }
  const measured: Rest[] = []
  for (let round = 0; round < Math.max(5, context.settings.rounds); round += 1) {
    for (const { peer, folder } of places) {
      const server = await peer.start(folder)
      await Bun.sleep(3000)
      const memory = residentMemory(server.id)
      measured.push({ server: peer.name, began: server.began, memory })
      console.log(
        `rest      ${peer.name.padEnd(16)} ${server.began.toFixed(0)} ms, ${memory.toFixed(0)} MB`,
      )
      await server.stop()
    }
  }
  return measured
}

/** The medians, and what Docket's are to them. */
export function embeddedTable(runs: Embedded[]): string {
  const present = servers.filter((name) => runs.some(({ server }) => server === name))
  const at = [...new Set(runs.map(({ connections }) => connections))]
  const rows = at.flatMap((connections) =>
    [...new Set(runs.map(({ workload }) => workload))].map((workload) => {
      const rateOf = (name: ServerName) => {
        const those = runs.filter(
          (run) =>
            run.server === name && run.workload === workload && run.connections === connections,
        )
        // A run that was refused says nothing.
        return those.some(({ fault }) => fault !== null)
          ? Number.NaN
          : median(those.map(({ rate }) => rate))
      }
      const ours = rateOf('docket')
      return [
        workload,
        String(connections),
        ...present.flatMap((name) =>
          name === 'docket' ? [figure(ours)] : [figure(rateOf(name)), figure(ours / rateOf(name))],
        ),
      ]
    }),
  )
  const head = present.flatMap((name) => (name === 'docket' ? [name] : [name, 'docket to it']))
  return table([['embedded', 'at', ...head], ...rows])
}

export function restTable(rests: Rest[]): string {
  const rows = servers.flatMap((name) => {
    const those = rests.filter(({ server }) => server === name)
    if (those.length === 0) return []
    const began = median(those.map((rest) => rest.began))
    const memory = median(those.map((rest) => rest.memory))
    return [[name, figure(began), figure(memory)]]
  })
  return table([['an empty install', 'second start ms', 'idle MB'], ...rows])
}
