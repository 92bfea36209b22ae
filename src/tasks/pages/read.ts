import { Unavailable } from '../../database/gate/faults.ts'
import type { Db } from '../../database/gate/gate.ts'
import { fold } from '../../http/fold.ts'
import { overloaded } from '../../http/problem.ts'
import { dueOf, isLimited, looksOf, namesList } from '../filter/meaning.ts'
import type { Tests } from '../filter/tree.ts'
import { type ListQuery, noDate, type Order, orderOf, type Position } from '../rules.ts'
import {
  firstStride,
  hasArchives,
  isDeep,
  learnArchives,
  learnFew,
  learnScope,
  learnWeight,
  nextStride,
  scopeOf,
  weightOf,
} from './known.ts'
import { createPage, type Page } from './page.ts'
import {
  type Filters,
  foldedWords,
  readSlice,
  readStride,
  type Span,
  type Stride,
  wordsOf,
} from './statements.ts'

/** Milliseconds after which a page ends with what was found. */
const patience = 1500

/** What is asked for, as the statements have it. */
type List = {
  order: Order
  deleted: boolean
  filters: Filters
  hasFilters: boolean
  inList: boolean
  underOne: boolean
  withSubtasks: boolean
  tests?: Tests
}

/** Where a statement looks: in a span, from its beginning or after a position. */
type Place = { span: Span; from: Position | null }

/**
 * One page of a list, read in slices, between which others have their turn. It may be short of the limit, and even empty, and
 * have a next one all the same: when its tasks are long, or to find them takes long. `seq` is the number of the user's last change.
 */
export async function readPage(
  db: Db,
  userId: string,
  query: ListQuery,
  after: Position | null,
  limit: number,
): Promise<Page & { seq: number }> {
  let list = listOf(query)
  // Without filters nobody looks for lists that are archived, until there are some.
  const isOpen = !list.hasFilters && leavesOut(query)
  if (isOpen && hasArchives(userId)) list = withoutArchives(list)
  const { weight, isLong: isHeavy } = weightOf(userId)
  const page = createPage(list.order, limit, weight)
  const began = performance.now()
  let scope = scopeOf(userId, list.deleted)
  // With a filter nobody knows what a task costs: each list finds out for itself.
  if (list.tests !== undefined) scope = { ...scope, reach: firstStride(looksIn(list)) }
  const skipped = await skip(
    db,
    userId,
    list,
    beginning(list, after),
    after?.skip ?? query.offset ?? 0,
  )
  /** Of the first statement: what has changed since may be in what is found later, or not. */
  let seq = 0
  const end = (rest: Position | null) => ({ ...page.end(rest), seq })
  // A cursor says something of the task that it is after: who may not see that goes on after the last one that was found.
  const endAt = (rest: Position) => {
    if (list.tests === undefined || !isLimited(list.tests)) return end(rest)
    if (page.weight() === null) throw overloaded()
    return end(page.last())
  }
  if (skipped === null) return end(null)
  if (skipped.left > 0) return endAt({ ...cursorOf(skipped.place), skip: skipped.left })
  let { place } = skipped
  const isWhole = place.from === null

  for (let isFirst = true; ; isFirst = false) {
    const size = page.room()
    const isLong = !isFirst || isHeavy || (hasWords(list) && isDeep(scope))
    const ask = { user_id: userId, size, ...scope, ...list.filters, ...place.from, isLong }
    const asked = readSlice(db, shapeOf(list, place), ask)
    const slice = await (isFirst ? asked : orNothing(asked))
    if (slice === undefined) return isFirst ? end(null) : endAt(cursorOf(place))

    if (isOpen && slice.archives) {
      learnArchives(userId)
      return readPage(db, userId, query, after, limit)
    }
    if (isFirst) seq = Number(slice.seq ?? 0)
    page.add(slice)
    // With what is under them they are no measure of the others.
    if (isFirst && !list.withSubtasks) learnWeight(userId, page.weight())
    const isPart = isFiltered(list) && scope.reach !== null
    if (list.tests !== undefined) {
      scope = { ...scope, reach: nextStride(scope.reach ?? 0, slice.took, looksIn(list)) }
    } else if (isFiltered(list)) scope = learnScope(userId, scope, slice.took)
    const next = page.isFull()
      ? null
      : slice.count >= size
        ? { ...place, from: page.last() }
        : beyond(list, place, slice)
    if (next === null) {
      // By due dates not all of them are looked at; and whoever had few may have many by now.
      const isAll = isFirst && isWhole && list.order.sort !== 'due_date'
      if (isAll && isPart && !page.isFull()) learnFew(userId, list.deleted)
      return end(null)
    }
    if (performance.now() - began > patience) return endAt(cursorOf(next))
    place = next
  }
}

