import type { Db } from '../database/gate/gate.ts'
import { Problem } from '../http/problem.ts'
import { meantBy } from './filter/resolve.ts'
import type { Tests } from './filter/tree.ts'
import { readPage } from './pages/read.ts'
import { type Rest, restOf } from './recurrence/rest.ts'
import type { ListQuery, Position } from './rules.ts'
import type { Task } from './schema.ts'

export type CalendarTask = Task & { series: Rest | null }

/** The most tasks that a calendar has, and bytes of them. */
const most = { tasks: 2000, bytes: 4_000_000 }

/** For how many days a calendar of to-dos has what was completed. */
const completedDays = 30

/** Milliseconds that all series of a calendar may take, of which hardly any takes one, and after which others have their turn. */
const patience = { all: 1000, turn: 10 }

/** Tasks in a page. */
const pageSize = 200

/**
 * The tasks of a calendar: those that are due, or all that are to do with what was completed of late. Null: what the filter names is
 * not there any more.
 */
export async function readCalendar(
  db: Db,
  userId: string,
  { list_id, filter }: { list_id: string | null; filter: string | null },
  as: 'event' | 'todo',
): Promise<CalendarTask[] | null> {
  const query = await meaningOf(db, userId, list_id, filter)
  if (query === null) return null
  const found = new Map<string, CalendarTask>()
  const withSeries = as === 'event' ? seriesAdder() : alone
  let bytes = 0

  for (const part of as === 'event' ? due(query) : toDo(query)) {
    for (let from: Position | null | undefined; from !== null; ) {
      const room = most.tasks - found.size
      if (room <= 0 || bytes > most.bytes) return [...found.values()]
      const page = await readPage(db, userId, part, from ?? null, Math.min(room, pageSize))
      bytes += Buffer.byteLength(page.text)
      // What changes meanwhile may come twice.
      for (const task of JSON.parse(page.text) as Task[]) {
        found.set(task.id, await withSeries(task))
      }
      from = page.next
    }
  }
  return [...found.values()]
}

/** A to-do does not repeat. */
const alone = async (task: Task): Promise<CalendarTask> => ({ ...task, series: null })

/** Adds to each task how it goes on. When all of that takes too long, the others are alone. */
function seriesAdder(): (task: Task) => Promise<CalendarTask> {
  let spent = 0
  let turn = 0
  return async (task) => {
    if (task.recurrence === null || spent > patience.all) return alone(task)
    if (turn > patience.turn) {
      turn = 0
      await new Promise(setImmediate)
    }
    const began = performance.now()
    const series = await restOf(task)
    const took = performance.now() - began
    spent += took
    turn += took
    return { ...task, series }
  }
}

async function meaningOf(
  db: Db,
  userId: string,
  list: string | null,
  filter: string | null,
): Promise<ListQuery | null> {
  try {
    return await meantBy(
      db,
      { id: userId, list_ids: null },
      { ...(list === null ? {} : { list }), ...(filter === null ? {} : { filter }) },
      new Headers(),
    )
  } catch (error) {
    if (error instanceof Problem && error.status === 422) return null
    throw error
  }
}

/** What is next comes first, and then what is overdue, the latest first: of too many tasks the farthest are left out. */
function due(query: ListQuery): ListQuery[] {
  const today = Temporal.Now.plainDateISO('UTC')
  const pending = { ...query, status: 'pending', sort: 'due_date' } as const
  return [
    { ...pending, order: 'asc', due_after: today.toString() },
    { ...pending, order: 'desc', due_before: today.subtract({ days: 1 }).toString() },
  ]
}

function toDo(query: ListQuery): ListQuery[] {
  const since = Temporal.Now.instant().subtract({ hours: 24 * completedDays })
  const completed: Tests = {
    is: 'between',
    field: 'completed',
    from: since.toString(),
    to: null,
  }
  const { filter } = query
  return [
    { ...query, status: 'pending', sort: 'due_date', order: 'asc' },
    {
      ...query,
      status: 'completed',
      sort: 'created_at',
      order: 'desc',
      filter: filter === undefined ? completed : { all: [filter, completed] },
    },
  ]
}
