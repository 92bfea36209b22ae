import type { Change } from '../database/log/together.ts'
import { Problem } from '../http/problem.ts'

/** The lists that a credential is for; null: all, and the inbox. */
export type Within = readonly string[] | null

type Limited = { list_ids: Within }

export const isWithin = ({ list_ids }: Limited, list: string | null): boolean =>
  list_ids === null || (list !== null && list_ids.includes(list))

/**
 * What is above a task decides where it goes, and that may be elsewhere since it was looked at, or since the task went to the trash.
 * @throws Problem 403
 */
export function refuseLeaving(limited: Limited, changes: readonly Change[]): void {
  const leaves = changes.some(
    ({ fields: { list_id: list } }) =>
      list !== undefined && !isWithin(limited, list as string | null),
  )
  if (!leaves) return
  throw new Problem(
    403,
    'This token is for some lists only, and a task would be in none of them after that.',
    { code: 'insufficient_scope' },
  )
}
