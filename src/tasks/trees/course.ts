import { isLong, type Spot, spotBetween } from '../../database/log/positions.ts'
import type { Change } from '../../database/log/together.ts'
import { Problem } from '../../http/problem.ts'
import type { Series, Under } from '../recurrence/queries.ts'
import { alone, following, moved } from '../recurrence/series.ts'
import { isRelative } from '../reminders.ts'
import type { Kept, Task } from '../schema.ts'
import { columns } from '../table.ts'
import { isWithin } from '../within.ts'
import { type Changes, type Context, changeOf, type Fields, nowOf, type Reckon } from './changes.ts'
import { spread } from './places.ts'
import type { Node } from './queries.ts'

// What becomes of a task in the course of time: completed, open again, on to its next day.

export const done = (node: Node): Change =>
  changeOf(node, { completed_at: null }, { is_done: true })

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
export async function succeeding(
  series: Series,
  task: Task & Kept,
  context: Context,
): Promise<Changes> {
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
export function reopening(
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
