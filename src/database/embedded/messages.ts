import type { Bytes } from './protocol.ts'

/** What the main thread tells the engine's worker. A stream is one connection, by its number. */
export type ToEngine =
  | { type: 'open'; cluster: string; upkeep: Upkeep }
  | { type: 'data'; stream: number; bytes: Bytes }
  | { type: 'end'; stream: number }
  | { type: 'close' }

/** What the worker answers. After `failed` it says nothing more. */
export type FromEngine =
  | { type: 'opened' }
  | { type: 'data'; stream: number; bytes: Bytes }
  | { type: 'end'; stream: number }
  | { type: 'closed' }
  | { type: 'failed'; message: string }

/** How often the engine does what a server's background processes would do, in milliseconds. */
export type Upkeep = { checkpointEvery: number; vacuumEvery: number }
