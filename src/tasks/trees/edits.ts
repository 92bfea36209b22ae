import type { Change } from '../../database/log/together.ts'
import { repeating } from '../recurrence/series.ts'
import type { Parts } from '../rules.ts'
import type { Kept, Task } from '../schema.ts'
import { changeOf, type Fields, isEmpty, nowOf, type Reckon } from './changes.ts'
import { reopening, succeeding } from './course.ts'
import { placeIn } from './places.ts'
import type { Node } from './queries.ts'

// What becomes of a task that is changed, goes to the trash or comes back.

const discarded = (node: Node): Change => ({
  ...changeOf(node, { deleted_at: null }),
  isDiscarded: true,
})

/** To the trash, with all that is under it. */
export const deleting: Reckon = ({ root, nodes }) => (root.deleted ? null : nodes.map(discarded))

/**
 * Back from the trash, with what went there together with it. What was above it may be gone, and what is above it may have moved: it comes
 * back where there is room for it.
 */
export const restoring: Reckon = ({ root, nodes, above, hasList }) => {
  if (!root.deleted) return []
  const parent_id = above === null ? null : root.parent_id
  const list_id = above === null ? (hasList ? root.list_id : null) : above.list_id
  return nodes.map((node, index) =>
    changeOf(node, { deleted_at: null, list_id, ...(index === 0 ? { parent_id } : {}) }),
  )
}

/** A patch that may move the task, complete it with what is under it, or change how it repeats. */
export const patching =
  (patch: Parts['changes']): Reckon =>
  async (tree, context) => {
    const { completed, list_id, parent_id, extra, recurrence, repeat_from, ...fields } = patch
    const { root, nodes, text } = tree
    if (root.deleted) return null
    const place = placeIn(tree, { list_id, parent_id })
    const isMoved = place.list_id !== root.list_id || place.parent_id !== root.parent_id
    const isRuled = recurrence !== undefined || repeat_from !== undefined
    const isTurned = completed !== undefined && completed !== root.completed
    const isDone = isTurned && !root.completed
    const series = isRuled || (root.repeats && isTurned) ? await context.seriesOf(root) : undefined
    if (isRuled && series === undefined) return null
    const kept =
      extra === undefined
        ? {}
        : { extra: merged(text ?? JSON.stringify(series?.task ?? {}), extra) }
    const begins =
      series === undefined || !isRuled
        ? {}
        : await repeating(
            series.task,
            patch,
            nowOf(context, series),
            series.isTaken ? Bun.randomUUIDv7() : root.id,
          )
    const own: Fields = {
      ...fields,
      ...begins,
      ...kept,
      ...(isMoved ? { ...place, position: null } : {}),
    }
    const spot = isMoved ? { spot: 'end' } : {}
    const inList = place.list_id === root.list_id ? {} : { list_id: place.list_id }

    const rest = nodes.slice(1).flatMap((node) => {
      const isDoneToo = completed === true && node.isOpen
      const becomes = { ...inList, ...(isDoneToo ? { completed_at: null } : {}) }
      if (isEmpty(becomes)) return []
      return [changeOf(node, becomes, isDoneToo ? { is_done: true } : {})]
    })
    const [first] = nodes
    if (first === undefined) return rest
    if (series !== undefined && isDone) {
      const after = { ...series.task, ...fields, ...begins, ...kept, ...place } as Task & Kept
      const next = await succeeding(series, after, context)
      return [
        changeOf(first, { ...own, completed_at: null }, { ...spot, is_done: true }),
        ...next,
        ...rest,
      ]
    }
    if (series !== undefined && isTurned && root.repeats) {
      return [...reopening(first, series, own, spot), ...rest]
    }
    const turn = isTurned ? { completed_at: null } : {}
    const becomes = { ...own, ...turn }
    if (isEmpty(becomes)) return rest
    return [
      changeOf(first, becomes, {
        ...spot,
        ...(isDone ? { is_done: true } : {}),
      }),
      ...rest,
    ]
  }

/** What is kept of a task, with what is given: null clears a field. */
function merged(text: string | null, given: Fields): Fields | null {
  const kept: Fields = JSON.parse(text ?? '{}').extra ?? {}
  const fields = Object.entries({ ...kept, ...given }).filter(([, value]) => value !== null)
  return fields.length === 0 ? null : Object.fromEntries(fields)
}
