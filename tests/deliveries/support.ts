import { observe } from '../../src/database/gate/observe.ts'
import { createClient } from '../../src/deliveries/client.ts'
import { createCourier, type Kind } from '../../src/deliveries/courier.ts'
import { emptyDatabase, layOut } from '../support/database.ts'

export type Received = { path: string; headers: Headers; body: string; at: number }

/** Somebody who is told: what came, and what is answered to it. */
export function startReceiver(
  answer: (received: Received, count: number) => Response | Promise<Response> = () =>
    new Response('ok'),
) {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    fetch: async (request) => {
      const one = {
        path: new URL(request.url).pathname,
        headers: request.headers,
        body: await request.text(),
        at: performance.now(),
      }
      received.push(one)
      for (const look of waiting) look()
      return answer(one, received.length)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/hook`,
    received,
    ids: () => received.map(({ headers }) => headers.get('webhook-id') ?? ''),
    /** Resolves when so much has come. */
    until: (isEnough: (received: Received[]) => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = () => {
          if (!isEnough(received)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    stop: () => server.stop(true),
  }
}

export type Receiver = ReturnType<typeof startReceiver>

/** A database of its own, with a courier of a kind whose targets are addresses by their ids. */
export async function startCouriers(count: number, pauses: number[] = [0.05, 0.05]) {
  const { sql, db, close } = await emptyDatabase()
  await layOut(sql)
  await sql`insert into docket.users (id) values ('alice')`
  const addresses = new Map<string, string>()
  const failures: unknown[] = []
  let statements = 0
  const post = createClient({ isPrivate: true, patience: 1000 })
  const kind: Kind = {
    kind: 'test',
    gone: [410],
    address: (pool) => pool`select d.target::text`,
    learn: (pool) => pool`select from settled`,
    send: ({ id, body }, target) => post(addresses.get(target) ?? '', { 'webhook-id': id }, body),
  }
  const watched = observe(db, () => {
    statements += 1
    return () => {}
  })
  const couriers = Array.from({ length: count }, () =>
    createCourier({
      db: watched,
      kinds: [kind],
      pauses,
      onFailure: (error) => failures.push(error),
    }),
  )
  return {
    sql,
    db,
    couriers,
    failures,
    statements: () => statements,
    /** A target, by its id. */
    to: (address: string): string => {
      const id = crypto.randomUUID()
      addresses.set(id, address)
      return id
    },
    /** Makes so many deliveries. */
    make: async (target: string, many: number, inSeconds = 0): Promise<string[]> => {
      const rows = await sql<{ id: string }[]>`
        insert into docket.deliveries (user_id, id, kind, target, type, body, at, next_at)
        select 'alice', docket.uuid_of(${target} || n || random()), 'test', ${target}, 'test', n::text, now() + n * interval '1 microsecond',
          now() + ${inSeconds} * interval '1 second'
        from generate_series(1, ${many}::integer) n
        returning id`
      return rows.map(({ id }) => id)
    },
    rows: () =>
      sql<
        {
          id: string
          target: string
          is_over: boolean
          outcome: string | null
          code: number | null
          reason: string | null
          tries: number
        }[]
      >`
        select id, target, next_at is null as is_over, outcome, code, reason, tries
        from docket.deliveries order by at, id`,
    close: async () => {
      for (const courier of couriers) await courier.stop()
      await close()
    },
  }
}

/** Waits until it is so: what it waits for says nothing by itself. */
export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const until = performance.now() + 20_000; !(await isSo()); ) {
    if (performance.now() > until) throw new Error('It never came to be so.')
    await Bun.sleep(20)
  }
}
