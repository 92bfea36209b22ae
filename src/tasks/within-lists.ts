import type { Db } from '../database/gate/gate.ts'
import type { Outcome } from '../database/log/writes.ts'
import { contended } from '../http/problem.ts'
import { absent } from '../http/written.ts'
import { findPlace, type TaskPlace } from './queries.ts'
import type { NewTask, TaskPatch } from './schema.ts'
import type { Asked } from './trees/trees.ts'
import { isWithin, type Within } from './within.ts'

// Who comes with a credential for some lists sees and changes the tasks of these: another one is not there.

/** Who asks. */
export type Caller = { id: string; list_ids: Within }

/** How often somebody else may move or change a task between the look at it and the write. */
const mostAttempts = 12

/**
 * A write to a task that is in a list of the caller: as it was when that was looked at, which its version says.
 * @throws Problem 404, 503
 */
export async function writeWithin(
  db: Db,
  caller: Caller,
  asked: Asked,
  write: (asked: Asked) => Promise<Outcome>,
): Promise<Outcome> {
  if (caller.list_ids === null) return write(asked)
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const found = await findWithin(db, caller, asked.id)
    // What has another version than it is to have is refused, or was done before.
    if (asked.versions !== null && !asked.versions.includes(found.version)) return write(asked)
    const outcome = await write({ ...asked, versions: [found.version] })
    if (outcome.outcome !== 'stale') return outcome
  }
  throw contended('task')
}

/** Where something is to be put. */
type Target = Partial<Pick<NewTask & TaskPatch, 'list_id' | 'parent_id'>> & {
  before?: string | undefined
  after?: string | undefined
}

/**
 * @param made the ids of tasks that are made in the same request
 * @throws Problem 404 where something would be put, or brought, into another list than one of the caller's
 */
export async function refuseElsewhere(
  db: Db,
  caller: Caller,
  { list_id, parent_id, before, after }: Target,
  made: ReadonlySet<string> = new Set(),
): Promise<void> {
  if (caller.list_ids === null) return
  if (list_id !== undefined && !isWithin(caller, list_id?.toLowerCase() ?? null)) {
    throw absent('list')
  }
  for (const id of [parent_id, before, after]) {
    if (id != null && !made.has(id.toLowerCase())) await findWithin(db, caller, id)
  }
}

/** Where a task is. @throws Problem 404 */
async function findWithin(db: Db, caller: Caller, id: string): Promise<TaskPlace> {
  const found = await findPlace(db, caller.id, id)
  if (found === undefined || !isWithin(caller, found.list_id)) throw absent('task')
  return found
}

/**
 * The same for new tasks, which are in a list that is named, or under a task: in the list where that is now, or nowhere.
 * @throws Problem 404
 */
export async function placedWithin(
  db: Db,
  caller: Caller,
  tasks: readonly NewTask[],
): Promise<NewTask[]> {
  if (caller.list_ids === null) return [...tasks]
  const made = new Set(tasks.flatMap(({ id }) => id?.toLowerCase() ?? []))
  const placed: NewTask[] = []
  for (const task of tasks) {
    const { list_id = null, parent_id = null } = task
    const isUnder = list_id === null && parent_id !== null && !made.has(parent_id.toLowerCase())
    if (isUnder) {
      placed.push({ ...task, list_id: (await findWithin(db, caller, parent_id)).list_id })
      continue
    }
    const isInMade = list_id === null && parent_id !== null
    await refuseElsewhere(db, caller, isInMade ? {} : { list_id, parent_id }, made)
    placed.push(task)
  }
  return placed
}
