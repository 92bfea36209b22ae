import type { Db } from '../database/gate/gate.ts'
import { untilMade } from '../database/log/holding.ts'
import type { Author } from '../database/log/log.ts'
import { findAnswer, type Once } from '../database/log/once.ts'
import { type Change, countAnswered } from '../database/log/together.ts'
import { answerOf } from '../http/once.ts'
import { contended, invalid, Problem } from '../http/problem.ts'
import { countTasks, readPage } from './pages/read.ts'
import { type ListQuery, unruled } from './rules.ts'
import type { Bulk } from './schema.ts'
import { sizeOfTexts } from './sizes.ts'
import { type Context, contextOf, type Reckon, untouched } from './trees/changes.ts'
import { completing } from './trees/course.ts'
import { deleting, patching, restoring } from './trees/edits.ts'
import { mostInTree, type Root, readTrees, type Tree } from './trees/queries.ts'
import { changeWithin } from './trees/trees.ts'
import type { Usage } from './usage/usage.ts'
import { isWithin, refuseLeaving } from './within.ts'
import type { Caller } from './within-lists.ts'

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
 * @param meant what finds those that are meant, where they are not named by their ids
 * @throws Problem 404, 412, 422, 503
 */
export async function changeBulk(
  db: Db,
  caller: Caller,
  author: Author & { request_id: string },
  { ids, versions = [], set, action, dry_run = false }: Bulk,
  meant: () => Promise<ListQuery>,
  once: Once | null,
  { usage, zone }: { usage: Usage; zone: string | null },
): Promise<{ text: string; isReplayed: boolean }> {
  const { user_id: userId, request_id } = author
  const isRestoring = action === 'restore'
  const reckon = action === undefined ? patching(unruled(set ?? {})) : actions[action]
  // Sent again it is answered as the first time, whatever the filter would find by now.
  const known = once && (await findAnswer(db, userId, once.key))
  if (known) return answerOf(known, once)
  const query = ids === undefined ? await meant() : {}
  const changed = await untilMade(db, userId, async (to) => {
    const targets =
      ids?.map((id, index) => ({ id: id.toLowerCase(), version: versions[index] })) ??
      (await find(to, userId, query, isRestoring))
    const distinct = [...new Set(targets.map(({ id }) => id))]
    const found = await readTrees(to, userId, distinct, set?.parent_id ?? null, false)
    const trees = found.filter(({ root }) => isWithin(caller, root.list_id))
    // Afterwards: where its effect was seen it is there.
    const earlier = once && (await findAnswer(to, userId, once.key))
    if (earlier) return answerOf(earlier, once)
    if (ids !== undefined) refuse(targets, trees)
    const context = contextOf(to, userId, trees, { zone, list_ids: caller.list_ids })
    const changes = await reckonAll(context, trees, reckon, ids !== undefined)
    refuseLeaving(caller, changes)
    const matched = trees.length
    // The key is kept though nothing changes, where there is something to keep it with.
    const [first] = trees
    if (once !== null && changes.length === 0 && first !== undefined) {
      changes.push(untouched(first.root))
    }
    if (dry_run || changes.length === 0) {
      return { text: JSON.stringify({ matched, changed: 0, request_id }), isReplayed: false }
    }

    const growth = set === undefined ? 0 : trees.length * sizeOfTexts(set)
    const answered = countAnswered(matched, request_id)
    const made = await changeWithin(usage, growth, to, author, changes, once, answered)
    return made && answerOf(made, once)
  })
  if (changed === undefined) throw contended('tasks')
  return changed
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
async function reckonAll(
  context: Context,
  trees: Tree[],
  reckon: Reckon,
  isNamed: boolean,
): Promise<Change[]> {
  const under = new Set(trees.flatMap(({ nodes }) => nodes.slice(1).map(({ id }) => id)))
  const roots = new Map(trees.map(({ root }) => [root.id, root]))
  const changes = new Map<string, Change>()
  const put = (change: Change) => {
    const known = changes.get(change.id)
    changes.set(
      change.id,
      known === undefined
        ? change
        : {
            ...known,
            // What goes for good is gone, whatever else becomes of it.
            ...(change.fate === undefined ? {} : { fate: change.fate }),
            fields: { ...known.fields, ...change.fields },
            more: { ...known.more, ...change.more },
          },
    )
  }
  for (const tree of inDepth(trees, roots)) {
    const { id, parent_id } = tree.root
    const reckoned = await reckon(tree, context)
    if (reckoned === null && isNamed) {
      throw new Problem(404, 'You have no task with one of these ids. Nothing was changed.')
    }
    // What is brought back with its parent, though it went before that, is under it again.
    const parent = parent_id === null ? undefined : roots.get(parent_id)
    const above = parent?.deleted && !under.has(id) ? parent : undefined
    const list_id = above && (changes.get(above.id)?.fields['list_id'] ?? above.list_id)
    for (const change of reckoned ?? []) {
      if (above !== undefined && reckon === restoring) {
        const isRoot = change.id === id
        put({
          ...change,
          fields: { ...change.fields, list_id, ...(isRoot ? { parent_id } : {}) },
        })
      } else put(change.id === id && under.has(id) ? withoutPlace(change) : change)
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

/** What is above others comes before them. */
function inDepth(trees: Tree[], roots: Map<string, Root>): Tree[] {
  const depthOf = ({ parent_id }: Root, depth = 0): number => {
    const parent = parent_id === null || depth > most ? undefined : roots.get(parent_id)
    return parent === undefined ? depth : depthOf(parent, depth + 1)
  }
  return trees.toSorted((a, b) => depthOf(a.root) - depthOf(b.root))
}

/** A change but for where the task is. */
function withoutPlace(change: Change): Change {
  const { list_id: _list, parent_id: _parent, position: _position, ...fields } = change.fields
  const { spot: _spot, ...more } = { spot: null, ...change.more }
  return { ...change, fields, more }
}
