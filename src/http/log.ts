import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { LogLevel } from '../config.ts'
import { type Answered, digest } from './exchange.ts'

/** JSON lines on standard output, or lines for a person where it is a terminal. */
export const createLog = (level: LogLevel): Logger =>
  process.stdout.isTTY
    ? pino({ level }, PinoPretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }))
    : pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })

/** A line for each answer: never a body, a header, or a value from the path or the query. */
export function logAnswers(log: Logger, key: string): (answered: Answered) => void {
  if (!log.isLevelEnabled('info')) return () => {}
  return ({ method, route, status, milliseconds, exchange: { id, userId, sqlstate } }) => {
    log.info({
      method,
      route,
      status,
      ms: Math.round(milliseconds * 100) / 100,
      request_id: id,
      ...(userId === null ? {} : { user: digest(userId, key) }),
      ...(sqlstate === null ? {} : { sqlstate }),
    })
  }
}
