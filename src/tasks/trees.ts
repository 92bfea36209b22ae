import postgres from 'postgres'
import type { Db } from '../database/gate.ts'
import { untilMade } from '../database/holding.ts'
import type { Author } from '../database/log.ts'
import { findAnswer, type Once } from '../database/once.ts'
import { isLong, type Spot, spotBetween, spotsBetween } from '../database/positions.ts'
import { type Change, changeTogether, onlyAnswered, outcomeOf } from '../database/together.ts'
import type { Outcome } from '../database/writes.ts'
import { contended, invalid, Problem } from '../http/problem.ts'
import type { Parts } from './rules.ts'
import { type Course, type Move, noParent } from './schema.ts'
import {
  type Anchor,
  mostInTree,
  type Node,
  readAnchor,
  readAround,
  readTrees,
  type Tree,
} from './tree-queries.ts'
import { taskKind } from './writes.ts'

// Changes of a task with what is under it: read at one moment, reckoned, and written in one statement if nobody has changed anything of
// it since. What comes under it meanwhile is seen by the database, which has the last word on what is where.

/** What is asked of a task, and what must be so of it. */
type Asked = {
  id: string
  versions: number[] | null
  course?: Course | null
  once?: Once | null | undefined
}

type Fields = Record<string, unknown>

/** What a task and what is under it become; null where there is no such task. */
export type Reckon = (tree: Tree, db: Db) => Change[] | null | Promise<Change[] | null>

const changeOf = (
  { id, version }: Pick<Node, 'id' | 'version'>,
  fields: Fields,
  more: object = {},
): Change => ({
  kind: taskKind,
  id,
  version,
  fields,
  isDiscarded: false,
  more,
})

/** A change that changes nothing. */
export const untouched = (node: Pick<Node, 'id' | 'version'>): Change => changeOf(node, {})

const discarded = (node: Node): Change => ({
  ...changeOf(node, { deleted_at: null }),
  isDiscarded: true,
})

const done = (node: Node): Change => changeOf(node, { completed_at: null }, { is_done: true })

/** Completes it with all that is open under it, or reopens it; null does whichever is left to do. */
export const completing =
  (completed: boolean | null): Reckon =>
  ({ root, nodes }) => {
    if (root.deleted) return null
    if (completed ?? !root.completed) return nodes.filter(({ isOpen }) => isOpen).map(done)
    return nodes
      .slice(0, 1)
      .flatMap((node) => (node.isOpen ? [] : [changeOf(node, { completed_at: null })]))
  }

/** To the trash, with all that is under it. */
export const deleting: Reckon = ({ root, nodes }) => (root.deleted ? null : nodes.map(discarded))

/**
 * Back from the trash, with what went there together with it. What was above it may be gone, and what is above it may have moved: it comes
 * back where there is room for it.
 */
export const restoring: Reckon = ({ root, nodes, above, hasList }) => {
  if (!root.deleted) return []
  const parent_id = above === null ? null : root.parent_id
  const list_id = above === null ? (hasList ? root.list_id : null) : above.list_id
  return nodes.map((node, index) =>
    changeOf(node, { deleted_at: null, list_id, ...(index === 0 ? { parent_id } : {}) }),
  )
}

/** Where a task shall be: what is absent stays, but that in another list it is under nothing. */
type Target = { list_id?: string | null | undefined; parent_id?: string | null | undefined }

/** A patch that may move the task, or complete it with what is under it. */
export const patching =
  ({ completed, list_id, parent_id, extra, ...fields }: Parts['changes']): Reckon =>
  (tree) => {
    const { root, nodes, text } = tree
    if (root.deleted) return null
    const place = placeIn(tree, { list_id, parent_id })
    const isMoved = place.list_id !== root.list_id || place.parent_id !== root.parent_id
    return nodes.flatMap((node, index): Change[] => {
      const isDone = completed === true && node.isOpen
      const becomes: Fields = {
        ...(index === 0 ? fields : {}),
        ...(index === 0 && extra !== undefined ? { extra: merged(text, extra) } : {}),
        ...(index === 0 && isMoved ? { ...place, position: null } : {}),
        ...(place.list_id === root.list_id ? {} : { list_id: place.list_id }),
        ...(isDone || (index === 0 && completed === false) ? { completed_at: null } : {}),
      }
      if (Object.keys(becomes).length === 0) return []
      return [
        changeOf(node, becomes, {
          ...(isDone ? { is_done: true } : {}),
          ...(index === 0 && isMoved ? { spot: 'end' } : {}),
        }),
      ]
    })
  }

