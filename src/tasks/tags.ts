import type { Db } from '../database/gate.ts'
import type { Author } from '../database/log.ts'
import { changeTogether } from '../database/together.ts'
import { fold } from '../http/fold.ts'
import { Problem } from '../http/problem.ts'
import type { Rename, Renamed, Tag } from './schema.ts'
import { type Counted, countSlice, type Tagged, taggedSlice } from './tag-queries.ts'
import type { Usage } from './usage.ts'
import { taskKind } from './writes.ts'

/** Tasks that are changed in one statement, and can be undone at once. */
const most = 1000

/** How often it is looked anew at what somebody has changed meanwhile. */
const mostAttempts = 5

/** The tags of a user, in the order of their folded names. */
export async function listTags(db: Db, userId: string): Promise<Tag[]> {
  const tags = new Map<string, Counted[]>()
  for (let after: string | undefined; ; ) {
    const { found, last } = await countSlice(db, userId, after)
    for (const spelled of found) {
      const known = tags.get(spelled.key) ?? []
      if (known.length === 0) tags.set(spelled.key, known)
      const same = known.find(({ tag }) => tag === spelled.tag)
      if (same === undefined) known.push(spelled)
      else {
        same.count += spelled.count
        same.pending += spelled.pending
      }
    }
    if (last === null) break
    after = last
  }
  return [...tags].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, spellings]) => whole(spellings))
}

/** One tag of its spellings, in the most frequent one. */
function whole(spellings: Counted[]): Tag {
  const [first] = spellings.toSorted((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1))
  return {
    tag: first?.tag ?? '',
    count: spellings.reduce((sum, { count }) => sum + count, 0),
    pending: spellings.reduce((sum, { pending }) => sum + pending, 0),
  }
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
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const { tasks, matched } = await findTagged(db, userId, from, to)
    if (dry_run || matched === 0) return { matched, changed: 0, request_id }

    const bytes = tasks.reduce((sum, { growth }) => sum + growth, 0)
    const reservation = await usage.setAside(db, userId, { tasks: 0, bytes })
    let isMade = false
    try {
      const changed = await changeTogether(db, author, tasks, null)
      isMade = changed !== undefined
      if (isMade) return { matched, changed: tasks.length, request_id }
    } finally {
      reservation.settle(isMade ? null : { tasks: 0, bytes: 0 })
    }
  }
  throw new Problem(503, 'Somebody changes the same tasks just now. Try again.', {
    headers: { 'retry-after': '1' },
  })
}

/** The first tasks that are to be changed, as changes, and how many there are of all. */
async function findTagged(db: Db, userId: string, from: string, to: string) {
  const tasks: ReturnType<typeof changeOf>[] = []
  let matched = 0
  for (let after: string | undefined; ; ) {
    const { found, last } = await taggedSlice(db, userId, fold(from), after)
    for (const task of found) {
      const tags = renamed(task.tags, fold(from), to)
      if (Bun.deepEquals(tags, task.tags)) continue
      matched += 1
      if (tasks.length < most) tasks.push(changeOf(task, tags))
    }
    if (last === null) return { tasks, matched }
    after = last
  }
}

/** With `to` in the place of the tag with the key `from`, unless it is there already under another one. */
function renamed(tags: string[], from: string, to: string): string[] {
  const isThere = fold(to) !== from && tags.some((tag) => fold(tag) === fold(to))
  return tags.flatMap((tag) => (fold(tag) !== from ? [tag] : isThere ? [] : [to]))
}

const changeOf = ({ id, version, tags: before }: Tagged, tags: string[]) => ({
  kind: taskKind,
  id,
  version,
  fields: { tags },
  isDiscarded: false,
  growth: Buffer.byteLength(JSON.stringify(tags)) - Buffer.byteLength(JSON.stringify(before)),
})
