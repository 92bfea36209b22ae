import type { Logger } from 'pino'
import type { MailConfig } from '../config.ts'
import type { Background } from './background.ts'
import { asNobody } from './current.ts'
import { createQueue } from './queue.ts'

export type Mail = {
  kind: 'verify_email' | 'reset_password'
  to: string
  name: string
  url: string
}

/** Has a mail sent, later. Whoever asks does not wait, and does not learn whether it was. */
export type SendMail = (mail: Mail) => void

/** How many milliseconds the receiver has. */
export const patience = 10_000

/** Mails at a time, which is what a provider of mail takes from one client, and that wait. */
const atOnce = 8
const room = 1000

export type MailerOptions = { mail: MailConfig; url: string; background: Background; log: Logger }

export function createMailer({ mail: config, url, background, log }: MailerOptions): SendMail {
  const queue = createQueue(atOnce, room, () => new Error('too many mails are under way'))

  async function deliver(mail: Mail): Promise<void> {
    if (config.by === 'webhook') return post(config.address, mail)
    const { sendBySmtp } = await import('./smtp.ts')
    return sendBySmtp(config, mail, new URL(url).hostname)
  }

  return (mail) =>
    background.run(async () => {
      try {
        await asNobody(() => queue(() => deliver(mail)))
      } catch (error) {
        log.error({ kind: mail.kind, ...reasonOf(error) }, 'a mail was not sent')
      }
    })
}

/** Why a mail was not sent. */
export class Undelivered extends Error {
  readonly more: Record<string, unknown>

  /** @param more what the log may have: neither whom it is for nor what is in it */
  constructor(reason: string, more: Record<string, unknown> = {}) {
    super(reason)
    this.more = more
  }
}

/** What others say of a fault has the address in it. */
function reasonOf(error: unknown): Record<string, unknown> {
  if (error instanceof Undelivered) return { reason: error.message, ...error.more }
  return { reason: error instanceof Error ? error.message : String(error) }
}

/** Whoever is at `address` gets what belongs into the mail as JSON. */
async function post(address: string, mail: Mail): Promise<void> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(mail),
    signal: AbortSignal.timeout(patience),
    redirect: 'error',
  }).catch(() => {
    throw new Undelivered('AUTH_MAIL_WEBHOOK cannot be reached')
  })
  if (!response.ok) {
    throw new Undelivered('AUTH_MAIL_WEBHOOK refused it', { status: response.status })
  }
}
