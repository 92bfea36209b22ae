import { readTable } from './csv.ts'
import {
  clockAt,
  clockOf,
  describe,
  type Found,
  type FoundTask,
  hash,
  instantOf,
  mostTasks,
  plainTask,
  type Reader,
  type Source,
  tooMany,
  warningOf,
  zoneOf,
} from './found.ts'
import type { Pace } from './pace.ts'

// The backup of TickTick: CSV below some lines about itself. What columns there are differs from version to version.

const unknown =
  'is no backup of TickTick: there is no line of its columns, with "List Name" and "Title"'

/** `zone`: of what has no other. */
export const readTickTick: Reader = async (sources, zone, pace) => {
  const found: Found = { lists: [], tasks: [], warnings: [] }
  let isAny = false
  for (const source of sources) {
    const isRead = await readBackup(found, source, zone, pace)
    if (isRead === null || found.tasks.length > mostTasks) return tooMany
    isAny ||= isRead
  }
  return isAny ? found : unknown
}

type Get = (column: string) => string

/** Null: there is too much in it. */
async function readBackup(
  found: Found,
  { text }: Source,
  zone: string,
  pace: Pace,
): Promise<boolean | null> {
  const table = await readTable(text, ['list name', 'title'], pace)
  if (table === null) return false
  if (table.isCut) return null
  const { lists, tasks, warnings } = found
  if (table.unclosed !== null) {
    warnings.push({ line: table.unclosed, what: 'A quotation mark is opened and never closed.' })
  }
  const times = new Map<string, number>()
  const read: { task: FoundTask; order: number; items: FoundTask[] }[] = []
  for (const { line, get } of table.rows) {
    await pace()
    const [folder, name] = [get('folder name').trim(), get('list name').trim()]
    // The inbox is called so in every language but for what is around it.
    const list = name === '' || /^\W*inbox\W*$/i.test(name) ? null : JSON.stringify([folder, name])
    if (list !== null) lists.push({ key: list, name, is_archived: false })
    const same = hash(list ?? '', get('title'), get('created time'))
    const nth = (times.get(same) ?? 0) + 1
    times.set(same, nth)
    const task = plainTask(get('taskid').trim() || `${same} ${nth}`, line, get('title'))
    task.list = list
    task.parent = get('parentid').trim() || null
    readFields(found, task, get, zone)
    const isChecklist = /^(y|yes|true|1)$/i.test(get('is check list').trim())
    const items = isChecklist ? itemsOf(task, get('content')) : []
    if (!isChecklist) describe(task, get('content'))
    const order = Number(get('order') || Number.NaN)
    read.push({ task, order: Number.isFinite(order) ? order : Number.POSITIVE_INFINITY, items })
  }
  // By hand, where the backup says how.
  const inOrder = read.toSorted((a, b) => (a.order === b.order ? 0 : a.order - b.order))
  for (const { task, items } of inOrder) {
    tasks.push(task)
    for (const item of items) tasks.push(item)
  }
  return true
}

const priorities = new Map<string, FoundTask['priority']>([
  ['1', 'low'],
  ['3', 'medium'],
  ['5', 'high'],
])

function readFields({ warnings }: Found, task: FoundTask, get: Get, zone: string): void {
  const status = get('status').trim()
  task.priority = priorities.get(get('priority').trim()) ?? 'none'
  task.tags = get('tags').split(',')
  // 2 is in the archive, and -1 was given up.
  task.completed = ['1', '2', '-1'].includes(status)
  if (status === '-1') warnings.push(warningOf(task, 'it will not be done, and comes as done.'))
  task.completed_at = task.completed ? instantOf(Date.parse(get('completed time').trim())) : null
  task.created_at = instantOf(Date.parse(get('created time').trim()))
  readDue(warnings, task, get, zone)

  const repeat = get('repeat').trim()
  if (repeat !== '') {
    const rule = ruleOf(repeat)
    const what = `that it repeats (${repeat}) is not taken`
    if (rule === null) {
      describe(task, `Repeats: ${repeat}`)
      warnings.push(warningOf(task, `${what}, but kept in its description.`))
    } else {
      task.recurrence = rule.rule
      const left = rule.left.join(', ')
      if (left !== '') warnings.push(warningOf(task, `${left} of how it repeats is not taken.`))
    }
  }
  // Triggers of alarms, one a line or after a comma.
  task.reminders = get('reminder')
    .split(/[\s,]+/)
    .map((trigger) => trigger.replace(/^TRIGGER:/i, ''))
    .filter((trigger) => trigger !== '')
    .slice(0, mostReminders)
}

/** How many reminders of a task are looked at. */
const mostReminders = 20

/** The rule without what only TickTick knows; null: it is another calendar, or another way to repeat. */
function ruleOf(text: string): { rule: string; left: string[] } | null {
  const [, rule] = /^(?:RRULE:)?(FREQ=.*)$/i.exec(text) ?? []
  const parts = rule?.split(';').filter((part) => part !== '')
  if (parts === undefined) return null
  const isOwn = (part: string) => /^(TT_|X-)/i.test(part)
  const own = parts.filter((part) => !isOwn(part))
  return { rule: own.join(';'), left: parts.filter(isOwn) }
}

/** An instant, which is a day, or a time, only in its zone: that of the backup is UTC. */
function readDue(warnings: Found['warnings'], task: FoundTask, get: Get, fallback: string): void {
  const [start, due] = [get('start date').trim(), get('due date').trim()]
  const text = due || start
  if (text === '') return
  const named = get('timezone').trim()
  const own = zoneOf(named)
  if (named !== '' && own === null) {
    warnings.push(warningOf(task, `its time zone (${named}) is not known: ${fallback} is taken.`))
  }
  // A day that is written as one is that everywhere.
  const clock = clockOf(text, null, null) ?? clockAt(Date.parse(text), own ?? fallback)
  if (clock === null) {
    describe(task, `Due: ${text}`)
    warnings.push(warningOf(task, `its date (${text}) is not taken, but kept in its description.`))
    return
  }
  const isTrue = (column: string) => /^(y|yes|true|1)$/i.test(get(column).trim())
  task.due_date = clock.due_date
  if (!isTrue('is all day')) {
    task.due_time = clock.due_time
    task.time_zone = isTrue('is floating') ? null : clock.time_zone
  }
  if (start !== '' && start !== text) {
    warnings.push(warningOf(task, `when it starts (${start}) is not taken.`))
  }
}

/** The lines of a checklist are tasks under it: ▫ is to be done, ▪ is done. What is before them describes the task. */
function itemsOf(task: FoundTask, content: string): FoundTask[] {
  const [before = '', ...marks] = content.split(/([▫▪])/)
  describe(task, before)
  const items: FoundTask[] = []
  for (let at = 0; at < marks.length; at += 2) {
    const title = (marks[at + 1] ?? '').trim()
    if (title === '') continue
    const key = hash(task.key, String(items.length), title)
    const item = plainTask(key, task.line, title)
    item.list = task.list
    item.parent = task.key
    item.completed = marks[at] === '▪' || task.completed
    item.completed_at = item.completed ? task.completed_at : null
    item.created_at = task.created_at
    items.push(item)
  }
  return items
}
