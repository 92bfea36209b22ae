import type postgres from 'postgres'
import type { Fault } from '../http/problem.ts'
import { placeConstraints, taskConstraints } from '../tasks/schema.ts'
import { describe } from './lines.ts'

/** What the database refuses, to who has a file. */
export function describeRefusal({ constraint_name, column_name, message }: postgres.PostgresError) {
  const known = constraint_name ? meanings[constraint_name] : undefined
  const field = column_name ? `${column_name}: ` : ''
  return describe(known) ?? `${field}the database refuses it (${message.replaceAll(/\s+/g, ' ')})`
}

const noList = { pointer: '/list_id', detail: 'is not the id of a list that is there' }
const noParent = { pointer: '/parent_id', detail: 'is not the id of a task that is there' }

/** What the checks of the database mean to who has a file. */
const meanings: Record<string, Fault | undefined> = {
  ...taskConstraints,
  tasks_list: noList,
  tasks_list_there: noList,
  tasks_parent: noParent,
  tasks_parent_there: noParent,
  tasks_parent_list: placeConstraints.tasks_parent_list,
  tasks_circle: placeConstraints.tasks_circle,
  tasks_depth: placeConstraints.tasks_depth,
  tasks_subtasks: placeConstraints.tasks_subtasks,
  filters_by_name: { pointer: '/name', detail: 'is that of another filter' },
  lists_count: { pointer: '', detail: 'is one list more than the 500 that a user may have' },
  lists_empty: { pointer: '', detail: 'has tasks that are not in the trash' },
}
