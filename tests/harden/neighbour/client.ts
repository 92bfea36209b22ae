import net from 'node:net'

/** Status 0: the connection was closed, or too much time went by, before there was an answer. */
export type Answer = { status: number; head: string }

/** One connection that is kept, and made anew when it was closed. One request at a time. */
export type Lane = { ask: (request: string) => Promise<Answer>; close: () => void }

/** A request as it goes over the wire. */
export function wire(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): string {
  const text = body === undefined ? '' : JSON.stringify(body)
  const all = {
    host: 'localhost',
    ...headers,
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`
}

/**
 * A client that costs little: of an answer it keeps the head, and counts the bytes of the body.
 * @param patience milliseconds until it hangs up
 */
export function connectTo(port: number, patience = 60_000): Lane {
  let socket: net.Socket | undefined

  function opened(): net.Socket {
    if (socket !== undefined && !socket.destroyed) return socket
    socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {}) // It is closed next.
    return socket
  }

  return {
    ask: (request) => {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      const used = opened()
      const isWhole = createReader()
      const timer = setTimeout(() => used.destroy(), patience)
      const end = (answer: Answer) => {
        clearTimeout(timer)
        used.off('data', onData)
        used.off('close', onClose)
        if (answer.status === 0 || /\r\nconnection: close/i.test(answer.head)) used.destroy()
        resolve(answer)
      }
      const onData = (chunk: Buffer) => {
        const head = isWhole(chunk)
        if (head !== null) end({ status: Number(head.slice(9, 12)), head })
      }
      const onClose = () => end({ status: 0, head: '' })
      used.on('data', onData)
      used.on('close', onClose)
      used.write(request)
      return promise
    },
    close: () => socket?.destroy(),
  }
}

/** Is given an answer piece by piece, and gives its head with the last one. */
function createReader(): (chunk: Buffer) => string | null {
  let head: string | null = null
  let begun = ''
  /** Bytes of the body to come; null: it comes in chunks, and this is how the last of them ends. */
  let left: number | null = 0
  let end = ''

  return (chunk) => {
    if (head === null) {
      begun += chunk.toString('latin1')
      const length = begun.indexOf('\r\n\r\n')
      if (length === -1) return null
      head = begun.slice(0, length)
      end = begun.slice(length + 4)
      const declared = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
      if (declared !== undefined) left = Number(declared) - end.length
      else if (/\r\ntransfer-encoding: chunked/i.test(head)) left = null
    } else if (left === null) end = (end + chunk.toString('latin1')).slice(-7)
    else left -= chunk.length
    const isEnd = left === null ? /(^|\r\n)0\r\n\r\n$/.test(end) : left <= 0
    return isEnd ? head : null
  }
}
