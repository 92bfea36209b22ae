import type { Db } from '../database/gate/gate.ts'
import { listFilters } from '../filters/queries.ts'
import { exportLists } from '../lists/transfer.ts'
import { exportChanges, exportTasks, findUser, type Logged } from '../tasks/transfer.ts'

/** How many things, and how many of their changes, are read in one statement at most. */
const thingsAtOnce = 200
const changesAtOnce = 500

/** How many changes of a thing are written: the newest. */
const mostChanges = 1000

export type Exporting = {
  /** With who changed what. */
  hasHistory: boolean
  /** Bytes of the changes of a thing after which no older ones are written, if not any number. */
  mostOfHistory?: number
}

/**
 * All that a user has, as lines.ts reads it, some lines at a time, each with its end. What has changed meanwhile may be there twice, or
 * not as it was at first. Of whom there is nothing there is no line.
 * @param dbFor one for each statement, as there may be more of them than the time of one allows
 */
export async function* exportLines(
  dbFor: () => Db,
  userId: string,
  { hasHistory, mostOfHistory = Number.POSITIVE_INFINITY }: Exporting,
): AsyncGenerator<string> {
  const user = await findUser(dbFor(), userId)
  if (user === undefined) return
  const { time_zone, ...plain } = user
  const filters = await listFilters(dbFor(), userId)
  const first = [
    { user: time_zone === null ? plain : user },
    ...filters.map((filter) => ({ filter })),
  ]
  yield first.map((line) => `${JSON.stringify(line)}\n`).join('')

  // A task comes after its list.
  for (const [type, read] of [
    ['list', exportLists],
    ['task', exportTasks],
  ] as const) {
    for (let after = '0'; ; ) {
      const things = await read(dbFor(), userId, after, thingsAtOnce)
      const last = things.at(-1)
      if (last === undefined) break
      if (hasHistory) yield* withHistory(dbFor, userId, type, things, mostOfHistory)
      else yield things.map(({ text }) => `{"${type}":${text}}\n`).join('')
      after = last.seq
    }
  }
}

/** The lines of things, each with its changes, in as many statements as these take. */
async function* withHistory(
  dbFor: () => Db,
  userId: string,
  type: string,
  things: { seq: string; text: string }[],
  mostBytes: number,
): AsyncGenerator<string> {
  // The oldest change last; `seq`: of the next one.
  let rest = things.map(({ seq, text }) => ({
    text,
    seq: seq as string | null,
    changes: [] as string[],
    bytes: 0,
  }))
  while (rest.length > 0) {
    const asked = rest.map(({ seq, changes }, n) => ({
      n,
      seq,
      most: mostChanges - changes.length,
    }))
    const read = await exportChanges(dbFor(), userId, asked, changesAtOnce)
    for (const { n, previous, found: _, ...change } of read) {
      const thing = rest[n]
      if (thing === undefined || thing.bytes >= mostBytes) continue
      const text = textOf(change)
      thing.changes.push(text)
      thing.bytes += Buffer.byteLength(text)
      thing.seq = thing.bytes >= mostBytes ? null : previous
    }
    // The one that the last is of may have more.
    const isCut = read.length === changesAtOnce || read.length < (read[0]?.found ?? 0)
    const last = read.at(-1)?.n ?? 0
    const whole = isCut ? last + (rest[last]?.seq === null ? 1 : 0) : rest.length
    yield rest
      .slice(0, whole)
      .map((thing) => lineOf(type, thing))
      .join('')
    rest = rest.slice(whole)
  }
}

function lineOf(type: string, { text, changes }: { text: string; changes: string[] }): string {
  const history = changes.length === 0 ? '' : `,"history":[${changes.toReversed().join(',')}]`
  return `{"${type}":${text}${history}}\n`
}

/** A change as a line has it. What the log has as JSON is not read. */
const textOf = ({
  at,
  actor,
  request_id,
  action,
  before,
}: Omit<Logged, 'n' | 'previous' | 'found'>): string =>
  `{"at":"${at}","by":${actor},"request_id":${JSON.stringify(request_id)},"action":"${action}","before":${before}}`
