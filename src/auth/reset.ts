import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Background } from './background.ts'
import { asNobody } from './current.ts'
import { createQueue } from './queue.ts'

/** Asks Better Auth for the mail to reset a password, as if the address in the body were another one. */
export type AskForReset = (email: string) => Promise<Response>

/** Resets that are seen to at a time, and that wait. */
const atOnce = 32
const room = 96

/**
 * Answers whoever asks for a reset as for an address that nobody has, and sees to the address itself after that. So neither
 * the answer nor its time depends on whether there is an account.
 */
export function createReset(background: Background, log: Logger) {
  const queue = createQueue(atOnce, room, () => new Error('too many resets are under way'))

  return async (email: string, ask: AskForReset): Promise<Response> => {
    // As well formed as the address itself, which Better Auth looks at first.
    const answer = await ask(`${randomUUID()}${email}`)
    if (answer.ok) {
      background.run(async () => {
        try {
          await asNobody(() => queue(() => ask(email)))
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          log.error({ reason }, 'the mail to reset a password was not sent')
        }
      })
    }
    return answer
  }
}
