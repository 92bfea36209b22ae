import { type Claim, holds } from './claims.ts'
import type { Measured, Medians } from './results.ts'
import type { Run } from './wrk.ts'

/** Columns as wide as what is in them; all but the first to the right. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A figure in as many places as it deserves; a dash where there is none. */
export function figure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–'
  if (value >= 100) return String(Math.round(value))
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** The medians of each workload, peer and number of connections. */
export function loadTable(runs: Measured[], medians: Medians): string {
  const keys = new Map(
    runs.map((run) => [`${run.workload} ${run.peer} ${run.connections}`, run] as const),
  )
  const rows = [...keys.values()].map(({ workload, peer, connections }) => {
    const of = (name: Parameters<Medians>[0], other = peer) =>
      medians(name, other, workload, connections)
    return [
      workload,
      peer,
      String(connections),
      figure(of('rate')),
      figure(
        of('rate') / medians('rate', 'straight', workload, peer === 'pgbench' ? 64 : connections),
      ),
      figure(of('p50')),
      figure(of('p99')),
      figure(of('cpu')),
      figure(of('databaseCpu')),
      figure(of('memory')),
    ]
  })
  const head = ['workload', 'server', 'at', 'requests/s', 'to straight', 'p50 ms', 'p99 ms']
  return table([[...head, 'CPU µs', 'PostgreSQL µs', 'RSS MB'], ...rows])
}

/** The claims that were measured, or all if everything was. */
export function claimsTable(claims: Claim[], isWhole: boolean): string {
  const shown = claims.filter((claim) => isWhole || holds(claim) !== null)
  const rows = shown.map((claim) => {
    const verdict = { true: 'holds', false: 'DOES NOT HOLD', null: 'NOT MEASURED' }[
      String(holds(claim)) as 'true' | 'false' | 'null' // All that it can be.
    ]
    const bar = `${claim.atLeast ? '≥' : '≤'} ${claim.bar}${claim.unit}`
    return [claim.name, bar, `${figure(claim.value)}${claim.unit}`, verdict]
  })
  return table([['claim', 'bar', 'measured', ''], ...rows])
}

/** A line for a run that has just ended. */
export function tell(what: string, who: string, connections: number, run: Run): void {
  const figures = [
    `${Math.round(run.rate)}/s`,
    `p50 ${figure(run.p50)} ms`,
    `p99 ${figure(run.p99)} ms`,
    ...(run.cpu === null ? [] : [`${figure(run.cpu)} µs`]),
    ...(run.memory === null ? [] : [`${figure(run.memory)} MB`]),
    ...(run.fault === null ? [] : [`REFUSED: ${run.fault}`]),
  ]
  const name = `${what.padEnd(9)} ${who.padEnd(14)} at ${String(connections).padStart(3)}`
  console.log(`${name}: ${figures.join(', ')}`)
}
