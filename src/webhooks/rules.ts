import { createHmac } from 'node:crypto'
import { isPublic, literalOf } from '../deliveries/client.ts'
import { type Fault, invalid } from '../http/problem.ts'

/** Before the text of a secret. (Standard Webhooks.) */
const prefix = 'whsec_'

export const writeSecret = (bytes: Uint8Array): string =>
  prefix + Buffer.from(bytes).toString('base64')

/** As many bytes as the hash has. */
export const makeSecret = (): Buffer => Buffer.from(crypto.getRandomValues(new Uint8Array(32)))

/**
 * What a receiver verifies by Standard Webhooks: that the body came from here, just now, under this id. While a secret is rotated both sign.
 * @param secrets in Base64
 */
export function signed(
  { id, body }: { id: string; body: string },
  secrets: readonly string[],
  seconds = Math.floor(Date.now() / 1000),
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', Buffer.from(secret, 'base64'))
    return `v1,${hmac.update(`${id}.${seconds}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
}

/** What stands in an address when it is written as RFC 3986 has it. */
const plain = /^[\w.~:/?[\]@!$&'()*+,;=%-]*$/

/**
 * The address as browsers write it. Where it leads to a name, that is looked up each time.
 * @param isPrivate whether private addresses are allowed
 * @throws Problem 422
 */
export function addressOf(text: string, isPrivate: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const fault = url === null ? 'must be a URL' : faultOf(url, isPrivate)
  if (url === null || fault !== null) throw invalid([{ pointer: '/url', detail: fault } as Fault])
  return url.href
}

function faultOf(url: URL, isPrivate: boolean): string | null {
  const isSecure = url.protocol === 'https:'
  if (!isSecure && !(isPrivate && url.protocol === 'http:')) {
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
