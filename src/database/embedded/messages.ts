import type { Interrupts } from './interrupts.ts'
import type { Bytes } from './protocol.ts'

/** What the main thread tells the engine's worker. A stream is one connection, by its number. */
export type ToEngine =
  | { type: 'open'; cluster: string; buffers: number; upkeep: Upkeep }
  | { type: 'data'; stream: number; bytes: Bytes }
  | { type: 'end'; stream: number }
  | { type: 'close' }

/** What the worker answers. After `failed` it says nothing more. */
export type FromEngine =
  | { type: 'opened'; interrupts: Interrupts }
  /** `isWhole`: a statement ends with it. */
  | { type: 'data'; stream: number; bytes: Bytes; isWhole: boolean }
  | { type: 'end'; stream: number }
  /** It has begun a piece of upkeep although somebody waits. */
  | { type: 'insists' }
  | { type: 'closed' }
  | { type: 'failed'; message: string }

/** When the engine does what a server's background processes would do, in milliseconds. */
export type Upkeep = {
  /** After a write, and while there are more, it looks this often for what there is to do. */
  lookEvery: number
  /** So long nobody must have asked for anything before it does what takes long. */
  quietAfter: number
  checkpointEvery: number
  /** Bytes of the log after which a checkpoint comes before its time: they take room, and have to be read after a crash. */
  checkpointAfter: number
  /** So long what takes long waits for a moment in which nobody asks. */
  tidyWithin: number
}
