import type { Kind } from '../database/log/together.ts'
import { type Fault, invalid } from '../http/problem.ts'
import type { Change, HistoryQuery, Undo } from './schema.ts'

/** What a thing was: its JSON. Null: there was none. */
export type Image = Record<string, unknown>

const same = (a: unknown, b: unknown): boolean => Bun.deepEquals(a, b)

/** What it was before a change, of which what did not change may be left out. */
const before = (left: Image | null, after: Image): Image | null => left && { ...after, ...left }

/** What has no place in a history: it never changes, or with everything. */
const unlisted = new Set(['id', 'user_id', 'created_at', 'updated_at', 'version'])

/** What became different. */
export const differences = (from: Image | null, to: Image): Change['fields'] =>
  Object.fromEntries(
    Object.keys({ ...from, ...to })
      .filter((name) => !unlisted.has(name) && !same(from?.[name] ?? null, to[name] ?? null))
      .map((name) => [name, { before: from?.[name] ?? null, after: to[name] ?? null }]),
  )

/** A change in the log: `before` is JSON, without the long text if that did not change. */
export type LoggedChange = {
  seq: number
  previous: number | null
  at: string
  actor: string | null
  request_id: string | null
  action: Change['action']
  before: string | null
}

/** Some changes of a thing, the newest first; `text`: what it was before the change that has its long text. */
export type History = { json: string; text: string | null; changes: LoggedChange[] }

/**
 * Where a history goes on: below this change, and the one that has the long text as it was then. If none has, that is the one that the
 * thing has now, which must be as it was: `digest`.
 */
export type Below = { seq: number; text: number | null; digest: string }

/** A page of a history, and where the next one begins; null: there is none. */
export function pageOf(
  { json, text, changes }: History,
  below: Below | null,
): { changes: Change[]; next: Below | null } {
  // The database wrote them.
  const parse = (image: string | null): Image | null => image && JSON.parse(image)
  const present: Image = JSON.parse(json)
  const digest = digestOf(present)
  let textAt = below?.text ?? null
  let after: Image = { ...present, ...parse(text) }
  const page: Change[] = []
  let last: LoggedChange | undefined

  for (const change of changes) {
    const left = parse(change.before)
    const image = before(left, after)
    if (below !== null && last === undefined) {
      if (left !== null && !(longText in left) && textAt === null && digest !== below.digest) {
        throw foreign()
      }
    } else {
      page.push({
        seq: change.seq,
        at: change.at,
        // Of the log's own, which has these words only.
        by: change.actor && JSON.parse(change.actor),
        request_id: change.request_id,
        action: change.action,
        fields: differences(image, after),
      })
    }
    if (left !== null && longText in left) textAt = change.seq
    after = image ?? after
    last = change
  }
  const isEnd = last === undefined || last.previous === null || page.length === 0
  return { changes: page, next: isEnd || !last ? null : { seq: last.seq, text: textAt, digest } }
}

/** What an image may leave out. */
const longText = 'description'

const digestOf = (image: Image): string =>
  Bun.hash(JSON.stringify(image[longText] ?? null)).toString(36)

const foreign = () =>
  invalid([{ pointer: '/cursor', detail: 'is not of this history: start again without a cursor' }])

export const historySize = ({ limit = 50 }: Pick<HistoryQuery, 'limit'>): number =>
  Math.min(limit, 200)

export const writeBelow = ({ seq, text, digest }: Below): string =>
  Buffer.from(JSON.stringify([seq, text, digest])).toString('base64url')

/** @throws Problem 422 for a cursor that no history gave */
export function readBelow({ cursor }: HistoryQuery): Below | null {
  if (cursor === undefined) return null
  const [seq, text, digest] = decode(cursor)
  if (!isNumber(seq) || !(text === null || isNumber(text)) || typeof digest !== 'string') {
    throw foreign()
  }
  return { seq, text, digest }
}

