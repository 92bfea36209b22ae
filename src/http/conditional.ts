/** The ETag of a version (RFC 9110): strong, because two versions of a task never read the same. */
export const etag = (version: number): string => `"${version}"`

/** What a column of type integer holds. */
const lastVersion = 2 ** 31 - 1

/**
 * The versions that an `If-Match` names: null for any, without the header or with `*`. A tag that is weak or no
 * version at all matches nothing.
 */
export function readIfMatch(headers: Headers): number[] | null {
  const header = headers.get('if-match')
  if (header === null || header.trim() === '*') return null
  return Array.from(header.matchAll(/(?<=^|,)\s*"([1-9]\d{0,9})"\s*(?=,|$)/g), ([, digits]) =>
    Number(digits),
  ).filter((version) => version <= lastVersion)
}

/** Whether an `If-None-Match` names this version, so that the client has it already. */
export function isNoneMatch(headers: Headers, version: number): boolean {
  const header = headers.get('if-none-match')
  if (header === null) return false
  return header
    .split(',')
    .some((tag) => ['*', etag(version), `W/${etag(version)}`].includes(tag.trim()))
}
