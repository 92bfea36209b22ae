import { invalid, type Problem } from './problem.ts'

// What the server gave is taken back: what is read-only may be sent as it was answered.

type Fields = Record<string, unknown>

/**
 * What a patch changes, and what it sends back that only the server changes.
 * @throws Problem 422 where it is a patch of something else, or of something of another user
 */
export function partsOf<T extends { id?: string; user_id?: string }, Name extends string>(
  patch: T,
  isOfCourse: (name: string) => name is Name,
  userId: string,
  ownId: string,
): {
  changes: Omit<T, 'id' | 'user_id' | Name>
  course: Partial<Pick<T, Name & keyof T>> | null
} {
  const { id = ownId, user_id, ...fields } = patch
  refuseOthers(userId, user_id)
  if (id.toLowerCase() !== ownId.toLowerCase()) throw invalid([readOnly('id')])
  const of = (isCourse: boolean): Fields =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => isOfCourse(name) === isCourse))
  const course = of(true)
  // They have what is left of the patch.
  return {
    changes: of(false) as Omit<T, 'id' | 'user_id' | Name>,
    course: Object.keys(course).length === 0 ? null : (course as Partial<Pick<T, Name & keyof T>>),
  }
}

/** @throws Problem 422 for a user_id that is not the caller's */
export function refuseOthers(userId: string, user_id = userId): void {
  if (user_id !== userId) throw invalid([{ pointer: '/user_id', detail: 'is not your own id' }])
}

const readOnly = (name: string) => ({
  pointer: `/${name}`,
  detail: 'cannot be changed: leave it out, or send it back as it is',
})

/** The problem of a patch that has other values than there are in fields that only the server changes. */
export function notAsItIs(course: Fields, row: Fields): Problem {
  const names = Object.keys(course)
  const others = names.filter((name) => course[name] !== row[name])
  // It may have changed to these meanwhile.
  return invalid((others.length > 0 ? others : names).map(readOnly))
}
