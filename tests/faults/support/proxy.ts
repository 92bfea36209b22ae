import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * What the proxy does: pass; refuse connections; hang up on new ones before they are ready; or lose everything
 * that comes from either side, of old connections and of new ones.
 */
type Mode = 'pass' | 'refuse' | 'hang up' | 'lose'

export type Proxy = {
  port: number
  /** Where new connections go from now on. Old ones stay where they are. */
  aim: (target: number) => void
  /** Old connections stay as they are, but for `lose`. */
  turn: (mode: Mode) => Promise<void>
  /** Ends every connection, cleanly or by a reset, and waits until the clients have ended theirs. */
  cut: (how: 'fin' | 'rst') => Promise<void>
  /** Milliseconds on the wire, in each direction. */
  delay: (ms: number) => void
  /** How many connections were accepted so far. */
  accepted: () => number
  /** How many bytes came from the clients so far. */
  sent: () => number
  close: () => void
}

/** A TCP proxy on a free port, in front of a server on this machine. */
export async function startProxy(first: number): Promise<Proxy> {
  const pairs = new Set<[Socket, Socket]>()
  let target = first
  let mode: Mode = 'pass'
  let lag = 0
  let accepted = 0
  let sent = 0

  function pump(from: Socket, to: Socket) {
    from.on('data', (bytes) => {
      if (mode === 'lose') return
      if (lag === 0) to.write(bytes)
      else setTimeout(() => to.writable && to.write(bytes), lag)
    })
    from.on('end', () => mode === 'lose' || to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => mode === 'lose' || to.destroy())
  }

  function accept(client: Socket) {
    accepted += 1
    client.on('error', () => {})
    if (mode === 'hang up') {
      client.end()
      return
    }
    if (mode === 'lose') {
      // What was said into the hole is not said again: this connection is lost for good.
      client.on('data', () => {})
      return
    }
    const server = connect(target, '127.0.0.1')
    const pair: [Socket, Socket] = [client, server]
    pairs.add(pair)
    client.on('close', () => pairs.delete(pair))
    client.on('data', ({ length }) => {
      sent += length
    })
    pump(client, server)
    pump(server, client)
  }

  let server: Server
  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      server = createServer(accept).listen(port, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  const port = await listen(0)

  return {
    port,
    aim: (next) => {
      target = next
    },
    turn: async (next) => {
      if (next === 'refuse') server.close()
      else if (mode === 'refuse') await listen(port)
      mode = next
    },
    cut: async (how) => {
      const ended = Array.from(pairs, ([client, upstream]) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        client.on('close', () => resolve())
        if (how === 'rst') client.resetAndDestroy()
        else client.end()
        upstream.removeAllListeners('close') // It would end the client's connection on this side.
        upstream.destroy()
        return promise
      })
      pairs.clear()
      await Promise.all(ended)
    },
    delay: (ms) => {
      lag = ms
    },
    accepted: () => accepted,
    sent: () => sent,
    close: () => {
      server.close()
      for (const pair of pairs) for (const socket of pair) socket.destroy()
    },
  }
}
