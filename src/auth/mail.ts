import type { Logger } from 'pino'

export type Mail = { kind: 'reset_password'; to: string; name: string; url: string }

/** How many milliseconds the receiver has. */
const patience = 10_000

/** Has a mail sent by whoever is at `address`, which gets what belongs into it as JSON. */
export async function requestMail(address: string, mail: Mail, log: Logger): Promise<void> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(mail),
      signal: AbortSignal.timeout(patience),
      redirect: 'error',
    })
    if (!response.ok) log.error({ status: response.status }, 'AUTH_MAIL_WEBHOOK refused a mail')
  } catch {
    log.error('AUTH_MAIL_WEBHOOK cannot be reached')
  }
}
