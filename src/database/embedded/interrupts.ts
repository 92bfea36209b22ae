// What the engine's thread and the main one say to each other while the engine is at something, and hears no message.

/** What the engine can be asked to stop. */
export type Work = 'statement' | 'upkeep'

const codes = { rest: 0, statement: 1, upkeep: 2, asking: 3 } as const

/** Where in `state` something is. */
const work = 0
const sent = 1
const entered = 2
const handled = 3
const answered = 4
const allowed = 5

/** Seen by both threads. */
export type Interrupts = {
  /** What the engine is at, and how often something has happened so far: the functions below say what. */
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
  state: new Int32Array(new SharedArrayBuffer(24)),
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

/** How often the engine has begun something: the number of the last. */
export const lastNumber = ({ state }: Interrupts): number => Atomics.load(state, entered)

/** For the main thread, before it sends a message of a client. */
export const announce = ({ state }: Interrupts): void => void Atomics.add(state, sent, 1)

/** For the engine's thread, when it is done with such a message. */
export const takeNext = ({ state }: Interrupts): void => void Atomics.add(state, handled, 1)

/** Whether somebody waits for the engine. */
export const isAwaited = ({ state }: Interrupts): boolean =>
  Atomics.load(state, sent) !== Atomics.load(state, handled)

/** For the engine's thread, when it has the whole answer to a statement, before it begins the next one. */
export const answer = ({ state }: Interrupts): void => void Atomics.add(state, answered, 1)

/** How many statements are answered. Those who asked may not have heard it yet. */
export const answers = ({ state }: Interrupts): number => Atomics.load(state, answered)

/** For the engine's thread, before it begins upkeep: how many milliseconds that may go on when somebody waits. */
export const allow = ({ state }: Interrupts, milliseconds: number): void =>
  void Atomics.store(state, allowed, milliseconds)

export const allowance = ({ state }: Interrupts): number => Atomics.load(state, allowed)

/**
 * For the main thread: PostgreSQL ends what it is at with an error, 57014, within a millisecond, unless that is done before.
 * Nothing but this is ended.
 * @param isMeant looks once more, while the engine cannot go on to the next one
 */
export function stop(interrupts: Interrupts, what: Work, isMeant: () => boolean): void {
  const { state, memory, cancel, pending } = interrupts
  // Until the last line the engine cannot leave what it is at.
  if (Atomics.compareExchange(state, work, codes[what], codes.asking) !== codes[what]) return
  if (isMeant()) {
    Atomics.store(memory, cancel, 1)
    Atomics.store(memory, pending, 1)
  }
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
