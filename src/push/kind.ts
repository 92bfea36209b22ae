import type { Gate } from '../database/gate/gate.ts'
import type { createClient } from '../deliveries/client.ts'
import type { Kind } from '../deliveries/courier.ts'
import type { createKeys } from './keys.ts'
import { targets } from './writes.ts'

export type SendingOptions = {
  db: Gate
  keysOf: ReturnType<typeof createKeys>
  /** Who answers for what this server sends, to the push services: mailto: or https:. Null: nothing is sent. */
  subject: string | null
  post: ReturnType<typeof createClient>
}

/** Seconds for which a push service keeps what it cannot deliver: as long as a reminder may be late. */
const keptFor = 86_400

/** How deliveries go to browsers: encrypted for each (RFC 8291), and signed for its push service (RFC 8292). */
export const pushKind = ({ db, keysOf, subject, post }: SendingOptions): Kind => ({
  ...targets,
  gone: [404, 410],
  async send({ id, body }, address) {
    if (subject === null) return { error: 'Web Push is off by now' }
    const { endpoint, ...keys }: Record<'endpoint' | 'p256dh' | 'auth', string> =
      JSON.parse(address)
    const { public_key: publicKey, private_key: privateKey } = await keysOf(db)
    const { default: webPush } = await import('web-push')
    const details = webPush.generateRequestDetails({ endpoint, keys }, body, {
      vapidDetails: { subject, publicKey, privateKey },
      TTL: keptFor,
      urgency: 'high',
      // What is sent again takes the place of what still waits there.
      topic: id.replaceAll('-', ''),
    })
    return post(endpoint, details.headers, details.body ?? '')
  },
})
