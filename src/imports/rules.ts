import { isBlank } from '../http/fold.ts'
import { hasAtMost } from '../http/formats.ts'
import { type Found, type FoundTask, mostDescribed, type Warning, warningOf } from './found.ts'
import type { Pace } from './pace.ts'

// What becomes of what was found: ids that are the same each time, bounds, trees; and what of it is new to a user. Pure decisions.

/** A list or a task to be made, and its line. */
export type ListToMake = { id: string; name: string; is_archived: boolean }
export type TaskToMake = Omit<FoundTask, 'key' | 'list' | 'parent' | 'description'> & {
  id: string
  list_id: string | null
  parent_id: string | null
  description: string | null
}
export type Plan = { lists: ListToMake[]; tasks: TaskToMake[]; warnings: Warning[] }

/** As the database has it. */
const mostLevels = 5
const mostUnder = 1000
const mostLists = 500

/** The same of the same each time, so that twice is once: a UUIDv8 of a hash. */
export function idOf(source: string, userId: string, kind: string, key: string): string {
  const bytes = new Bun.CryptoHasher('sha256')
    .update(JSON.stringify([source, userId, kind, key]))
    .digest()
    .subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** What a file would make of a user who has nothing, parents before what is under them. */
export async function planOf(
  found: Found,
  source: string,
  userId: string,
  pace: Pace,
): Promise<Plan> {
  const warnings = [...found.warnings]
  const lists = new Map<string, ListToMake>()
  for (const { key, name, is_archived } of found.lists) {
    if (lists.has(key)) continue
    const id = idOf(source, userId, 'list', key)
    lists.set(key, { id, name: nameOf(name), is_archived })
  }
  const tasks = new Map<string, FoundTask>()
  for (const task of found.tasks) {
    if (tasks.has(task.key))
      warnings.push(warningOf(task, 'it is in the file twice: the first is taken.'))
    else if (isBlank(clean(task.title)) && isBlank(clean(task.description))) {
      warnings.push({ line: task.line, what: 'A task without a title is not taken.' })
    } else tasks.set(task.key, task)
  }

  const made = new Map<string, Made>()
  for (const task of tasks.values()) {
    await pace()
    for (const one of pathTo(task, tasks, made, warnings)) {
      const above = one.parent === null ? undefined : made.get(one.parent)
      const { parent, root, level } = placeUnder(one, above, warnings)
      // What is under a task is in its list.
      const list_id = root === undefined ? (lists.get(one.list ?? '')?.id ?? null) : root.list_id
      const place = { list_id, parent_id: parent?.task.id ?? null }
      const id = idOf(source, userId, 'task', one.key)
      const toBe = { ...toMake(one, warnings), ...place, id }
      made.set(one.key, { task: toBe, parent, level, root: root ?? { list_id, under: 0 } })
    }
  }
  const all = [...made.values()].map(({ task }) => task)
  return { lists: [...lists.values()], tasks: all, warnings }
}

/** The tree of a task, and how many are under its root. */
type Root = { list_id: string | null; under: number }
type Made = { task: TaskToMake; parent: Made | undefined; level: number; root: Root }

/** What is above a task and not made yet, the highest first, and the task. A circle is cut where it was entered. */
function pathTo(
  task: FoundTask,
  tasks: Map<string, FoundTask>,
  made: Map<string, Made>,
  warnings: Warning[],
): FoundTask[] {
  const path = new Map<string, FoundTask>()
  for (let one: FoundTask | undefined = task; one !== undefined && !made.has(one.key); ) {
    const above: FoundTask | undefined = one.parent === null ? undefined : tasks.get(one.parent)
    const isCircle = above !== undefined && (path.has(above.key) || above.key === one.key)
    if (one.parent !== null && (above === undefined || isCircle)) {
      const why = isCircle ? 'it is under itself' : 'what it is under is not in the file'
      warnings.push(warningOf(one, `${why}: it comes under nothing.`))
      path.set(one.key, { ...one, parent: null })
      break
    }
    path.set(one.key, one)
    one = above
  }
  return [...path.values()].toReversed()
}

/** Where a task is, as deep as may be. */
function placeUnder(task: FoundTask, parent: Made | undefined, warnings: Warning[]) {
  if (parent === undefined) return { parent, root: undefined, level: 1 }
  if (parent.root.under >= mostUnder - 1) {
    const what = `there are ${mostUnder} tasks in its tree already: it comes under nothing.`
    warnings.push(warningOf(task, what))
    return { parent: undefined, root: undefined, level: 1 }
  }
  const { root } = parent
  root.under += 1
  if (parent.level < mostLevels) return { parent, root, level: parent.level + 1 }
  warnings.push(warningOf(task, `it is deeper than ${mostLevels} levels, and comes on the last.`))
  return { parent: parent.parent, root, level: mostLevels }
}

/** Text as it can be stored. */
const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '').trim()

/** No more characters than that, which are code points. */
const cut = (text: string, most: number): string =>
  hasAtMost(text, most)
    ? text
    : Array.from(text.slice(0, 2 * most))
        .slice(0, most)
        .join('')

function nameOf(name: string): string {
  const line = clean(name).replaceAll(/\s+/g, ' ')
  return isBlank(line) ? 'Unnamed' : cut(line, 200)
}

