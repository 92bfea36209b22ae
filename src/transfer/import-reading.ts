import { numberIn } from '../database/log/positions.ts'
import type { KeptFilter } from '../filters/schema.ts'
import { type Fault, Problem } from '../http/problem.ts'
import { shorten } from '../imports/found.ts'
import { createPace } from '../imports/pace.ts'
import type { List } from '../lists/schema.ts'
import { sizeOf } from '../tasks/sizes.ts'
import type { User } from '../tasks/transfer.ts'
import { isBlank, type Line, parseLine, withoutMark } from './lines.ts'

// What is in a file of Docket, line by line: of each thing what has to be known of all of them at once, and where its line is.

/** The most lists and tasks of a file, its filters, and the bytes of a line. */
const mostThings = 100_000
const mostFilters = 1000
const mostBytesOfLine = 4 * 1024 * 1024

/** How many lines are told that are wrong. */
const mostFaults = 20

/** A thing of a file, and where its line is. */
export type Found = {
  id: string
  line: number
  from: number
  to: number
  version: number
  title: string
  is_trashed: boolean
  /** The number that its position is made of. */
  place: number
}
export type FoundTask = Found & {
  updated_at: string
  list_id: string | null
  parent_id: string | null
  bytes: number
}
export type File = {
  bytes: Uint8Array
  user: User | null
  filters: Map<string, { filter: KeptFilter; line: number }>
  lists: Map<string, Found>
  tasks: Map<string, FoundTask>
  /** Whether something stays in the file: what was done before, and what only a frontend knows. */
  hasHistory: boolean
  hasExtra: boolean
}

/** @throws Problem 422 where lines are wrong, or there are too many */
export async function readFile(
  bytes: Uint8Array,
  userId: string,
  keepsExtra: boolean,
): Promise<File> {
  const file: File = {
    bytes,
    user: null,
    filters: new Map(),
    lists: new Map(),
    tasks: new Map(),
    hasHistory: false,
    hasExtra: false,
  }
  const faults: Fault[] = []
  const pace = createPace()
  let number = 0
  for (let from = 0; from < bytes.length && faults.length < mostFaults; ) {
    await pace()
    number += 1
    const end = bytes.indexOf(lineFeed, from)
    const to = end === -1 ? bytes.length : end
    const fault = take(file, { line: number, from, to }, userId, keepsExtra)
    if (fault !== null) faults.push({ pointer: '', detail: `Line ${number}: ${fault}.` })
    if (file.lists.size + file.tasks.size > mostThings) {
      throw new Problem(
        422,
        `The file has more than ${mostThings} lists and tasks: split it between two lines, and import the parts.`,
      )
    }
    from = to + 1
  }
  if (faults.length === 0) return file
  throw new Problem(422, `${faults.map(({ detail }) => detail).join(' ')} Nothing was imported.`, {
    errors: faults,
  })
}

const lineFeed = 10

type At = Pick<Found, 'line' | 'from' | 'to'>

/** Takes what a line has. @returns what is wrong with it, as the rest of a sentence; null: nothing */
function take(file: File, at: At, userId: string, keepsExtra: boolean): string | null {
  if (at.to - at.from > mostBytesOfLine) return `it has more than ${mostBytesOfLine} bytes`
  const text = bytesAt(file, at)
  if (isBlank(text)) return null
  const line = parseLine(text)
  if (typeof line === 'string') return line
  if ('history' in line && (line.history?.length ?? 0) > 0) file.hasHistory = true
  if ('user' in line) file.user ??= line.user
  if ('filter' in line) {
    const { filter } = line
    const known = file.filters.get(filter.id.toLowerCase())
    const isLater =
      known === undefined || Date.parse(known.filter.updated_at) < Date.parse(filter.updated_at)
    if (isLater) file.filters.set(filter.id.toLowerCase(), { filter, line: at.line })
    if (file.filters.size > mostFilters) return `a file has ${mostFilters} filters at most`
  }
  if ('list' in line) keep(file.lists, { ...foundIn(line.list, at), title: shortenName(line.list) })
  if ('task' in line) {
    const { extra, ...plain } = line.task
    const task = keepsExtra ? line.task : plain
    if (extra !== undefined && !keepsExtra) file.hasExtra = true
    keep(file.tasks, {
      ...foundIn(task, at),
      title: shorten(task.title, 60),
      updated_at: task.updated_at,
      list_id: task.list_id?.toLowerCase() ?? null,
      parent_id: task.parent_id?.toLowerCase() ?? null,
      bytes: sizeOf(userId, task),
    })
  }
  return null
}

const bytesAt = ({ bytes }: File, { from, to }: At): Buffer =>
  withoutMark(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from))

const shortenName = ({ name }: List): string => shorten(name, 60)

const foundIn = (
  row: Pick<List, 'id' | 'version' | 'deleted_at'> & { position?: string },
  at: At,
) => ({
  ...at,
  id: row.id.toLowerCase(),
  version: row.version,
  is_trashed: row.deleted_at !== null,
  place: numberIn(row.position ?? ''),
})

/** Of two with one id the later version, where its line is. */
function keep<T extends Found>(all: Map<string, T>, found: T): void {
  const known = all.get(found.id)
  if (known !== undefined && known.version >= found.version) return
  all.delete(found.id)
  all.set(found.id, found)
}

/** What a line has, which was looked at already. */
export function rowAt<K extends 'list' | 'task'>(file: File, at: At, kind: K) {
  const line: Extract<Line, Record<K, unknown>> = JSON.parse(bytesAt(file, at).toString())
  return (line as Record<K, Extract<Line, Record<K, unknown>>[K]>)[kind]
}
