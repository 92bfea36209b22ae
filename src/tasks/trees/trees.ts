import postgres from 'postgres'
import type { Db } from '../../database/gate/gate.ts'
import { untilMade } from '../../database/log/holding.ts'
import type { Author } from '../../database/log/log.ts'
import { findAnswer, type Once } from '../../database/log/once.ts'
import { isLong, type Spot, spotBetween, spotsBetween } from '../../database/log/positions.ts'
import {
  type Answered,
  answeredWith,
  type Change,
  changeTogether,
  onlyAnswered,
  outcomeOf,
} from '../../database/log/together.ts'
import type { Outcome } from '../../database/log/writes.ts'
import { contended, invalid, Problem } from '../../http/problem.ts'
import { readSeries, type Series, type Under } from '../recurrence/queries.ts'
import { alone, following, moved, type Now, repeating } from '../recurrence/series.ts'
import { isRelative } from '../reminders.ts'
import type { Parts } from '../rules.ts'
import { type Course, type Kept, type Move, type NewTask, noParent, type Task } from '../schema.ts'
import { sizeOf } from '../sizes.ts'
import { columns } from '../table.ts'
import type { Usage } from '../usage/usage.ts'
import { isWithin, refuseLeaving, type Within } from '../within.ts'
import { taskKind } from '../writes.ts'
import {
  type Anchor,
  mostInTree,
  type Node,
  type Root,
  readAnchor,
  readAround,
  readTrees,
  type Tree,
} from './queries.ts'

// Changes of a task with what is under it: read at one moment, reckoned, and written in one statement if nobody has changed anything of
// it since. What comes under it meanwhile is seen by the database, which has the last word on what is where.

/** What is asked of a task, and what must be so of it. */
export type Asked = {
  id: string
  /** The lists that it may be asked for; null: all, and the inbox. */
  list_ids: Within
  versions: number[] | null
  once: Once | null
  /** Where the request says that it comes from. */
  zone: string | null
}

/** How it is asked, and answered. */
type Way = {
  usage: Usage
  targetId?: string | null
  course?: Course | null
  /** What it adds by itself. */
  growth?: (task: Task) => number
  /** Whether the answer says what comes after the task, if that repeats. */
  hasNext?: boolean
}

type Fields = Record<string, unknown>

/** What a task and what is under it become; null where there is no such task. */
export type Reckon = (tree: Tree, context: Context) => Changes | null | Promise<Changes | null>

/** `isNext`: what comes after the task. */
export type Changes = (Change & { isNext?: boolean })[]

/** What else there is to know. It is read after the tree: what has changed between has another version than that, and is not written. */
export type Context = {
  db: Db
  zone: string | null
  list_ids: Within
  /** Undefined where the task has gone meanwhile. */
  seriesOf: (root: Root) => Promise<Series | undefined>
}

/** Of trees: the series of those that repeat are read together, and those of all if one that does not is asked for. */
export function contextOf(
  db: Db,
  userId: string,
  trees: Tree[],
  { zone, list_ids }: Pick<Context, 'zone' | 'list_ids'>,
): Context {
  const known = new Map<string, Series>()
  const seriesOf: Context['seriesOf'] = async ({ id, repeats }) => {
    if (known.has(id)) return known.get(id)
    const roots = trees.map(({ root }) => root).filter((root) => root.repeats || !repeats)
    for (const one of await readSeries(
      db,
      userId,
      roots.map((root) => root.id),
    )) {
      known.set(one.id, one)
    }
    return known.get(id)
  }
  return { db, zone, list_ids, seriesOf }
}

const nowOf = ({ zone }: Context, series: Series): Now => ({
  now: Temporal.Now.instant(),
  zone: series.zone ?? zone,
})

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

/**
 * Completes it with all that is open under it, or reopens it; null does whichever is left to do. Of one that repeats the next comes with
 * that, and goes again.
 */
export const completing =
  (completed: boolean | null): Reckon =>
  async (tree, context) => {
    const { root, nodes } = tree
    if (root.deleted) return null
    const isDone = completed ?? !root.completed
    const [own] = nodes
    if (isDone === root.completed || !root.repeats || own === undefined) {
      if (isDone) return nodes.filter(({ isOpen }) => isOpen).map(done)
      return root.completed && own !== undefined ? [changeOf(own, { completed_at: null })] : []
    }
    const series = await context.seriesOf(root)
    if (series === undefined) return null
    if (!isDone) return reopening(own, series, {})
    const under = nodes.slice(1).filter(({ isOpen }) => isOpen)
    const next = await succeeding(series, series.task, context)
    return [done(own), ...next, ...under.map(done)]
  }

