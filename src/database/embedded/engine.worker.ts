import { type Engine, openEngine } from './engine.ts'
import { allow, isAwaited, takeNext } from './interrupts.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { createSession, type Session } from './session.ts'
import { createUpkeep } from './upkeep.ts'

declare const self: Worker

/** Milliseconds: even who is in a transaction, or has asked for something, is not looked at all the time. */
const leastWait = 20

let engine: Engine | undefined
let session: Session | undefined
let upkeep: ReturnType<typeof createUpkeep> | undefined
/** When there is upkeep to do, by performance.now(). */
let planned: { at: number; timer: ReturnType<typeof setTimeout> } | undefined
let isTending = false

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
      await session?.receive(message.stream, message.bytes)
      if (engine) takeNext(engine.interrupts)
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
  const opened = await openEngine(message.cluster, message.buffers)
  engine = opened
  session = createSession(opened, post)
  upkeep = createUpkeep(opened, message.upkeep, {
    isWanted: () => isAwaited(opened.interrupts),
    insist: () => post({ type: 'insists' }),
    allow: (milliseconds) => allow(opened.interrupts, milliseconds),
  })
  await upkeep.open()
  opened.rest()
  post({ type: 'opened', interrupts: opened.interrupts })
  plan()
}

/** Comes back to what upkeep there is to do, once. Call it after every message: while they keep coming, no timer has its turn. */
function plan() {
  if (isTending) return
  const now = performance.now()
  if (planned !== undefined && now >= planned.at) return tend()
  const wait = upkeep?.wait() ?? null
  if (wait === null) return
  const rest = Math.max(wait, leastWait)
  if (planned !== undefined && planned.at <= now + rest) return
  clearTimeout(planned?.timer)
  planned = { at: now + rest, timer: setTimeout(tend, rest) }
}

function tend() {
  clearTimeout(planned?.timer)
  planned = undefined
  isTending = true
  void Promise.resolve(upkeep?.prepare())
    .then(() =>
      enqueue(async () => {
        if (session?.idle()) await upkeep?.tend()
        isTending = false
        plan()
      }),
    )
    .catch(fail)
}

function fail(error: unknown) {
  post({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
}

function post(message: FromEngine) {
  self.postMessage(message, message.type === 'data' ? [message.bytes.buffer] : [])
}
