import { type ClientOptions, createClient } from '../deliveries/client.ts'
import type { Kind } from '../deliveries/courier.ts'
import { signed } from './rules.ts'
import { webhookTargets } from './writes.ts'

/** How deliveries get to webhooks. Somebody who is gone says so by a 410. */
export function webhookKind(options: ClientOptions): Kind {
  const post = createClient(options)
  return {
    ...webhookTargets,
    gone: [410],
    send: (delivery, address) => {
      const { url, secrets }: { url: string; secrets: string[] } = JSON.parse(address)
      const headers = {
        ...signed(delivery, secrets),
        'content-type': 'application/json',
        'user-agent': 'Docket',
      }
      return post(url, headers, delivery.body)
    },
  }
}
