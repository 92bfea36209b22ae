import { type Caller, caller } from './load.ts'

/** One answer: when it came by performance.now(), after how many milliseconds, and what it was. */
type Answer = { at: number; ms: number; status: number; code: string; detail: string }

export type Work = {
  /** Of those who read, and of the one who writes. */
  reads: Answer[]
  writes: Answer[]
  /** Tasks whose creation was acknowledged, of the user who writes. */
  acknowledged: Set<string>
  writer: string
  /** Whatever no client should ever see, in words. */
  wrong: string[]
  stop: () => Promise<void>
}

/** Six clients that read, and one that creates tasks, each a user of its own that does one request after another. */
export async function startReaders(address: string): Promise<Work> {
  const users = await Promise.all(Array.from({ length: 7 }, () => caller(crypto.randomUUID())))
  const [writer, ...readers] = users as [Caller, ...Caller[]]
  const state = { isOver: false }
  const work: Work = {
    reads: [],
    writes: [],
    acknowledged: new Set(),
    writer: writer.id,
    wrong: [],
    stop: async () => {
      state.isOver = true
      await Promise.all(running)
    },
  }

  async function call({ headers }: Caller, method: string, path: string, body?: object) {
    const began = performance.now()
    const response = await fetch(`${address}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    })
    // Any: of whatever was asked for.
    const found = (await response.json()) as any
    const { status } = response
    const { code = '', detail = '' } = found
    const answer: Answer = {
      at: performance.now(),
      ms: performance.now() - began,
      status,
      code,
      detail,
    }
    if (![200, 201, 503].includes(status)) work.wrong.push(`${method} ${path}: ${status} ${detail}`)
    return { answer, found }
  }

  async function read(user: Caller): Promise<void> {
    const task = await call(user, 'POST', '/api/tasks', { title: 'Read me' })
    while (!state.isOver) {
      const one = await call(user, 'GET', `/api/tasks/${task.found.id}`)
      const all = await call(user, 'GET', '/api/tasks?limit=5')
      work.reads.push(one.answer, all.answer)
      if (one.answer.status === 200 && one.found.id !== task.found.id)
        work.wrong.push('another task')
      await Bun.sleep(5)
    }
  }

  async function write(): Promise<void> {
    while (!state.isOver) {
      const { answer, found } = await call(writer, 'POST', '/api/tasks', { title: 'Written' })
      work.writes.push(answer)
      if (answer.status === 201) work.acknowledged.add(found.id)
      await Bun.sleep(10)
    }
  }

  const running = [write(), ...readers.map(read)].map((one) =>
    one.catch((error: unknown) => void work.wrong.push(`a client failed: ${String(error)}`)),
  )
  return work
}

/** The 99th of a hundred, in milliseconds. */
export function p99(answers: Answer[]): number {
  const sorted = answers.map(({ ms }) => ms).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0
}
