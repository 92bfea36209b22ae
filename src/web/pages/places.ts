import type { List, Task } from './api.ts'
import { addDays } from './days.ts'
import type { Known } from './store.ts'

/** Where the user is: what is behind # in the address. */
export type Place = 'all' | 'today' | 'inbox' | 'completed' | { list: string }

export type Group = { title: string | null; tasks: Task[] }

export const places = [
  ['all', 'Everything'],
  ['today', 'Today'],
  ['inbox', 'Inbox'],
] as const

export function readPlace(hash: string): Place {
  const name = hash.slice(1)
  if (name.startsWith('list-')) return { list: name.slice('list-'.length) }
  return name === 'today' || name === 'inbox' || name === 'completed' ? name : 'all'
}

export const hashOf = (place: Place): string =>
  typeof place === 'string' ? `#${place}` : `#list-${place.list}`

export const nameOf = (place: Place, { lists }: Known): string =>
  typeof place === 'object'
    ? (lists.get(place.list)?.name ?? 'List')
    : place === 'completed'
      ? 'Completed'
      : (places.find(([name]) => name === place)?.[1] ?? '')

/** Those that are shown, in manual order. */
export const listsOf = ({ lists }: Known): List[] =>
  [...lists.values()]
    .filter(({ deleted_at, archived_at }) => deleted_at === null && archived_at === null)
    .toSorted((one, other) => compare(one.position, other.position))

/** Tasks that are completed and shown. */
const mostCompleted = 200

/** What is shown at a place, or what a search has found, wherever it is. */
export function groupsOf(known: Known, place: Place, search: string, today: string): Group[] {
  const there = [...known.tasks.values()].filter((task) => isThere(task, known))
  const words = fold(search).split(/\s+/).filter(Boolean)
  if (words.length > 0) {
    const found = there.filter((task) => {
      const text = fold([task.title, task.description, ...task.tags].join(' '))
      return words.every((word) => text.includes(word.replace(/^#/, '')))
    })
    return [
      { title: null, tasks: found.filter(({ completed }) => !completed).toSorted(inOrder) },
      { title: 'Completed', tasks: completedOf(found) },
    ].filter(({ tasks }) => tasks.length > 0)
  }
  if (place === 'completed') return [{ title: null, tasks: completedOf(there) }]
  const open = there.filter((task) => !task.completed && isAt(task, place, today))
  return byDay(open.toSorted(inOrder), today)
}

export function countAt(known: Known, place: Place, today: string): number {
  let count = 0
  for (const task of known.tasks.values()) {
    if (!task.completed && isThere(task, known) && isAt(task, place, today)) count += 1
  }
  return count
}

/** Not in the trash, nor in a list that is archived. */
const isThere = ({ deleted_at, list_id }: Task, { lists }: Known): boolean =>
  deleted_at === null && (lists.get(list_id ?? '')?.archived_at ?? null) === null

function isAt({ list_id, due_date }: Task, place: Place, today: string): boolean {
  if (typeof place === 'object') return list_id === place.list
  if (place === 'inbox') return list_id === null
  if (place === 'today') return due_date !== null && due_date <= today
  return true
}

function byDay(tasks: Task[], today: string): Group[] {
  const soon = addDays(today, 7)
  const titleOf = ({ due_date: day }: Task): string => {
    if (day === null) return 'No date'
    if (day < today) return 'Overdue'
    if (day === today) return 'Today'
    if (day === addDays(today, 1)) return 'Tomorrow'
    return day < soon ? 'This week' : 'Later'
  }
  const groups = Map.groupBy(tasks, titleOf)
  // A single heading that says nothing is left out.
  const isPlain = groups.size === 1 && groups.has('No date')
  return [...groups].map(([title, those]) => ({ title: isPlain ? null : title, tasks: those }))
}

const completedOf = (tasks: Task[]): Task[] =>
  tasks
    .filter(({ completed }) => completed)
    .toSorted((one, other) => compare(other.completed_at ?? '', one.completed_at ?? ''))
    .slice(0, mostCompleted)

const weights = { high: 0, medium: 1, low: 2, none: 3 }

/** By day and time, what has none last; then by priority, then by hand. */
const inOrder = (one: Task, other: Task): number =>
  compare(one.due_date ?? '~', other.due_date ?? '~') ||
  compare(one.due_time ?? '~', other.due_time ?? '~') ||
  weights[one.priority] - weights[other.priority] ||
  compare(one.position, other.position) ||
  compare(one.id, other.id)

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** Without case and marks. */
const fold = (text: string): string =>
  text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
