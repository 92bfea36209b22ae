import { readAnswer } from './answer.ts'
import type { Engine } from './engine.ts'
import { answer as countAnswer } from './interrupts.ts'
import type { FromEngine } from './messages.ts'
import {
  type Bytes,
  fatalError,
  frame,
  frameLength,
  join,
  kind,
  opening,
  readInt32,
  simpleQuery,
} from './protocol.ts'

export type Session = {
  /** Takes what came on a stream. Bytes of an unfinished message wait for the rest of it. */
  receive: (stream: number, bytes: Bytes) => Promise<void>
  /** The stream is gone. */
  forget: (stream: number) => void
  /** Whether nobody is in a transaction, nor between the parts of a query. */
  idle: () => boolean
}

const notSupported = Uint8Array.of(0x4e) // 'N', the answer to a request for encryption.

// Brings the one session into the state of a new one, whatever its last user left it in.
const reset = join([frame('S'), simpleQuery('rollback'), simpleQuery('discard all')])

// PGlite cannot wait for the data of COPY … FROM STDIN: it dies. This message, sent after everything
// that can begin a COPY, makes the COPY fail; where there is none, PostgreSQL ignores it.
const noCopy = frame('f', 'The embedded database takes no data by COPY FROM STDIN.\0')

const unitEnds = new Set<number | undefined>([kind.query, kind.sync, kind.flush])
const copyStarts = new Set<number | undefined>([kind.query, kind.execute])
const nothing = new Uint8Array(0)

/** PostgreSQL's side of the wire over the one session that the engine has: one client at a time. */
export function createSession(engine: Engine, post: (message: FromEngine) => void): Session {
  const unfinished = new Map<number, Bytes>()
  let current: number | undefined
  let idle = true

  function send(stream: number, bytes: Bytes, isWhole = false) {
    if (isWhole) countAnswer(engine.interrupts)
    post({ type: 'data', stream, bytes, isWhole })
  }

  function hangUp(stream: number) {
    forget(stream)
    post({ type: 'end', stream })
    return nothing
  }

  function forget(stream: number) {
    unfinished.delete(stream)
    if (stream === current) current = undefined
  }

  async function receive(stream: number, bytes: Bytes) {
    const before = unfinished.get(stream) ?? nothing
    let rest = before.length === 0 ? bytes : join([before, bytes])
    if (stream !== current) rest = await greet(stream, rest)
    if (stream === current) rest = await serve(stream, rest)
    if (rest.length > 0) unfinished.set(stream, rest)
    else unfinished.delete(stream)
  }

  /** Answers what comes before the first query. Returns what it did not use. */
  async function greet(stream: number, bytes: Bytes): Promise<Bytes> {
    let rest = bytes
    while (rest.length >= 8 && rest.length >= readInt32(rest, 0)) {
      const packet = rest.slice(0, readInt32(rest, 0))
      rest = rest.subarray(packet.length)
      const code = readInt32(packet, 4)
      if (code === opening.cancel) return hangUp(stream)
      if (code === opening.ssl || code === opening.gss) {
        send(stream, notSupported.slice())
        continue
      }
      if (current !== undefined) {
        send(stream, fatalError('53300', 'The embedded database serves one connection at a time.'))
        return hangUp(stream)
      }
      await engine.run(reset)
      current = stream
      send(stream, await engine.run(packet), true)
      return rest
    }
    return rest
  }

  /** Runs what is complete up to a Query, Sync or Flush. Returns the rest. */
  async function serve(stream: number, bytes: Bytes): Promise<Bytes> {
    let unit: Uint8Array[] = []
    let from = 0
    let at = 0
    for (let length = frameLength(bytes, at); length; length = frameLength(bytes, at)) {
      const type = bytes[at]
      if (type === kind.terminate) return hangUp(stream)
      unit.push(bytes.subarray(at, at + length))
      at += length
      if (copyStarts.has(type)) unit.push(noCopy)
      if (!unitEnds.has(type)) continue
      const answer = readAnswer(await engine.run(join(unit)))
      idle = answer.idle
      if (answer.bytes.length > 0) send(stream, answer.bytes, answer.isReady)
      unit = []
      from = at
    }
    return bytes.slice(from)
  }

  return { receive, forget, idle: () => idle }
}
