import { percentile, report } from '../support.ts'
import type { Figures } from './scene.ts'

/** Milliseconds, statements, megabytes. `longest` is of the embedded database, in which one waits for all before. */
const bounds = { p99: 250, longest: 500, runs_on: 1000, active: 8, rss: 300 }

/**
 * What was not as it should be, in words.
 * @param patience how often over the neighbour may have waited for as long as the bounds say
 */
export function faultsOf(found: Figures, before: Figures, patience = 1): string[] {
  const { wrong, sessions, rss, runs_on } = found
  const p99 = percentile(found.latencies, 0.99)
  const longest = percentile(found.latencies, 1)
  const expected = Math.max(3 * percentile(before.latencies, 0.99), bounds.p99)
  const isEmbedded = sessions === null

  const faults: [boolean, string][] = [
    [Object.keys(wrong).length > 0, `the neighbour was answered ${listed(wrong)}`],
    [p99 > patience * expected, `p99 of the neighbour: ${p99} ms, not ${expected}`],
    [isEmbedded && longest > patience * bounds.longest, `one waited for ${longest} ms`],
    [runs_on > patience * bounds.runs_on, `something ran on for ${Math.round(runs_on)} ms`],
    [!isEmbedded && sessions.active > bounds.active, `${sessions?.active} statements at a time`],
    [rss > bounds.rss, `${Math.round(rss)} MB of memory`],
  ]
  return faults.filter(([isFault]) => isFault).map(([, what]) => what)
}

/** Nothing but that it took longer, and less than twice as long. */
export const isNearMiss = (found: Figures, before: Figures): boolean =>
  faultsOf(found, before).length > 0 && faultsOf(found, before, 2).length === 0

export function show(measure: string, found: Figures): void {
  const { latencies, wrong, sessions, rss, runs_on, attacker } = found
  report(measure, {
    requests: latencies.length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    longest: percentile(latencies, 1),
    wrong: listed(wrong),
    rss_mb: Math.round(rss),
    runs_on_ms: Math.round(runs_on),
    ...(sessions === null
      ? {}
      : {
          active: sessions.active,
          in_tx: sessions.held,
          sessions: sessions.all,
          session_mb: Math.round(sessions.largest_mb),
        }),
    attacker: listed(attacker),
  })
}

const listed = (counts: Record<number, number>): string =>
  Object.entries(counts)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ') || 'none'