/** The one that comes after a task, with all that is under that; none: it was the last. */
async function succeeding(series: Series, task: Task & Kept, context: Context): Promise<Changes> {
  const next = await following(task, nowOf(context, series))
  if (next === null || task.occurrence === null) return []
  const { under, successors } = series
  const isFree = (list: string | null) => isWithin(context, list)
  const place = successors.find(
    (one) => one.task === null || (one.task.deleted_at !== null && isFree(one.task.list_id)),
  )
  const id = place?.id ?? Bun.randomUUIDv7()
  const { position } = task
  const between = spotBetween(position, series.after)
  const spot: { own: Spot; others: Change[] } = isLong(between)
    ? await spread(context.db, task.user_id, id, { ...task, before: null, after: null }, false)
    : { own: between, others: [] }
  const root = making(
    place?.task ?? null,
    id,
    { ...copied(task), ...next, parent_id: null },
    spot.own,
  )
  const trashed = ({ taken }: Under) => (taken?.deleted && isFree(taken.list_id) ? taken : null)
  const ids = new Map(
    under.map((one) => [
      one.task.id,
      one.taken === null || trashed(one) !== null ? one.next_id : Bun.randomUUIDv7(),
    ]),
  )
  const { occurrence } = task
  const copies = under.map(({ task: one, ...rest }) =>
    making(
      trashed({ task: one, ...rest }),
      ids.get(one.id) ?? id,
      {
        ...copied(one),
        ...alone,
        due_date: moved(one.due_date, occurrence, next.due_date),
        parent_id: ids.get(one.parent_id ?? '') ?? id,
      },
      { spot: 'end' },
    ),
  )
  return [{ ...root, isNext: true }, ...copies, ...spot.others]
}

/** All that is written of a task, but for moments, which do not come again. */
const copied = (task: Task & Kept): Fields => ({
  ...Object.fromEntries(Object.keys(columns).map((name) => [name, (task as Fields)[name] ?? null])),
  reminders: task.reminders.filter(isRelative),
})

/** A new task, or one that was in the trash and is as if it was new. */
function making(
  trashed: { version: number } | null,
  id: string,
  fields: Fields,
  spot: Spot,
): Change {
  const all = { ...fields, position: null }
  if (trashed === null) return { ...changeOf({ id, version: 0 }, all, spot), fate: 'made' }
  return changeOf(
    { id, version: trashed.version },
    { ...all, completed_at: null, deleted_at: null },
    spot,
  )
}

/**
 * Open again. What came after it goes for good, if it is as it was made; if it is not, it goes on, and this one alone. Where there is none,
 * or it is in the trash, nothing stands in the way.
 * @param fields what becomes of it besides
 */
function reopening(
  node: Pick<Node, 'id' | 'version'>,
  { task, successors }: Series,
  fields: Fields,
  more: object = {},
): Changes {
  const next = successors.find((one) => one.task !== null && one.task.series_id === task.series_id)
  const isThere = next !== undefined && next.task?.deleted_at === null
  const gone = isThere && next.isUntouched ? next.tree : []
  const goes = isThere && !next.isUntouched ? alone : {}
  return [
    changeOf(node, { ...goes, ...fields, completed_at: null }, more),
    ...gone.map((one): Change => ({ ...changeOf(one, {}), fate: 'gone' })),
  ]
}

