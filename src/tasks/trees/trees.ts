import postgres from 'postgres'
import type { Db } from '../../database/gate/gate.ts'
import { untilMade } from '../../database/log/holding.ts'
import type { Author } from '../../database/log/log.ts'
import { findAnswer, type Once } from '../../database/log/once.ts'
import {
  type Answered,
  answeredWith,
  changeTogether,
  onlyAnswered,
  outcomeOf,
} from '../../database/log/together.ts'
import type { Outcome } from '../../database/log/writes.ts'
import { contended, Problem } from '../../http/problem.ts'
import type { Course, NewTask, Task } from '../schema.ts'
import { sizeOf } from '../sizes.ts'
import type { Usage } from '../usage/usage.ts'
import { isWithin, refuseLeaving, type Within } from '../within.ts'
import { taskKind } from '../writes.ts'
import {
  type Changes,
  type Context,
  contextOf,
  isEmpty,
  type Reckon,
  untouched,
} from './changes.ts'
import { mostInTree, readTrees, type Tree } from './queries.ts'

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
