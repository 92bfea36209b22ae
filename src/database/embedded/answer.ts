import { type Bytes, frameLength, join, kind } from './protocol.ts'

const outsideTransaction = 0x49 // 'I', in ReadyForQuery.

/**
 * What the client is to get of what the engine said: all but the invitation to send the data of a
 * COPY, which has failed already (see `noCopy` in the session), whether there is nothing more to come,
 * and whether the session is idle now.
 */
export function readAnswer(output: Bytes): { bytes: Bytes; isReady: boolean; idle: boolean } {
  const parts: Uint8Array[] = []
  let isReady = false
  let idle = false
  let from = 0
  let at = 0
  for (let length = frameLength(output, at); length; length = frameLength(output, at)) {
    const type = output[at]
    isReady = type === kind.readyForQuery
    idle = isReady && output[at + 5] === outsideTransaction
    if (type === kind.copyInResponse) {
      parts.push(output.subarray(from, at))
      from = at + length
    }
    at += length
  }
  return { bytes: from === 0 ? output : join([...parts, output.subarray(from)]), isReady, idle }
}
