import { Duplex } from 'node:stream'
import type { Bytes } from './protocol.ts'

/** Where a stream's bytes go to, and who is told that it is closed. */
export type Carrier = { send: (bytes: Bytes) => void; close: () => void }

/**
 * The client's end of a connection to the engine, in place of a net.Socket. No backpressure: the
 * engine answers only what was asked, and the client reads what it asked for.
 */
export function createStream(carrier: Carrier): Duplex {
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      // A copy: the chunk may be a part of a pool that is used again, and this one is given away.
      carrier.send(new Uint8Array(chunk))
      done()
    },
    final(done) {
      done()
      stream.destroy()
    },
    destroy(error, done) {
      carrier.close()
      done(error)
    },
  })
  // postgres.js asks a net.Socket for it before it says goodbye.
  Object.defineProperty(stream, 'readyState', {
    get: () => (stream.destroyed ? 'closed' : 'open'),
  })
  return stream
}
