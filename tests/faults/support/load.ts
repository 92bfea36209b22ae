import { SignJWT } from 'jose'

export const secret = 'only-for-tests-only-for-tests-only'

/** Seconds that Docket gives a request, and what a slow machine may add to it. */
export const deadline = 5
const slack = 2

/** A user with a token. */
export type Caller = { id: string; headers: Record<string, string> }

export async function caller(id: string): Promise<Caller> {
  const token = await new SignJWT({ sub: id })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
  return {
    id,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  }
}

type Outcome = { status: number; body: any }

export type Report = {
  requests: number
  succeeded: number
  unavailable: number
  slowest: number
  /** Requests that took longer than the deadline allows. */
  late: number
  /** Whatever no client should ever see, in words. */
  wrong: string[]
  /** When each request succeeded, by performance.now(). */
  successes: number[]
  /** Tasks whose creation was acknowledged, by user. */
  acknowledged: Map<string, Set<string>>
}

export type Load = {
  report: Report
  pause: () => Promise<void>
  resume: () => void
  stop: () => Promise<Report>
}

/** Clients of four kinds, each a user of its own, that do one request after another. */
export async function startLoad(addresses: () => string[], clients = 16): Promise<Load> {
  const report: Report = {
    requests: 0,
    succeeded: 0,
    unavailable: 0,
    slowest: 0,
    late: 0,
    wrong: [],
    successes: [],
    acknowledged: new Map(),
  }
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const state = { stopped: false, inFlight: 0 }

  /** One request. Undefined: the server that it went to is gone. */
  async function call(
    { headers }: Caller,
    index: number,
    method: string,
    path: string,
    body?: object,
  ): Promise<Outcome | undefined> {
    await gate.promise
    const all = addresses()
    const address = all[index % all.length] ?? ''
    const began = performance.now()
    state.inFlight += 1
    report.requests += 1
    try {
      const response = await fetch(`${address}${path}`, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      })
      const outcome = { status: response.status, body: (await response.json()) as any }
      if (outcome.status === 503) {
        report.unavailable += 1
        if (!/^[1-9]\d*$/.test(response.headers.get('retry-after') ?? '')) {
          report.wrong.push('503 without Retry-After')
        }
      } else if (outcome.status === 200 || outcome.status === 201) {
        report.succeeded += 1
        report.successes.push(performance.now())
      } else report.wrong.push(`${method} ${path} answered ${outcome.status}`)
      return outcome
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') report.wrong.push('hung')
      else if (addresses().includes(address))
        report.wrong.push(`${method} failed: ${String(error)}`)
      return undefined
    } finally {
      const ms = performance.now() - began
      report.slowest = Math.max(report.slowest, ms)
      if (ms > (deadline + slack) * 1000) report.late += 1
      state.inFlight -= 1
      await Bun.sleep(5 + Math.random() * 10)
    }
  }

  async function work(index: number): Promise<void> {
    const user = await caller(`client-${index}-${crypto.randomUUID()}`)
    const mine = new Set<string>()
    report.acknowledged.set(user.id, mine)
    const send = (method: string, path: string, body?: object) =>
      call(user, index, method, path, body)
    const expect = (what: string, isTrue: boolean) => {
      if (!isTrue) report.wrong.push(what)
    }

    /** Creates a task, once: with an id of its own a client sends it until it is acknowledged. */
    async function create(id?: string): Promise<any> {
      const title = crypto.randomUUID()
      while (!state.stopped) {
        const outcome = await send(
          'POST',
          '/api/tasks',
          id === undefined ? { title } : { id, title },
        )
        if (outcome?.status === 201) {
          expect('the answer to another request', outcome.body.title === title)
          mine.add(outcome.body.id)
          return outcome.body
        }
        if (id === undefined) return undefined
      }
    }

    /**
     * Changes a task. Each change counts its version up by one, so that one made twice shows. One that was answered with
     * 503 may have been made, and may even be made yet: a frozen server does what it was told when it thaws.
     */
    async function count(): Promise<void> {
      let { id, version } = (await create(crypto.randomUUID())) ?? {}
      let unknown = 0
      while (!state.stopped) {
        const outcome = await send('PATCH', `/api/tasks/${id}`, { title: crypto.randomUUID() })
        if (outcome?.status !== 200) {
          unknown += 1
          continue
        }
        const more = outcome.body.version - version - 1
        expect('a change that was lost or made twice', more >= 0 && more <= unknown)
        unknown -= more
        ;({ version } = outcome.body)
      }
    }

    async function read(): Promise<void> {
      const task = await create(crypto.randomUUID())
      while (!state.stopped) {
        const listed = await send('GET', '/api/tasks?limit=5')
        if (listed?.status === 200) {
          expect('the list of somebody else', Bun.deepEquals(listed.body, [task]))
        }
        const found = await send('GET', `/api/tasks/${task.id}`)
        if (found?.status === 200) expect('another task', Bun.deepEquals(found.body, task))
      }
    }

    switch (index % 4) {
      case 0:
        return read()
      case 1:
        while (!state.stopped) await create(crypto.randomUUID())
        return
      case 2:
        while (!state.stopped) await create()
        return
      default:
        return count()
    }
  }

  const working = Array.from({ length: clients }, (_, index) =>
    work(index).catch((error: unknown) => {
      if (!state.stopped) report.wrong.push(`a client failed: ${String(error)}`)
    }),
  )

  return {
    report,
    pause: async () => {
      gate = Promise.withResolvers()
      while (state.inFlight > 0) await Bun.sleep(10)
    },
    resume: () => gate.resolve(),
    stop: async () => {
      state.stopped = true
      gate.resolve()
      await Promise.all(working)
      return report
    },
  }
}
