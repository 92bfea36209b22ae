import type { Kept, NewTask, Task, TaskPatch } from './schema.ts'

// How many bytes a write adds to the JSON of a task.

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** With room for the name, and for the spaces that PostgreSQL writes. */
const bytesOfExtra = ({ extra }: Kept): number =>
  extra === undefined ? 0 : 10 + Buffer.byteLength(JSON.stringify(extra, null, 1))

const instant = '2026-11-20T22:36:42.123456+00:00'

/** The longest that a task can be but for its texts and its owner. */
const frame = bytesOf({
  id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  user_id: '',
  list_id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  parent_id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  position: 'i00000002a',
  title: '',
  description: '',
  completed: false,
  completed_at: null,
  priority: 'medium',
  tags: [],
  due_date: '2026-12-01',
  due_time: '18:30:00',
  time_zone: null,
  recurrence: '',
  repeat_from: 'completion',
  series_id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  occurrence: '2026-12-01',
  reminders: [],
  version: 1,
  created_at: instant,
  updated_at: instant,
  deleted_at: null,
})

/** The most that a new task can have. */
export const sizeOf = (userId: string, task: NewTask & Kept): number =>
  frame +
  bytesOf([userId, task.title, task.description, task.tags, task.time_zone]) +
  bytesOf([task.recurrence, task.reminders]) +
  bytesOfExtra(task) +
  (task.completed ? instant.length : 0)

/** The fields that can be long. What the others add to a task, its instants and numbers, is not worth a refusal. */
const texts = ['title', 'description', 'tags', 'time_zone', 'recurrence', 'reminders'] as const

const textsIn = (patch: TaskPatch) => texts.filter((name) => patch[name] !== undefined)

/** The most that a change can add, which is all the text in it; 0: there is none. */
export const sizeOfTexts = (patch: TaskPatch & Kept): number =>
  textsIn(patch).reduce((sum, name) => sum + bytesOf(patch[name]), bytesOfExtra(patch))

/** What a change of this task adds: less than nothing where it becomes shorter. */
export const growthOf = (task: Task & Kept, patch: TaskPatch & Kept): number =>
  textsIn(patch).reduce(
    (sum, name) => sum + bytesOf(patch[name]) - bytesOf(task[name]),
    patch.extra === undefined
      ? 0
      : bytesOfExtra({ extra: { ...task.extra, ...patch.extra } }) - bytesOfExtra(task),
  )
