/** The ETag of a version (RFC 9110): strong, because two versions of a task never read the same. */
export const etag = (version: number): string => `"${version}"`

/**
 * The ETag of a list, from the number of its user's last change: weak, as it changes with whatever else of the user's does.
 * @param mark in small letters and digits, of a list that changes with something else too
 */
export const listTag = (seq: number, mark: string | null = null): string =>
  `W/"${seq}${mark === null ? '' : `.f${mark}`}"`

/** What a column of type integer holds. */
const lastVersion = 2 ** 31 - 1

/**
 * A tag of ours, also as a proxy gives it on that compresses: made weak, or with the name of the encoding at its end, as "1-gzip"
 * (Apache, Caddy), "1--gzip" (Jetty), "1;gzip", "1:br". It is of the same version, which is all that our tags say.
 */
const ownTag =
  /^(?:W\/)?"(0|[1-9]\d{0,15})(?:\.f([0-9a-z]+))?(?:[-;:+._/]{1,2}(?:gzip|x-gzip|br|zstd|deflate|df|compress|identity))?"$/i

/** Null for any, without the header or with `*`. What is no tag of ours matches none. */
function readTags(header: string | null, mark: string | null = null): number[] | null {
  if (header === null || header.trim() === '*') return null
  return header.split(',').flatMap((tag) => {
    const [, number, ownMark = null] = ownTag.exec(tag.trim()) ?? []
    return number === undefined || ownMark !== mark ? [] : [Number(number)]
  })
}

/** The versions that an `If-Match` names: null for any, without the header or with `*`. */
export const readIfMatch = (headers: Headers): number[] | null =>
  readTags(headers.get('if-match'))?.filter((version) => version >= 1 && version <= lastVersion) ??
  null

/** Whether an `If-None-Match` names this version or number, so that the client has it already. */
export function isNoneMatch(headers: Headers, number: number, mark: string | null = null): boolean {
  const header = headers.get('if-none-match')
  return header !== null && (readTags(header, mark)?.includes(number) ?? true)
}

/**
 * Says of which number a list is: only once the database has answered, for which there is a deadline.
 * @param reading what the numbers are of; null: nobody knows
 */
export const tagger =
  (
    set: { headers: Record<string, unknown> },
    reading: Promise<string | null>,
    mark: string | null = null,
  ) =>
  async (seq: number): Promise<void> => {
    const epoch = await reading
    if (epoch !== null) set.headers['docket-epoch'] = epoch
    set.headers['etag'] = listTag(seq, mark)
  }
