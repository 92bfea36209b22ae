import { type Order, type Position, positionOf } from '../rules.ts'
import { between, betweenKeys, type Slice } from './statements.ts'

/** The tasks of a page as a JSON array, and where the next page begins; null: there is none. */
export type Page = { text: string; next: Position | null }

/** How many bytes of tasks a page has at most, but for a single task that is larger. */
const mostBytes = 1_000_000

/** How many tasks one statement gives at most, as nobody knows how long they are. */
const mostAtOnce = 101

/**
 * A page of up to `limit` tasks that is put together out of slices.
 * @param weight how many bytes a task is expected to have
 */
export function createPage(order: Order, limit: number, weight: number) {
  const texts: string[] = []
  const keys: string[] = []
  /** Where so many tasks end, which are a text or its end. */
  const after = (text: string, kept: number) =>
    positionOf(order, lastOf(text), keys.join(betweenKeys).split(betweenKeys)[kept - 1])
  let count = 0
  let bytes = 0

  return {
    add({ text, count: more, keys: added }: Slice): void {
      if (more === 0) return
      bytes += Buffer.byteLength(text) + (count === 0 ? 0 : between.length)
      texts.push(text)
      if (added !== null) keys.push(added)
      count += more
    },
    /** Whether there is a task beyond the page, which says that there is more. */
    isFull: (): boolean => count > limit || bytes > mostBytes,
    /** How many more tasks it takes to be full. */
    room(): number {
      const most = Math.min(limit + 1 - count, mostAtOnce)
      const average = count === 0 ? weight : bytes / count
      return Math.min(most, Math.ceil((mostBytes - bytes) / average) + 1)
    },
    /** How many bytes a task of it has, on an average; null: there is none. */
    weight: (): number | null => (count === 0 ? null : bytes / count),
    /** Where the last task so far is. */
    last: (): Position => after(texts.at(-1) ?? '', count),
    /** @param rest where it goes on if it is not full */
    end(rest: Position | null): Page {
      const text = texts.join(between)
      const { end, tasks } = endOf(text, count, bytes, limit)
      if (end === text.length) return { text: `[${text}]`, next: rest }
      const kept = text.slice(0, end)
      const next = after(kept, tasks)
      // A part of a text keeps the whole of it in memory, for as long as the client takes to read it.
      return { text: `[${bytes > mostBytes ? copyOf(kept) : kept}]`, next }
    },
  }
}

const lastOf = (text: string) => JSON.parse(text.slice(text.lastIndexOf('\n') + 1))

const copyOf = (text: string): string => Buffer.from(text).toString()

/** Where a text ends, and how many tasks it has. */
type End = { end: number; tasks: number }

/** The text of the tasks that the page has. */
function endOf(text: string, count: number, bytes: number, limit: number): End {
  if (bytes > mostBytes) return endWithin(text, limit)
  let end = text.length
  for (let kept = count; kept > limit; kept -= 1) end = text.lastIndexOf(between, end - 1)
  return { end, tasks: Math.min(count, limit) }
}

/** Of a text that is too long, as many tasks as there is room for, one at least. */
function endWithin(text: string, limit: number): End {
  let end = 0
  let size = -between.length
  let tasks = 0
  for (; tasks < limit && end < text.length; tasks += 1) {
    const from = tasks === 0 ? 0 : end + between.length
    const found = text.indexOf(between, from)
    const next = found === -1 ? text.length : found
    size += between.length + Buffer.byteLength(text.slice(from, next))
    if (tasks > 0 && size > mostBytes) break
    end = next
  }
  return { end, tasks }
}
