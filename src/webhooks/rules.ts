import { createHmac } from 'node:crypto'
import { faultOfAddress } from '../deliveries/client.ts'
import { invalid } from '../http/problem.ts'

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

/**
 * The address as browsers write it. Where it leads to a name, that is looked up each time.
 * @param isPrivate whether private addresses are allowed
 * @throws Problem 422
 */
export function addressOf(text: string, isPrivate: boolean): string {
  const fault = faultOfAddress(text, isPrivate)
  if (fault !== null) throw invalid([{ pointer: '/url', detail: fault }])
  return new URL(text).href
}
