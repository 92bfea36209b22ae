import { isIP } from 'node:net'

/**
 * Whom to count a request to: the address of the peer or, behind `hops` proxies, the one that the outermost of them saw.
 * Each adds what it sees to the right of X-Forwarded-For: whatever a client writes there itself stays to the left.
 */
export const addressReader =
  (hops: number) =>
  (request: Request, peer: string | null): string => {
    if (hops === 0) return normalize(peer ?? '')
    const forwarded = (request.headers.get('x-forwarded-for') ?? '').split(',')
    // Fewer than there are proxies: it did not come through all of them.
    return normalize(forwarded.at(-hops)?.trim() || (peer ?? ''))
  }

/** One name for each client: an IPv6 network of 64 bits is one, and an IPv4 address is one however it is written. */
export function normalize(text: string): string {
  const address = text.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  if (isIP(address) === 4) return address
  if (isIP(address) !== 6) return 'unknown'
  const groups = expand(address)
  const [a = 0, b = 0] = groups.slice(6)
  const isMapped = groups.slice(0, 6).join() === '0,0,0,0,0,65535'
  if (isMapped) return [a >> 8, a & 255, b >> 8, b & 255].join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight groups of an IPv6 address. */
function expand(address: string): number[] {
  // The parser of URLs writes every address in one way, in hexadecimal.
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [left = [], right = []] = plain
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))))
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
}

/** What a stranger is counted as. No user has an id like this. */
export const strangerAt = (address: string): string => `\0${address}`
