import { type Engine, openEngine } from './engine.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { createSession, type Session } from './session.ts'
import { createUpkeep } from './upkeep.ts'

declare const self: Worker

let engine: Engine | undefined
let session: Session | undefined
let upkeep: (() => Promise<void>) | undefined

// The engine is one session: each message is handled only when the one before it is.
let work = Promise.resolve()
const enqueue = (task: () => Promise<void> | void) => {
  work = work.then(task).catch((error: unknown) => {
    post({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  })
}

self.addEventListener('message', (event: MessageEvent<ToEngine>) => {
  enqueue(() => handle(event.data))
})

async function handle(message: ToEngine) {
  switch (message.type) {
    case 'open':
      engine = await openEngine(message.cluster)
      session = createSession(engine, post)
      upkeep = createUpkeep(engine, message.upkeep)
      setInterval(() => enqueue(rest), Math.min(...Object.values(message.upkeep)))
      return post({ type: 'opened' })
    case 'data':
      await session?.receive(message.stream, message.bytes)
      return rest()
    case 'end':
      return session?.forget(message.stream)
    case 'close':
      await engine?.close()
      return post({ type: 'closed' })
  }
}

async function rest() {
  if (session?.idle()) await upkeep?.()
}

function post(message: FromEngine) {
  self.postMessage(message, message.type === 'data' ? [message.bytes.buffer] : [])
}
