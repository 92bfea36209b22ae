import { fold } from '../../http/fold.ts'
import { daysBetween, instantsOf, type Today } from './days.ts'
import { nearest } from './fields.ts'
import { most, parseFilter } from './parse.ts'
import {
  type Condition,
  type Filter,
  FilterError,
  leavesOf,
  mapLeaves,
  type Place,
  type Test,
  type Tests,
  type Tree,
} from './tree.ts'

// What a filter means to who asks, where and when.

/** A list of the user. */
export type NamedList = { id: string; name: string }

/** What of the user a filter needs to be known. */
export type Needs = { today: boolean; lists: boolean; filters: string[] }

/** Of which days of instants need the zone too. */
export function needsOf(filter: Filter): Needs {
  const leaves = leavesOf(filter)
  return {
    today: leaves.some(({ is }) => is === 'day' || is === 'overdue'),
    lists: leaves.some(({ is }) => is === 'list'),
    filters: [...new Set(leaves.flatMap((leaf) => (leaf.is === 'saved' ? [leaf.key] : [])))],
  }
}

/**
 * The filter with those that it names in their places.
 * @param kept the texts of those that there are, by their folded names
 * @throws FilterError
 */
export function withKept(filter: Filter, kept: ReadonlyMap<string, string>): Filter {
  const whole = mapLeaves<Condition, Condition>(filter, (leaf) =>
    leaf.is === 'saved' ? readKept(kept.get(leaf.key), leaf.place) : leaf,
  )
  if (leavesOf(whole).length <= most.conditions) return whole
  const [first] = leavesOf(filter).filter((leaf) => leaf.is === 'saved')
  throw new FilterError(
    `With what is kept under these names it has more than ${most.conditions} conditions.`,
    first?.place ?? { at: 0, length: 0 },
  )
}

function readKept(text: string | undefined, place: Place): Filter {
  if (text === undefined) throw new FilterError('You have no filter of this name.', place)
  try {
    const filter = parseFilter(text)
    refuseKept(filter)
    // Whatever is wrong with it is wrong at its name.
    return mapLeaves<Condition, Condition>(filter, (leaf) =>
      leaf.is === 'list' ? { ...leaf, place } : leaf,
    )
  } catch (error) {
    if (error instanceof FilterError) {
      throw new FilterError(`What is kept under this name is no filter: ${error.message}`, place)
    }
    throw error
  }
}

/** @throws FilterError where it names another one: a filter that is kept does not */
export function refuseKept(filter: Filter): void {
  for (const leaf of leavesOf(filter)) {
    if (leaf.is === 'saved') {
      throw new FilterError('A filter that is kept cannot name another one.', leaf.place)
    }
  }
}

/** @throws FilterError where there is no such list */
export const testsOf = (filter: Filter, today: Today, lists: readonly NamedList[]): Tests =>
  mapLeaves<Condition, Test>(filter, (leaf) => testOf(leaf, today, lists))

function testOf(leaf: Condition, today: Today, lists: readonly NamedList[]): Tree<Test> {
  switch (leaf.is) {
    case 'overdue':
      return { all: [{ not: { is: 'completed' } }, overdue(today)] }
    case 'day': {
      const days = daysBetween(leaf.from, leaf.to, today)
      if (days === null) return { is: 'never' }
      const { from, to } = leaf.field === 'due' ? days : instantsOf(days, today.zone)
      return { is: 'between', field: leaf.field, from, to }
    }
    case 'list':
      return { is: 'in', lists: idsOf(leaf, lists) }
    case 'saved':
      throw new FilterError('You have no filter of this name.', leaf.place)
    default:
      return leaf
  }
}

/** Due before today. */
function overdue(today: Today): Test {
  const to = { day: { plus: 0, unit: 'days' }, shift: -1 } as const
  const days = daysBetween(null, to, today)
  return days === null ? { is: 'never' } : { is: 'between', field: 'due', ...days }
}

/** Of all lists that have the name: two can have the same. */
function idsOf(
  { key, id, place }: Extract<Condition, { is: 'list' }>,
  lists: readonly NamedList[],
): string[] {
  const found = lists.filter((list) => list.id === id || fold(list.name) === key)
  if (found.length > 0) return found.map((list) => list.id)
  const near = nearest(
    key,
    lists.map(({ name }) => fold(name)),
  )
  const meant = lists.find(({ name }) => fold(name) === near)
  throw new FilterError(
    meant === undefined
      ? 'You have no list of this name.'
      : `You have no list of this name: did you mean ${meant.name}?`,
    place,
  )
}

/** What must be so of the due date of all that passes, as far as that is plain to see: it bounds what is looked at. */
export function dueOf(tests: Tests): { due_after?: string; due_before?: string } {
  if ('all' in tests) {
    const bounds = tests.all.map(dueOf)
    const after = bounds
      .flatMap(({ due_after = [] }) => due_after)
      .toSorted()
      .at(-1)
    const [before] = bounds.flatMap(({ due_before = [] }) => due_before).toSorted()
    return {
      ...(after === undefined ? {} : { due_after: after }),
      ...(before === undefined ? {} : { due_before: before }),
    }
  }
  if (!('is' in tests) || tests.is !== 'between' || tests.field !== 'due') return {}
  return {
    ...(tests.from === null ? {} : { due_after: tests.from }),
    ...(tests.to === null ? {} : { due_before: tests.to }),
  }
}

/** How often the text of a task may be looked at. */
export const looksOf = (tests: Tests): number =>
  leavesOf(tests).filter(({ is }) => is === 'words').length

/** Whether it is for who may not see all. */
export const isLimited = (tests: Tests): boolean =>
  leavesOf(tests).some(({ is }) => is === 'within')

/** Whether all that passes is in lists that it names: these are asked for, also where they are archived. */
export function namesList(tests: Tests): boolean {
  if ('all' in tests) return tests.all.some(namesList)
  if ('any' in tests) return tests.any.every(namesList)
  return 'is' in tests && tests.is === 'in'
}
