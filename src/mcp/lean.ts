// What is said to a model, which reads every word: what is empty is left out, and what is long is cut.

/** What is read of a task of the API. */
export type Task = {
  id: string
  title: string
  description: string | null
  completed: boolean
  priority: string
  tags: string[]
  due_date: string | null
  due_time: string | null
  time_zone: string | null
  list_id: string | null
  parent_id: string | null
  recurrence: string | null
  reminders: string[]
  version: number
  [other: string]: unknown
}

/** The names of lists by their ids. */
export type ListNames = ReadonlyMap<string, string>

/** The most of a description in a list, in characters. */
const most = 80

export const cut = (text: string, length = most): string =>
  text.length > length ? `${text.slice(0, length - 1).trimEnd()}…`.toWellFormed() : text

/** Without what is empty, or not so. */
export const lean = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([, one]) =>
        one !== null &&
        one !== undefined &&
        one !== false &&
        !(Array.isArray(one) && one.length === 0),
    ),
  )

/** What one decides by, in the order in which one reads it. */
const shared = (task: Task, lists: ListNames) => ({
  completed: task.completed,
  due_date: task.due_date,
  due_time: task.due_time?.replace(/:00$/, ''),
  time_zone: task.time_zone,
  priority: task.priority === 'none' ? null : task.priority,
  tags: task.tags,
  list: task.list_id && (lists.get(task.list_id) ?? task.list_id),
  parent_id: task.parent_id,
  recurrence: task.recurrence,
})

/** A task among others. */
export const short = (task: Task, lists: ListNames): Record<string, unknown> =>
  lean({
    id: task.id,
    title: task.title,
    ...shared(task, lists),
    description: task.description && cut(task.description),
    deleted: task['deleted_at'] !== null,
  })

/** A task by itself. */
export const whole = (task: Task, lists: ListNames): Record<string, unknown> => {
  const { id, title, description, completed, reminders } = task
  const { completed_at, created_at, updated_at, deleted_at } = task
  return {
    ...lean({ id, title, ...shared(task, lists), description, reminders }),
    completed,
    ...lean({ completed_at, created_at, updated_at, deleted_at }),
  }
}

/** What became of a task. */
export const outcome = (status: string, task: Task, lists: ListNames): Record<string, unknown> => {
  const { id, title, description: _description, deleted: _deleted, ...rest } = short(task, lists)
  const { completed, ...others } = rest
  return {
    task_id: id,
    status,
    title,
    ...lean({ completed: completed && status !== 'completed' }),
    ...others,
  }
}
