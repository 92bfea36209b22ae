/**
 * Says whether an origin is one of those that are listed. A pattern, https://*.example.com, stands for every name under
 * that one, however deep, as in Better Auth's `trustedOrigins`: config.ts lets no other through.
 */
export function originMatcher(listed: readonly string[]): (origin: string | null) => boolean {
  const exact = new Set(listed.filter((origin) => !isPattern(origin)))
  const patterns = listed.filter(isPattern).map((pattern) => {
    const [scheme = '', rest = ''] = pattern.split('*.')
    return { scheme, end: `.${rest}` }
  })
  return (origin) =>
    origin !== null &&
    (exact.has(origin) ||
      patterns.some(
        ({ scheme, end }) =>
          origin.startsWith(scheme) &&
          origin.endsWith(end) &&
          names.test(origin.slice(scheme.length, -end.length)),
      ))
}

const isPattern = (origin: string): boolean => origin.includes('*')

/** Names in a host, as a browser writes them. */
const names = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

/** Where a browser can be sent: the first that is one and not many. */
export const firstOrigin = (listed: readonly string[]): string | undefined =>
  listed.find((origin) => !isPattern(origin))