/** What is kept of a task, with what is given: null clears a field. */
function merged(text: string | null, given: Fields): Fields | null {
  const kept: Fields = JSON.parse(text ?? '{}').extra ?? {}
  const fields = Object.entries({ ...kept, ...given }).filter(([, value]) => value !== null)
  return fields.length === 0 ? null : Object.fromEntries(fields)
}

/** @throws Problem 404, 422 where there is no such place */
function placeIn({ root, nodes, target }: Tree, { list_id, parent_id }: Target) {
  if (parent_id == null) {
    const list = list_id === undefined ? root.list_id : (list_id?.toLowerCase() ?? null)
    const stays = parent_id === undefined && list === root.list_id
    return { list_id: list, parent_id: stays ? root.parent_id : null }
  }
  const parent = parent_id.toLowerCase()
  if (nodes.some(({ id }) => id === parent)) {
    throw invalid([{ pointer: '/parent_id', detail: 'is the task itself, or under it' }])
  }
  if (target === null) throw new Problem(404, noParent.detail)
  if (list_id !== undefined && (list_id?.toLowerCase() ?? null) !== target.list_id) {
    throw invalid([{ pointer: '/list_id', detail: 'is not the list of the parent' }])
  }
  return { list_id: target.list_id, parent_id: parent }
}

/** To another place: in a list, under a task, before or after another one; to the end where nothing is said. */
export async function moveTask(
  db: Db,
  author: Author,
  asked: Asked,
  { before, after, ...given }: Move,
): Promise<Outcome> {
  const besides = before ?? after
  if (before !== undefined && after !== undefined) {
    throw invalid([{ pointer: '/after', detail: 'is not taken together with before' }])
  }
  if (besides?.toLowerCase() === asked.id.toLowerCase()) {
    throw invalid([{ pointer: before ? '/before' : '/after', detail: 'is the task itself' }])
  }
  // Sent again it is answered as the first time, whatever has become of the other one.
  const earlier = asked.once && (await findAnswer(db, author.user_id, asked.once.key))
  if (earlier) return outcomeOf(earlier, asked.once ?? null)
  const anchor = besides === undefined ? null : await readAnchor(db, author.user_id, besides)
  if (anchor === undefined) throw new Problem(404, noTask)
  if (anchor !== null) refuseOther(anchor, given)
  const target: Target = anchor ?? given
  const spot: Spot =
    anchor === null
      ? { spot: 'end' }
      : before === undefined
        ? spotBetween(anchor.position, anchor.after)
        : spotBetween(anchor.before, anchor.position)

  return changeTree(db, author, asked, target.parent_id ?? null, async (tree, to) => {
    const { root, nodes } = tree
    if (root.deleted) return null
    const place = placeIn(tree, target)
    const isElsewhere = place.list_id !== root.list_id
    const { own, others } =
      anchor !== null && isLong(spot)
        ? await spread(to, author.user_id, root.id, anchor, before !== undefined)
        : { own: spot, others: [] }
    const rest = isElsewhere ? nodes.slice(1) : []
    return [
      ...nodes.slice(0, 1).map((node) => changeOf(node, { ...place, position: null }, own)),
      ...rest.map((node) => changeOf(node, { list_id: place.list_id })),
      ...others,
    ]
  })
}

