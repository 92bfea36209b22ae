import type { Db } from '../../database/gate/gate.ts'
import type { Author } from '../../database/log/log.ts'
import { findAnswer } from '../../database/log/once.ts'
import { isLong, type Spot, spotBetween } from '../../database/log/positions.ts'
import { outcomeOf } from '../../database/log/together.ts'
import type { Outcome } from '../../database/log/writes.ts'
import { invalid, Problem } from '../../http/problem.ts'
import type { Move } from '../schema.ts'
import type { Usage } from '../usage/usage.ts'
import { changeOf } from './changes.ts'
import { placeIn, spread, type Target } from './places.ts'
import { type Anchor, readAnchor } from './queries.ts'
import { type Asked, changeTree, noTask } from './trees.ts'

/** To another place: in a list, under a task, before or after another one; to the end where nothing is said. */
export async function moveTask(
  db: Db,
  author: Author,
  asked: Asked,
  { before, after, ...given }: Move,
  usage: Usage,
): Promise<Outcome> {
  const besides = before ?? after
  if (before !== undefined && after !== undefined) {
    throw invalid([{ pointer: '/after', detail: 'is not taken together with before' }])
  }
  if (besides?.toLowerCase() === asked.id.toLowerCase()) {
    throw invalid([{ pointer: before ? '/before' : '/after', detail: 'is the task itself' }])
  }
  // Sent again it is answered as the first time, whatever has become of the other one.
  const earlier = asked.once && (await findAnswer(db, author.user_id, asked.once.key))
  if (earlier) return outcomeOf(earlier, asked.once ?? null)
  const anchor = besides === undefined ? null : await readAnchor(db, author.user_id, besides)
  if (anchor === undefined) throw new Problem(404, noTask)
  if (anchor !== null) refuseOther(anchor, given)
  const target: Target = anchor ?? given
  const spot: Spot =
    anchor === null
      ? { spot: 'end' }
      : before === undefined
        ? spotBetween(anchor.position, anchor.after)
        : spotBetween(anchor.before, anchor.position)

  return changeTree(
    db,
    author,
    asked,
    { usage, targetId: target.parent_id ?? null },
    async (tree, context) => {
      const { root, nodes } = tree
      if (root.deleted) return null
      const place = placeIn(tree, target)
      const isElsewhere = place.list_id !== root.list_id
      const { own, others } =
        anchor !== null && isLong(spot)
          ? await spread(context.db, author.user_id, root.id, anchor, before !== undefined)
          : { own: spot, others: [] }
      const rest = isElsewhere ? nodes.slice(1) : []
      return [
        ...nodes.slice(0, 1).map((node) => changeOf(node, { ...place, position: null }, own)),
        ...rest.map((node) => changeOf(node, { list_id: place.list_id })),
        ...others,
      ]
    },
  )
}

/** @throws Problem 422 where what is beside the task is not where the task shall be */
function refuseOther(anchor: Anchor, given: Target): void {
  for (const name of ['list_id', 'parent_id'] as const) {
    const wanted = given[name]
    if (wanted !== undefined && (wanted?.toLowerCase() ?? null) !== anchor[name]) {
      throw invalid([
        { pointer: `/${name}`, detail: 'is not where the task of before or after is' },
      ])
    }
  }
}
