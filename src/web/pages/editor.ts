import type { Task, TaskPatch } from './api.ts'
import { today } from './days.ts'
import { make, part } from './dom.ts'
import { listsOf } from './places.ts'
import { ruleOf, sayRule } from './rules.ts'
import type { Known } from './store.ts'

const dialog = part('editor', HTMLDialogElement)
const form = part('editor-form', HTMLFormElement)

/** What can be chosen, as the API takes it. */
const repeats = [
  ['', 'Never'],
  ['daily', 'Every day'],
  ['weekdays', 'Every weekday'],
  ['weekly', 'Every week'],
  ['biweekly', 'Every two weeks'],
  ['monthly', 'Every month'],
  ['yearly', 'Every year'],
] as const

export type EditorOptions = {
  onSave: (task: Task, patch: TaskPatch) => void
  onDelete: (task: Task) => void
  /** In whatever way. */
  onClose: (task: Task) => void
}

/** The dialog in which a task is changed. */
export function createEditor({ onSave, onDelete, onClose }: EditorOptions) {
  let task: Task | null = null

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const patch = task === null ? {} : read(task)
    // First, so that the focus is back where it was when that is drawn anew.
    dialog.close()
    if (task !== null && Object.keys(patch).length > 0) onSave(task, patch)
  })
  part('editor-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close())
  part('editor-delete', HTMLButtonElement).addEventListener('click', () => {
    dialog.close()
    if (task !== null) onDelete(task)
  })
  dialog.addEventListener('close', () => {
    if (task !== null) onClose(task)
  })
  // A click on what is around it.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })

  return {
    open(opened: Task, known: Known): void {
      task = opened
      fill(opened, known)
      dialog.showModal()
    },
  }
}

type Fields =
  | 'title'
  | 'description'
  | 'due_date'
  | 'due_time'
  | 'recurrence'
  | 'priority'
  | 'list_id'
  | 'tags'

const field = (name: Fields): HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement =>
  form.elements.namedItem(name) as HTMLInputElement

/** What they had at first: not everything can be shown as it is, a comma in a tag for one, and what is not touched stays. */
const filled = new Map<Fields, string>()
const isTouched = (name: Fields): boolean => field(name).value !== filled.get(name)

function fill(task: Task, known: Known): void {
  const { recurrence } = task
  const rule = repeats.find(([word]) => ruleOf(word || null) === recurrence)
  const own = rule === undefined && recurrence !== null ? [['same', sayRule(recurrence)]] : []
  choose('recurrence', [...repeats, ...own], rule?.[0] ?? 'same')
  const lists = listsOf(known).map(({ id, name }) => [id, name])
  choose('list_id', [['', 'Inbox'], ...lists], task.list_id ?? '')
  field('title').value = task.title
  field('description').value = task.description ?? ''
  field('due_date').value = task.due_date ?? ''
  field('due_time').value = task.due_time?.slice(0, 5) ?? ''
  field('priority').value = task.priority
  field('tags').value = task.tags.join(', ')
  // A subtask is where the task above it is, and repeats with it.
  for (const name of ['list_id', 'recurrence'] as const)
    field(name).disabled = task.parent_id !== null
  for (const name of ['title', 'description', 'list_id', 'tags'] as const)
    filled.set(name, field(name).value)
}

function choose(name: Fields, options: readonly (readonly string[])[], value: string): void {
  const select = field(name)
  select.replaceChildren(
    ...options.map(([key = '', text = '']) => make('option', { value: key }, text)),
  )
  select.value = value
}

/** What is different from what the task is. */
function read(task: Task): TaskPatch {
  const title = field('title').value.trim()
  const description = field('description').value || null
  const repeat = field('recurrence').value
  const isSame = repeat === 'same' || ruleOf(repeat || null) === task.recurrence
  const due_date = field('due_date').value || (isSame || repeat === '' ? null : today())
  const due_time = due_date === null ? null : field('due_time').value || null
  // What is nothing without them goes with the time and the day.
  const time_zone = due_time === null ? null : task.time_zone
  const reminders =
    due_date === null ? task.reminders.filter((one) => !/^-?P/.test(one)) : task.reminders
  const priority = field('priority').value as Task['priority']
  const list_id = field('list_id').value || null
  const tags = field('tags')
    .value.split(',')
    .map((tag) => tag.trim().replace(/^#/, ''))
    .filter((tag) => tag !== '')
  return {
    ...(isTouched('title') && title !== '' ? { title } : {}),
    ...(isTouched('description') ? { description } : {}),
    ...(due_date === task.due_date ? {} : { due_date }),
    ...(due_time === (task.due_time?.slice(0, 5) ?? null) ? {} : { due_time }),
    ...(time_zone === task.time_zone ? {} : { time_zone }),
    ...(reminders.length === task.reminders.length ? {} : { reminders }),
    // Without a day there is nothing to repeat.
    ...(isSame && due_date !== null ? {} : repeatOf(task, due_date === null ? '' : repeat)),
    ...(priority === task.priority ? {} : { priority }),
    ...(isTouched('list_id') ? { list_id } : {}),
    ...(isTouched('tags') ? { tags } : {}),
  }
}

function repeatOf(task: Task, repeat: string): Pick<TaskPatch, 'recurrence'> {
  if (repeat !== '') return { recurrence: repeat }
  return task.recurrence === null ? {} : { recurrence: null }
}
