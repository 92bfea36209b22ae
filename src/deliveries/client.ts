import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { BlockList, isIP } from 'node:net'

// Sends to addresses that users have written, and to none that only this machine can reach.

/** What is not the internet. (The special-purpose registries of IANA.) */
const reserved = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  reserved.addSubnet(network, bits, 'ipv4')
}
// Of what is global in IPv6: what leads back to IPv4, or nowhere.
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const) {
  reserved.addSubnet(network, bits, 'ipv6')
}
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is one of the internet. Of IPv6 only what is global can be. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !reserved.check(address, 'ipv4')
  return isIP(address) === 6 && global6.check(address, 'ipv6') && !reserved.check(address, 'ipv6')
}

/** The address that stands in a URL; null: a name does. */
export function literalOf({ hostname }: URL): string | null {
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? null : host
}

/** What stands in an address when it is written as RFC 3986 has it. */
const plain = /^[\w.~:/?[\]@!$&'()*+,;=%-]*$/

/** What is wrong with an address that a user has written, as the rest of a sentence; null: nothing. A name is looked up each time. */
export function faultOfAddress(text: string, isPrivate: boolean): string | null {
  const url = URL.parse(text)
  if (url === null) return 'must be a URL'
  if (url.protocol !== 'https:' && !(isPrivate && url.protocol === 'http:')) {
    return isPrivate ? 'must begin with https:// or http://' : 'must begin with https://'
  }
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password in it'
  if (url.hash !== '') return 'must not have a fragment'
  if (!plain.test(url.href)) return 'must have its signs percent-encoded'
  const literal = literalOf(url)
  if (literal !== null && !isPrivate && !isPublic(literal)) {
    return 'must lead to an address of the internet, and not of a private network'
  }
  return null
}

export type ClientOptions = {
  /** Whether it may be sent to private addresses too, and then also by http://. */
  isPrivate: boolean
  /** Milliseconds for all of it. */
  patience?: number
  /** As that of node:dns, which is asked by default. */
  lookup?: typeof lookUp
  /** Which authorities are trusted, as PEM, if not those that everybody trusts. */
  ca?: string
}

/** What was answered; or why there is no answer, in words that say nothing of the network here. */
export type Sent = { status: number } | { error: string }

/** Bytes of an answer after which nobody listens. */
const enough = 4096

const refused = 'the address is not one of the internet'

/**
 * Sends a POST. No redirect is followed, no proxy of the environment is asked. Every address of a name has to be allowed, as it was found
 * for this very connection: there is no second look-up that could find another one. `fetch` would not let us say so.
 */
export const createClient =
  ({ isPrivate, patience = 10_000, lookup = lookUp, ca }: ClientOptions) =>
  async (
    address: string,
    headers: Record<string, string>,
    body: string | Buffer,
  ): Promise<Sent> => {
    if (!URL.canParse(address)) return { error: 'the address is none' }
    const url = new URL(address)
    if (url.protocol !== 'https:' && !(isPrivate && url.protocol === 'http:')) {
      return { error: 'the address is not one of https://' }
    }
    const isAllowed = (found: string) => isPrivate || isPublic(found)
    // Nobody looks this one up.
    const literal = literalOf(url)
    if (literal !== null && !isAllowed(literal)) return { error: refused }

    const lookUpAllowed = (
      name: string,
      options: object,
      done: (error: Error | null, found?: unknown, family?: number) => void,
    ): void =>
      lookup(name, { ...options, all: true }, (error, found: LookupAddress[]) => {
        const [first] = found ?? []
        if (error !== null || first === undefined) return done(error ?? new Error('ENOTFOUND'))
        if (!found.every((one) => isAllowed(one.address))) return done(new Error(refused))
        if ('all' in options && options.all === true) done(null, found)
        else done(null, first.address, first.family)
      })

    const { promise, resolve } = Promise.withResolvers<Sent>()
    const request = url.protocol === 'https:' ? requestSecure : requestPlain
    const signal = AbortSignal.timeout(patience)
    const sent = request(
      url,
      {
        method: 'POST',
        // A connection of its own: one that is kept was looked up for somebody else.
        agent: false,
        lookup: lookUpAllowed as never,
        signal,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        const status = response.statusCode ?? 0
        whenOver(response, () => resolve({ status }))
      },
    )
    signal.addEventListener('abort', () => resolve({ error: tooSlow }), { once: true })
    sent.on('error', (error) => resolve({ error: signal.aborted ? tooSlow : wordsFor(error) }))
    sent.end(body)
    return promise
  }

/** Reads an answer to its end, or as far as anybody listens. */
function whenOver(response: IncomingMessage, over: () => void): void {
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > enough) response.destroy()
  })
  response.on('close', over)
  // It was answered: what is missing of its body, nobody needs.
  response.on('error', over)
}

const tooSlow = 'there was no answer in time'

function wordsFor(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  const known = words.find(([pattern]) => pattern.test(`${code} ${error.message}`))
  return known?.[1] ?? 'the connection failed'
}

const words: [RegExp, string][] = [
  [/not one of the internet/, refused],
  [/ENOTFOUND|EAI_/, 'the name was not found'],
  [/ECONNREFUSED|ConnectionRefused/, 'the connection was refused'],
  [/CERT|SSL|TLS|certificate|altname|self.signed/i, 'the certificate is not to be trusted'],
  [/TIMEOUT|ABORT/i, tooSlow],
]
