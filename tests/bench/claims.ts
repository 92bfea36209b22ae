import type { Medians } from './results.ts'
import { few, type PeerName, usual, type Workload } from './settings.ts'

/** Something that is said of Docket, with the figure that it stands or falls with. NaN: not measured. */
export type Claim = { name: string; bar: number; atLeast: boolean; unit: string; value: number }

/** What the other parts found. */
export type Others = {
  /** Milliseconds of a page in the largest database, for one in the smallest. */
  pageGrowth: number
  /** Time to the first answer of the binary, for one from source. */
  start: number
  idleMemory: number
  busyMemory: number
}

/** At the usual connections; pgbench where it is at its best. */
const against: [Workload, PeerName, number][] = [
  ['get', 'straight', 2.7],
  ['get', 'pgbench', 0.85],
  ['get', 'fastapi', 40],
  ['page', 'straight', 2.3],
  ['page', 'pgbench', 0.42],
  ['page', 'fastapi', 14],
  ['filtered', 'straight', 1.5],
  ['searched', 'straight', 1.5],
  ['post', 'straight', 2],
  ['post', 'pgbench', 1.2],
  ['post', 'fastapi', 25],
  ['patch', 'straight', 2],
  ['patch', 'pgbench', 1.2],
  ['patch', 'fastapi', 25],
  ['mix', 'straight', 1.8],
  ['mix', 'fastapi', 15],
]

export function claimsOf(medians: Medians, others: Others, connections: number): Claim[] {
  const rate = (peer: PeerName, workload: Workload, at: number) =>
    medians('rate', peer, workload, peer === 'pgbench' ? few : at)
  const ratio = (workload: Workload, peer: PeerName, at: number) =>
    rate('docket', workload, at) / rate(peer, workload, at)
  const most = (name: string, bar: number, unit: string, value: number): Claim => ({
    name,
    bar,
    atLeast: false,
    unit,
    value,
  })

  return [
    ...against.map(
      ([workload, peer, bar]): Claim => ({
        name: `${workload}: requests/s of ${peer}${peer === 'pgbench' ? ` with ${few} clients` : ''}`,
        bar,
        atLeast: true,
        unit: 'x',
        value: ratio(workload, peer, connections),
      }),
    ),
    {
      name: 'get at 1 connection: requests/s of straight',
      bar: 1,
      atLeast: true,
      unit: 'x',
      value: ratio('get', 'straight', 1),
    },
    most(
      'get: processor time of the server',
      15,
      ' µs',
      medians('cpu', 'docket', 'get', connections),
    ),
    most(
      'get: p99, in p50 of straight',
      2,
      'x',
      medians('p99', 'docket', 'get', connections) / medians('p50', 'straight', 'get', connections),
    ),
    most(
      'page: time in the largest database, for one in the smallest',
      1.4,
      'x',
      others.pageGrowth,
    ),
    most('start: time to the first answer, for one from source', 0.5, 'x', others.start),
    most('memory: idle', 70, ' MB', others.idleMemory),
    most('memory: after 1,000,000 requests', 120, ' MB', others.busyMemory),
  ]
}

export const holds = ({ value, bar, atLeast }: Claim): boolean | null =>
  Number.isNaN(value) ? null : atLeast ? value >= bar : value <= bar

export const connectionsOf = (given: number | null): number => given ?? usual
