import { type Logger, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { LogLevel } from '../config.ts'
import { type Answered, digest } from './exchange.ts'

/** JSON lines on standard output, or lines for a person where it is a terminal. */
export const createLog = (level: LogLevel): Logger =>
  process.stdout.isTTY
    ? pino({ level }, PinoPretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss', sync: true }))
    : logLines(level)

/** For how many milliseconds lines may wait for others, so that not each of them is written by itself. */
const patience = 100

/** Those that wait are written when they are so many characters, in any case. */
const most = 65_536

/** A warning, and what is worse, is written at once, with what was before it. */
function logLines(level: LogLevel): Logger {
  const output = pino.destination({ dest: 1, sync: true })
  let lines: string[] = []
  let length = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (lines.length > 0) output.write(lines.join(''))
    lines = []
    length = 0
  }
  function write(line: string): void {
    lines.push(line)
    length += line.length
    if (length >= most) flush()
    else timer ??= setTimeout(flush, patience)
  }
  process.on('exit', flush)

  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        logMethod(args, method, number) {
          method.apply(this, args)
          if (number >= warn) flush()
        },
      },
    },
    { write },
  )
}

/** The number of the level, as pino has it. */
const warn = 40

/** How many users' digests are kept at hand. */
const mostDigests = 10_000

/** A line for each answer: never a body, a header, or a value from the path or the query. */
export function logAnswers(log: Logger, key: string): (answered: Answered) => void {
  if (!log.isLevelEnabled('info')) return () => {}
  const digests = new Map<string, string>()
  const digestOf = (userId: string): string => {
    const known = digests.get(userId)
    if (known !== undefined) return known
    if (digests.size >= mostDigests) digests.clear()
    const made = digest(userId, key)
    digests.set(userId, made)
    return made
  }

  // The time of the last line, in milliseconds and as it is written: most often the next one has the same.
  let written = 0
  let time = ''

  // Where pino writes its own lines. It takes twice as long to make one of these from an object.
  const output = (log as unknown as Record<symbol, { write: (line: string) => void }>)[
    pino.symbols.streamSym
  ]
  return ({ method, route, status, milliseconds, exchange: { id, userId, sqlstate } }) => {
    const now = Date.now()
    if (now !== written) [written, time] = [now, new Date(now).toISOString()]
    const ms = Math.round(milliseconds * 100) / 100
    const user = userId === null ? '' : `,"user":"${digestOf(userId)}"`
    const state = sqlstate === null ? '' : `,"sqlstate":${JSON.stringify(sqlstate)}`
    // Of these only the method is the client's own word, and its id is looked at before it is one.
    output?.write(
      `{"level":30,"time":"${time}","method":${JSON.stringify(method)},"route":"${route}","status":${status},` +
        `"ms":${ms},"request_id":"${id}"${user}${state}}\n`,
    )
  }
}
