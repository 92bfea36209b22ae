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
  mostText,
  plainTask,
  type Reader,
  type Source,
  tooMany,
  warningOf,
  zoneOf,
} from './found.ts'
import type { Pace } from './pace.ts'
import { readWhen } from './todoist-dates.ts'

// What Todoist exports: a project as CSV, a backup as an archive of these, and what its API answers.

const unknown =
  'is no export of Todoist: neither CSV with the columns TYPE and CONTENT, nor the JSON of its API with items'

/** `zone`: of whom has no other. */
export const readTodoist: Reader = async (sources, zone, pace) => {
  const found: Found = { lists: [], tasks: [], warnings: [] }
  let isAny = false
  for (const source of sources) {
    const isRead = /^\s*[[{]/.test(source.text)
      ? await readAnswer(found, source.text, zone, pace)
      : await readProject(found, source, pace)
    if (isRead === null || found.tasks.length > mostTasks) return tooMany
    isAny ||= isRead
    if (!isRead) found.warnings.push({ line: null, what: `${source.name} is not a project.` })
  }
  return isAny ? found : unknown
}

/** The inbox has no list, whatever its project is called elsewhere. */
const isInbox = (name: string): boolean => name === '' || /^inbox$/i.test(name)

const keyOf = (...parts: string[]): string => JSON.stringify(parts)

/** A task that is found, and how deep it is. */
type Above = { task: FoundTask; depth: number }

/** A project has a name only where its file has. Null: there is too much in it. */
async function readProject(
  found: Found,
  { name: project, text }: Source,
  pace: Pace,
): Promise<boolean | null> {
  const table = await readTable(text, ['type', 'content'], pace)
  if (table === null) return false
  if (table.isCut) return null
  const { lists, tasks, warnings } = found
  if (table.unclosed !== null) {
    warnings.push({ line: table.unclosed, what: 'A quotation mark is opened and never closed.' })
  }
  const projectKey = isInbox(project) ? null : keyOf('project', project)
  if (projectKey !== null) lists.push({ key: projectKey, name: project, is_archived: false })

  let list = projectKey
  const above: Above[] = []
  const times = new Map<string, number>()
  for (const { line, get } of table.rows) {
    await pace()
    const [type, content] = [get('type').trim().toLowerCase(), get('content')]
    if (type === 'section') {
      above.length = 0
      list = keyOf('section', project, content)
      const name = projectKey === null ? content : `${project} / ${content}`
      lists.push({ key: list, name, is_archived: false })
    } else if (type === 'note') {
      const task = above.at(-1)?.task
      if (task === undefined) {
        warnings.push({ line, what: 'A comment on the project is not taken: a list has none.' })
      } else describe(task, content)
    } else if (type === 'task') {
      const depth = Math.max(1, Number.parseInt(get('indent'), 10) || 1)
      while ((above.at(-1)?.depth ?? 0) >= depth) above.pop()
      const parent = above.at(-1)?.task.key ?? null
      // There are no ids: what is above it, what it says, and how many have said so before.
      const same = keyOf(list ?? '', parent ?? '', content)
      const nth = (times.get(same) ?? 0) + 1
      times.set(same, nth)
      const task = plainTask(`${hash(same)} ${nth}`, line, content)
      Object.assign(task, { list, parent, ...labelsOf(content), description: get('description') })
      task.priority =
        (['none', 'high', 'medium', 'low'] as const)[Number(get('priority'))] ?? 'none'
      readDate(found, task, get)
      for (const [column, what] of unknownColumns) {
        const value = get(column).trim()
        if (value !== '' && value.toLowerCase() !== 'none') {
          warnings.push(warningOf(task, `${what} (${value}) is not taken.`))
        }
      }
      tasks.push(task)
      above.push({ task, depth })
    } else if (type !== 'meta' && type !== '') {
      warnings.push({ line, what: `A line of the type ${type.slice(0, 40)} is not taken.` })
    }
  }
  return true
}

const unknownColumns = [
  ['duration', 'how long it takes'],
  ['responsible', 'who is to do it'],
] as const

/** Labels are words of the title. What has a title of labels alone keeps them. */
function labelsOf(content: string): Pick<FoundTask, 'title' | 'tags'> {
  const tags = Array.from(content.matchAll(/(?<=^|\s)@([^\s@,;]+)/g), ([, tag = '']) => tag)
  const title = plainTitle(content.replaceAll(/(?<=^|\s)@[^\s@,;]+(?=\s|$)/g, ''))
  return { title: title === '' ? content.trim() : title, tags }
}

/** Without the mark of what cannot be ticked off. */
const plainTitle = (content: string): string =>
  content
    .replace(/^\s*\* /, '')
    .replaceAll(/ {2,}/g, ' ')
    .trim()

function readDate(found: Found, task: FoundTask, get: (column: string) => string): void {
  const [date, language] = [get('date').trim(), get('date_lang').trim()]
  const deadline = get('deadline').trim()
  const when = date === '' ? null : readWhen(date)
  const isEnglish = language === '' || language.toLowerCase().startsWith('en')
  if (when !== null && (isEnglish || /^\d/.test(date))) {
    const time_zone = when.due_time === null ? null : zoneOf(get('timezone'))
    Object.assign(task, when, { time_zone })
    // A time is of a day, which a rule without one gets when it is read.
  } else if (date !== '') keep(found, task, `Due: ${date}`, `its date (${date}) is not taken`)

  const last = deadline === '' ? null : readWhen(deadline)
  if (last !== null && date === '' && last.recurrence === null) {
    Object.assign(task, { due_date: last.due_date })
  } else if (deadline !== '') {
    keep(found, task, `Deadline: ${deadline}`, `its deadline (${deadline}) is not taken`)
  }
}

/** What cannot be taken is in the description. */
function keep({ warnings }: Found, task: FoundTask, text: string, what: string): void {
  describe(task, text)
  warnings.push(warningOf(task, `${what}, but kept in its description.`))
}

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null
const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value.slice(0, mostText)
    : typeof value === 'number'
      ? String(value)
      : ''
const isTrue = (value: unknown): boolean => value === true || value === 1

/** An answer of sync, or a page of tasks of the API. */
async function readAnswer(
  found: Found,
  text: string,
  zone: string,
  pace: Pace,
): Promise<boolean | null> {
  const answer = parse(text)
  const page: Json = Array.isArray(answer) ? { items: answer } : isObject(answer) ? answer : {}
  const items = page['items'] ?? page['results'] ?? page['tasks']
  if (!Array.isArray(items)) return false
  if (items.length > mostTasks) return null
  const { lists, tasks } = found

  const names = new Map<string, string>()
  const inOrder = (value: unknown) =>
    objects(value)
      .filter(({ is_deleted }) => !isTrue(is_deleted))
      .toSorted((a, b) => orderOf(a) - orderOf(b))
  for (const project of inOrder(page['projects'])) {
    const [id, name] = [textOf(project['id']), textOf(project['name'])]
    if (isTrue(project['inbox_project']) || isTrue(project['is_inbox_project'])) continue
    names.set(id, name)
    lists.push({ key: keyOf('project', id), name, is_archived: isTrue(project['is_archived']) })
  }
  const sections = new Set<string>()
  for (const section of inOrder(page['sections'])) {
    const [id, name] = [textOf(section['id']), textOf(section['name'])]
    const project = names.get(textOf(section['project_id']))
    sections.add(id)
    const full = project === undefined ? name : `${project} / ${name}`
    lists.push({
      key: keyOf('section', id),
      name: full,
      is_archived: isTrue(section['is_archived']),
    })
  }
  const byId = new Map<string, FoundTask>()
  for (const item of inOrder(items)) {
    await pace()
    const [section, project] = [textOf(item['section_id']), textOf(item['project_id'])]
    const task = taskOf(found, item, zone)
    if (task === null) continue
    task.list = sections.has(section)
      ? keyOf('section', section)
      : names.has(project)
        ? keyOf('project', project)
        : null
    byId.set(task.key, task)
    tasks.push(task)
  }
  for (const note of objects(page['notes'])) {
    await pace()
    const task = byId.get(textOf(note['item_id'] ?? note['task_id']))
    if (task !== undefined && !isTrue(note['is_deleted'])) {
      describe(task, textOf(note['content']))
    }
  }
  return true
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const orderOf = ({ child_order, section_order, order }: Json): number =>
  Number(child_order ?? section_order ?? order) || 0

function taskOf(found: Found, item: Json, zone: string): FoundTask | null {
  const [id, content] = [textOf(item['id']), textOf(item['content'])]
  if (id === '') {
    const what = `An item without an id (${content.slice(0, 60)}) is not taken.`
    found.warnings.push({ line: null, what })
    return null
  }
  const task = plainTask(id, null, plainTitle(content))
  task.parent = textOf(item['parent_id']) || null
  task.description = textOf(item['description'])
  // 4 is the highest here.
  task.priority =
    (['none', 'none', 'low', 'medium', 'high'] as const)[Number(item['priority'])] ?? 'none'
  if (Array.isArray(item['labels'])) task.tags = item['labels'].map(textOf)
  const done = instantOf(Date.parse(textOf(item['completed_at'])))
  task.completed = isTrue(item['checked']) || isTrue(item['is_completed']) || done !== null
  task.completed_at = done
  task.created_at = instantOf(Date.parse(textOf(item['added_at'] ?? item['created_at'])))
  if (isObject(item['due'])) readDue(found, task, item['due'], zone)
  const deadline = isObject(item['deadline']) ? textOf(item['deadline']['date']) : ''
  if (deadline !== '') readDeadline(found, task, deadline)
  if (isObject(item['duration'])) {
    const { amount, unit } = item['duration']
    const what = `how long it takes (${textOf(amount)} ${textOf(unit)}) is not taken.`
    found.warnings.push(warningOf(task, what))
  }
  if (textOf(item['responsible_uid'] ?? item['assignee_id']) !== '') {
    found.warnings.push(warningOf(task, 'who is to do it is not taken.'))
  }
  return task
}

function readDeadline(found: Found, task: FoundTask, deadline: string): void {
  const clock = clockOf(deadline, null, null)
  if (task.due_date === null && task.recurrence === null && clock !== null) {
    Object.assign(task, clock)
  } else keep(found, task, `Deadline: ${deadline}`, `its deadline (${deadline}) is not taken`)
}

/** A day, a time wherever the reader is, or an instant in a zone: all in one field. How it repeats is a sentence. */
function readDue(found: Found, task: FoundTask, due: Json, zone: string): void {
  const [date, sentence] = [textOf(due['date']), textOf(due['string'])]
  const clock = clockIn(date || textOf(due['datetime']), zoneOf(textOf(due['timezone'])), zone)
  if (clock === null)
    keep(found, task, `Due: ${sentence || date}`, `its date (${date}) is not taken`)
  Object.assign(task, clock)
  if (!isTrue(due['is_recurring'])) return
  const language = textOf(due['lang'])
  const when = language === '' || language.startsWith('en') ? readWhen(sentence) : null
  if (when?.recurrence == null || clock === null) {
    if (clock !== null)
      keep(found, task, `Repeats: ${sentence}`, `that it repeats (${sentence}) is not taken`)
    return
  }
  task.repeat_from = when.repeat_from
  task.recurrence = onItsDay(when.recurrence, task)
}

function clockIn(text: string, own: string | null, zone: string) {
  const [, date = '', time = null, isInstant] =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z)?)?$/.exec(text) ?? []
  return isInstant === undefined ? clockOf(date, time, own) : clockAt(Date.parse(text), own ?? zone)
}

/** Every month on the 31st is at the end of each, which a plain rule would skip where it is shorter. */
function onItsDay(rule: string, { due_date, repeat_from }: FoundTask): string {
  const [, month, day = 0] = due_date?.split('-').map(Number) ?? []
  const isPlain = !/BY/.test(rule) && repeat_from === 'due'
  if (isPlain && rule.startsWith('FREQ=MONTHLY') && day > 28) {
    const all = day === 31 ? '-1' : day === 30 ? '28,29,30;BYSETPOS=-1' : '28,29;BYSETPOS=-1'
    return insertDays(rule, `BYMONTHDAY=${all}`)
  }
  if (isPlain && rule.startsWith('FREQ=YEARLY') && month === 2 && day === 29) {
    return insertDays(rule, 'BYMONTH=2;BYMONTHDAY=-1')
  }
  return rule
}

const insertDays = (rule: string, days: string): string =>
  rule.replace(/(;UNTIL=.*)?$/, (until) => `;${days}${until}`)
