// What is known of the tasks of a user from the lists that were read of late. It decides how much the next statement looks at,
// and with whom: nothing else depends on it.

type Known = {
  /** How many bytes a task has, on an average. */
  weight: number
  /** Until when, by performance.now(), there are taken to be few tasks: those that are not in the trash, and those in it. */
  fewUntil: [live: number, trash: number]
  /** How much a statement with filters can look at in its time. */
  scope: Scope
}

/** How many tasks to look at, and of how many to read the text. */
export type Scope = { reach: number; depth: number }

/** Of whom nothing is known, at least, and at most. */
const scopes = {
  unknown: { reach: 5000, depth: 16 },
  least: { reach: 500, depth: 4 },
  most: { reach: 40_000, depth: 64 },
}

/** Seconds for which a statement shall look. */
const pace = 0.02

/** Bytes of a task: of whom nothing is known; while the first answer of somebody is on its way; and at which they are long. */
const weights = { unknown: 20_000, awaited: 60_000, long: 5000 }

/** For how many milliseconds who had few tasks has few. Nobody makes very many in that time. */
const memory = 30_000

const most = 50_000

const users = new Map<string, Known>()

function knownOf(userId: string): Known {
  const known = users.get(userId)
  if (known !== undefined) return known
  const [oldest] = users.keys()
  if (users.size >= most && oldest !== undefined) users.delete(oldest)
  const made: Known = { weight: weights.awaited, fewUntil: [0, 0], scope: scopes.unknown }
  users.set(userId, made)
  return made
}

/** How many bytes a task of the user is expected to have. Asked for the first time it is not the most that one can have. */
export const weightOf = (userId: string): number =>
  users.has(userId) ? knownOf(userId).weight : Math.min(knownOf(userId).weight, weights.unknown)

/** Whether nobody shall have to wait for pages with tasks of so many bytes. */
export const isHeavy = (weight: number): boolean =>
  weight > weights.long && weight !== weights.unknown

/** A page had tasks of so many bytes; null: it had none. */
export function learnWeight(userId: string, weight: number | null): void {
  const known = knownOf(userId)
  const before = known.weight === weights.awaited ? 0 : known.weight
  // One page of short ones does not make the next ones short.
  known.weight = Math.max(weight ?? 0, before / 2)
}

export const hasFew = (userId: string, deleted: boolean): boolean =>
  knownOf(userId).fewUntil[deleted ? 1 : 0] > performance.now()

export function learnFew(userId: string, deleted: boolean): void {
  knownOf(userId).fewUntil[deleted ? 1 : 0] = performance.now() + memory
}

export const scopeOf = (userId: string): Scope => knownOf(userId).scope

/** Whether nobody shall have to wait for a search of the user: only few texts can be read in its time. */
export const isDeep = ({ depth }: Scope): boolean => depth < scopes.unknown.depth

/** A statement with this scope took so many seconds. @returns the scope of the next one */
export function learnScope(userId: string, { reach, depth }: Scope, took: number): Scope {
  const share = pace / Math.max(0.001, took)
  const fit = (kind: keyof Scope, now: number) =>
    Math.round(Math.min(scopes.most[kind], Math.max(scopes.least[kind], now * share)))
  const scope = { reach: fit('reach', reach), depth: fit('depth', depth) }
  knownOf(userId).scope = scope
  return scope
}
