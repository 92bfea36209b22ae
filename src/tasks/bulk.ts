import type { Db } from '../database/gate.ts'
import type { Author } from '../database/log.ts'
import { findAnswer, type Once } from '../database/once.ts'
import { type Change, changeTogether, countAnswered } from '../database/together.ts'
import { keyReused } from '../http/once.ts'
import { invalid, Problem } from '../http/problem.ts'
import { countTasks, readPage } from './pages.ts'
import type { ListQuery } from './rules.ts'
import type { Bulk } from './schema.ts'
import { sizeOfTexts } from './sizes.ts'
import { mostInTree, readTrees, type Tree } from './tree-queries.ts'
import {
  busy,
  completing,
  deleting,
  isOther,
  mostAttempts,
  patching,
  type Reckon,
  restoring,
} from './trees.ts'
import type { Usage } from './usage.ts'

/** The most that are changed together, with what is under them. */
const most = mostInTree

/** A task that is meant, and the version that it has to have. */
type Target = { id: string; version?: number | undefined }

const actions = {
  complete: completing(true),
  reopen: completing(false),
  delete: deleting,
  restore: restoring,
}

/**
 * Changes tasks, each as it would be alone, with what is under it: all or none, in one statement. Twice is once by the key.
 * @param query the list of those that are meant, where they are not named by their ids
 * @throws Problem 404, 412, 422, 503
 */
export async function changeBulk(
  db: Db,
  author: Author & { request_id: string },
  { ids, versions = [], set, action, dry_run = false }: Bulk,
  query: ListQuery | null,
  once: Once | null,
  usage: Usage,
): Promise<{ text: string; isReplayed: boolean }> {
  const { user_id: userId, request_id } = author
  const isRestoring = action === 'restore'
  const reckon = action === undefined ? patching(set ?? {}) : actions[action]
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const targets =
      ids?.map((id, index) => ({ id: id.toLowerCase(), version: versions[index] })) ??
      (await find(db, userId, query ?? {}, isRestoring))
    const trees = await readTrees(
      db,
      userId,
      [...new Set(targets.map(({ id }) => id))],
      set?.parent_id ?? null,
      false,
    )
    // Afterwards: where its effect was seen it is there.
    const earlier = once && (await findAnswer(db, userId, once.key))
    if (earlier) return answerOf(earlier, once)
    refuse(targets, trees)
    const changes = await reckonAll(trees, reckon, ids !== undefined)
    const matched = trees.length
    if (dry_run || changes.length === 0) {
      return { text: JSON.stringify({ matched, changed: 0, request_id }), isReplayed: false }
    }

    const bytes = set === undefined ? 0 : trees.length * sizeOfTexts(set)
    const reservation = await usage.setAside(db, userId, { tasks: 0, bytes })
    let isMade = false
    try {
      const answered = countAnswered(matched, request_id)
      const made = await changeTogether(db, author, changes, once, answered)
      isMade = made?.request === null
      if (made !== undefined) return answerOf(made, once)
    } catch (error) {
      if (!isOther(error)) throw error
    } finally {
      reservation.settle(isMade ? null : { tasks: 0, bytes: 0 })
    }
  }
  throw busy()
}

/** The tasks of a list. @throws Problem 422 where there are too many */
async function find(db: Db, userId: string, query: ListQuery, deleted: boolean): Promise<Target[]> {
  const list = { ...query, deleted: query.deleted ?? deleted }
  const found: Target[] = []
  for (let after: Parameters<typeof readPage>[3] = null; ; ) {
    const { text, next } = await readPage(db, userId, list, after, 200)
    // They are as the database wrote them.
    found.push(...(JSON.parse(text) as Target[]).map(({ id }) => ({ id })))
    if (found.length > most) break
    if (next === null) return found
    after = next
  }
  throw tooMany(await countTasks(db, userId, list))
}

const tooMany = (count: number): Problem =>
  invalid([
    { pointer: '/filter', detail: `is for ${count} tasks: ${most} at most are changed together` },
  ])

/** @throws Problem where one is not there, or has another version */
function refuse(targets: Target[], trees: Tree[]): void {
  const known = new Map(trees.map(({ root }) => [root.id, root]))
  const faults = (detail: string, isWrong: (target: Target) => boolean) =>
    targets.flatMap((target, index) =>
      isWrong(target) ? [{ pointer: `/ids/${index}`, detail }] : [],
    )
  const gone = faults('is the id of no task of yours', ({ id }) => !known.has(id))
  if (gone.length > 0) {
    throw new Problem(404, 'You have no task with one of these ids. Nothing was changed.', {
      errors: gone.slice(0, 20),
    })
  }
  const stale = faults(
    'has another version',
    ({ id, version }) => version !== undefined && known.get(id)?.version !== version,
  )
  if (stale.length > 0) {
    throw new Problem(
      412,
      'Some of the tasks have changed since: read them again. Nothing was changed.',
      {
        errors: stale.slice(0, 20),
      },
    )
  }
}

/** What becomes of all of them. One that is under another one of them goes where that goes. */
async function reckonAll(trees: Tree[], reckon: Reckon, isNamed: boolean): Promise<Change[]> {
  const under = new Set(trees.flatMap(({ nodes }) => nodes.slice(1).map(({ id }) => id)))
  const ids = new Set(trees.map(({ root }) => root.id))
  const changes = new Map<string, Change>()
  for (const tree of trees) {
    const { id, parent_id } = tree.root
    const goesAlong = under.has(id) || (parent_id !== null && ids.has(parent_id))
    const reckoned = await reckon(tree)
    if (reckoned === null && isNamed) {
      throw new Problem(404, 'You have no task with one of these ids. Nothing was changed.')
    }
    for (const change of reckoned ?? []) {
      const known = changes.get(change.id)
      const own = change.id === id && goesAlong ? withoutPlace(change) : change
      changes.set(
        change.id,
        known === undefined
          ? own
          : {
              ...known,
              fields: { ...known.fields, ...own.fields },
              more: { ...known.more, ...own.more },
            },
      )
    }
  }
  if (changes.size > most) {
    throw new Problem(
      422,
      `With what is under them these are more than ${most} tasks: change some of them first.`,
    )
  }
  return [...changes.values()]
}

/** A change but for where the task is. */
function withoutPlace(change: Change): Change {
  const { list_id: _list, parent_id: _parent, position: _position, ...fields } = change.fields
  const { spot: _spot, ...more } = { spot: null, ...change.more }
  return { ...change, fields, more }
}

function answerOf(
  { request, answer }: { request: string | null; answer: string },
  once: Once | null,
): { text: string; isReplayed: boolean } {
  if (request !== null && request !== once?.request) throw keyReused()
  return { text: answer, isReplayed: request !== null }
}
