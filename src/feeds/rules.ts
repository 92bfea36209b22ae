import { createHash } from 'node:crypto'

/** The token in the last part of an address; null: there cannot be one. */
export const tokenIn = (name: string): string | null => /^([\w-]{43})\.ics$/.exec(name)?.[1] ?? null

/** Of a text, as a number that an ETag takes. */
export const tagOf = (text: string): number =>
  createHash('sha256').update(text).digest().readUIntBE(0, 6)

/** What a feed shows, as it is in the database. */
type Place = {
  name: string
  list_id: string | null
  list_is_there: boolean
  list_is_archived: boolean
}

/** What a calendar is called that shows nothing, for what its feed shows is not there; null: it is. */
export function absence({ name, list_id, list_is_there, list_is_archived }: Place): string | null {
  if (list_id === null) return null
  if (!list_is_there) return `${name} (its list is in the trash)`
  return list_is_archived ? `${name} (its list is archived)` : null
}

/** The same, for a filter that means nothing any more. */
export const withoutFilter = (name: string): string => `${name} (its filter is no longer valid)`
