import type { List } from '../../src/lists/schema.ts'
import type { Task } from '../../src/tasks/schema.ts'

// Things as they are in a file of somebody who moves out.

export const instant = (day: number): string =>
  `2026-01-${String(day).padStart(2, '0')}T00:00:00.000001+00:00`

export const listOf = (user_id: string, more: Partial<List> = {}): List => ({
  id: crypto.randomUUID(),
  user_id,
  name: 'Home ü',
  color: '#3366cc',
  archived_at: null,
  position: 'i00000002a',
  version: 3,
  created_at: instant(1),
  updated_at: instant(3),
  deleted_at: null,
  ...more,
})

export const taskOf = (user_id: string, more: Partial<Task> = {}): Task => ({
  id: crypto.randomUUID(),
  user_id,
  list_id: null,
  parent_id: null,
  position: 'i00000002b',
  title: 'A task',
  description: null,
  completed: false,
  completed_at: null,
  priority: 'none',
  tags: [],
  due_date: null,
  due_time: null,
  time_zone: null,
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
  reminders: [],
  version: 2,
  created_at: instant(1),
  updated_at: instant(2),
  deleted_at: null,
  ...more,
})

export const linesOf = (lines: object[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')
