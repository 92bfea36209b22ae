import type { Db } from '../database/gate/gate.ts'
import { untilMade } from '../database/log/holding.ts'
import type { Author } from '../database/log/log.ts'
import { changeTogether } from '../database/log/together.ts'
import { fold } from '../http/fold.ts'
import { contended } from '../http/problem.ts'
import type { Rename, Renamed, Tag } from './schema.ts'
import { countSlice, type Tagged, taggedSlice } from './tag-queries.ts'
import type { Usage } from './usage/usage.ts'
import { taskKind } from './writes.ts'

/** Tasks that are changed in one statement, and can be undone at once. */
const most = 1000

/** Tags that are listed, and spellings of each that are told apart: who has more of them takes nobody's time with it. */
const listed = { tags: 5000, spellings: 20 }

/** A tag, and how many tasks write it in each way. */
type Known = { count: number; pending: number; spellings: Map<string, number> }

/** The tags of a user, in the order of their folded names. */
export async function listTags(db: Db, userId: string): Promise<Tag[]> {
  const tags = new Map<string, Known>()
  for (let after: string | undefined; ; ) {
    const { found, last } = await countSlice(db, userId, after)
    for (const { key, tag, count, pending } of found) {
      const known = tags.get(key) ?? { count: 0, pending: 0, spellings: new Map<string, number>() }
      if (known.count === 0 && tags.size === listed.tags) continue
      tags.set(key, known)
      known.count += count
      known.pending += pending
      const before = known.spellings.get(tag) ?? 0
      if (before > 0 || known.spellings.size < listed.spellings) {
        known.spellings.set(tag, before + count)
      }
    }
    if (last === null) break
    after = last
  }
  return [...tags]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { count, pending, spellings }]) => ({ tag: usual(spellings), count, pending }))
}

/** The most frequent one. */
function usual(spellings: Map<string, number>): string {
  const [first] = [...spellings].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return first?.[0] ?? ''
}

/**
 * Makes one tag another: read, reckoned, and written in one statement if nobody has changed one of these tasks since. Twice is once:
 * the second one finds nothing.
 * @throws Problem 422, 503
 */
export async function renameTag(
  db: Db,
  author: Author & { request_id: string },
  { from, to, dry_run = false }: Rename,
  usage: Usage,
): Promise<Renamed> {
  const { user_id: userId, request_id } = author
  const renamed = await untilMade(db, userId, async (inner): Promise<Renamed | undefined> => {
    const { tasks, matched } = await findTagged(inner, userId, from, to)
    if (dry_run || matched === 0) return { matched, changed: 0, request_id }

    const bytes = tasks.reduce((sum, { growth }) => sum + growth, 0)
    const reservation = await usage.setAside(inner, userId, { tasks: 0, bytes })
    let isMade = false
    try {
      const changed = await changeTogether(inner, author, tasks, null)
      isMade = changed !== undefined
      return isMade ? { matched, changed: tasks.length, request_id } : undefined
    } finally {
      reservation.settle(isMade ? null : { tasks: 0, bytes: 0 })
    }
  })
  if (renamed !== undefined) return renamed
  throw contended('tasks')
}

/** The first tasks that are to be changed, as changes, and how many there are of all. */
async function findTagged(db: Db, userId: string, from: string, to: string) {
  const key = { from: fold(from), to: fold(to) }
  const tasks: ReturnType<typeof changeOf>[] = []
  let matched = 0
  for (let after: string | undefined; ; ) {
    const { found, last } = await taggedSlice(db, userId, key.from, after)
    for (const task of found) {
      // Where it has the other tag already, that one stays.
      const isThere = key.to !== key.from && task.keys.includes(key.to)
      const tags = task.tags.flatMap((tag, index) =>
        task.keys[index] !== key.from ? [tag] : isThere ? [] : [to],
      )
      if (Bun.deepEquals(tags, task.tags)) continue
      matched += 1
      if (tasks.length < most) tasks.push(changeOf(task, tags))
    }
    if (last === null) return { tasks, matched }
    after = last
  }
}

const changeOf = ({ id, version, tags: before }: Tagged, tags: string[]) => ({
  kind: taskKind,
  id,
  version,
  fields: { tags },
  isDiscarded: false,
  growth: Buffer.byteLength(JSON.stringify(tags)) - Buffer.byteLength(JSON.stringify(before)),
})
