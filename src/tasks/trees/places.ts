import type { Db } from '../../database/gate/gate.ts'
import { isLong, type Spot, spotsBetween } from '../../database/log/positions.ts'
import type { Change } from '../../database/log/together.ts'
import { invalid, Problem } from '../../http/problem.ts'
import { noParent } from '../schema.ts'
import { changeOf } from './changes.ts'
import { type Anchor, type Node, readAround, type Tree } from './queries.ts'

// Where a task can be, and room for it there.

/** Where a task shall be: what is absent stays, but that in another list it is under nothing. */
export type Target = { list_id?: string | null | undefined; parent_id?: string | null | undefined }

/** @throws Problem 404, 422 where there is no such place */
export function placeIn({ root, nodes, target }: Tree, { list_id, parent_id }: Target) {
  if (parent_id == null) {
    const list = list_id === undefined ? root.list_id : (list_id?.toLowerCase() ?? null)
    const stays = parent_id === undefined && list === root.list_id
    return { list_id: list, parent_id: stays ? root.parent_id : null }
  }
  const parent = parent_id.toLowerCase()
  if (nodes.some(({ id }) => id === parent)) {
    throw invalid([{ pointer: '/parent_id', detail: 'is the task itself, or under it' }])
  }
  if (target === null) throw new Problem(404, noParent.detail)
  if (list_id !== undefined && (list_id?.toLowerCase() ?? null) !== target.list_id) {
    throw invalid([{ pointer: '/list_id', detail: 'is not the list of the parent' }])
  }
  return { list_id: target.list_id, parent_id: parent }
}

/** How many on either side of a place are looked at: as many as it takes to find room. */
const windows = [50, 250, 900]

/** New positions of those around a place that has become narrow, and of the task that is to be there. */
export async function spread(
  db: Db,
  userId: string,
  id: string,
  { list_id, position }: Anchor,
  isBefore: boolean,
): Promise<{ own: Spot; others: Change[] }> {
  let wide: { own: Spot; others: Change[] } = { own: { spot: 'end' }, others: [] }
  for (const many of windows) {
    const found = await readAround(db, userId, list_id, position, many)
    const around = found.filter((task) => task.id !== id)
    const at = around.findIndex((task) =>
      isBefore ? task.position >= position : task.position > position,
    )
    const after = at === -1 ? [] : around.slice(at)
    // Those up to the end all go there, one after the other.
    if (after.length < many - 1) {
      return { own: { spot: 'end' }, others: after.map((task) => replaced(task, { spot: 'end' })) }
    }
    // The outermost ones stay where they are.
    const inner = around.slice(1, -1)
    const spots = spotsBetween(
      around[0]?.position ?? null,
      around.at(-1)?.position ?? null,
      inner.length + 1,
    )
    const [own = { spot: 'end' }] = spots.splice(at - 1, 1)
    wide = { own, others: inner.flatMap((task, index) => replaced(task, spots[index] ?? own)) }
    if (![own, ...spots].some(isLong)) break
  }
  return wide
}

const replaced = (task: Pick<Node, 'id' | 'version'>, spot: Spot): Change =>
  changeOf(task, { position: null }, spot)
