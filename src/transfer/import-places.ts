import { type Warning, warningOf } from '../imports/found.ts'
import type { Present } from '../tasks/transfer.ts'
import type { File, Found, FoundTask } from './import-reading.ts'

// What becomes of what is in a file of Docket, with what its user has already. Pure decisions.

/** As the database has it, but for lists with the trash. */
const most = { lists: 500, allLists: 5000, levels: 5, under: 1000 }

/** What the user has of that, and where it would be. */
export type There = {
  /** Those of a file too, where they come; whether each is in the trash. */
  lists: Map<string, { version: number; is_trashed: boolean }>
  tasks: Map<string, Present>
  filters: Set<string>
}

/** The lists that are new, or in a later version; they are there from now on. */
export function newLists({ lists }: File, there: There, warnings: Warning[]): Found[] {
  const taken: Found[] = []
  let count = [...there.lists.values()].filter(({ is_trashed }) => !is_trashed).length
  for (const list of lists.values()) {
    const before = there.lists.get(list.id)
    if (before !== undefined && before.version >= list.version) continue
    const isMore = !list.is_trashed && before?.is_trashed !== false
    const isBeyond = before === undefined && there.lists.size >= most.allLists
    if (isBeyond || (isMore && count >= most.lists)) {
      const bound = isBeyond ? `${most.allLists} with the trash` : most.lists
      const what = `is one list more than the ${bound} that there can be`
      warnings.push({ line: list.line, what: `The list “${list.title}” ${what}.` })
      continue
    }
    count += isMore ? 1 : 0
    there.lists.set(list.id, list)
    taken.push(list)
  }
  return taken
}

/** Where a task comes, and what it comes under in the end. */
export type Place = { list_id: string | null; parent_id: string | null }

/** Where each of the tasks comes, as far as that can be said beforehand. */
export function placesOf(
  { tasks }: File,
  there: There,
  taken: FoundTask[],
  warnings: Warning[],
): Map<string, Place> {
  const places = new Map<string, Place>()
  const under = new Map<string, number>()
  const parentOf = (id: string): string | null => {
    const place = places.get(id)
    if (place !== undefined) return place.parent_id
    const found = tasks.get(id)
    const before = there.tasks.get(id)
    if (found !== undefined && (before?.version ?? 0) < found.version) return found.parent_id
    return before?.parent_id ?? null
  }
  /** What is wrong with what it is under. */
  const faultOf = (task: FoundTask): string | null => {
    let [level, root] = [1, task.id]
    for (let above = task.parent_id; above !== null; above = parentOf(above)) {
      if (above === task.id) return 'it is under itself'
      if (!tasks.has(above) && !there.tasks.has(above)) {
        // That of another one is told there.
        if (above !== task.parent_id) break
        return 'what it is under is neither in the file nor here'
      }
      level += 1
      root = above
      if (level > most.levels) return `it is deeper than ${most.levels} levels`
    }
    if (root === task.id || task.is_trashed) return null
    const count = (under.get(root) ?? 0) + 1
    if (count > most.under) return `there are ${most.under} tasks in its tree already`
    under.set(root, count)
    return null
  }

  for (const task of taken) {
    const list = task.list_id === null ? undefined : there.lists.get(task.list_id)
    const isUsable = task.list_id === null || (list && (task.is_trashed || !list.is_trashed))
    if (!isUsable) {
      const why = list === undefined ? 'is neither in the file nor here' : 'is in the trash'
      warnings.push(warningOf(task, `its list ${why}: it comes into the inbox.`))
    }
    const fault = faultOf(task)
    if (fault !== null) warnings.push(warningOf(task, `${fault}: it comes under nothing.`))
    places.set(task.id, {
      list_id: isUsable ? task.list_id : null,
      parent_id: fault === null ? task.parent_id : null,
    })
  }
  return places
}
