import type { Duplex } from 'node:stream'
import type { FromEngine, ToEngine, Upkeep } from './messages.ts'
import { createStream } from './stream.ts'

/**
 * Starts the engine in a thread of its own, so that a long query never blocks this one. Rejects when
 * the cluster cannot be opened.
 */
export async function startWorker(
  cluster: string,
  upkeep: Upkeep,
  onFailure: (error: Error) => void,
) {
  const worker = new Worker(new URL('./engine.worker.ts', import.meta.url).href)
  const streams = new Map<number, Duplex>()
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let state: 'opening' | 'open' | 'over' = 'opening'
  let lastStream = 0

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
        return opened.resolve()
      case 'data':
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

  function connect(): Duplex {
    const id = ++lastStream
    const stream = createStream({
      send: (bytes) => tell({ type: 'data', stream: id, bytes }),
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

  tell({ type: 'open', cluster, upkeep })
  await opened.promise
  return { connect, stop }
}