/**
 * The place after so many tasks of a list, and how many are left to skip where there was no more time for it; null: the list is
 * at its end.
 */
async function skip(
  db: Db,
  userId: string,
  list: List,
  start: Place,
  offset: number,
): Promise<{ place: Place; left: number } | null> {
  const began = performance.now()
  let reach = firstStride(looksIn(list))
  let place = start
  let left = offset

  for (let isFirst = true; left > 0; isFirst = false) {
    const ask = { user_id: userId, size: left, reach, ...list.filters, ...place.from }
    const asked = readStride(db, shapeOf(list, place), { ...ask, isLong: !isFirst })
    const stride = await (isFirst ? asked : orNothing(asked))
    if (stride === undefined) return { place, left }
    left -= stride.count
    const next = beyond(list, place, stride)
    if (next === null) return null
    place = next
    reach = nextStride(reach, stride.took, looksIn(list))
    if (performance.now() - began > patience) break
  }
  return { place, left }
}

/** How many tasks a list has. It takes as many statements as it needs, in their turn, for as long as a request may. */
export async function countTasks(db: Db, userId: string, query: ListQuery): Promise<number> {
  const { due, list: listId, parent } = query
  const { due_after, due_before } = dueBounds(query)
  const isDue = due !== undefined || due_after !== undefined || due_before !== undefined
  // By their due dates no others are looked at.
  const sort = isDue
    ? 'due_date'
    : listId !== undefined && (parent ?? 'none') === 'none'
      ? 'position'
      : 'created_at'
  const asked = listOf({ ...query, sort, order: 'asc' })
  const list = !asked.hasFilters && leavesOut(query) ? withoutArchives(asked) : asked
  let reach = firstStride(looksIn(list))
  let count = 0

  for (let place: Place | null = beginning(list, null); place !== null; ) {
    const isLong = place.from !== null
    const ask = { user_id: userId, size: null, reach, ...list.filters, ...place.from, isLong }
    const stride: Stride | undefined = await readStride(db, shapeOf(list, place), ask)
    if (stride === undefined) break
    count += stride.count
    place = beyond(list, place, stride)
    reach = nextStride(reach, stride.took, looksIn(list))
  }
  return count
}

/** Nothing where the database has no time for it: what was found until then is an answer. */
const orNothing = <T>(found: Promise<T>): Promise<T | undefined> =>
  found.catch((error: unknown) => {
    if (error instanceof Unavailable) return undefined
    throw error
  })

function listOf(query: ListQuery): List {
  const { status, priority, tag, due, q, deleted = false, filter, parent } = query
  const { due_after, due_before } = dueBounds(query)
  const filters: Filters = {
    ...(status === undefined || status === 'all' ? {} : { completed: status === 'completed' }),
    ...(priority === undefined ? {} : { priority }),
    ...(tag === undefined ? {} : { tag: tag.map(fold) }),
    ...(due_after === undefined ? {} : { due_after }),
    ...(due_before === undefined ? {} : { due_before }),
    ...(due === undefined ? {} : { undated: true }),
    ...(parent === undefined ? {} : parent === 'none' ? { top: true } : { parent }),
  }
  const order = orderOf(query)
  const withSubtasks = query.include !== undefined
  if (withSubtasks && parent === undefined) filters.top = true
  const listed = listedIn(query)
  const underOne = filters.parent !== undefined && order.sort !== 'updated_at'
  const inList = listed !== undefined && order.sort === 'position' && !underOne
  // By their last change others are looked at too: those in the trash, or those that are not.
  const isOpen = Object.keys(filters).length === 0 && order.sort !== 'updated_at'
  const isInList = listed === undefined || inList
  const hasFilters = filter !== undefined || !isOpen || !isInList
  const shape = { order, deleted, hasFilters, inList, underOne, withSubtasks }
  if (listed !== undefined) filters.list = listed
  if (hasFilters && leavesOut(query)) filters.unarchived = true
  if (filter === undefined) return { ...shape, filters: { ...filters, ...wordsOf(q) } }
  // Words are one more condition then.
  const words = foldedWords(q).map((word): Tests => ({ is: 'words', in: 'text', words: word }))
  const tests = words.length === 0 ? filter : { all: [filter, ...words] }
  return { ...shape, filters, tests }
}

