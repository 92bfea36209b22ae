import type { Duplex } from 'node:stream'
import {
  allowance,
  announce,
  answers,
  type Interrupts,
  stop as interrupt,
  isAwaited,
  lastNumber,
  numberOf,
  type Work,
} from './interrupts.ts'
import type { FromEngine, ToEngine, Upkeep } from './messages.ts'
import { opening, readInt32 } from './protocol.ts'
import { createStream } from './stream.ts'

/**
 * Starts the engine in a thread of its own, so that a long query never blocks this one. Rejects when
 * the cluster cannot be opened.
 */
export async function startWorker(
  cluster: string,
  buffers: number,
  upkeep: Upkeep,
  onFailure: (error: Error) => void,
) {
  const worker = new Worker(new URL('./engine.worker.ts', import.meta.url).href)
  const streams = new Map<number, Duplex>()
  const opened = Promise.withResolvers<Interrupts>()
  const closed = Promise.withResolvers<void>()
  let state: 'opening' | 'open' | 'over' = 'opening'
  let lastStream = 0
  let stopping: ReturnType<typeof setTimeout> | undefined
  let watching: ReturnType<typeof setTimeout> | undefined
  /** How many statements clients have the whole answer to. */
  let told = 0
  /** Milliseconds that a statement may take. */
  let most = Number.POSITIVE_INFINITY

  const tell = (message: ToEngine) => {
    if (state === 'over') return
    worker.postMessage(message, message.type === 'data' ? [message.bytes.buffer] : [])
  }

  function finish(error: Error) {
    if (state === 'over') return
    const before = state
    state = 'over'
    worker.terminate()
    for (const stream of streams.values()) stream.destroy(error)
    closed.resolve()
    if (before === 'opening') opened.reject(error)
    else onFailure(error)
  }

  function handle(message: FromEngine) {
    switch (message.type) {
      case 'opened':
        state = 'open'
        return opened.resolve(message.interrupts)
      case 'insists':
        return makeRoom()
      case 'data':
        if (message.isWhole) told += 1
        return streams.get(message.stream)?.push(Buffer.from(message.bytes.buffer))
      case 'end':
        return streams.get(message.stream)?.push(null)
      case 'closed':
        state = 'over'
        worker.terminate()
        return closed.resolve()
      case 'failed':
        return finish(new Error(message.message))
    }
  }

  worker.addEventListener('message', (event: MessageEvent<FromEngine>) => handle(event.data))
  worker.addEventListener('error', (event) => finish(new Error(event.message)))
  worker.addEventListener('close', () => finish(new Error('its thread ended')))

  function ask(message: Extract<ToEngine, { type: 'data' }>) {
    announce(interrupts)
    tell(message)
    makeRoom()
    watch(numberOf(interrupts, 'statement'))
  }

  /** While there are some, ends a statement that is still under way at the second look, half of its time after the first. */
  function watch(before: number | undefined) {
    if (watching !== undefined || most === Number.POSITIVE_INFINITY) return
    watching = setTimeout(() => {
      watching = undefined
      const now = numberOf(interrupts, 'statement')
      if (now !== undefined && now === before) stopPiece('statement', now)
      if (isAwaited(interrupts)) watch(now)
    }, most / 2)
    watching.unref()
  }

  const stopPiece = (what: Work, number: number) =>
    interrupt(interrupts, what, () => lastNumber(interrupts) === number)

  /**
   * What was asked for first of all that is not answered, which is what a client means that waits for it; the engine may be further
   * than the client knows.
   */
  const stopAwaited = () => interrupt(interrupts, 'statement', () => answers(interrupts) === told)

  /** Ends the piece of upkeep that is under way, if it still is after a while. */
  function makeRoom() {
    const piece = numberOf(interrupts, 'upkeep')
    if (stopping !== undefined || piece === undefined) return
    stopping = setTimeout(() => {
      stopping = undefined
      if (numberOf(interrupts, 'upkeep') === piece) stopPiece('upkeep', piece)
      else makeRoom()
    }, allowance(interrupts))
  }

  function connect(): Duplex {
    const id = ++lastStream
    const stream = createStream({
      send: (bytes) => {
        // The engine hears no message while it is at what is to be stopped.
        if (isCancelRequest(bytes)) stopAwaited()
        ask({ type: 'data', stream: id, bytes })
      },
      close: () => {
        streams.delete(id)
        tell({ type: 'end', stream: id })
      },
    })
    streams.set(id, stream)
    // Not at once: the client has no listener yet.
    if (state === 'over') setImmediate(() => stream.destroy(new Error('The database is closed.')))
    return stream
  }

  function stop(): Promise<void> {
    tell({ type: 'close' })
    return closed.promise
  }

  tell({ type: 'open', cluster, buffers, upkeep })
  const interrupts = await opened.promise
  const limit = (seconds: number) => {
    most = seconds * 1000
  }
  return { connect, stop, limit }
}

/** What PostgreSQL is sent on a connection of its own to stop what another one is at. Here there is but one other. */
const isCancelRequest = (bytes: Uint8Array): boolean =>
  bytes.length === 16 && readInt32(bytes, 0) === 16 && readInt32(bytes, 4) === opening.cancel
