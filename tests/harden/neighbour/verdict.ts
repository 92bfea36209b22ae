import { percentile, report } from '../support.ts'
import type { Figures } from './scene.ts'

/** Milliseconds, statements, megabytes. `longest` is of the embedded database, in which one waits for all before. */
type Bounds = { p99: number; longest: number; runs_on: number; active: number; rss: number }

/**
 * Of one attack, for a machine that is slow and busy with something else: the figures say how good it is, these that nobody
 * is held up. A search over 5,000 tasks once took 44 seconds, and all statements of the database with it. The embedded
 * database takes some 250 MB by itself, and has its answers in the memory of the process twice.
 */
const ofOne = (isEmbedded: boolean): Bounds => ({
  p99: 2000,
  longest: 3000,
  runs_on: 2000,
  active: 8,
  rss: isEmbedded ? 800 : 330,
})

/** Of all at once, by a dozen accounts and as many strangers, which is more than two cores can do: it has to end well, no more. */
const ofAll: Bounds = { p99: 5000, longest: 7000, runs_on: 2000, active: 8, rss: 1000 }

/**
 * What was not as it should be, in words.
 * @param isAll whether everything was done at once: then the neighbour may be refused too, but not fail
 */
export function faultsOf(found: Figures, before: Figures, isAll: boolean): string[] {
  const { sessions, rss, runs_on } = found
  const { 503: refused = 0, ...others } = found.wrong
  const wrong = isAll || refused === 0 ? others : found.wrong
  const bounds = isAll ? ofAll : ofOne(sessions === null)
  const p99 = percentile(found.latencies, 0.99)
  const longest = percentile(found.latencies, 1)
  const expected = Math.max(3 * percentile(before.latencies, 0.99), bounds.p99)
  const isEmbedded = sessions === null

  const faults: [boolean, string][] = [
    [Object.keys(wrong).length > 0, `the neighbour was answered ${listed(wrong)}`],
    [p99 > expected, `p99 of the neighbour: ${p99} ms, not ${expected}`],
    [isEmbedded && longest > bounds.longest, `one waited for ${longest} ms`],
    [runs_on > bounds.runs_on, `something ran on for ${Math.round(runs_on)} ms`],
    [!isEmbedded && sessions.active > bounds.active, `${sessions?.active} statements at a time`],
    [rss > bounds.rss, `${Math.round(rss)} MB of memory`],
  ]
  return faults.filter(([isFault]) => isFault).map(([, what]) => what)
}

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