/** The list that is asked for, as the order by position has it. */
const listedIn = ({ list }: ListQuery): string | undefined =>
  list === 'none' ? '' : list?.toLowerCase()

/** Whether tasks of lists that are archived are to be left out: unless they are asked for, and in the trash. */
const leavesOut = ({
  list,
  parent = 'none',
  archived = false,
  deleted = false,
  filter,
}: ListQuery) =>
  list === undefined &&
  parent === 'none' &&
  !archived &&
  !deleted &&
  !(filter !== undefined && namesList(filter))

const withoutArchives = (list: List): List => ({
  ...list,
  hasFilters: true,
  filters: { ...list.filters, unarchived: true },
})

/** Those that are asked for, and those that the filter has. */
function dueBounds({ due_after, due_before, filter }: ListQuery) {
  if (filter === undefined) return { due_after, due_before }
  const bounds = dueOf(filter)
  return {
    due_after: [due_after, bounds.due_after]
      .filter((day) => day !== undefined)
      .toSorted()
      .at(-1),
    due_before: [due_before, bounds.due_before].filter((day) => day !== undefined).toSorted()[0],
  }
}

const hasWords = ({ filters }: List): boolean => filters.word !== undefined

/** How often the text of each task is looked at: of a long one that takes its time. */
const looksIn = (list: List): number =>
  list.tests === undefined ? Number(hasWords(list)) : looksOf(list.tests)

const isFiltered = (list: List): boolean => list.hasFilters || hasWords(list)

const shapeOf = (list: List, { span, from }: Place) => ({
  order: list.order,
  deleted: list.deleted,
  hasFilters: list.hasFilters,
  inList: list.inList,
  underOne: list.underOne,
  withSubtasks: list.withSubtasks,
  hasWords: hasWords(list),
  span,
  isNext: from !== null,
  ...(list.tests === undefined ? {} : { tests: list.tests }),
})

/** A task without a date comes last, whichever way the list goes. Backwards the index has it first: so there are two spans. */
const isSplit = ({ sort, direction }: Order): boolean => sort === 'due_date' && direction === 'desc'

function beginning({ order, filters }: List, after: Position | null): Place {
  const from = after === null ? null : { key: after.key, id: after.id }
  // In this order they are together. With a bound there are none.
  const isUndated = filters.undated === true && order.sort === 'due_date' && !isBounded(filters)
  if (isUndated) return { span: 'undated', from }
  if (!isSplit(order)) return { span: 'all', from }
  return { span: after?.key === noDate ? 'undated' : 'dated', from }
}

const isBounded = ({ due_after, due_before }: Filters): boolean =>
  due_after !== undefined || due_before !== undefined

/** Where to look after a slice that found fewer than it was to find; null: that was all. */
function beyond({ filters }: List, { span }: Place, { key, id }: Stride): Place | null {
  if (key !== null && id !== null) return { span, from: { key, id } }
  return span === 'dated' && !isBounded(filters) ? { span: 'undated', from: null } : null
}

/** Before the first without a date, when the list goes backwards. */
const beforeUndated = { key: noDate, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

const cursorOf = ({ from }: Place): Position => from ?? beforeUndated
