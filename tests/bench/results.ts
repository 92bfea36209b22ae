import type { PeerName, Workload } from './settings.ts'
import type { Run } from './wrk.ts'

/** One run, and what it was of. */
export type Measured = {
  peer: PeerName
  workload: Workload
  connections: number
  round: number
} & Run

/** The middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(figures: number[]): number {
  const sorted = figures.filter((figure) => !Number.isNaN(figure)).toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ]
  return (low + high) / 2
}

export type Figure = 'rate' | 'p50' | 'p99' | 'cpu' | 'databaseCpu' | 'memory'

/** Looks up the medians of a list of runs; NaN where nothing was measured, or where a run was refused. */
export const mediansOf =
  (runs: Measured[]) =>
  (figure: Figure, peer: PeerName, workload: Workload, connections: number): number => {
    const those = runs.filter(
      (run) => run.peer === peer && run.workload === workload && run.connections === connections,
    )
    if (those.some(({ fault }) => fault !== null)) return Number.NaN
    return median(those.map((run) => run[figure] ?? Number.NaN))
  }

export type Medians = ReturnType<typeof mediansOf>