function toMake(
  { key: _key, list: _list, parent, recurrence, reminders, ...task }: FoundTask,
  warnings: Warning[],
) {
  const warn = (what: string) => warnings.push(warningOf(task, what))
  const whole = clean(task.title).replaceAll(/\s+/g, ' ')
  const text = clean(task.description)
  const line = isBlank(whole) ? (text.split('\n').find((one) => !isBlank(one)) ?? '') : whole
  const start = cut(line, 500)
  const isCut = start !== line
  // What shows of it may be beyond that.
  const title = isBlank(start) ? 'Unnamed' : start.trim()
  if (isCut) warn('its title is longer than 500 characters: it is whole in its description.')
  const all = isCut && line === whole ? `${line}\n\n${text}` : text
  const description = cut(all, mostDescribed)
  if (description !== all)
    warn(`what is beyond ${mostDescribed} characters of its description is not taken.`)
  // What is done is done once.
  const isSubtask = parent !== null && recurrence !== null && !task.completed
  if (isSubtask) warn(`that it repeats (${recurrence}) is not taken: it is under another task.`)
  const rule = task.completed || isSubtask ? null : recurrence
  return {
    ...task,
    title,
    description: description || null,
    tags: tagsOf(task.tags, warn),
    ...repeating(task, rule),
    reminders: task.completed ? [] : reminders,
  }
}

/** A rule, or none: without a day there is no time either, unless the rule has the day. */
export function repeating(
  { due_date, due_time, time_zone }: Pick<FoundTask, 'due_date' | 'due_time' | 'time_zone'>,
  recurrence: string | null,
) {
  const hasDay = due_date !== null || recurrence !== null
  return {
    recurrence,
    due_time: hasDay ? due_time : null,
    time_zone: hasDay && due_time !== null ? time_zone : null,
  }
}

function tagsOf(found: string[], warn: (what: string) => void): string[] {
  const tags = new Set<string>()
  for (const one of found) {
    const tag = clean(one)
    if (isBlank(tag)) continue
    if (!hasAtMost(tag, 50)) warn(`the tag ${tag} is longer than 50 characters, and is not taken.`)
    else if (tags.size < 20 || tags.has(tag)) tags.add(tag)
    else {
      warn('it has more than 20 tags: the first are taken.')
      break
    }
  }
  return [...tags]
}

/** What a user has of a plan, the trash too. */
export type Present = {
  lists: Map<string, { is_trashed: boolean }>
  /** How many lists there are besides the trash. */
  list_count: number
  tasks: Map<string, PresentTask>
}
export type PresentTask = {
  id: string
  version: number
  updated_at: string
  list_id: string | null
  parent_id: string | null
  is_trashed: boolean
}

/** Which task is put under another one; `as`: that it was when it came before, and must be still. */
type Under = Pick<FoundTask, 'title' | 'line'> & {
  id: string
  parent_id: string
  as: Pick<PresentTask, 'version' | 'updated_at'> | null
}

export type Missing = {
  lists: ListToMake[]
  tasks: TaskToMake[]
  under: Under[]
  /** How many tasks are there. */
  skipped: number
  warnings: Warning[]
}

/** What is not there yet, with its places as they are now. Nothing that is there changes. */
export function missingOf(plan: Plan, present: Present): Missing {
  const warnings = [...plan.warnings]
  const { lists, unusable } = listsOf(plan.lists, present, warnings)
  const missing: Missing = { lists, tasks: [], under: [], skipped: 0, warnings }
  const places = new Map<string, Place>()
  for (const task of plan.tasks) {
    const { id, title, line } = task
    const there = present.tasks.get(id)
    const above = task.parent_id === null ? undefined : places.get(task.parent_id)
    const parent_id = above?.is_trashed === false ? task.parent_id : null
    if (there !== undefined) {
      missing.skipped += 1
      places.set(id, there)
      // It came, and what was to be done last was not.
      const isLoose = there.version === 1 && there.parent_id === null && !there.is_trashed
      if (isLoose && parent_id !== null && above?.list_id === there.list_id) {
        const { version, updated_at } = there
        missing.under.push({ id, title, line, parent_id, as: { version, updated_at } })
      }
      continue
    }
    if (above?.is_trashed) {
      warnings.push(warningOf(task, 'what it is under is in the trash: it comes under nothing.'))
    }
    const own = unusable.has(task.list_id ?? '') ? null : task.list_id
    const list_id = parent_id === null ? own : (above?.list_id ?? null)
    missing.tasks.push({ ...task, parent_id, list_id })
    if (parent_id !== null) missing.under.push({ id, title, line, parent_id, as: null })
    places.set(id, { list_id, is_trashed: false })
  }
  return missing
}

type Place = { list_id: string | null; is_trashed: boolean }

/** The lists that are new, and those whose tasks come into the inbox. */
function listsOf(lists: ListToMake[], present: Present, warnings: Warning[]) {
  const unusable = new Set<string>()
  const missing: ListToMake[] = []
  for (const list of lists) {
    const there = present.lists.get(list.id)
    const isTooMany = there === undefined && present.list_count + missing.length >= mostLists
    if (isTooMany || there?.is_trashed) {
      unusable.add(list.id)
      const why = isTooMany
        ? `is one list more than the ${mostLists} that there can be`
        : 'is in the trash'
      warnings.push({
        line: null,
        what: `The list “${list.name}” ${why}: what is new of it comes into the inbox.`,
      })
    } else if (there === undefined) missing.push(list)
  }
  return { lists: missing, unusable }
}
