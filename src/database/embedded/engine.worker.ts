import { type Engine, openEngine } from './engine.ts'
import { announced } from './interrupts.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { createSession, type Session } from './session.ts'
import { createUpkeep } from './upkeep.ts'

declare const self: Worker

/** Milliseconds: even who is in a transaction, or has asked for something, is not looked at all the time. */
const leastWait = 20

let engine: Engine | undefined
let session: Session | undefined
let upkeep: ReturnType<typeof createUpkeep> | undefined
let timer: ReturnType<typeof setTimeout> | undefined
/** How many messages of clients were received. */
let received = 0

// The engine is one session: each message is handled only when the one before it is.
let work = Promise.resolve()
const enqueue = (task: () => Promise<void> | void) => {
  work = work.then(task).catch(fail)
}

self.addEventListener('message', (event: MessageEvent<ToEngine>) => {
  enqueue(() => handle(event.data))
})

async function handle(message: ToEngine) {
  switch (message.type) {
    case 'open':
      return open(message)
    case 'data':
      received += 1
      await session?.receive(message.stream, message.bytes)
      upkeep?.notice()
      return plan()
    case 'end':
      return session?.forget(message.stream)
    case 'close':
      upkeep = undefined
      await engine?.close()
      return post({ type: 'closed' })
  }
}

async function open(message: Extract<ToEngine, { type: 'open' }>) {
  const opened = await openEngine(message.cluster)
  engine = opened
  session = createSession(opened, post)
  upkeep = createUpkeep(opened, message.upkeep, () => announced(opened.interrupts) !== received)
  await upkeep.open()
  post({ type: 'opened', interrupts: opened.interrupts })
  plan()
}

/** Comes back to what upkeep there is to do, once. */
function plan() {
  const wait = timer === undefined ? upkeep?.wait() : undefined
  if (wait === undefined || wait === null) return
  timer = setTimeout(() => void tend().catch(fail), Math.max(wait, leastWait))
}

async function tend() {
  await upkeep?.prepare()
  enqueue(async () => {
    timer = undefined
    if (session?.idle()) await upkeep?.tend()
    plan()
  })
}

function fail(error: unknown) {
  post({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
}

function post(message: FromEngine) {
  self.postMessage(message, message.type === 'data' ? [message.bytes.buffer] : [])
}