function decode(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0

/** Which changes are to be undone: those of a request, one, or those since then, of whoever is like `by`. */
export type Wanted =
  | { request_id: string }
  | { seq: number }
  | { since: number; from: string; by: { kind?: string; name?: string } }

/** From the beginning of time. */
const always = '-infinity'

/** @throws Problem 422 where it is not one of the three */
export function wantedOf({ request_id, seq, since, by, force, keep }: Undo): Wanted {
  const given = { request_id, seq, since }
  const names = Object.entries(given).filter(([, value]) => value !== undefined)
  if (names.length === 0) {
    throw invalid([{ pointer: '', detail: 'must have one of request_id, seq, since' }])
  }
  if (names.length > 1) {
    throw invalid(
      names.map(([name]) => ({
        pointer: `/${name}`,
        detail: 'is one of request_id, seq and since, of which there can be only one',
      })),
    )
  }
  if (by !== undefined && since === undefined) {
    throw invalid([{ pointer: '/by', detail: 'goes with since only' }])
  }
  if (force === true && keep === true) {
    throw invalid([{ pointer: '/keep', detail: 'is the opposite of force' }])
  }
  if (request_id !== undefined) return { request_id }
  if (seq !== undefined) return { seq }
  return typeof since === 'string'
    ? { since: 0, from: since, by: by ?? {} }
    : { since: since ?? 0, from: always, by: by ?? {} }
}

/** Some changes of one thing, the newest first, from its last one back to one before all that are to be undone. */
export type Chain = {
  type: string
  id: string
  /** Null: it is gone. */
  current: Image | null
  /** That it went is one of the changes that are to be undone. It may have been made anew since. */
  isPurged: boolean
  /** Those that are to be undone. */
  targets: number[]
  changes: { seq: number; previous: number | null; before: Image | null }[]
}

/** Whether the log has nothing any more of what is to be undone, or of what came after it. */
export function isBroken({ current, targets, changes }: Chain, wanted: Wanted): boolean {
  if (current === null || targets.length === 0) return false
  const oldest = Math.min(...targets)
  const end = changes.find(({ seq }) => seq <= oldest)
  if (end?.seq !== oldest) return true
  const { previous } = end
  if (!('since' in wanted) || previous === null || previous <= wanted.since) return false
  const isThere = changes.some(({ seq }) => seq === previous)
  const { from } = wanted
  return (
    !isThere &&
    (from === always || Date.parse(String(end.before?.['updated_at'])) >= Date.parse(from))
  )
}

/** What becomes of fields that somebody has changed since: nothing is undone, they stay, or they go. */
export type Course = 'refuse' | 'keep' | 'force'

export const courseOf = ({ force, keep }: Undo): Course =>
  force === true ? 'force' : keep === true ? 'keep' : 'refuse'

/** What makes a thing what it was. */
export type Inverse = {
  /** Those that become something else. */
  fields: Image
  /** It was made by what is undone, and goes to the trash. */
  isDiscarded: boolean
  /** The fields that somebody has changed since. */
  conflicts: string[]
}

/**
 * What undoes the `targets` of a chain, the newest first, field by field: what it was before, where it still is what it was after. Somebody
 * has changed it else, unless it is what it was anyway. What was made goes to the trash, if nothing else was made of it.
 */
export function inverseOf(chain: Chain, { fields, needs }: Kind, course: Course): Inverse {
  const isForced = course === 'force'
  const current = chain.current ?? {}
  const targets = new Set(chain.targets)
  const conflicts = new Set<string>()
  const becomes: Image = { ...current }
  let isDiscarded = false
  let after: Image = current

  for (const change of chain.changes) {
    const image = before(change.before, after)
    if (targets.has(change.seq)) {
      for (const name of fields) {
        const [from, to] = [image?.[name] ?? null, after[name] ?? null]
        const is = becomes[name] ?? null
        if (image !== null ? same(from, to) : name === trashed) continue
        if (isForced || same(is, to)) becomes[name] = image === null ? is : from
        else if (image === null || !same(is, from)) conflicts.add(name)
      }
      isDiscarded ||= image === null
    }
    after = image ?? after
  }
  if (isDiscarded) becomes[trashed] = current[trashed]
  const lacks = ([name = '', needed = '']: string[]): boolean =>
    !isNone(becomes[name]) && isNone(becomes[needed])
  const pairs = Object.entries(needs)
  if (course === 'keep') {
    // What it is now goes together: so there is an end.
    for (let pair = pairs.find(lacks); pair !== undefined; pair = pairs.find(lacks)) {
      for (const name of pair) {
        becomes[name] = current[name]
        conflicts.add(name)
      }
    }
    if (conflicts.size > 0) isDiscarded = false
  } else {
    for (const pair of pairs) {
      if (!lacks(pair)) continue
      if (isForced) becomes[pair[0]] = null
      else conflicts.add(pair[0])
    }
  }
  const isNew = isDiscarded && (current[trashed] ?? null) === null
  const changed = fields.filter(
    (name) => !same(becomes[name] ?? null, current[name] ?? null) || (isNew && name === trashed),
  )
  return {
    fields: Object.fromEntries(changed.map((name) => [name, becomes[name] ?? null])),
    isDiscarded: isNew,
    conflicts: [...conflicts],
  }
}

const isNone = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

/** Null where a thing is not in the trash. */
const trashed = 'deleted_at'

/** Faults that are told one by one. */
const mostFaults = 100

/** What stands in the way of an undo. */
export function faultsOf(conflicts: { type: string; id: string; names: string[] }[]): Fault[] {
  return conflicts
    .flatMap(({ type, id, names }) =>
      names.map((name) => ({
        pointer: `/${type}s/${id}/${name}`,
        detail: 'was changed since',
      })),
    )
    .slice(0, mostFaults)
}
