import net from 'node:net'
import { connectTo, type Lane } from './client.ts'

/** Where an attack takes place: the server, until when by performance.now(), and how often each status was answered. */
export type Field = {
  port: number
  until: number
  tally: Record<number, number>
  /** Closes every connection: the attacker leaves without waiting for anything. */
  leave: () => void
  lane: () => Lane
  /** A connection that asks this and never reads a byte of what comes. */
  deaf: (request: string) => net.Socket
}

export function createField(port: number, seconds: number): Field {
  const open: { close: () => void }[] = []
  return {
    port,
    until: performance.now() + seconds * 1000,
    tally: {},
    leave: () => {
      for (const one of open) one.close()
    },
    lane: () => {
      const lane = connectTo(port)
      open.push(lane)
      return lane
    },
    deaf: (request) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(request))
      socket.pause()
      socket.on('error', () => {}) // It is closed next.
      open.push({ close: () => socket.destroy() })
      return socket
    },
  }
}

export const isOver = ({ until }: Field): boolean => performance.now() >= until

/** Milliseconds until a client that was refused, with 429 or 503, asks again. */
const afterRefusal = 100

/**
 * So many connections, each of which asks one thing after the other, until time is up or there is nothing left to ask.
 * @param heard is told the head of each answer, and what was asked
 */
export async function ask(
  field: Field,
  connections: number,
  next: () => string | null,
  { heard = () => {}, refused = afterRefusal }: Options = {},
): Promise<void> {
  const work = async (index: number): Promise<void> => {
    // Not all connections come to be in one moment: those that the listener has no room for would be anybody's.
    await Bun.sleep(index / 5)
    const lane = field.lane()
    while (!isOver(field)) {
      const request = next()
      if (request === null) return
      const { status, head } = await lane.ask(request)
      if (isOver(field)) return
      field.tally[status] = (field.tally[status] ?? 0) + 1
      heard(head, request)
      if ([0, 429, 503].includes(status)) await Bun.sleep(refused)
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, index) => work(index)))
}

type Options = { heard?: (head: string, request: string) => void; refused?: number }
