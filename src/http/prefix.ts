/**
 * Reads what a proxy cuts off the path: BASE_PATH or, without one, what the `hops` proxies in front say of it. Each adds its own
 * to X-Forwarded-Prefix; what a client writes there is to the left of that, or else changes nothing but its own answer.
 */
export function prefixReader(basePath: string, hops: number): (headers: Headers) => string {
  if (basePath !== '' || hops === 0) return () => basePath
  return (headers) => {
    const forwarded = headers.get('x-forwarded-prefix')
    if (forwarded === null) return ''
    const prefix = forwarded
      .split(',')
      .slice(-hops)
      .map((part) => part.trim().replace(/\/$/, ''))
      .join('')
    return isPrefix.test(prefix) ? prefix : ''
  }
}

/**
 * Reads where the client of a request has reached us: the address that is configured, else what the request says of its host and, by
 * the `hops` proxies in front, of its scheme.
 * @param prefix what a proxy cuts off the path
 */
export const baseReader =
  (configured: string | null, hops: number) =>
  ({ headers }: Request, prefix: string): string => {
    if (configured !== null) return configured
    const forwarded = hops === 0 ? null : headers.get('x-forwarded-proto')
    const [said = ''] = (forwarded ?? '').split(',').slice(-hops)
    const scheme = said.trim().toLowerCase() === 'https' ? 'https' : 'http'
    return `${scheme}://${headers.get('host') ?? 'localhost'}${prefix}`
  }

/** Segments of plain characters, none of them `.` or `..`: never another host, never up. */
const isPrefix = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/
