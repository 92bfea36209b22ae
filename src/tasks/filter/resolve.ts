import type { Sql } from '../../database/connect.ts'
import type { Db } from '../../database/gate/gate.ts'
import type { Fragment } from '../../database/log/log.ts'
import { timeZoneOf } from '../../http/formats.ts'
import { invalid, Problem } from '../../http/problem.ts'
import type { ListQuery } from '../rules.ts'
import type { TaskListQuery } from '../schema.ts'
import { isWithin } from '../within.ts'
import type { Caller } from '../within-lists.ts'
import { conditionOf } from './condition.ts'
import { type Today, todayIn } from './days.ts'
import { type NamedList, needsOf, refuseKept, testsOf, withKept } from './meaning.ts'
import { parseFilter } from './parse.ts'
import { findKnown } from './queries.ts'
import {
  type Condition,
  type Filter,
  FilterError,
  mapLeaves,
  type Test,
  type Tests,
} from './tree.ts'

/**
 * A query with what its filter means to the user now. Today is where the user is, else where the header `Time-Zone` says.
 * @throws Problem 422
 */
export async function meantBy(
  db: Db,
  caller: Caller,
  { filter: text, ...query }: TaskListQuery,
  headers: Headers,
): Promise<ListQuery> {
  const within = caller.list_ids === null ? [] : [{ is: 'within', lists: caller.list_ids } as const]
  if (text === undefined || text.trim() === '') {
    const [filter] = within
    return filter === undefined ? query : { ...query, filter }
  }
  const zone = readZone(headers)
  try {
    const { filter, today, lists } = await whereFrom(db, caller, text, zone, query.deleted ?? false)
    const tests = testsOf(filter, today, lists)
    return { ...query, filter: within.length === 0 ? tests : { all: [tests, ...within] } }
  } catch (error) {
    throw error instanceof FilterError ? toProblem(error) : error
  }
}

/**
 * A filter with what of the user it needs to be known.
 * @throws FilterError
 */
async function whereFrom(
  db: Db,
  caller: Caller,
  text: string,
  zone: string | null,
  deleted: boolean,
): Promise<{ filter: Filter; today: Today; lists: NamedList[] }> {
  const filter = parseFilter(text)
  const needs = needsOf(filter)
  const isPlain = !needs.today && !needs.lists && needs.filters.length === 0
  if (isPlain) return { filter, today: todayIn('UTC'), lists: [] }

  const known = await findKnown(db, caller.id, needs, deleted)
  // Other lists are not there, and filters that are kept may name them.
  const filters = caller.list_ids === null ? known.filters : []
  const lists = known.lists.filter(({ id }) => isWithin(caller, id))
  const kept = new Map(filters.map(({ key, filter: one }) => [key, one]))
  const today = todayIn(known.time_zone ?? zone ?? 'UTC')
  return { filter: withKept(filter, kept), today, lists }
}

/** What a filter that is kept elsewhere means now, as a condition of the row `t`. Nothing is in a list that is not there any more. */
export async function conditionNow(
  db: Db,
  userId: string,
  text: string,
): Promise<(sql: Sql) => Fragment> {
  const { filter, today, lists } = await whereFrom(
    db,
    { id: userId, list_ids: null },
    text,
    null,
    true,
  )
  const tests = mapLeaves<Condition, Test>(filter, (leaf) => {
    try {
      return testsOf(leaf, today, lists)
    } catch (error) {
      if (error instanceof FilterError) return { is: 'never' }
      throw error
    }
  })
  return (sql) => conditionOf(sql, tests)
}

/** @throws Problem 422 where a text is no filter that can be kept */
export function checkFilter(text: string): void {
  try {
    refuseKept(parseFilter(text))
  } catch (error) {
    throw error instanceof FilterError ? toProblem(error) : error
  }
}

/** @throws Problem 422 where a text is no filter, or names a list or a filter that the user has not */
export async function checkMeaning(db: Db, userId: string, text: string): Promise<void> {
  // White space alone is one only where it may be left out.
  if (text.trim() === '') checkFilter(text)
  await meantBy(db, { id: userId, list_ids: null }, { filter: text }, new Headers())
}

const toProblem = ({ message, at, length }: FilterError): Problem =>
  new Problem(422, `filter: ${message}`, {
    errors: [{ pointer: '/filter', detail: message, at, length }],
  })

/** What the header says. @throws Problem 422 */
export function readZone(headers: Headers): string | null {
  const given = headers.get('time-zone')
  if (given === null || given === '') return null
  const zone = timeZoneOf(given)
  if (zone === null) {
    throw invalid([
      {
        pointer: '/Time-Zone',
        detail: 'must be a time zone of the IANA database, such as Europe/Berlin, or UTC',
      },
    ])
  }
  return zone
}

/** Where the user is; null: nobody has said. @param zone what the request says */
export async function zoneOf(db: Db, userId: string, zone: string | null): Promise<string | null> {
  const { time_zone } = await findKnown(db, userId, noNeeds, false)
  return time_zone ?? zone
}

/** What day it is where the user is, else where the header `Time-Zone` says. @throws Problem 422 */
export const todayOf = async (db: Db, userId: string, headers: Headers): Promise<Today> =>
  todayIn((await zoneOf(db, userId, readZone(headers))) ?? 'UTC')

const noNeeds = { today: true, lists: false, filters: [] }

/** Of what a filter means: another one is another list, though nothing has changed. */
export const markOf = (filter: Tests | undefined): string | null =>
  filter === undefined ? null : Bun.hash(JSON.stringify(filter)).toString(36)
