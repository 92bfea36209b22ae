import type { Author } from '../database/log/log.ts'
import { exchangeOf } from '../http/exchange.ts'
import type { Identity } from './identity.ts'

/** What the log says of who did something: how they were signed in, and their name, or that of their program. */
const kinds = {
  token: 'jwt',
  session: 'session',
  session_cache: 'session',
  access_token: 'token',
  program: 'program',
} as const

/** Who changes something by this request. */
export const authorOf = (
  { id, by, name, program }: Identity,
  request: Request,
): Author & { request_id: string } => ({
  user_id: id,
  actor: JSON.stringify({ kind: kinds[by], name: program ?? name }),
  request_id: exchangeOf(request).id,
})
