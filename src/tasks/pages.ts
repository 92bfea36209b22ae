import { Unavailable } from '../database/faults.ts'
import type { Db } from '../database/gate.ts'
import { fold } from '../http/fold.ts'
import { isDeep, learnFew, learnScope, learnWeight, scopeOf, weightOf } from './known.ts'
import { type Filters, type Slice, type Span, sliceOf, wordsOf } from './list-statements.ts'
import { createPage, type Page } from './page.ts'
import { noDate, type Order, orderOf, type Position } from './rules.ts'
import type { TaskListQuery } from './schema.ts'

/** Milliseconds after which a page ends with what was found. */
const patience = 1500

/** What is asked for, as the statements have it. */
type List = { order: Order; deleted: boolean; filters: Filters; hasFilters: boolean }

/** Where a statement looks: in a span, from its beginning or after a position. */
type Place = { span: Span; from: Position | null }

/**
 * One page of a list, read in slices, between which others have their turn. It may be short of the limit, and even empty, and
 * have a next one all the same: when its tasks are long, or to find them takes long.
 */
export async function readPage(
  db: Db,
  userId: string,
  query: TaskListQuery,
  after: Position | null,
  limit: number,
): Promise<Page> {
  const list = listOf(query)
  const { weight, isLong: isHeavy } = weightOf(userId)
  const page = createPage(list.order, limit, weight)
  const began = performance.now()
  let scope = scopeOf(userId, list.deleted)
  let place = beginning(list, after)

  for (let isFirst = true; ; isFirst = false) {
    const size = page.room()
    const isLong = !isFirst || isHeavy || (hasWords(list) && isDeep(scope))
    const ask = { user_id: userId, size, ...scope, ...list.filters, ...place.from, isLong }
    const asked = db.share(sliceOf(shapeOf(list, place)), ask)
    const slice = await (isFirst ? asked : orNothing(asked))
    if (slice === undefined) return page.end(isFirst ? null : cursorOf(place))

    page.add(slice)
    if (isFirst) learnWeight(userId, page.weight())
    const isBounded = isFiltered(list) && scope.reach !== null
    if (isFiltered(list)) scope = learnScope(userId, scope, slice.took)
    const next = page.isFull()
      ? null
      : slice.count >= size
        ? { ...place, from: page.last() }
        : beyond(list, place, slice)
    if (next === null) {
      // By due dates not all of them are looked at; and whoever had few may have many by now.
      const isAll = isFirst && after === null && list.order.sort !== 'due_date'
      if (isAll && isBounded && !page.isFull()) learnFew(userId, list.deleted)
      return page.end(null)
    }
    if (performance.now() - began > patience) return page.end(cursorOf(next))
    place = next
  }
}

/** Nothing where the database has no time for it: what was found until then is an answer. */
const orNothing = (slice: Promise<Slice | undefined>): Promise<Slice | undefined> =>
  slice.catch((error: unknown) => {
    if (error instanceof Unavailable) return undefined
    throw error
  })

function listOf(query: TaskListQuery): List {
  const { status, priority, tag, due_after, due_before, q, deleted = false } = query
  const filters = {
    ...(status === undefined || status === 'all' ? {} : { completed: status === 'completed' }),
    ...(priority === undefined ? {} : { priority }),
    ...(tag === undefined ? {} : { tag: tag.map(fold) }),
    ...(due_after === undefined ? {} : { due_after }),
    ...(due_before === undefined ? {} : { due_before }),
  }
  const hasFilters = Object.keys(filters).length > 0
  return { order: orderOf(query), deleted, filters: { ...filters, ...wordsOf(q) }, hasFilters }
}

const hasWords = ({ filters }: List): boolean => filters.word !== undefined

const isFiltered = (list: List): boolean => list.hasFilters || hasWords(list)

const shapeOf = (list: List, { span, from }: Place) => ({
  order: list.order,
  deleted: list.deleted,
  hasFilters: list.hasFilters,
  hasWords: hasWords(list),
  span,
  isNext: from !== null,
})

/** A task without a date comes last, whichever way the list goes. Backwards the index has it first: so there are two spans. */
const isSplit = ({ sort, direction }: Order): boolean => sort === 'due_date' && direction === 'desc'

function beginning({ order }: List, after: Position | null): Place {
  if (!isSplit(order)) return { span: 'all', from: after }
  return { span: after?.key === noDate ? 'undated' : 'dated', from: after }
}

/** Where to look after a slice that found fewer than it was to find; null: that was all. */
function beyond({ filters }: List, { span }: Place, { key, id }: Slice): Place | null {
  if (key !== null && id !== null) return { span, from: { key, id } }
  const isDue = filters.due_after !== undefined || filters.due_before !== undefined
  return span === 'dated' && !isDue ? { span: 'undated', from: null } : null
}

/** Before the first without a date, when the list goes backwards. */
const beforeUndated = { key: noDate, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

const cursorOf = ({ from }: Place): Position => from ?? beforeUndated
