// What is known of the tasks of a user from the lists that were read of late. It decides how much the next statement looks at,
// and with whom: nothing else depends on it.

/** How many tasks to look at, null: all there are; and of how many to read the text. */
export type Scope = { reach: number | null; depth: number }

type Known = {
  /** How many bytes a task has, on an average. Null: the first answer is on its way. */
  weight: number | null
  /** Until when, by performance.now(), there are taken to be few tasks: those that are not in the trash, and those in it. */
  fewUntil: [live: number, trash: number]
  /** Until when there are taken to be lists that are archived. */
  archivesUntil: number
  /** As many as can be looked at, and read, in the time that a statement has for it. */
  reach: number
  depth: number
}

/** Bytes of a task: of whom nothing is known, which fills a usual page; the most that one has; and from when on they are long. */
const weights = { unknown: 20_000, most: 60_000, long: 5000 }

const reaches = { first: 5000, least: 500, most: 40_000 }
const depths = { first: 16, least: 4, most: 64 }

/** Seconds for which a statement shall look. */
const pace = 0.02

/** For how many milliseconds who had few tasks has few. Nobody makes very many in that time. */
const memory = 30_000

const mostUsers = 50_000

const users = new Map<string, Known>()

function knownOf(userId: string): Known {
  const known = users.get(userId)
  if (known !== undefined) return known
  const [oldest] = users.keys()
  if (users.size >= mostUsers && oldest !== undefined) users.delete(oldest)
  const made = {
    weight: null,
    fewUntil: [0, 0],
    archivesUntil: 0,
    reach: reaches.first,
    depth: depths.first,
  }
  users.set(userId, made as Known) // Two numbers are a tuple.
  return made as Known
}

/**
 * How many bytes a task of the user is expected to have, and whether nobody shall have to wait for a page of them. The first who
 * asks finds out; who asks before that is known is taken to have long ones.
 */
export function weightOf(userId: string): { weight: number; isLong: boolean } {
  if (!users.has(userId)) {
    knownOf(userId)
    return { weight: weights.unknown, isLong: false }
  }
  const weight = knownOf(userId).weight ?? weights.most
  return { weight, isLong: weight > weights.long }
}

/** A page had tasks of so many bytes; null: it had none. */
export function learnWeight(userId: string, weight: number | null): void {
  const known = knownOf(userId)
  // One page of short ones does not make the next ones short.
  known.weight = Math.max(weight ?? 0, (known.weight ?? 0) / 2)
}

/** What the first statement of a list with filters looks at: no more than tells whether there are few tasks. */
export function scopeOf(userId: string, deleted: boolean): Scope {
  const { reach, depth, fewUntil } = knownOf(userId)
  const hasFew = fewUntil[deleted ? 1 : 0] > performance.now()
  return { reach: hasFew ? null : Math.min(reach, reaches.first), depth }
}

/** Whether only few texts can be read in a statement's time, so that nobody shall have to wait for it. */
export const isDeep = ({ depth }: Scope): boolean => depth < depths.first

/** A statement with this scope took so many seconds. @returns the scope of the next one */
export function learnScope(userId: string, { reach, depth }: Scope, took: number): Scope {
  const known = knownOf(userId)
  const share = pace / Math.max(0.001, took)
  known.depth = fit(depth * share, depths)
  if (reach === null) return { reach, depth: known.depth }
  known.reach = fit(reach * share, reaches)
  return { reach: known.reach, depth: known.depth }
}

const fit = (wanted: number, { least, most }: { least: number; most: number }): number =>
  Math.round(Math.min(most, Math.max(least, wanted)))

/** All tasks were within what the first statement looked at. */
export function learnFew(userId: string, deleted: boolean): void {
  knownOf(userId).fewUntil[deleted ? 1 : 0] = performance.now() + memory
}

/** There are lists that are archived: it is not found out for each page anew. */
export function learnArchives(userId: string): void {
  knownOf(userId).archivesUntil = performance.now() + memory
}

export const hasArchives = (userId: string): boolean =>
  knownOf(userId).archivesUntil > performance.now()

/**
 * How many to look at where they are counted: at first, and after a statement that took so many seconds. Texts may be long.
 * @param looks how often the text of each is looked at
 */
export const firstStride = (looks: number): number =>
  looks === 0 ? reaches.first : leastStride(looks)

export const nextStride = (reach: number, took: number, looks: number): number =>
  fit((reach * pace) / Math.max(0.001, took), { least: leastStride(looks), most: reaches.most })

const leastStride = (looks: number): number => Math.ceil(depths.most / Math.max(1, looks))