/** On to its next day, which is all that becomes of it. @throws Problem 409 */
export const skipping =
  (occurrence: string | undefined): Reckon =>
  async ({ root }, context) => {
    if (root.deleted) return null
    if (!root.repeats) throw new Problem(409, 'The task does not repeat: there is nothing to skip.')
    if (root.completed) {
      throw new Problem(409, 'The task is completed: skip a day of the one that comes after it.')
    }
    const series = await context.seriesOf(root)
    if (series === undefined) return null
    const { task } = series
    if (occurrence !== undefined && occurrence !== task.occurrence) {
      throw new Problem(
        409,
        `The task is for ${task.occurrence ?? 'no day'} by now. Nothing was skipped.`,
      )
    }
    const next = await following(task, nowOf(context, series))
    if (next === null) {
      throw new Problem(409, 'There is no day after this one: complete the task, or delete it.')
    }
    return [changeOf(root, next)]
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

/** A patch that may move the task, complete it with what is under it, or change how it repeats. */
export const patching =
  (patch: Parts['changes']): Reckon =>
  async (tree, context) => {
    const { completed, list_id, parent_id, extra, recurrence, repeat_from, ...fields } = patch
    const { root, nodes, text } = tree
    if (root.deleted) return null
    const place = placeIn(tree, { list_id, parent_id })
    const isMoved = place.list_id !== root.list_id || place.parent_id !== root.parent_id
    const isRuled = recurrence !== undefined || repeat_from !== undefined
    const isTurned = completed !== undefined && completed !== root.completed
    const isDone = isTurned && !root.completed
    const series = isRuled || (root.repeats && isTurned) ? await context.seriesOf(root) : undefined
    if (isRuled && series === undefined) return null
    const kept =
      extra === undefined
        ? {}
        : { extra: merged(text ?? JSON.stringify(series?.task ?? {}), extra) }
    const begins =
      series === undefined || !isRuled
        ? {}
        : await repeating(
            series.task,
            patch,
            nowOf(context, series),
            series.isTaken ? Bun.randomUUIDv7() : root.id,
          )
    const own: Fields = {
      ...fields,
      ...begins,
      ...kept,
      ...(isMoved ? { ...place, position: null } : {}),
    }
    const spot = isMoved ? { spot: 'end' } : {}
    const inList = place.list_id === root.list_id ? {} : { list_id: place.list_id }

    const rest = nodes.slice(1).flatMap((node) => {
      const isDoneToo = completed === true && node.isOpen
      const becomes = { ...inList, ...(isDoneToo ? { completed_at: null } : {}) }
      if (isEmpty(becomes)) return []
      return [changeOf(node, becomes, isDoneToo ? { is_done: true } : {})]
    })
    const [first] = nodes
    if (first === undefined) return rest
    if (series !== undefined && isDone) {
      const after = { ...series.task, ...fields, ...begins, ...kept, ...place } as Task & Kept
      const next = await succeeding(series, after, context)
      return [
        changeOf(first, { ...own, completed_at: null }, { ...spot, is_done: true }),
        ...next,
        ...rest,
      ]
    }
    if (series !== undefined && isTurned && root.repeats) {
      return [...reopening(first, series, own, spot), ...rest]
    }
    const turn = isTurned ? { completed_at: null } : {}
    const becomes = { ...own, ...turn }
    if (isEmpty(becomes)) return rest
    return [
      changeOf(first, becomes, {
        ...spot,
        ...(isDone ? { is_done: true } : {}),
      }),
      ...rest,
    ]
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
  usage: Usage,
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

  return changeTree(
    db,
    author,
    asked,
    { usage, targetId: target.parent_id ?? null },
    async (tree, context) => {
      const { root, nodes } = tree
      if (root.deleted) return null
      const place = placeIn(tree, target)
      const isElsewhere = place.list_id !== root.list_id
      const { own, others } =
        anchor !== null && isLong(spot)
          ? await spread(context.db, author.user_id, root.id, anchor, before !== undefined)
          : { own: spot, others: [] }
      const rest = isElsewhere ? nodes.slice(1) : []
      return [
        ...nodes.slice(0, 1).map((node) => changeOf(node, { ...place, position: null }, own)),
        ...rest.map((node) => changeOf(node, { list_id: place.list_id })),
        ...others,
      ]
    },
  )
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
  { id, list_ids, versions, once, zone }: Asked,
  way: Way,
  reckon: Reckon,
): Promise<Outcome> {
  const { targetId = null, course = null, hasNext = false } = way
  const { user_id: userId } = author
  const outcome = await untilMade(db, userId, async (to): Promise<Outcome | undefined> => {
    const trees = await readTrees(to, userId, [id], targetId, true)
    // Afterwards: where its effect was seen it is there.
    const earlier = once && (await findAnswer(to, userId, once.key))
    if (earlier) return outcomeOf(earlier, once)
    const [tree] = trees
    if (tree === undefined) return { outcome: 'not_found' }
    const { root, text, nodes } = tree
    const row = { text: text ?? '', version: root.version }
    const isStale = versions !== null && !versions.includes(root.version)
    if (isStale && !root.deleted) return { outcome: 'stale' }
    const context = contextOf(to, userId, trees, { zone, list_ids })
    const changes = await reckon(tree, context)
    if (changes === null) return { outcome: 'not_found' }
    if (isStale) return { outcome: 'stale' }
    refuseLeaving(context, changes)
    if (course && !Bun.deepMatch(course, JSON.parse(row.text))) return { outcome: 'unlike', row }
    if (nodes.length > mostInTree) throw new Problem(422, tooMany)
    // The one that is asked for comes first, with the key, though nothing of it may change.
    const [first] = nodes
    if (first !== undefined && changes[0]?.id !== root.id) changes.unshift(untouched(first))
    const repeats = root.repeats || changes.some(({ isNext }) => isNext)
    const next = hasNext && repeats ? await nextIn(changes, tree, context) : null
    if (
      once === null &&
      changes.every(({ fields, fate }) => isEmpty(fields) && fate === undefined)
    ) {
      const whole = next === null ? row.text : withNext(row.text, next.text)
      return { outcome: 'changed', row: { ...row, text: whole } }
    }
    const answered =
      next === null
        ? onlyAnswered(taskKind, root.id)
        : answeredWith(taskKind, root.id, 'next_task', next)
    const growth = way.growth?.(JSON.parse(row.text)) ?? 0
    const changed = await changeWithin(way.usage, growth, to, author, changes, once, answered)
    return changed && outcomeOf(changed, once)
  })
  if (outcome === undefined) throw contended('tasks')
  return outcome
}

const isEmpty = (fields: Fields): boolean => Object.keys(fields).length === 0

/** What comes after a task that is completed: what is made, or is there. */
type Next = { id: string | null; text: string | null }

async function nextIn(changes: Changes, { root }: Tree, context: Context): Promise<Next> {
  const own = changes.find(({ isNext }) => isNext)
  if (own !== undefined) return { id: own.id, text: null }
  const isDone = changes.some(({ id, fields }) => id === root.id && 'completed_at' in fields)
  if (!root.repeats || !root.completed || isDone) return { id: null, text: null }
  const series = await context.seriesOf(root)
  const there = series?.successors.find(({ task }) => task?.series_id === series.task.series_id)
  const isThere = there?.task?.deleted_at === null && isWithin(context, there.task.list_id)
  return { id: null, text: isThere ? JSON.stringify(there.task) : null }
}

/** A task as it is answered where it is completed. */
export const withNext = (text: string, next: string | null): string =>
  `${text.slice(0, -1)},"next_task":${next ?? 'null'}}`

/** What is written together, within what its user may have. Undefined where somebody has come between. */
export async function changeWithin(
  usage: Usage,
  growth: number,
  db: Db,
  author: Author,
  changes: Changes,
  once: Once | null,
  answered: Answered,
) {
  const made = changes.filter(({ fate }) => fate === 'made')
  const gone = changes.filter(({ fate }) => fate === 'gone').length
  // Whoever makes them has all their fields.
  const sizes = made.map(({ fields }) => sizeOf(author.user_id, fields as NewTask))
  const bytes = sizes.reduce((sum, size) => sum + size, growth)
  const reservation = await usage.setAside(db, author.user_id, { tasks: made.length, bytes })
  let isMade = false
  try {
    const changed = await changeTogether(db, author, changes, once, answered).catch(unlessOther)
    isMade = changed?.request === null
    return changed
  } finally {
    reservation.settle(
      !isMade ? { tasks: 0, bytes: 0 } : gone === 0 ? null : { tasks: made.length - gone, bytes },
    )
  }
}

/** Undefined where the database says that something has come that was not there when it was read. */
function unlessOther(error: unknown): undefined {
  if (error instanceof postgres.PostgresError && meanwhile.includes(error.constraint_name ?? ''))
    return
  throw error
}

/** Under a task, or to be the open one of its series. */
const meanwhile = ['tasks_tree', 'tasks_by_open_series']

export const noTask = 'You have no task with this id.'
const tooMany = `More than ${mostInTree} tasks are under this one: change some of them first.`
