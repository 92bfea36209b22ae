// What the engine's thread and the main one say to each other while the engine is at something, and hears no message.

/** What the engine can be asked to stop. */
export type Work = 'statement' | 'upkeep'

const codes = { rest: 0, statement: 1, upkeep: 2, asking: 3 } as const

/** Where in `state` something is. */
const work = 0
const sent = 1
const entered = 2

/** Seen by both threads. */
export type Interrupts = {
  /** What the engine is at, how many messages of clients were sent to it, and how often it has begun something. */
  state: Int32Array<SharedArrayBuffer>
  /** The engine's memory, and where in it PostgreSQL's wish to cancel is, and its sign that there is some wish. */
  memory: Int32Array<SharedArrayBuffer>
  cancel: number
  pending: number
}

/** @param addresses of the two variables, in bytes */
export const createInterrupts = (
  memory: WebAssembly.Memory,
  addresses: { cancel: number; pending: number },
): Interrupts => ({
  state: new Int32Array(new SharedArrayBuffer(12)),
  // Seen as it is now: the variables do not move when it grows. That it is shared is up to who made it.
  memory: new Int32Array(memory.buffer as unknown as SharedArrayBuffer),
  cancel: addresses.cancel / 4,
  pending: addresses.pending / 4,
})

/** For the main thread: the number of what the engine is at, if it is this. */
export function numberOf({ state }: Interrupts, what: Work): number | undefined {
  const number = Atomics.load(state, entered)
  return Atomics.load(state, work) === codes[what] ? number : undefined
}

/** For the main thread, before it sends a message of a client. */
export const announce = ({ state }: Interrupts): void => void Atomics.add(state, sent, 1)

/** How many messages of clients were announced. */
export const announced = ({ state }: Interrupts): number => Atomics.load(state, sent)

/**
 * For the main thread: PostgreSQL ends what it is at with an error, 57014, within a millisecond, unless that is done before.
 * Nothing but this is ended.
 */
export function stop({ state, memory, cancel, pending }: Interrupts, what: Work): void {
  // Until the last line the engine cannot leave what it is at.
  if (Atomics.compareExchange(state, work, codes[what], codes.asking) !== codes[what]) return
  Atomics.store(memory, cancel, 1)
  Atomics.store(memory, pending, 1)
  Atomics.store(state, work, codes[what])
}

/** For the engine's thread. */
export function enter({ state }: Interrupts, what: Work): void {
  Atomics.add(state, entered, 1)
  Atomics.store(state, work, codes[what])
}

/** For the engine's thread: whoever asks later asks in vain. */
export function leave({ state, memory, cancel }: Interrupts, what: Work): void {
  while (Atomics.compareExchange(state, work, codes[what], codes.rest) !== codes[what]) {
    // The main thread is between two lines of `stop`.
  }
  Atomics.store(memory, cancel, 0)
}
