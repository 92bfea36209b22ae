// https://www.postgresql.org/docs/18/protocol-message-formats.html

/** Bytes that own their memory, so that they can be handed to another thread. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The first byte of the messages that mean something to the session. */
export const kind = {
  query: 0x51,
  execute: 0x45,
  sync: 0x53,
  flush: 0x48,
  terminate: 0x58,
  readyForQuery: 0x5a,
  copyInResponse: 0x47,
  dataRow: 0x44,
  errorResponse: 0x45,
} as const

/** The code that a message before the handshake carries in place of a kind. */
export const opening = { cancel: 80877102, ssl: 80877103, gss: 80877104 } as const

const encoder = new TextEncoder()

/** One message: its kind, its length, its body. */
export function frame(type: string, body = ''): Bytes {
  const content = encoder.encode(body)
  const message = new Uint8Array(5 + content.length)
  message.set(encoder.encode(type))
  new DataView(message.buffer).setInt32(1, 4 + content.length)
  message.set(content, 5)
  return message
}

/** A simple query: it may hold several statements, which then are one transaction. */
export const simpleQuery = (sql: string) => frame('Q', `${sql}\0`)

/** An error after which the connection is over. */
export const fatalError = (code: string, text: string) =>
  frame('E', `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`)

/** How long the message at `start` is with its kind, or undefined while it is not all there. */
export function frameLength(bytes: Uint8Array, start: number): number | undefined {
  if (bytes.length - start < 5) return undefined
  const length = 1 + readInt32(bytes, start + 1)
  return bytes.length - start < length ? undefined : length
}

/** What comes first of a kind in an answer, without its kind and length. */
export function findMessage(answer: Uint8Array, type: number): Uint8Array | undefined {
  let at = 0
  for (let length = frameLength(answer, at); length; length = frameLength(answer, at)) {
    if (answer[at] === type) return answer.subarray(at + 5, at + length)
    at += length
  }
  return undefined
}

export const readInt32 = (bytes: Uint8Array, at: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).getInt32(at)

export const join = (parts: Uint8Array[]): Bytes => new Uint8Array(Bun.concatArrayBuffers(parts))
