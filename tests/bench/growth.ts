import { type Context, commonWords, fileOf, startDocket } from './context.ts'
import { tidy } from './fill.ts'
import { heavyRequests, wire } from './requests.ts'
import { median } from './results.ts'
import { type Dataset, datasetOf } from './rows.ts'
import { usual, type Workload } from './settings.ts'
import { figure, table, tell } from './table.ts'
import { measure, prepare, type Run } from './wrk.ts'

// What becomes of Docket as the tasks become more: those of others, and those of one user.

export const grown = ['get', 'page', 'filtered', 'searched', 'post'] as const satisfies Workload[]

export type Grown = {
  tasks: number
  workload: Workload
  connections: number
  round: number
} & Run

/** The databases of the curve: the main one is among them. */
export const sizesOf = ({ settings, data }: Pick<Context, 'settings' | 'data'>): Dataset[] =>
  settings.sizes.map((tasks) => (tasks === data.tasks ? data : datasetOf(tasks)))

/** The same workloads on databases of every size, in turns. */
export async function measureGrowth(context: Context): Promise<Grown[]> {
  const { settings, postgres } = context
  const places = []
  for (const data of sizesOf(context)) {
    const words = await commonWords(context, data)
    const files = new Map<Workload, string>()
    for (const workload of grown) {
      files.set(workload, await fileOf(context, workload, data, words))
    }
    await tidy(postgres, data, 'delete')
    places.push({ data, files, server: await startDocket(context, data) })
  }

  // What is created leaves its traces in the indexes of a small database: that comes last.
  const rounds = Array.from({ length: Math.min(2, settings.rounds) }, (_, round) => round)
  const turns = [grown.filter((workload) => workload !== 'post'), ['post' as const]].flatMap(
    (workloads) => rounds.flatMap((round) => workloads.map((workload) => ({ round, workload }))),
  )
  const measured: Grown[] = []
  for (const { round, workload } of turns) {
    for (const { data, files, server } of places) {
      for (const connections of [usual, 1]) {
        const file = files.get(workload) ?? ''
        const seconds = Math.min(3, settings.seconds)
        const load = { file, connections, seconds, offset: round * 7919 }
        const run = await measure(server, load, postgres.id())
        measured.push({ tasks: data.tasks, workload, connections, round, ...run })
        tell(workload, `${data.tasks} tasks`, connections, run)
      }
      // A vacuum of the largest takes longer than what it is good for: few new tasks of each user.
      const how = data.tasks > 1_000_000 ? 'delete' : 'vacuum'
      if (workload === 'post') await tidy(postgres, data, how)
    }
  }
  for (const { server } of places) await server.stop()
  return measured
}

/** The median of a figure at one point of the curve; NaN if nothing counts. */
export function at(
  runs: Grown[],
  name: 'rate' | 'p50',
  { tasks, workload, connections }: Pick<Grown, 'tasks' | 'workload' | 'connections'>,
): number {
  const those = runs.filter(
    (run) => run.tasks === tasks && run.workload === workload && run.connections === connections,
  )
  if (those.some(({ fault }) => fault !== null)) return Number.NaN
  return median(those.map((run) => run[name]))
}

/** The time of a page in the largest database, for one in the smallest, at the usual connections. */
export function pageGrowth(runs: Grown[]): number {
  const sizes = runs.map(({ tasks }) => tasks)
  const rate = (tasks: number) => at(runs, 'rate', { tasks, workload: 'page', connections: usual })
  return rate(Math.min(...sizes)) / rate(Math.max(...sizes))
}

export function growthTable(runs: Grown[]): string {
  const sizes = [...new Set(runs.map(({ tasks }) => tasks))]
  const rows = grown.flatMap((workload) =>
    (
      [
        ['requests/s', 'rate', usual],
        ['p50 ms', 'p50', usual],
        ['p50 ms', 'p50', 1],
      ] as const
    ).map(([label, name, connections]) => [
      workload,
      `${label} at ${connections}`,
      ...sizes.map((tasks) => figure(at(runs, name, { tasks, workload, connections }))),
    ]),
  )
  return table([['tasks', '', ...sizes.map((tasks) => tasks.toLocaleString('en'))], ...rows])
}

export type Heavy = { request: string } & Run

/** What the user with many tasks waits for, alone. */
export async function measureHeavy(context: Context): Promise<Heavy[]> {
  const { settings, postgres, data } = context
  const server = await startDocket(context, data)
  const measured: Heavy[] = []
  for (const [request, requests] of Object.entries(heavyRequests(data))) {
    const file = await prepare(postgres.folder, `heavy-${request}`, await wire(requests))
    const load = { file, connections: 1, seconds: Math.min(3, settings.seconds), offset: 0 }
    const run = await measure(server, load, postgres.id())
    measured.push({ request, ...run })
    tell(request, 'heavy', 1, run)
  }
  await server.stop()
  return measured
}

export const heavyTable = (runs: Heavy[]): string =>
  table([
    ['one user with many tasks', 'p50 ms at 1', 'p99 ms', ''],
    ...runs.map(({ request, p50, p99, fault }) => [request, figure(p50), figure(p99), fault ?? '']),
  ])
