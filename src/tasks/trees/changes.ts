import type { Db } from '../../database/gate/gate.ts'
import type { Change } from '../../database/log/together.ts'
import { readSeries, type Series } from '../recurrence/queries.ts'
import type { Now } from '../recurrence/series.ts'
import type { Within } from '../within.ts'
import { taskKind } from '../writes.ts'
import type { Node, Root, Tree } from './queries.ts'

// What a change of a task with what is under it is made of.

export type Fields = Record<string, unknown>

/** What a task and what is under it become; null where there is no such task. */
export type Reckon = (tree: Tree, context: Context) => Changes | null | Promise<Changes | null>

/** `isNext`: what comes after the task. */
export type Changes = (Change & { isNext?: boolean })[]

/** What else there is to know. It is read after the tree: what has changed between has another version than that, and is not written. */
export type Context = {
  db: Db
  zone: string | null
  list_ids: Within
  /** Undefined where the task has gone meanwhile. */
  seriesOf: (root: Root) => Promise<Series | undefined>
}

/** Of trees: the series of those that repeat are read together, and those of all if one that does not is asked for. */
export function contextOf(
  db: Db,
  userId: string,
  trees: Tree[],
  { zone, list_ids }: Pick<Context, 'zone' | 'list_ids'>,
): Context {
  const known = new Map<string, Series>()
  const seriesOf: Context['seriesOf'] = async ({ id, repeats }) => {
    if (known.has(id)) return known.get(id)
    const roots = trees.map(({ root }) => root).filter((root) => root.repeats || !repeats)
    for (const one of await readSeries(
      db,
      userId,
      roots.map((root) => root.id),
    )) {
      known.set(one.id, one)
    }
    return known.get(id)
  }
  return { db, zone, list_ids, seriesOf }
}

/** When it is, where the user is. */
export const nowOf = ({ zone }: Context, series: Series): Now => ({
  now: Temporal.Now.instant(),
  zone: series.zone ?? zone,
})

export const changeOf = (
  { id, version }: Pick<Node, 'id' | 'version'>,
  fields: Fields,
  more: object = {},
): Change => ({
  kind: taskKind,
  id,
  version,
  fields,
  isDiscarded: false,
  more,
})

/** A change that changes nothing. */
export const untouched = (node: Pick<Node, 'id' | 'version'>): Change => changeOf(node, {})

export const isEmpty = (fields: Fields): boolean => Object.keys(fields).length === 0