/** @throws Problem 422 where what is beside the task is not where the task shall be */
function refuseOther(anchor: Anchor, given: Target): void {
  for (const name of ['list_id', 'parent_id'] as const) {
    const wanted = given[name]
    if (wanted !== undefined && (wanted?.toLowerCase() ?? null) !== anchor[name]) {
      throw invalid([
        { pointer: `/${name}`, detail: 'is not where the task of before or after is' },
      ])
    }
  }
}

/** How many on either side of a place are looked at: as many as it takes to find room. */
const windows = [50, 250, 900]

/** New positions of those around a place that has become narrow, and of the task that is to be there. */
async function spread(
  db: Db,
  userId: string,
  id: string,
  { list_id, position }: Anchor,
  isBefore: boolean,
): Promise<{ own: Spot; others: Change[] }> {
  let wide: { own: Spot; others: Change[] } = { own: { spot: 'end' }, others: [] }
  for (const many of windows) {
    const found = await readAround(db, userId, list_id, position, many)
    const around = found.filter((task) => task.id !== id)
    const at = around.findIndex((task) =>
      isBefore ? task.position >= position : task.position > position,
    )
    const after = at === -1 ? [] : around.slice(at)
    // Those up to the end all go there, one after the other.
    if (after.length < many - 1) {
      return { own: { spot: 'end' }, others: after.map((task) => replaced(task, { spot: 'end' })) }
    }
    // The outermost ones stay where they are.
    const inner = around.slice(1, -1)
    const spots = spotsBetween(
      around[0]?.position ?? null,
      around.at(-1)?.position ?? null,
      inner.length + 1,
    )
    const [own = { spot: 'end' }] = spots.splice(at - 1, 1)
    wide = { own, others: inner.flatMap((task, index) => replaced(task, spots[index] ?? own)) }
    if (![own, ...spots].some(isLong)) break
  }
  return wide
}

const replaced = (task: Pick<Node, 'id' | 'version'>, spot: Spot): Change =>
  changeOf(task, { position: null }, spot)

/** Reads a task with what is under it, and makes the changes that are reckoned of it: null where there is no such task. */
export async function changeTree(
  db: Db,
  author: Author,
  { id, versions, course, once = null }: Asked,
  targetId: string | null,
  reckon: Reckon,
): Promise<Outcome> {
  const outcome = await untilMade(db, author.user_id, async (to): Promise<Outcome | undefined> => {
    const [tree] = await readTrees(to, author.user_id, [id], targetId, true)
    // Afterwards: where its effect was seen it is there.
    const earlier = once && (await findAnswer(to, author.user_id, once.key))
    if (earlier) return outcomeOf(earlier, once)
    if (tree === undefined) return { outcome: 'not_found' }
    const { root, text, nodes } = tree
    const row = { text: text ?? '', version: root.version }
    const changes = await reckon(tree, to)
    if (changes === null) return { outcome: 'not_found' }
    if (versions !== null && !versions.includes(root.version)) return { outcome: 'stale' }
    if (course && !Bun.deepMatch(course, JSON.parse(row.text))) return { outcome: 'unlike', row }
    if (nodes.length > mostInTree) throw new Problem(422, tooMany)
    // The one that is asked for comes first, with the key, though nothing of it may change.
    const [first] = nodes
    if (first !== undefined && changes[0]?.id !== root.id) changes.unshift(untouched(first))
    if (once === null && changes.every(({ fields }) => Object.keys(fields).length === 0)) {
      return { outcome: 'changed', row }
    }
    const answered = onlyAnswered(taskKind, root.id)
    const changed = await changeTogether(to, author, changes, once, answered).catch(unlessOther)
    return changed && outcomeOf(changed, once)
  })
  if (outcome === undefined) throw contended('tasks')
  return outcome
}

/** Undefined where the database says that something has come under a task that was not there when it was read. */
export function unlessOther(error: unknown): undefined {
  if (error instanceof postgres.PostgresError && error.constraint_name === 'tasks_tree') return
  throw error
}

export const noTask = 'You have no task with this id.'
const tooMany = `More than ${mostInTree} tasks are under this one: change some of them first.`
