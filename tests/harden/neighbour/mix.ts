import { tokenOf } from '../support.ts'
import { connectTo, type Lane, wire } from './client.ts'

/** What the neighbour met: milliseconds of each request, and how often each status that should not be. 0: no answer. */
export type Met = { latencies: number[]; wrong: Record<number, number> }

export type Neighbour = {
  /** Stops asking, hears the answers that are on their way, and says what was met. */
  stop: () => Promise<Met>
}

/** As many as a browser has to one server. */
const connections = 6

/** Milliseconds after which the neighbour hangs up. */
const patience = 8000

/** Milliseconds between two requests. */
const pause = (): number => 20 + Math.random() * 30

/**
 * A user nobody else has, who creates a task, reads a page and a task, and changes one, in turn. The requests come when they
 * come, whether or not the last was answered: who waits for a connection waits for the server.
 */
export async function startNeighbour(port: number): Promise<Neighbour> {
  const nextRequest = await requestsOf(`neighbour-${crypto.randomUUID()}`)
  const met: Met = { latencies: [], wrong: {} }
  const lanes = Array.from({ length: connections }, () => connectTo(port, patience))
  const idle = [...lanes]
  const waiting: number[] = []
  const asked = new Set<Promise<void>>()

  async function ask(lane: Lane, since: number): Promise<void> {
    const { request, expected, accepted } = nextRequest()
    const { status } = await lane.ask(request)
    met.latencies.push(performance.now() - since)
    if (status === expected) accepted()
    else met.wrong[status] = (met.wrong[status] ?? 0) + 1
    idle.push(lane)
    next()
  }

  function next(): void {
    const lane = waiting.length === 0 ? undefined : idle.pop()
    if (lane === undefined) return
    const answer = ask(lane, waiting.shift() ?? 0)
    asked.add(answer)
    void answer.finally(() => asked.delete(answer))
  }

  let timer: Timer
  const arrive = () => {
    waiting.push(performance.now())
    next()
    timer = setTimeout(arrive, pause())
  }
  arrive()

  return {
    stop: async () => {
      clearTimeout(timer)
      for (const since of waiting.splice(0)) met.latencies.push(performance.now() - since)
      await Promise.all(asked)
      for (const lane of lanes) lane.close()
      return met
    },
  }
}

type Request = { request: string; expected: number; accepted: () => void }

async function requestsOf(user: string): Promise<() => Request> {
  const headers = { authorization: `Bearer ${await tokenOf(user)}` }
  const ids: string[] = []
  const accepted = () => {}
  let count = 0

  return () => {
    const turn = (count += 1)
    const title = `Water the plants ${turn}`
    const id = ids[(turn >> 2) % Math.max(1, ids.length)]
    if (id === undefined || turn % 4 === 0) {
      const made = Bun.randomUUIDv7()
      const request = wire('POST', '/api/tasks', headers, { id: made, title, tags: ['home'] })
      return { request, expected: 201, accepted: () => void ids.push(made) }
    }
    if (turn % 4 === 1)
      return { request: wire('GET', '/api/tasks', headers), expected: 200, accepted }
    const path = `/api/tasks/${id}`
    if (turn % 4 === 2) return { request: wire('GET', path, headers), expected: 200, accepted }
    const change = { title, priority: 'high' }
    return { request: wire('PATCH', path, headers, change), expected: 200, accepted }
  }
}
